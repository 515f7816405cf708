import type { ProofStatement } from "../../bundle/statement.ts";
import { configuredTargets, sameArgv } from "../../policy/commands.ts";
import type { PolicyConfig } from "../../policy/policy.ts";
import { sameKey, type VerificationKey } from "../../sign/key.ts";
import { printableLine, quoted } from "../../vocabulary/printable.ts";
import type { ReplayResult } from "../replay.ts";
import type { Trust } from "../verdicts/signature.ts";
import { otherImage } from "./policy_checks.ts";
import { verifySummary } from "../verdicts/summary.ts";
import { fail, finding, type GateCheck, judged, ofVerdict, pass } from "./check.ts";

/** A replay that somebody whom the verifier trusts as a replayer has made and signed. */
export interface SummaryGiven {
  readonly kind: "summary";
  readonly envelope: Uint8Array;
  /** Keys of replayers. */
  readonly trust: Trust;
}

interface SummaryContext {
  readonly statement: ProofStatement;
  /** Keys whose signatures of the proof were believed. */
  readonly provers: readonly VerificationKey[];
  /** Whose a prover's key is, by its id. */
  readonly owners: Trust["owners"];
  /** SHA-256 of the bundle's attestation.json. */
  readonly attestation: string;
  readonly config: PolicyConfig;
  readonly now: Date;
  readonly maxAgeMs: number | null;
}

/**
 * Whether a signed summary confirms exactly this proof, with every target the policy wants. Nobody replays a proof of
 * their own: signatures by whoever signed the proof count for nothing, whatever key of theirs made them.
 */
export async function summaryCheck(
  { envelope, trust }: SummaryGiven,
  context: SummaryContext,
): Promise<GateCheck> {
  const { statement, attestation, config, now, maxAgeMs } = context;
  const expected = { subjects: statement.subjects, attestation, now, maxAgeMs };
  const isProver = proverAmong(trust, context);
  const others = { ...trust, keys: trust.keys.filter((key) => !isProver(key)) };
  const { verdict, summary } = await verifySummary(envelope, others, expected);
  if (summary === null && (await verifySummary(envelope, trust, expected)).signers.some(isProver)) {
    const detail = "whoever signed the proof signed the summary too: somebody else has to replay it";
    return fail("replay", [finding("replayer_is_prover", detail)]);
  }
  const check = ofVerdict("replay", verdict);
  if (check.verdict !== "pass" || summary === null) return check;
  const { replay } = summary;
  const wanted = configuredTargets(config);
  const findings = (wanted.ok ? wanted.targets : [])
    .filter(({ argv }) => !replay.targets.some((ran) => sameArgv(ran.argv, argv)))
    .map(({ name }) => finding("target_not_replayed", `${quoted(name, 80)} was not replayed`));
  const proved = statement.predicate.targets;
  const same = replay.targets.length === proved.length &&
    replay.targets.every(({ argv }, i) => sameArgv(argv, proved[i]!.argv));
  if (findings.length === 0 && !same) {
    findings.push(finding("replayed_other_targets", "the replay ran other commands than the proof"));
  }
  if (replay.base_tree !== statement.predicate.base.tree) {
    findings.push(finding("replayed_other_base", "the replay was on another base"));
  }
  const { backend, container_image: image } = config.policy.sandbox;
  const where = replay.sandbox;
  if (where?.backend === "fake") {
    findings.push(finding("sandbox_fake", "it was replayed in no sandbox"));
  } else if (where !== null && backend !== "auto" && backend !== where.backend) {
    const detail = `it was replayed in ${where.backend}; the policy asks for ${backend}`;
    findings.push(finding("sandbox_differs", detail));
  }
  const other = where === null ? null : otherImage(where, image);
  if (other !== null) findings.push(finding("image_differs", `it was replayed in ${other}`));
  if (config.policy.network === "deny" && replay.sandbox?.network === "allow") {
    findings.push(finding("network_allowed", "it was replayed with network; the policy denies it"));
  }
  if (config.policy.verify.negative_control !== null && replay.control === null) {
    const detail = "it was replayed without a negative control; the policy wants one";
    findings.push(finding("negative_control_missing", detail));
  }
  if (replay.repeat < config.policy.verify.repeat) {
    const detail = `it was replayed ${replay.repeat} times; the policy wants ${config.policy.verify.repeat}`;
    findings.push(finding("too_few_runs", detail));
  }
  return judged("replay", findings, check.detail);
}

/** Whether a replayer's key is one that signed the proof, or is of the same owner. */
function proverAmong(
  trust: Trust,
  { provers, owners }: SummaryContext,
): (key: VerificationKey) => boolean {
  const proved = new Set(
    provers.flatMap(({ id }) => [owners.get(id) ?? [], trust.owners.get(id) ?? []].flat()),
  );
  return (key) => {
    const owner = trust.owners.get(key.id);
    return provers.some((prover) => sameKey(prover, key)) || (owner !== undefined && proved.has(owner));
  };
}

/** What a replay made here says. */
export function resultCheck({ verdict, reason, detail }: ReplayResult): GateCheck {
  return verdict === "confirmed"
    ? pass("replay", `replayed here: ${printableLine(detail)}`)
    : fail("replay", [finding(reason, `replayed here, ${verdict}: ${printableLine(detail)}`)]);
}
