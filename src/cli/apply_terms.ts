import type { ApprovalTerms } from "../approve/judge.ts";
import type { LoadedPolicy } from "../policy/load.ts";
import { trustedKeys } from "../sign/trust_file.ts";
import { Failure } from "../vocabulary/failure.ts";
import { loadTrust } from "./trust_input.ts";
import { TRUST_FILE_NAME } from "./trust_name.ts";

/**
 * By what approvals are judged: the caller's own policy and trust file, read once, judged at the time that is asked.
 * @param named trust file of the call; left out, the user's own, which need not be there
 * @throws Failure as `loadTrust`
 */
export async function termsAsked(
  { config, digest: policyDigest }: LoadedPolicy,
  named: string | undefined,
): Promise<(now: Date) => ApprovalTerms> {
  const trust = await trustOf(named);
  return (now) => ({
    trusted: trust === null
      ? { keys: [], owners: new Map(), refused: [] }
      : trustedKeys(trust, "approver", now),
    threshold: trust?.thresholds.approver ?? 1,
    policy: config.policy,
    policyDigest,
    proofAsked: config.proof_targets.length > 0,
    now,
  });
}

async function trustOf(named: string | undefined) {
  if (named !== undefined) return (await loadTrust(named)).trust;
  const own = ownTrustFile();
  if (own === null) return null;
  try {
    return (await loadTrust(own)).trust;
  } catch (error) {
    if (error instanceof Failure && error.code === "file_missing") return null;
    throw error;
  }
}

/** Where the user's trust file is; null without a home. */
function ownTrustFile(): string | null {
  const config = Deno.env.get("XDG_CONFIG_HOME") ?? "";
  const home = Deno.env.get("HOME") ?? "";
  if (config.startsWith("/")) return `${config}/veripatch/${TRUST_FILE_NAME}`;
  return home.startsWith("/") ? `${home}/.config/veripatch/${TRUST_FILE_NAME}` : null;
}
