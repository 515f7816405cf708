import { PROOF_ENVELOPE } from "../bundle/claims.ts";
import { type Inventory, inventoryOf, takeInventory } from "../bundle/inventory.ts";
import { unreadableBundle } from "../bundle/refused.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { verifyAttestation } from "../verify/verify.ts";
import { requireBundle } from "./bundle_there.ts";
import { EXIT } from "./exit_code.ts";
import { freshnessAsked, NOBODY, noTrustedKey, trustAsked, type TrustFlags } from "./trust_asked.ts";
import type { VerbResult } from "./verb.ts";
import { verificationJson, verificationText } from "./verification_report.ts";

export interface VerifyAttestationFlags extends TrustFlags {
  readonly maxAge?: string;
  readonly nonce?: string;
  readonly allowUnsigned?: boolean;
  readonly json?: boolean;
}

/** `pp verify-attestation`: judges a bundle by the caller's keys, clock and wishes. */
export async function runVerifyAttestation(
  path: string,
  flags: VerifyAttestationFlags,
): Promise<VerbResult> {
  const freshness = freshnessAsked(flags, new Date());
  await requireBundle(path);
  const trust = await trustAsked(flags, freshness.now);
  if (trust === null && flags.allowUnsigned !== true) throw noTrustedKey();
  return await withFolder(path, async (bundle) => {
    const { inventory, problem } = await stockOf(bundle, flags.allowUnsigned === true);
    if (trust === null && inventory.documents.has(PROOF_ENVELOPE)) throw noTrustedKey();
    const verification = await verifyAttestation({
      inventory,
      trust: trust ?? NOBODY,
      ...freshness,
      unsigned: flags.allowUnsigned === true ? { problem } : null,
    });
    const exit = verification.verdict === "valid" ? EXIT.yes : EXIT.no;
    const { owners } = trust ?? NOBODY;
    return {
      exit,
      text: verificationText(verification, path, owners),
      json: verificationJson(verification, path, owners, exit),
    };
  });
}

/** A packed bundle is unpacked for as long as it is looked at; what that takes is loaded only then. */
async function withFolder(
  path: string,
  use: (bundle: string) => Promise<VerbResult>,
): Promise<VerbResult> {
  const named = (place: string) => Deno.stat(place).catch(() => null);
  const [found, inside] = await Promise.all([named(path), named(`${path}/proof_bundle`)]);
  if (found?.isFile !== true && inside?.isDirectory !== true) return await use(path);
  const { withBundleFolder } = await import("../bundle/open.ts");
  if (found?.isFile !== true) return await withBundleFolder(path, use);
  const { watched } = await import("./watched.ts");
  return await watched(true, ({ signal }) => withBundleFolder(path, use, signal));
}

interface Stock {
  readonly inventory: Inventory;
  /** What a whole reading says against an unsigned bundle; null for a signed one, whose signature says more. */
  readonly problem: Refusal | null;
}

/** An unsigned bundle that is allowed is read whole, once: what is judged is what was read. */
async function stockOf(bundle: string, allowUnsigned: boolean): Promise<Stock> {
  const taken = await takeInventory(bundle);
  if (!taken.ok) throw unreadableBundle(taken.refusal);
  const { inventory } = taken;
  const unsigned = !inventory.files.has(PROOF_ENVELOPE);
  if (!allowUnsigned || !unsigned || inventory.findings.length > 0) return { inventory, problem: null };
  const { readBundle } = await import("../bundle/read.ts");
  const read = await readBundle(bundle);
  if (!read.ok) return { inventory, problem: read.refusal };
  return { inventory: await inventoryOf(read.bundle.files, read.bundle.embedded), problem: null };
}
