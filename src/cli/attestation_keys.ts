import { MAX_NONCE } from "../bundle/statement.ts";
import type { SigningKey } from "../sign/key.ts";
import { Failure } from "../vocabulary/failure.ts";
import { HMAC_VARIABLE, hmacSecretInput, signingKey } from "./key_input.ts";
import type { PassphraseFlags } from "./passphrase.ts";

export const ATTESTATION_MODES = ["none", "hmac-sha256", "ed25519"] as const;
export type AttestationMode = typeof ATTESTATION_MODES[number];

/** How a call or a policy says by whom a bundle is attested. */
interface SignerAsked extends PassphraseFlags {
  readonly mode: Exclude<AttestationMode, "none">;
  /** Files, `env:NAME` or `-`. */
  readonly keys: readonly string[];
  /** A variable, looked at when no key is named. */
  readonly variable: string;
}

/** Reads the word for a mode. */
export function attestationMode(flag: string, mode: string): AttestationMode {
  const known = ATTESTATION_MODES.find((word) => word === mode);
  if (known !== undefined) return known;
  const message = `${flag} takes none, hmac-sha256 or ed25519, not ${mode}`;
  throw new Failure("usage", "attestation_mode_unknown", message);
}

/**
 * The keys that will sign, read now: a key that cannot be read is an error before anything is done.
 * @throws Failure `denied` when there is no key to sign with, or what is wrong with one
 */
export async function signingKeys(asked: SignerAsked): Promise<readonly SigningKey[]> {
  const { mode, variable } = asked;
  const specs = asked.keys.length > 0 ? asked.keys : [`env:${variable}`];
  if (asked.keys.length === 0 && (Deno.env.get(variable) ?? "") === "") {
    // The variable of HMAC secrets is nobody's wish for an Ed25519 key.
    const unset = mode === "ed25519" && variable === HMAC_VARIABLE ? "" : `: ${variable} is not set`;
    throw new Failure(
      "denied",
      "no_signing_key",
      `there is no ${mode} key to sign with${unset}`,
      {
        hint: mode === "ed25519"
          ? "name a private key (pp keygen makes one): --sign FILE of pp run and pp prove, --key FILE of " +
            "pp attest, or the policy's attestation.key_file"
          : `set ${variable} to at least 32 bytes, such as the output of: openssl rand -hex 32`,
      },
    );
  }
  const keys: SigningKey[] = [];
  for (const spec of specs) {
    keys.push(mode === "ed25519" ? await signingKey(spec, asked) : await hmacSecretInput(spec));
  }
  return keys;
}

/** Reads `--nonce`; null when not given. */
export function nonceOf(nonce: string | undefined): string | null {
  if (nonce === undefined) return null;
  if (nonce !== "" && nonce.length <= MAX_NONCE && nonce.isWellFormed()) return nonce;
  throw new Failure("usage", "nonce_malformed", `--nonce takes 1 to ${MAX_NONCE} characters`);
}
