import type { ApprovalTerms } from "../approve/judge.ts";
import { trustedKeys } from "../sign/trust_file.ts";
import type { Examination } from "./proposal_examination.ts";
import { loadTrust } from "./trust_input.ts";

/** By what rules of a policy, and approvals that a clean rebase keeps, are judged when something is proposed. */
export async function settlingTerms(
  { flags, policy, noProof }: Examination,
  now: Date,
): Promise<ApprovalTerms> {
  const trust = await trustOf(flags.trust);
  const { config, digest } = policy;
  return {
    trusted: trust === null
      ? { keys: [], owners: new Map(), refused: [] }
      : trustedKeys(trust, "approver", now),
    threshold: trust === null ? 1 : trust.thresholds.approver,
    policy: config.policy,
    policyDigest: digest,
    proofAsked: noProof !== "no_targets",
    now,
  };
}

/** The trust file that is named, else the user's; null where there is none. Nobody is trusted then. */
async function trustOf(named: string | undefined) {
  if (named !== undefined) return (await loadTrust(named)).trust;
  const home = Deno.env.get("XDG_CONFIG_HOME") || `${Deno.env.get("HOME") ?? ""}/.config`;
  const path = `${home}/veripatch/trust.yaml`;
  const there = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  return there ? (await loadTrust(path)).trust : null;
}
