import type { FileInUse } from "../approve/in_use.ts";
import type { ApprovalTerms } from "../approve/judge.ts";
import { type LoadedPolicy, loadPolicy, showPolicyFile } from "../policy/load.ts";
import { keysOfAnyRole, type TrustedKeys, trustedKeys } from "../sign/trust_file.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { namesInside } from "./names_inside.ts";
import { loadTrust } from "./trust_input.ts";
import { usersTrustPath } from "./trust_place.ts";

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
  /** Whether the call named it; else it is the user's own. */
  readonly trustNamed: boolean;
  /** Where it was looked for; null without a home. */
  readonly trustAt: string | null;
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
  const folder = flags.workspace ?? ".";
  const policy = await loadPolicy(folder, flags.policy);
  return (await termsUnder(policy, flags.trust, folder))(now);
}

/**
 * The same under a policy that is loaded already, for any moment: keys count from and until their times.
 * @param named trust file of the call; left out, the user's own, which need not be there
 * @param folder whose files proposals change
 * @throws Failure as `loadTrust`
 */
export async function termsUnder(
  { config, source, digest: policyDigest }: LoadedPolicy,
  named: string | undefined,
  folder: string,
): Promise<(now: Date) => LoadedTerms> {
  const found = await trustOf(named);
  const trustAt = named ?? usersTrustPath();
  const inUse = await inUseIn(folder, trustAt, source);
  const policyFile = source === null ? "the built-in default" : printablePath(showPolicyFile(source));
  return (now) => ({
    trusted: found === null ? NOBODY : trustedKeys(found.trust, "approver", now),
    proposers: found === null ? NOBODY : keysOfAnyRole(found.trust, now),
    threshold: found?.trust.thresholds.approver ?? 1,
    ...{ trustFile: found?.path ?? null, trustNamed: named !== undefined, trustAt },
    ...{ policy: config.policy, policyDigest, policyFile },
    ...{ proofAsked: config.proof_targets.length > 0, inUse, now },
  });
}

/** A trust file that is not there yet counts, too: a change could bring it. */
async function inUseIn(folder: string, trust: string | null, policy: string | null): Promise<FileInUse[]> {
  const of = async (what: FileInUse["what"], file: string | null) =>
    (file === null ? [] : await namesInside(folder, file)).map((path) => ({ path, what }));
  return [...await of("trust file", trust), ...await of("policy", policy)];
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

/** Which trust file counts and why, for people. */
export function trustText({ trustFile, trustNamed, trustAt }: LoadedTerms): string {
  if (trustFile !== null) {
    return `${printablePath(trustFile)}, ${
      trustNamed ? "as --trust says" : "yours, as no --trust was given"
    }`;
  }
  const where = trustAt === null
    ? "there is no home for one of yours"
    : `there is no ${printablePath(trustAt)}`;
  return `none: ${where}, and no --trust was given`;
}

/**
 * The principal for whom a key speaks.
 * @throws Failure `no_trust_file`, `not_an_approver` (denied)
 */
export function approverOf(terms: LoadedTerms, keyId: string): string {
  const { trusted, trustFile } = terms;
  if (trustFile === null) {
    throw new Failure("denied", "no_trust_file", `no trust file says who may approve; ${trustText(terms)}`, {
      hint: `name one with --trust FILE, or write ${
        printablePath(usersTrustPath() ?? "~/.config/veripatch/trust.yaml")
      }: pp trust init FILE`,
    });
  }
  const owner = trusted.owners.get(keyId);
  if (owner !== undefined) return owner;
  const refused = trusted.refused.find(({ key }) => key.id === keyId);
  const shown = printablePath(trustFile), which = trustText(terms);
  throw new Failure(
    "denied",
    "not_an_approver",
    refused === undefined
      ? `this key is no approver's in the trust file: ${which}`
      : `the key of ${printableLine(refused.principal)} is ${
        refused.state.replaceAll("_", " ")
      } in the trust file: ${which}`,
    { hint: `pp trust add NAME PUBLIC.pem --role approver --trust ${shown}` },
  );
}
