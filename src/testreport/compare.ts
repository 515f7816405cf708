import {
  TEST_FINDINGS,
  type TestCase,
  type TestChange,
  type TestFinding,
  type TestFindingKind,
  type TestOutcome,
} from "../vocabulary/test_report.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";

interface ComparedTest {
  readonly id: string;
  /** Null: not in that report. */
  readonly before: TestOutcome | null;
  readonly after: TestOutcome | null;
  readonly change: TestChange;
}

/** The readable reports of one target over several verifications. */
export function casesOf(
  runs: readonly VerificationResult[],
  target: string,
): readonly (readonly TestCase[])[] {
  return runs.flatMap((run) => {
    const cases = run.targets.find((t) => t.target === target)?.tests?.cases;
    return cases == null ? [] : [cases];
  });
}

/**
 * What the base's tests are, from all its runs: those that every run lists. One that did not end the same way each time
 * is demanded no more of than the least it did: skipped once, it may be skipped; failed once, it may fail.
 * @param runs the readable reports of the base; null when there is none
 */
export function baselineOf(runs: readonly (readonly TestCase[])[]): readonly TestCase[] | null {
  const [first, ...others] = runs;
  if (first === undefined) return null;
  const rest = others.map((run) => new Map(run.map(({ id, outcome }) => [id, outcome])));
  return first.flatMap(({ id, outcome }) => {
    const outcomes = new Set([outcome]);
    for (const run of rest) {
      const other = run.get(id);
      if (other === undefined) return [];
      outcomes.add(other);
    }
    return [{ id, outcome: LEAST_FIRST.find((o) => outcomes.has(o))! }];
  });
}

const LEAST_FIRST: readonly TestOutcome[] = ["skipped", "xfailed", "error", "failed", "xpassed", "passed"];

/**
 * Every test of two reports and what became of it: those of `before` in their order, then those that are new.
 * @param stillThere whether an entry that failed and is gone named a file that is still part of the workspace
 */
export function compareTests(
  before: readonly TestCase[],
  after: readonly TestCase[],
  stillThere: (id: string) => boolean = () => false,
): readonly ComparedTest[] {
  const now = new Map(after.map(({ id, outcome }) => [id, outcome]));
  const then = new Set(before.map(({ id }) => id));
  const added = after.filter(({ id }) => !then.has(id));
  const addedIds = added.map(({ id }) => id).sort();
  const rows = before.map(({ id, outcome }): ComparedTest => {
    const found = now.get(id) ?? null;
    const gone = found === null && couldNotRun(outcome) && addedIds.length > 0 &&
      (someStartWith(addedIds, `${id} > `) || someStartWith(addedIds, `${id}.`) || stillThere(id));
    return { id, before: outcome, after: found, change: gone ? "replaced" : changeOf(outcome, found) };
  });
  return [
    ...rows,
    ...added.map(({ id, outcome }): ComparedTest => ({ id, before: null, after: outcome, change: "added" })),
  ];
}

/** What became of a test, going by nothing but how it ended; `before` and `after` are not both null. */
export function changeOf(before: TestOutcome | null, after: TestOutcome | null): TestChange {
  if (before === null) return "added";
  if (after === null) return "vanished";
  if (after === "skipped") return before === "skipped" ? "still_skipped" : "newly_skipped";
  if (isFailure(after)) return isFailure(before) ? "still_failing" : "newly_failing";
  // One that was skipped had no say; it loses nothing by running and being expected to fail.
  if (before === "skipped") return "newly_running";
  if (after === "xfailed") return before === "xfailed" ? "still_xfailed" : "newly_xfailed";
  return isFailure(before) ? "fixed" : isPass(before) ? "still_passing" : "newly_passing";
}

/** Whether an entry that ended so may have stood for a whole file or suite. */
export function couldNotRun(outcome: TestOutcome): boolean {
  return !isPass(outcome);
}

/** Whether a test that ended so makes its run red. */
export function isFailure(outcome: TestOutcome): boolean {
  return outcome === "failed" || outcome === "error";
}

function isPass(outcome: TestOutcome): boolean {
  return outcome === "passed" || outcome === "xpassed";
}

/** The tests that lost their say between two runs. */
export function findingsOf(tests: readonly ComparedTest[]): readonly TestFinding[] {
  return tests.flatMap(({ id, change }) => isFinding(change) ? [{ kind: change, id }] : []);
}

function isFinding(change: TestChange): change is TestFindingKind {
  return (TEST_FINDINGS as readonly string[]).includes(change);
}

function someStartWith(sorted: readonly string[], prefix: string): boolean {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < prefix) low = middle + 1;
    else high = middle;
  }
  return low < sorted.length && sorted[low]!.startsWith(prefix);
}
