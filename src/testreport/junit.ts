import { SaxesParser, type SaxesTagPlain } from "saxes";
import type { TestOutcome } from "../vocabulary/test_report.ts";
import { CaseList, type Place, ReportRefusal, TOP, within } from "./case_list.ts";
import type { ReportRead } from "./report.ts";

/** Elements within elements. */
const MAX_DEPTH = 64;
/** An attribute or a text: 16 MiB of them are possible, no name is that long. */
const MAX_NAME_LENGTH = 65_536;

/** What a case may say of itself in an attribute, whatever the letter case; anything else is no word about failing. */
const FAILED_WORDS: ReadonlySet<string> = new Set(["fail", "failed", "failing", "failure"]);
const ERROR_WORDS: ReadonlySet<string> = new Set(
  ["error", "errored", "broken", "crashed", "aborted", "timeout", "timedout", "timed out"],
);
const SKIPPED_WORDS: ReadonlySet<string> = new Set(
  ["notrun", "skipped", "disabled", "ignored", "pending", "suppressed"],
);

/** A suite, or the root, that is not closed yet. */
interface OpenSuite {
  readonly place: Place;
  /** Failures and errors that it says it has. */
  readonly declared: number;
  /** Failures and errors found within it, however deep. */
  found: number;
}

interface OpenCase {
  readonly place: Place;
  readonly attributes: Readonly<Record<string, string>>;
  failed: boolean;
  error: boolean;
  skipped: "no" | "skipped" | "xfail" | "todo";
  /** Pytest's second entry of a test that failed already: its teardown failed too. */
  teardown: boolean;
}

/**
 * Reads JUnit XML: `testsuites` or `testsuite` with any nesting of suites and cases, as pytest, jest, vitest, Deno,
 * `node --test`, go-junit-report, gtest and surefire write it. A document type is refused, so there are no entities but
 * the five of XML. A failure counts wherever it is said: in an element at any depth, an attribute of the case, or the
 * counts of its suite. Pytest writes an expected failure as `<skipped type="pytest.xfail">`.
 */
export function readJunit(text: string): ReportRead {
  const list = new CaseList();
  try {
    parse(text, list);
  } catch (error) {
    if (!(error instanceof ReportRefusal)) throw error;
    return { ok: false, detail: error.message };
  }
  return { ok: true, report: { cases: list.cases, incomplete: null } };
}

function parse(text: string, list: CaseList): void {
  const parser = new SaxesParser({ xmlns: false });
  const open: string[] = [];
  const suites: OpenSuite[] = [];
  let current: OpenCase | null = null;
  let last: OpenCase | null = null;
  let root = false;

  parser.on("error", (error) => {
    throw new ReportRefusal(`it is no XML: ${error.message.slice(0, 200)}`);
  });
  parser.on("doctype", () => {
    throw new ReportRefusal("it has a document type, which no report needs");
  });
  parser.on("xmldecl", ({ encoding }) => {
    if (encoding === undefined || /^(utf-?8|us-ascii)$/i.test(encoding)) return;
    throw new ReportRefusal("its encoding is not UTF-8");
  });
  parser.on("opentag", ({ name, attributes }: SaxesTagPlain) => {
    if (open.length === MAX_DEPTH) throw new ReportRefusal(`it is nested deeper than ${MAX_DEPTH}`);
    const parent = open.at(-1);
    if (parent === undefined && name !== "testsuites" && name !== "testsuite") {
      throw new ReportRefusal("it is no JUnit report: its root is not testsuites or testsuite");
    }
    root = true;
    open.push(name);
    if (name === "testsuites" || name === "testsuite") {
      const above = suites.at(-1)?.place ?? TOP;
      const place = name === "testsuite" ? within(above, named(attributes)) : above;
      suites.push({ place, declared: counted(attributes.failures) + counted(attributes.errors), found: 0 });
      return;
    }
    const suite = suites.at(-1)!;
    const isFailure = name === "failure" || name === "error";
    if (isFailure) suite.found++;
    if (name === "testcase") {
      if (current !== null) throw new ReportRefusal("a testcase is inside another");
      const place = within(within(suite.place, attributes.classname ?? ""), named(attributes));
      current = { place, attributes, failed: false, error: false, skipped: "no", teardown: false };
    } else if (current !== null && (isFailure || parent === "testcase")) mark(current, name, attributes);
    else if (isFailure) {
      list.add(within(suite.place, `(${name})`), "error");
      last = null;
    }
  });
  parser.on("closetag", ({ name }) => {
    open.pop();
    if (name === "testsuite" || name === "testsuites") {
      const { place, declared, found } = suites.pop()!;
      // Jest's reporter counts a file that does not load and lists nothing of it.
      if (declared > found) {
        list.add(within(place, "(a failure that is not listed)"), "error");
        last = null;
      }
      const above = suites.at(-1);
      if (above !== undefined) above.found += Math.max(declared, found);
      return;
    }
    if (name !== "testcase" || current === null) return;
    const outcome = outcomeOf(current);
    const marked = current.failed || current.error;
    if (!marked && (outcome === "failed" || outcome === "error")) suites.at(-1)!.found++;
    if (last !== null && current.teardown && last.place.id === current.place.id) list.replaceLast("error");
    else list.add(current.place, outcome);
    last = current;
    current = null;
  });
  parser.write(text).close();
  if (!root) throw new ReportRefusal("it is empty");
}

function named(attributes: Readonly<Record<string, string>>): string {
  const name = attributes.name ?? "";
  if (name.length > MAX_NAME_LENGTH) throw new ReportRefusal(`a name is longer than ${MAX_NAME_LENGTH}`);
  return name;
}

/** Failures or errors a suite says it has; none where it says nothing. */
function counted(said: string | undefined): number {
  const text = (said ?? "").trim();
  if (text === "") return 0;
  if (!/^[0-9]{1,9}$/.test(text)) {
    throw new ReportRefusal("a suite's number of failures or errors is no number");
  }
  return Number(text);
}

function mark(test: OpenCase, child: string, attributes: Readonly<Record<string, string>>): void {
  if (child === "failure") test.failed = true;
  else if (child === "error") {
    test.error = true;
    test.teardown = (attributes.message ?? "").startsWith("failed on teardown");
  } else if (child === "skipped") {
    const { type } = attributes;
    test.skipped = type === "pytest.xfail" ? "xfail" : type === "todo" ? "todo" : "skipped";
  }
}

function outcomeOf({ attributes, failed, error, skipped }: OpenCase): TestOutcome {
  // `node --test`: a todo that fails is no failure; one that passes looks like one that was not run.
  if (skipped === "todo" && failed) return "xfailed";
  if (error) return "error";
  if (failed) return "failed";
  if (skipped === "xfail") return "xfailed";
  // gtest and others say it in an attribute.
  const said = [attributes.status, attributes.result].map((word) => (word ?? "").trim().toLowerCase());
  if (said.some((word) => ERROR_WORDS.has(word))) return "error";
  if (said.some((word) => FAILED_WORDS.has(word))) return "failed";
  return skipped !== "no" || said.some((word) => SKIPPED_WORDS.has(word)) ? "skipped" : "passed";
}
