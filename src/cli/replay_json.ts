import { checksOf } from "../verify/replay/facts.ts";
import { NAMED_DIFFERENCES } from "../verify/replay.ts";
import { removalText } from "../verify/replay/removals.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";
import { EXIT } from "./exit_code.ts";
import type { Replayed, ReportContext } from "./replay_report.ts";
import { verificationJson } from "./verification_report.ts";

/** What came of a replay, for programs. @param exit the exit code that says so */
export function replayJson(
  replayed: Replayed,
  { bundle, owners, summary }: ReportContext,
  exit: number,
): unknown {
  const { checked, result, plan, policy } = replayed;
  const { claim, verification } = checked;
  const brief = (side: readonly VerificationResult[]) =>
    side.map((v) => ({
      outcome: v.outcome,
      targets: v.targets.map((t) => ({
        target: t.target,
        outcome: t.outcome,
        exit_code: t.result?.exitCode ?? null,
        report: t.tests === undefined ? null : t.tests.verdict,
      })),
    }));
  const { minimal, environment } = result;
  return {
    format: "veripatch-replay/v1",
    verdict: result.verdict,
    success: result.verdict === "confirmed",
    reason: result.reason,
    detail: result.detail,
    exit,
    bundle,
    session: checked.bundle.repro.session,
    attestation: verification === null ? null : verificationJson(verification, bundle, owners, EXIT.yes),
    policy: { source: policy.source, digest: policy.digest },
    checks: checksOf(verification, result),
    repeat: plan.repeat,
    base_tree: claim.baseTree,
    result_tree: claim.resultTree,
    targets: claim.targets.map((t) => ({ name: t.name, command: t.command, argv: t.argv })),
    base_differences: {
      count: result.differences.length,
      first: result.differences.slice(0, NAMED_DIFFERENCES),
    },
    base: brief(result.base),
    patched: brief(result.patched),
    negative_control: brief(result.control),
    findings: result.findings,
    minimal: minimal === null ? null : {
      units: minimal.units,
      tried: minimal.tried,
      unparsable: minimal.unparsable,
      timed_out: minimal.timedOut,
      seed: minimal.seed,
      needless: minimal.needless.map(removalText),
      unsteady: minimal.unsteady.map(removalText),
    },
    sandbox_backend: environment?.backend ?? null,
    image: environment?.image ?? null,
    sandbox_as_recorded: environment === null ? null : result.asRecorded,
    summary: summary === null ? null : { file: summary.file, key_id: summary.keyId, result: summary.result },
  };
}
