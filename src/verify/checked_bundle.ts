import { PROOF_ENVELOPE } from "../bundle/claims.ts";
import { hashEmbedded } from "../bundle/embedded.ts";
import { type Inventory, inventoryOf, takeInventory } from "../bundle/inventory.ts";
import { WORKSPACE_TAR } from "../bundle/layout.ts";
import { parseBundle, type ReadBundle } from "../bundle/read.ts";
import { readBundleFiles } from "../bundle/read_files.ts";
import { unreadableBundle } from "../bundle/refused.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { refusalText } from "../vocabulary/printable.ts";
import { claimOf, type ReplayClaim } from "./replay/claim.ts";
import type { FreshnessAsked } from "./verdicts/freshness.ts";
import type { Trust } from "./verdicts/signature.ts";
import { invalid } from "./verdicts/verdict.ts";
import { type Verification, verifyAttestation } from "./verify.ts";

/** How the verifier wants a bundle's attestation judged. */
export interface AttestationAsked extends FreshnessAsked {
  readonly trust: Trust;
  /** Whether a bundle that nobody signed will do, if it holds together. */
  readonly allowUnsigned: boolean;
}

export interface CheckedBundle {
  readonly bundle: ReadBundle;
  readonly claim: ReplayClaim;
  /** Null when nobody asked for it. */
  readonly verification: Verification | null;
  /** SHA-256 of attestation.json; null when it was not verified, or there is none. */
  readonly attestation: Sha256 | null;
}

type BundleCheck =
  | { readonly ok: true; readonly checked: CheckedBundle }
  /** What is wrong with the attestation: nothing of the bundle is to be run. */
  | { readonly ok: false; readonly verification: Verification };

/**
 * Reads a hostile bundle for a replay: every file once into memory, those very bytes verified when asked, and only then
 * looked into. Of workspace.tar, which is not held, the digest that was verified is that of what is unpacked.
 * @param folder the bundle's own, not its session's
 * @throws Failure `malformed` for what cannot be read, or, where no attestation was asked for, does not hold together;
 *   `bundle_without_proof`
 */
export async function checkBundle(folder: string, asked: AttestationAsked | null): Promise<BundleCheck> {
  const read = await readBundleFiles(folder);
  if (!read.ok) return await unread(folder, read.refusal, asked);
  if (asked === null) {
    const parsed = await parseBundle(folder, read);
    if (!parsed.ok) throw unreadableBundle(parsed.refusal);
    return { ok: true, checked: { ...claimed(parsed.bundle), verification: null, attestation: null } };
  }
  const embedded = read.embedded ? await hashEmbedded(`${folder}/${WORKSPACE_TAR}`) : null;
  const inventory = await inventoryOf(read.files, embedded);
  const signed = inventory.files.has(PROOF_ENVELOPE);
  const early = signed || !asked.allowUnsigned ? null : await parseBundle(folder, read);
  const verification = await judged(inventory, asked, early?.ok === false ? early.refusal : null);
  if (verification.verdict !== "valid") return { ok: false, verification };
  const parsed = early ?? await parseBundle(folder, read);
  if (!parsed.ok) return { ok: false, verification: spoiled(verification, parsed.refusal) };
  const { bundle } = parsed;
  if ((bundle.embedded?.sha256 ?? null) !== (embedded?.sha256 ?? null)) {
    const detail = "it changes while it is read";
    return {
      ok: false,
      verification: spoiled(verification, { reason: "changed", path: WORKSPACE_TAR, detail }),
    };
  }
  const attestation = inventory.files.get(PROOF_ENVELOPE)?.sha256 ?? null;
  return { ok: true, checked: { ...claimed(bundle), verification, attestation } };
}

async function judged(
  inventory: Inventory,
  asked: AttestationAsked,
  problem: Refusal | null,
): Promise<Verification> {
  const { allowUnsigned, ...rest } = asked;
  return await verifyAttestation({ ...rest, inventory, unsigned: allowUnsigned ? { problem } : null });
}

/** A folder that holds what no bundle may hold is told in full; nothing of it is used. */
async function unread(
  folder: string,
  refusal: Refusal,
  asked: AttestationAsked | null,
): Promise<BundleCheck> {
  const gone = refusal.reason === "bundle_missing" || refusal.reason === "bundle_unreadable";
  if (asked === null || gone) throw unreadableBundle(refusal);
  const taken = await takeInventory(folder);
  if (!taken.ok) throw unreadableBundle(taken.refusal);
  const verification = await judged(taken.inventory, asked, refusal);
  return { ok: false, verification: spoiled(verification, refusal) };
}

function spoiled(verification: Verification, refusal: Refusal): Verification {
  if (verification.verdict === "invalid") return verification;
  return { ...verification, verdict: "invalid", integrity: invalid(refusal.reason, refusalText(refusal)) };
}

function claimed(bundle: ReadBundle): Pick<CheckedBundle, "bundle" | "claim"> {
  const read = claimOf(bundle);
  if (read.ok) return { bundle, claim: read.claim };
  const { reason, detail } = read.refusal;
  if (reason === "bundle_without_proof") throw new Failure("malformed", reason, detail);
  throw unreadableBundle(read.refusal);
}
