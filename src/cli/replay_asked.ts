import { basename, dirname, join, resolve } from "node:path";
import type { SigningKey } from "../sign/key.ts";
import type { AttestationAsked } from "../verify/checked_bundle.ts";
import type { MinimalAsked } from "../verify/replay/removals.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import type { CheckoutFlags } from "./checkout_flag.ts";
import { signingKey } from "./key_input.ts";
import type { PassphraseFlags } from "./passphrase.ts";
import { freshnessAsked, NOBODY, noTrustedKey, trustAsked, type TrustFlags } from "./trust_asked.ts";

export interface ReplayFlags extends CheckoutFlags, TrustFlags, PassphraseFlags {
  readonly leaveOut?: readonly string[];
  readonly policy?: string;
  readonly image?: string;
  readonly pull?: boolean;
  readonly repeat?: string;
  readonly allowProtected?: readonly string[];
  readonly verifyAttestation?: boolean;
  readonly maxAge?: string;
  readonly nonce?: string;
  readonly allowUnsigned?: boolean;
  readonly checkMinimal?: string;
  readonly seed?: string;
  readonly sign?: string;
  readonly output?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const ATTESTATION_FLAGS = [
  ...["verifyAttestation", "allowUnsigned", "key", "hmacKey", "keyEnv"],
  ...["trust", "role", "threshold", "maxAge", "nonce"],
] as const;
const MAX_SEED = 1024;

/**
 * How the attestation is to be judged; null when the call does not ask for it. Whoever names a key or a wish asks.
 * @throws Failure `no_trusted_key` (denied), and of what cannot be read
 */
export async function attestationAsked(flags: ReplayFlags, now: Date): Promise<AttestationAsked | null> {
  if (!ATTESTATION_FLAGS.some((flag) => flags[flag as keyof ReplayFlags] !== undefined)) return null;
  const freshness = freshnessAsked(flags, now);
  const trust = await trustAsked(flags, now);
  const allowUnsigned = flags.allowUnsigned === true;
  if (trust === null && !allowUnsigned) throw noTrustedKey();
  return { trust: trust ?? NOBODY, allowUnsigned, ...freshness };
}

/** Reads `--check-minimal` and `--seed`; null when not asked for. */
export function minimalAsked({ checkMinimal, seed = null }: {
  readonly checkMinimal?: string;
  readonly seed?: string | null;
}): MinimalAsked | null {
  const usage = (code: string, message: string) => new Failure("usage", code, message);
  if (checkMinimal === undefined) {
    if (seed !== null) throw usage("seed_alone", "--seed is for the choice that --check-minimal makes");
    return null;
  }
  if (seed !== null && (seed === "" || seed.length > MAX_SEED || !seed.isWellFormed())) {
    throw usage("seed_malformed", `--seed takes 1 to ${MAX_SEED} characters`);
  }
  if (checkMinimal === "all") return { count: Infinity, seed };
  const count = Number(checkMinimal);
  if (/^\d{1,9}$/.test(checkMinimal) && count >= 1) return { count, seed };
  throw usage(
    "check_minimal_malformed",
    `--check-minimal takes a number of removals from 1, or all, not ${checkMinimal}`,
  );
}

/** Who signs the summary, and where it goes. */
export interface SigningAsked {
  readonly key: SigningKey;
  readonly file: string;
}

/**
 * The signing that a call asks for, checked before anything is run: a key that cannot be read, a file that is there
 * already. Null without `--sign`.
 * @param bundle folder or .ppb file as the caller knows it
 * @throws Failure of kind usage, or that of `signingKey`
 */
export async function signingAsked(
  flags: ReplayFlags,
  asked: AttestationAsked | null,
  bundle: string,
): Promise<SigningAsked | null> {
  const { sign, output, force } = flags;
  if (sign === undefined) {
    if (output === undefined) return null;
    throw new Failure(
      "usage",
      "output_without_sign",
      "-o names the file of a signed summary: it needs --sign KEY",
    );
  }
  if (asked === null) {
    const message = "what is signed has to be verified first: --sign needs --verify-attestation";
    throw new Failure("usage", "sign_unverified", message, {
      hint: "give --key or --trust, or --allow-unsigned for a bundle that nobody signed",
    });
  }
  const file = output === undefined ? summaryFile(bundle) : resolve(output);
  if (await isInside(file, bundle)) {
    throw new Failure("usage", "output_inside_bundle", `${printablePath(file)} lies in the bundle`, {
      hint: "a bundle is complete as it is: write the summary beside it",
    });
  }
  const there = await Deno.lstat(file).then(() => true, () => false);
  if (there && force !== true) {
    throw new Failure("usage", "file_exists", `there is a file already: ${printablePath(file)}`, {
      hint: "name another with -o, or --force to replace it",
    });
  }
  return { key: await signingKey(sign, flags), file };
}

/** Where a summary goes unless the caller says otherwise: beside the bundle. */
export function summaryFile(bundle: string): string {
  return `${bundle}.replay.attestation.json`;
}

/** Whether a file would lie below a folder, links followed. */
async function isInside(file: string, folder: string): Promise<boolean> {
  const real = (path: string) => Deno.realPath(path).catch(() => path);
  const [parent, bundle] = [await real(dirname(file)), await real(folder)];
  return `${join(parent, basename(file))}/`.startsWith(`${bundle}/`);
}
