import type { HmacSecret, KeyResult, PrivateKey, PublicKey } from "../sign/key.ts";
import { MAX_KEY_BYTES, readHmacSecret } from "../sign/key_file.ts";
import { readPublicKeyByRuntime } from "../sign/public_key_runtime.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { readBoundedFile, readStdin } from "./bounded_file.ts";
import { refuseExposed } from "./exposed.ts";
import type { PassphraseFlags } from "./passphrase.ts";

/** Where the Python tool has its secret. */
export const HMAC_VARIABLE = "PP_ATTEST_HMAC_KEY";

/** The bytes of a key and where they came from. */
interface KeyInput {
  readonly bytes: Uint8Array;
  readonly origin: "file" | "variable" | "stdin";
  /** For people: the path, `env:NAME` or `stdin`. */
  readonly shown: string;
  /** Files only. */
  readonly path: string | null;
  readonly mode: number | null;
}

/**
 * Reads what a call names as a key.
 * @param spec a file, `env:NAME` for a variable's value, or `-` for stdin (once in a call); a file whose name begins
 * with `env:` is written `./env:…`
 * @throws Failure `file_missing`, `variable_missing`, `stdin_twice` (usage), `file_unreadable`, `file_too_large`
 */
export async function readKeyInput(spec: string): Promise<KeyInput> {
  if (spec === "-") {
    const bytes = await readStdin(MAX_KEY_BYTES, "key", "give the others as files or as env:NAME");
    return { bytes, origin: "stdin", shown: "stdin", path: null, mode: null };
  }
  if (spec.startsWith("env:")) {
    const name = spec.slice(4);
    const value = name === "" ? undefined : Deno.env.get(name);
    if (value === undefined) {
      throw new Failure("usage", "variable_missing", `the variable ${printableLine(name)} is not set`, {
        hint: "env:NAME takes the key from the environment variable NAME",
      });
    }
    const bytes = new TextEncoder().encode(value);
    return { bytes, origin: "variable", shown: printableLine(spec), path: null, mode: null };
  }
  const { bytes, mode } = await readBoundedFile(spec, MAX_KEY_BYTES, "key file");
  return { bytes, origin: "file", shown: printablePath(spec), path: spec, mode };
}

/**
 * The private key that a call names.
 * @param flags where the passphrase of an encrypted key comes from; without any, it is asked for on a terminal
 * @throws Failure `secret_exposed` (denied, with the chmod to run), `key_encrypted` (usage), `passphrase_wrong`
 * (denied), or that of `readSigningKey` (malformed)
 */
export async function signingKey(spec: string, flags: PassphraseFlags = {}): Promise<PrivateKey> {
  return (await openSigningKey(await readKeyInput(spec), flags)).key;
}

/** The same of what has been read already, with the passphrase that opened it; null when none was needed. */
export async function openSigningKey(
  input: KeyInput,
  flags: PassphraseFlags,
): Promise<{ readonly key: PrivateKey; readonly passphrase: string | null }> {
  // Loaded when a private key is read: who verifies needs none of it.
  const { readSigningKey } = await import("../sign/private_key_file.ts");
  const plain = readSigningKey(input.bytes);
  // Said only of what is a private key: a public one that is passed by mistake may be open to all.
  if (plain.ok || plain.refusal.reason !== "key_is_public") refuseExposedInput(input, "private key");
  if (plain.ok) return { key: plain.key, passphrase: null };
  if (plain.refusal.reason !== "key_encrypted") throw refused(input, plain.refusal);
  const { canAsk, passphraseOf } = await import("./passphrase.ts");
  const given = Object.keys(flags).some((flag) => flag.startsWith("passphrase"));
  const asked = given || input.origin === "stdin" || !canAsk() ? flags : { passphrase: true };
  const passphrase = await passphraseOf(asked, `passphrase of ${input.shown}`);
  if (passphrase === null) throw refused(input, plain.refusal);
  return { key: required(input, readSigningKey(input.bytes, { passphrase })), passphrase };
}

/**
 * The public keys that a call names, each once.
 * @throws Failure that of `readPublicKey` (malformed)
 */
export async function verificationKeys(specs: readonly string[]): Promise<readonly PublicKey[]> {
  const keys = new Map<string, PublicKey>();
  for (const spec of specs) {
    const input = await readKeyInput(spec);
    const key = required(input, await readPublicKeyByRuntime(input.bytes));
    keys.set(key.id, key);
  }
  return [...keys.values()];
}

/**
 * The HMAC secret in a variable: its UTF-8 bytes as they are.
 * @throws Failure `variable_missing` (usage), `secret_too_short`, `secret_is_key` (malformed)
 */
export async function hmacSecret(variable: string): Promise<HmacSecret> {
  return await hmacSecretInput(`env:${variable}`);
}

/**
 * The HMAC secret that a call names as a key. One line end at the end of a file or of stdin is no part of it.
 * @throws Failure as `hmacSecret`, and `secret_exposed` (denied) for a file others can read
 */
export async function hmacSecretInput(spec: string): Promise<HmacSecret> {
  const input = await readKeyInput(spec);
  refuseExposedInput(input, "HMAC secret");
  return required(input, readHmacSecret(input.bytes, { file: input.origin !== "variable" }));
}

function refuseExposedInput(input: KeyInput, what: string): void {
  if (input.path !== null) refuseExposed(input.path, input.mode, what);
}

/** The key, or the Failure that its refusal is. */
export function required<Key>(input: KeyInput, result: KeyResult<Key>): Key {
  if (result.ok) return result.key;
  throw refused(input, result.refusal);
}

const HINTS: Readonly<Record<string, string>> = {
  key_encrypted: "give --passphrase-file FILE, --passphrase-env NAME, or --passphrase to be asked",
  key_is_private: "give the public half: pp keygen writes it to PREFIX.pub.pem, pp key show prints it",
  key_is_public: "give the private half: pp keygen writes it to PREFIX.key.pem",
  key_not_ed25519: "pp keygen makes an Ed25519 key; ssh-keygen -t ed25519 and openssl genpkey do, too",
  secret_too_short: "make one with: openssl rand -hex 32",
  secret_is_key: "make a secret with: openssl rand -hex 32",
};

function refused(input: KeyInput, { reason, detail }: Refusal): Failure {
  const kind = reason === "passphrase_wrong" ? "denied" : reason === "key_encrypted" ? "usage" : "malformed";
  const hint = HINTS[reason];
  return new Failure(kind, reason, `${input.shown}: ${detail}`, hint === undefined ? {} : { hint });
}
