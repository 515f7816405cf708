import { baselineOf, casesOf, compareTests } from "../../testreport/compare.ts";
import { printableLine } from "../../vocabulary/printable.ts";
import type { VerificationResult } from "../../vocabulary/verification.ts";
import type { RunsJudged } from "./judge.ts";

/** Names of the tests that a bundle says its patch fixed, by target. */
export type RecordedFixes = ReadonlyMap<string, readonly string[]>;

/** Tests named in a sentence; more are counted. */
const NAMED = 3;

/**
 * Whether the tests that a bundle says were fixed are fixed here too, in every run. Nothing is asked of targets without
 * a recorded fix.
 * @param judged a confirmation
 */
export function withTests(
  judged: RunsJudged,
  base: readonly VerificationResult[],
  patched: readonly VerificationResult[],
  fixed: RecordedFixes,
): RunsJudged {
  let count = 0;
  for (const [target, ids] of fixed) {
    if (ids.length === 0) continue;
    const before = baselineOf(casesOf(base, target));
    const after = casesOf(patched, target);
    const name = printableLine(target);
    if (before === null || after.length < patched.length) {
      const detail = `the tests that were fixed cannot be told: ${name} left no report that can be read`;
      return {
        verdict: "inconclusive",
        reason: "tests_unknown",
        detail,
        checks: { ...judged.checks, tests_fixed: "unclear" },
      };
    }
    for (const run of after) {
      const here = new Set(
        compareTests(before, run).flatMap(({ id, change }) => change === "fixed" ? [id] : []),
      );
      const missing = ids.filter((id) => !here.has(id));
      if (missing.length === 0) continue;
      const named = missing.slice(0, NAMED).map(printableLine).join(", ");
      const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : "";
      return {
        verdict: "contradicted",
        reason: "tests_not_fixed",
        detail: `${name} passes, but tests that it says were fixed are not fixed here: ${named}${more}`,
        checks: { ...judged.checks, tests_fixed: "failed" },
      };
    }
    count += ids.length;
  }
  if (count === 0) return judged;
  const tests = count === 1 ? "the recorded test" : `all ${count} recorded tests`;
  return {
    ...judged,
    detail: `${judged.detail}, with ${tests} fixed`,
    checks: { ...judged.checks, tests_fixed: "passed" },
  };
}
