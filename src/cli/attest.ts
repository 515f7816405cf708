import { resolve } from "node:path";
import { attest } from "../bundle/attest.ts";
import { PROOF_ENVELOPE } from "../bundle/claims.ts";
import { inventoryOf } from "../bundle/inventory.ts";
import { bundleFolder } from "../bundle/open.ts";
import { readBundle } from "../bundle/read.ts";
import { unreadableBundle } from "../bundle/refused.ts";
import { holdingBundle, removeEnvelopes, replaceEnvelopes } from "../bundle/replace_envelopes.ts";
import { keyIdOf } from "../sign/key.ts";
import { countersign } from "../verify/countersign.ts";
import { Failure } from "../vocabulary/failure.ts";
import { attestationMode, nonceOf, signingKeys } from "./attestation_keys.ts";
import { requireBundle } from "./bundle_there.ts";
import { EXIT } from "./exit_code.ts";
import { HMAC_VARIABLE } from "./key_input.ts";
import { colour, shownPath } from "./output.ts";
import type { PassphraseFlags } from "./passphrase.ts";
import type { VerbResult } from "./verb.ts";

export interface AttestFlags extends PassphraseFlags {
  readonly mode?: string;
  readonly key?: readonly string[];
  readonly keyEnv?: string;
  readonly nonce?: string;
  readonly add?: boolean;
  readonly json?: boolean;
}

/** `pp attest`: signs a new statement of a bundle, or adds signatures, or takes the envelopes away. */
export async function runAttest(path: string, flags: AttestFlags): Promise<VerbResult> {
  const mode = attestationMode("--mode", flags.mode ?? "ed25519");
  const bundle = await bundleFolder(resolve(path));
  await requireBundle(bundle);
  await refusePacked(bundle);
  if (mode === "none") {
    refuseBeside("--mode none", flags);
    const removed = await holdingBundle(bundle, () => removeEnvelopes(bundle));
    return result(bundle, { mode, keyIds: [], envelopes: [], replaced: false, removed });
  }
  const nonce = nonceOf(flags.nonce);
  if (flags.add === true && nonce !== null) {
    throw new Failure("usage", "nonce_with_add", "--add signs the statement as it is: it takes no --nonce");
  }
  // Before the bundle is touched: the key may be missing or need a passphrase.
  const keys = await signingKeys({
    ...flags,
    mode,
    keys: flags.key ?? [],
    variable: flags.keyEnv ?? HMAC_VARIABLE,
  });
  const { envelopes, replaced } = await holdingBundle(bundle, async () => {
    const read = await readBundle(bundle);
    if (!read.ok) throw unreadableBundle(read.refusal);
    const inventory = await inventoryOf(read.bundle.files, read.bundle.embedded);
    const made = flags.add === true
      ? new Map([[PROOF_ENVELOPE, countersign(inventory, keys)]])
      : await attest(inventory, keys, { issuedAt: new Date(), nonce });
    await replaceEnvelopes(bundle, made);
    const replaced = flags.add !== true && read.bundle.files.has(PROOF_ENVELOPE);
    return { envelopes: [...made.keys()], replaced };
  });
  return result(bundle, { mode, keyIds: keys.map(keyIdOf), envelopes, replaced, removed: [] });
}

/** A packed bundle is one file, which others may have the digest of: it is not changed. */
async function refusePacked(bundle: string): Promise<void> {
  if (!await Deno.stat(bundle).then((s) => s.isFile, () => false)) return;
  throw new Failure("usage", "bundle_packed", `${bundle} is a packed bundle, which stays as it is`, {
    hint: "unpack it with pp bundle unpack, attest the folder, and pack that",
  });
}

function refuseBeside(what: string, { key, keyEnv, nonce, add }: AttestFlags): void {
  if (key === undefined && keyEnv === undefined && nonce === undefined && add !== true) return;
  throw new Failure(
    "usage",
    "attestation_flags",
    `${what} takes signatures away: it takes no key, nonce or --add`,
  );
}

interface Done {
  readonly mode: string;
  readonly keyIds: readonly string[];
  readonly envelopes: readonly string[];
  /** Whether earlier signatures made way. */
  readonly replaced: boolean;
  readonly removed: readonly string[];
}

function result(bundle: string, { mode, keyIds, envelopes, replaced, removed }: Done): VerbResult {
  const c = colour(Deno.stdout);
  const shown = shownPath(bundle, Deno.cwd());
  const text = mode === "none"
    ? [
      `${c.bold("unsigned")} ${shown}: ${
        removed.length === 0 ? "nothing was signed" : `removed ${removed.join(", ")}`
      }`,
    ]
    : [
      `${c.bold(c.green("attested"))} ${shown}`,
      ...keyIds.map((id) =>
        `${c.bold("key")}      ${mode === "ed25519" ? `ed25519 ${id}` : "a shared secret (HMAC)"}`
      ),
      `${c.bold("wrote")}    ${envelopes.join(", ")}`,
      ...(replaced
        ? [c.yellow("         in place of the signatures that were there; --add keeps them")]
        : []),
      `${c.dim("next")}     pp verify-attestation ${shown} ${
        mode === "ed25519" ? "--key PUBLIC.pem" : "--key-env NAME"
      }`,
    ];
  return {
    exit: EXIT.yes,
    text: text.join("\n"),
    json: {
      format: "veripatch-attest/v1",
      bundle,
      mode,
      key_ids: keyIds,
      written: envelopes,
      replaced,
      removed,
      exit: EXIT.yes,
    },
  };
}
