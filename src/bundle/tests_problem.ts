import { changeOf, couldNotRun, isFailure } from "../testreport/compare.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { TEST_CHANGES, TEST_FINDINGS, TEST_OUTCOMES } from "../vocabulary/test_report.ts";
import { inconsistent, type ParsedBundle } from "./parsed.ts";
import type { ReportDocument, TargetResultsDocument, TestsDocument } from "./schema.ts";
import { countedBy } from "./tests_document.ts";

type TargetTests = TestsDocument["targets"][number];
type RunTarget = TargetResultsDocument["runs"][number]["targets"][number];

const NAME = "tests.json";

/** Whether tests.json is there when a target's report was looked at, and says what the verifications say. */
export function testsProblem(bundle: ParsedBundle): Refusal | null {
  const { repro, all } = bundle;
  const tests = all.get(NAME) as TestsDocument | undefined;
  const named = new Set(tests?.targets.map(({ target }) => target));
  for (const [name, document] of all) {
    if (!name.endsWith("/target_results.json")) continue;
    const problem = reportsProblem(document as TargetResultsDocument, named);
    if (problem !== null) return inconsistent(name, problem);
  }
  if (tests === undefined) return null;
  const order = repro.proof_targets.map(({ name }) => name).filter((name) => named.has(name));
  if (order.length !== tests.targets.length || order.some((name, i) => name !== tests.targets[i]!.target)) {
    return inconsistent(NAME, "not proof targets, each once, in their order");
  }
  for (const target of tests.targets) {
    const problem = targetProblem(target, bundle);
    if (problem !== null) return inconsistent(NAME, problem);
  }
  return null;
}

/** A report is looked at exactly when its target names one and its command exited by itself. */
function reportsProblem({ runs }: TargetResultsDocument, named: ReadonlySet<string>): string | null {
  for (const { target, result, report } of runs.flatMap((run) => run.targets)) {
    if ((report !== undefined) !== (named.has(target) && result?.end === "exited")) {
      return "a report is there exactly when tests.json names its target and the command exited";
    }
    const problem = report === undefined ? null : reportProblem(report);
    if (problem !== null) return problem;
  }
  return null;
}

function reportProblem({ verdict, tests, findings }: ReportDocument): string | null {
  const found = TEST_FINDINGS.some((kind) => findings[kind] > 0);
  if (tests === null) {
    if (found) return "findings of a report that was not read";
    return verdict === "no_report" || verdict === "report_malformed" ? null : "tests are missing";
  }
  const failed = tests.failed + tests.error;
  const ran = TEST_OUTCOMES.some((outcome) => outcome !== "skipped" && tests[outcome] > 0);
  const expected = verdict === "report_malformed"
    ? "report_malformed"
    : !ran
    ? "no_tests_ran"
    : found
    ? "tests_weakened"
    : failed > 0
    ? "tests_failed"
    : "good";
  return verdict === expected ? null : "the verdict on a report contradicts its tests";
}

function targetProblem(target: TargetTests, { repro, all }: ParsedBundle): string | null {
  const { tests, after, base_reports, counts, findings } = target;
  const compared = base_reports > 0 && after !== null;
  if (new Set(tests.map(({ id }) => id)).size !== tests.length) return "a test comes twice";
  for (const { before, after: now, change } of tests) {
    if (before === null && now === null) return "a test of no report";
    if ((before !== null && base_reports === 0) || (now !== null && after === null)) {
      return "a test of a report that is not there";
    }
    if ((change !== null) !== compared) return "a change is there exactly when both sides have a report";
    if (change === null || change === changeOf(before, now)) continue;
    const replaced = change === "replaced" && before !== null && couldNotRun(before) && now === null;
    if (!replaced) return "a change contradicts its test";
  }
  const changes = tests.flatMap(({ change }) => change ?? []);
  if ((counts !== null) !== compared) return "counts are there exactly when both sides have a report";
  if (counts !== null) {
    const real = countedBy(TEST_CHANGES, changes);
    if (TEST_CHANGES.some((change) => counts[change] !== real[change])) return "counts do not add up";
  }
  const lost = tests.filter(({ change }) => (TEST_FINDINGS as readonly unknown[]).includes(change));
  if (
    lost.length !== findings.length || lost.some(({ id, change }, i) => {
      return id !== findings[i]!.id || change !== findings[i]!.kind;
    })
  ) return "findings are not those of its tests";

  const results = (directory: string) =>
    all.get(`${directory}/target_results.json`) as TargetResultsDocument | undefined;
  const confirmed = results("confirmation");
  if (repro.status === "proved" && after?.of !== "confirmation") return "a proof without a report after it";
  if (
    repro.status === "proved" &&
    (findings.length > 0 || tests.some((t) => t.after !== null && isFailure(t.after)))
  ) {
    return "a proof with tests that fail or were lost";
  }
  const bases = [...results("attempts/0_baseline")?.runs ?? [], ...results("base_again")?.runs ?? []];
  const readable = bases.filter((run) => reportOf(run.targets, target.target)?.tests != null).length;
  if (readable !== base_reports) return "base_reports is not how many the base has";
  if (after === null) return null;
  if ((after.of === "confirmation") !== (confirmed !== undefined)) return "after is not of the last run";
  if ((after.of === "attempt") !== (after.attempt !== null)) {
    return "an attempt has a number, nothing else has";
  }
  const last = after.of === "confirmation" ? confirmed : results(`attempts/${after.attempt}/verify`);
  const report = reportOf(last?.runs.at(-1)?.targets ?? [], target.target);
  const real = countedBy(TEST_OUTCOMES, tests.flatMap((test) => test.after ?? []));
  const same = report?.tests != null &&
    TEST_OUTCOMES.every((outcome) => report.tests![outcome] === real[outcome]);
  return same ? null : "after is not what the last run says";
}

function reportOf(targets: readonly RunTarget[], name: string): ReportDocument | undefined {
  return targets.find((t) => t.target === name)?.report;
}
