import { CaseList, MAX_CASES, type Place, ReportRefusal, TOP, within } from "./case_list.ts";
import type { ReportRead } from "./report.ts";

/** Subtests within subtests. */
const MAX_DEPTH = 32;
/** TAP indents a subtest by this much. */
const INDENT = 4;

/** One test line, with the subtests that stood before it. */
interface Point {
  readonly name: string;
  readonly ok: boolean;
  readonly directive: "skip" | "todo" | null;
  readonly children: readonly Point[];
}

interface Level {
  readonly points: Point[];
  planned: number | null;
}

/**
 * Reads TAP 13 and 14 as `node --test`, Deno, bats, node-tap, prove and pytest-tap write it: test lines, directives,
 * plans, subtests indented by four, YAML blocks (skipped), `Bail out!`. Other lines are comments or what the tests
 * printed. Only the innermost tests count; a parent counts itself when it fails and none of its own tests did.
 */
export function readTap(text: string): ReportRead {
  const reader = new TapReader();
  try {
    for (const line of linesOf(text)) reader.line(line);
    return reader.finish();
  } catch (error) {
    if (!(error instanceof ReportRefusal)) throw error;
    return { ok: false, detail: error.message };
  }
}

class TapReader {
  /** `#levels[d]` holds what stands at depth d and waits for the test line of its parent. */
  #levels: Level[] = [{ points: [], planned: null }];
  /** Indentation at which a YAML block may begin, right after a test line. */
  #yamlAt: number | null = null;
  /** Indentation of the block that is being skipped. */
  #yaml: number | null = null;
  #points = 0;
  #incomplete: string | null = null;

  line(line: string): void {
    const indent = line.length - line.trimStart().length;
    const content = line.trimEnd().slice(indent);
    if (this.#yaml !== null) {
      if (content === "" || indent > this.#yaml || (indent === this.#yaml && content !== "...")) return;
      const ended = indent === this.#yaml;
      this.#yaml = null;
      if (ended) return;
    }
    if (content === "---" && indent === this.#yamlAt) {
      this.#yaml = indent;
      this.#yamlAt = null;
      return;
    }
    this.#yamlAt = null;
    if (content.startsWith("Bail out!")) this.#incomplete ??= "the run bailed out";
    if (indent % INDENT !== 0) return;
    const depth = indent / INDENT;
    const plan = /^1\.\.(\d{1,9})(?:[ \t]*$|[ \t]+#)/.exec(content);
    if (plan !== null) this.#plan(depth, Number(plan[1]));
    else if (/^(?:not )?ok(?:[ \t]|$)/.test(content)) this.#point(depth, content, indent);
  }

  finish(): ReportRead {
    const top = this.#levels[0]!;
    const orphans = this.#closed(1);
    if (orphans.length > 0) this.#incomplete ??= "a subtest has no test line of its own";
    if (this.#yaml !== null) this.#incomplete ??= "a YAML block does not end";
    if (top.planned === null) {
      if (top.points.length + orphans.length === 0) return { ok: false, detail: "it holds no TAP" };
      this.#incomplete ??= "it has no plan: the run may have been cut off";
    }
    this.#checkPlan(top);
    const list = new CaseList();
    for (const point of [...top.points, ...orphans]) addPoint(list, point, TOP, false);
    return { ok: true, report: { cases: list.cases, incomplete: this.#incomplete } };
  }

  #level(depth: number): Level {
    if (depth > MAX_DEPTH) throw new ReportRefusal(`it is nested deeper than ${MAX_DEPTH}`);
    while (this.#levels.length <= depth) this.#levels.push({ points: [], planned: null });
    return this.#levels[depth]!;
  }

  #plan(depth: number, planned: number): void {
    const level = this.#level(depth);
    if (level.planned !== null) this.#incomplete ??= "there are two plans";
    level.planned = planned;
  }

  #point(depth: number, content: string, indent: number): void {
    if (++this.#points > MAX_CASES) throw new ReportRefusal(`it lists more than ${MAX_CASES} tests`);
    const children = this.#closed(depth + 1);
    this.#level(depth).points.push({ ...readPoint(content), children });
    this.#yamlAt = indent + 2;
  }

  /** Takes what stands at a depth or deeper. */
  #closed(depth: number): readonly Point[] {
    const levels = this.#levels.splice(depth);
    for (const level of levels) this.#checkPlan(level);
    return levels.length === 1 ? levels[0]!.points : levels.flatMap((level) => level.points);
  }

  #checkPlan({ points, planned }: Level): void {
    if (planned === null || planned === points.length) return;
    this.#incomplete ??= `${planned} tests were planned and ${points.length} are there`;
  }
}

function readPoint(content: string): Omit<Point, "children"> {
  const ok = !content.startsWith("not ");
  const rest = content.slice(ok ? 2 : 6).replace(/^[ \t]+\d{1,9}(?=[ \t]|$)/, "")
    .replace(/^[ \t]+-(?=[ \t]|$)/, "").trim();
  const found = /(?:^|[ \t])#[ \t]*(?:(skip)|todo(?![^\s:]))/i.exec(rest);
  const named = (found === null ? rest : rest.slice(0, found.index)).trim();
  const name = named.replace(/[ \t]#[ \t](?:time=|in )[\d.]+ ?m?s$/, "").replaceAll(/\\([\\#])/g, "$1");
  return { ok, name, directive: found === null ? null : found[1] === undefined ? "todo" : "skip" };
}

/** @returns whether a failure that counts was added */
function addPoint(list: CaseList, point: Point, above: Place, todoAbove: boolean): boolean {
  const { ok, directive, children } = point;
  const todo = todoAbove || directive === "todo";
  const place = within(above, point.name);
  const failed = !ok && !todo && directive !== "skip";
  if (children.length > 0) {
    let failures = false;
    for (const child of children) failures = addPoint(list, child, place, todo) || failures;
    if (!failed || failures) return failures;
  }
  const outcome = directive === "skip"
    ? "skipped"
    : todo
    ? ok ? "xpassed" : "xfailed"
    : ok
    ? "passed"
    : "failed";
  list.add(place, outcome);
  return failed;
}

function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    yield text.slice(start, end < 0 ? undefined : end);
    if (end < 0) return;
    start = end + 1;
  }
}
