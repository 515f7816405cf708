import { isAbsolute, join } from "node:path";
import type { ApprovalTerms } from "../approve/judge.ts";
import { type LoadedPolicy, loadPolicy, showPolicyFile } from "../policy/load.ts";
import { keysOfAnyRole, type TrustedKeys, trustedKeys } from "../sign/trust_file.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { loadTrust } from "./trust_input.ts";
import { TRUST_FILE_NAME } from "./trust_name.ts";

/** How a call says by whose rules and whose keys approvals are judged. */
export interface ApprovalTermsFlags {
  readonly trust?: string;
  readonly policy?: string;
  readonly workspace?: string;
}

/** Terms, and where they come from. */
export interface LoadedTerms extends ApprovalTerms {
  /** Path of the trust file; null where there is none, and nobody is trusted. */
  readonly trustFile: string | null;
  /** For people: the policy's file, or that it is the default. */
  readonly policyFile: string;
}

const NOBODY: TrustedKeys = { keys: [], owners: new Map(), refused: [] };

/**
 * By what a call judges approvals: the trust file it names, else the user's own; the policy it names, else the one of
 * the workspace, else the default. Nothing of it comes from the store.
 * @throws Failure of what cannot be read
 */
export async function approvalTerms(flags: ApprovalTermsFlags, now: Date): Promise<LoadedTerms> {
  const policy = await loadPolicy(flags.workspace ?? ".", flags.policy);
  return (await termsUnder(policy, flags.trust))(now);
}

/**
 * The same under a policy that is loaded already, for any moment: keys count from and until their times.
 * @param named trust file of the call; left out, the user's own, which need not be there
 * @throws Failure as `loadTrust`
 */
export async function termsUnder(
  { config, source, digest: policyDigest }: LoadedPolicy,
  named: string | undefined,
): Promise<(now: Date) => LoadedTerms> {
  const found = await trustOf(named);
  const policyFile = source === null ? "the built-in default" : printablePath(showPolicyFile(source));
  return (now) => ({
    trusted: found === null ? NOBODY : trustedKeys(found.trust, "approver", now),
    proposers: found === null ? NOBODY : keysOfAnyRole(found.trust, now),
    threshold: found?.trust.thresholds.approver ?? 1,
    trustFile: found?.path ?? null,
    ...{ policy: config.policy, policyDigest, policyFile },
    proofAsked: config.proof_targets.length > 0,
    now,
  });
}

async function trustOf(named: string | undefined) {
  const path = named ?? usersTrustPath();
  if (path === null) return null;
  try {
    return { path, trust: (await loadTrust(path)).trust };
  } catch (error) {
    if (named === undefined && error instanceof Failure && error.code === "file_missing") return null;
    throw error;
  }
}

/** Where the user's own trust file is; null without a home. A relative place would be the folder's word. */
function usersTrustPath(): string | null {
  const config = Deno.env.get("XDG_CONFIG_HOME") ?? "";
  const home = Deno.env.get("HOME") ?? "";
  if (isAbsolute(config)) return join(config, "veripatch", TRUST_FILE_NAME);
  return isAbsolute(home) ? join(home, ".config/veripatch", TRUST_FILE_NAME) : null;
}

/**
 * The principal for whom a key speaks.
 * @throws Failure `no_trust_file`, `not_an_approver` (denied)
 */
export function approverOf({ trusted, trustFile }: LoadedTerms, keyId: string): string {
  if (trustFile === null) {
    throw new Failure("denied", "no_trust_file", "there is no trust file that says who may approve", {
      hint: `name one with --trust FILE, or write ${
        printablePath(usersTrustPath() ?? "~/.config/veripatch/trust.yaml")
      }: pp trust init FILE`,
    });
  }
  const owner = trusted.owners.get(keyId);
  if (owner !== undefined) return owner;
  const refused = trusted.refused.find(({ key }) => key.id === keyId);
  const shown = printablePath(trustFile);
  throw new Failure(
    "denied",
    "not_an_approver",
    refused === undefined
      ? `${shown} does not name this key as an approver's`
      : `the key of ${refused.principal} is ${refused.state.replaceAll("_", " ")} in ${shown}`,
    { hint: `pp trust add NAME PUBLIC.pem --role approver --trust ${shown}` },
  );
}
