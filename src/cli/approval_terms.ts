import { join } from "node:path";
import type { ApprovalTerms } from "../approve/judge.ts";
import { loadPolicy, showPolicyFile } from "../policy/load.ts";
import { type TrustedKeys, trustedKeys } from "../sign/trust_file.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { loadTrust } from "./trust_input.ts";

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
  const { config, source, digest } = await loadPolicy(flags.workspace ?? ".", flags.policy);
  const rest = {
    ...{ policy: config.policy, policyDigest: digest, proofAsked: config.proof_targets.length > 0, now },
    policyFile: source === null ? "the built-in default" : printablePath(showPolicyFile(source)),
  };
  const path = flags.trust ?? await usersTrustFile();
  if (path === null) return { trusted: NOBODY, threshold: 1, trustFile: null, ...rest };
  const { trust } = await loadTrust(path);
  return {
    trusted: trustedKeys(trust, "approver", now),
    threshold: trust.thresholds.approver,
    trustFile: path,
    ...rest,
  };
}

/** `~/.config/veripatch/trust.yaml`, if it is there. */
async function usersTrustFile(): Promise<string | null> {
  const path = usersTrustPath();
  try {
    if (path !== null) await Deno.lstat(path);
    return path;
  } catch {
    return null;
  }
}

function usersTrustPath(): string | null {
  const named = Deno.env.get("XDG_CONFIG_HOME") ?? "";
  const home = Deno.env.get("HOME") ?? "";
  if (named !== "") return join(named, "veripatch/trust.yaml");
  return home === "" ? null : join(home, ".config/veripatch/trust.yaml");
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
