import type { ReadBundle } from "../../bundle/read.ts";
import type { Sha256 } from "../../vocabulary/digest.ts";
import type { VerificationResult } from "../../vocabulary/verification.ts";
import { type Check, checkList, type CheckVerdicts } from "./judge.ts";
import type { ReplayResult } from "../replay.ts";
import type { ReplayClaim } from "./claim.ts";
import type { ReplayPlan } from "./rerun.ts";
import type { Verdict } from "../verdicts/verdict.ts";
import type { Verification } from "../verify.ts";
import type { ReplayFacts, VerificationSummary } from "../verification_summary.ts";

const AS_CHECK = {
  valid: "passed",
  invalid: "failed",
  unsigned: "not_checked",
  not_checked: "not_checked",
} as const;

/** All that was looked at, in order: the four verdicts on the attestation, then what the replay saw. */
export function checksOf(
  verification: Verification | null,
  result: Pick<ReplayResult, "checks"> | null,
): readonly Check[] {
  const of = ({ verdict }: Verdict) => AS_CHECK[verdict];
  const attested: CheckVerdicts = verification === null ? {} : {
    signature: of(verification.signature),
    integrity: of(verification.integrity),
    subject: of(verification.subject),
    freshness: of(verification.freshness),
  };
  return checkList({ ...attested, ...result?.checks });
}

/** Everything a summary is made of but its time. */
interface SummarySource {
  readonly bundle: Pick<ReadBundle, "repro">;
  readonly claim: ReplayClaim;
  readonly result: ReplayResult;
  readonly plan: ReplayPlan;
  /** Of an attestation that was verified, or of an unsigned bundle that was allowed. */
  readonly verification: Verification;
  readonly attestation: Sha256 | null;
  readonly policy: VerificationSummary["policy"];
}

/** What a replayer signs of a replay. */
export function summaryOf(source: SummarySource, verifiedAt: Date, toolVersion: string): VerificationSummary {
  const { bundle, claim, policy, attestation } = source;
  return {
    subjects: { patch: bundle.repro.final_patch_sha256!, tree: claim.resultTree },
    verifiedAt,
    toolVersion,
    policy,
    attestation,
    replay: factsOf(source),
  };
}

function factsOf({ bundle, claim, result, plan, verification }: SummarySource): ReplayFacts {
  const { environment, minimal } = result;
  return {
    format: "veripatch-replay-summary/v1",
    session: bundle.repro.session,
    verdict: result.verdict,
    reason: result.reason,
    targets: claim.targets.map(({ name, command, argv, shell }) => ({ name, command, argv, shell })),
    repeat: plan.repeat,
    base_tree: claim.baseTree,
    base: tally(result.base),
    patched: tally(result.patched),
    control: result.control.length === 0 ? null : tally(result.control),
    findings: result.findings.map(({ code, path, rule }) => ({ code, path, rule })),
    sandbox: environment === null || result.base.length === 0 ? null : {
      backend: environment.backend,
      image: environment.image === null ? null : { name: environment.image.name, id: environment.image.id },
      network: plan.spec.network,
      as_recorded: result.asRecorded,
    },
    signers: verification.signers.map((key) => key.id),
    minimal: minimal === null ? null : {
      units: minimal.units,
      tried: minimal.tried,
      passed: minimal.needless.length,
      seed: minimal.seed,
    },
    checks: checksOf(verification, result).map(({ check, verdict }) => ({ check, verdict })),
  };
}

function tally(runs: readonly VerificationResult[]): ReplayFacts["base"] {
  const of = (outcome: string) => runs.filter((run) => run.outcome === outcome).length;
  return { runs: runs.length, passed: of("passed"), failed: of("failed"), timed_out: of("timed_out") };
}
