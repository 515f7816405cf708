import { controlOutcome } from "../../prove/negative_control.ts";
import type { VerificationResult } from "../../vocabulary/verification.ts";
import type { RunsJudged } from "./judge.ts";

/**
 * What the verifier's negative control does to a confirmation: a runner that does not notice a failing test has no say
 * in whether the patch works.
 * @param runs with the control beside the patch, one per repeat
 * @param targets names of those that have to fail
 */
export function withControl(
  judged: RunsJudged,
  runs: readonly VerificationResult[],
  targets: readonly string[],
): RunsJudged {
  const of = (verdict: "passed" | "failed" | "unclear") => ({ ...judged.checks, negative_control: verdict });
  const inconclusive = (reason: string, detail: string): RunsJudged => ({
    verdict: "inconclusive",
    reason,
    detail,
    checks: of("unclear"),
  });
  switch (controlOutcome(runs, targets)) {
    case "failed":
      return {
        ...judged,
        detail: `${judged.detail}, and red with your negative control`,
        checks: of("passed"),
      };
    case "passed":
      return {
        verdict: "contradicted",
        reason: "negative_control_passed",
        detail: "your negative control passes here: the runner does not notice a failing test",
        checks: of("failed"),
      };
    case "mixed":
      return inconclusive("flaky", "your negative control passed in one run and not in another");
    case "timed_out":
      return inconclusive(
        "negative_control_timed_out",
        "with your negative control the targets did not come to an end of their own",
      );
  }
}
