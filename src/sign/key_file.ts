import { hmacSecretOf } from "./hmac_secret.ts";
import type { HmacSecret, KeyResult } from "./key.ts";
import { looksLikeMinisign, readMinisignPublic } from "./minisign.ts";
import { looksLikeOpensshLine, readOpensshLine } from "./openssh.ts";
import { otherAlgorithm, readPem, readSpki } from "./pem.ts";
import { readSequence } from "./der.ts";
import { refuse } from "./refuse.ts";

/** Bytes of a key file. */
export const MAX_KEY_BYTES = 65_536;

/** Labels of PEM blocks that hold keys of other kinds, by what those are called. */
export const OTHER_LABELS: ReadonlyMap<string, string> = new Map([
  ["RSA PRIVATE KEY", "RSA"],
  ["RSA PUBLIC KEY", "RSA"],
  ["EC PRIVATE KEY", "EC (ECDSA)"],
  ["DSA PRIVATE KEY", "DSA"],
]);

const PRIVATE_LABELS = ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"];

/**
 * Reads the bytes of a public key: PEM or DER of an SPKI (RFC 8410), a line of OpenSSH, a public key file of minisign.
 * Whether they are a point under which signatures may be believed is not looked at.
 * @returns them, or a refusal: `key_is_private` when it is the other half, `key_not_ed25519`, `key_several`,
 * `key_malformed`, `key_unknown`, `key_too_large`; what was read is never in it
 */
export function readPublicBytes(bytes: Uint8Array): KeyResult<Uint8Array> {
  if (bytes.length > MAX_KEY_BYTES) return tooLarge();
  // Text begins with `0` only where it is no key: DER of a sequence begins with that byte.
  if (bytes[0] === 0x30 && readSequence(bytes) !== null) return readSpki(bytes);
  const text = textOf(bytes);
  if (text === null) return refuse("key_unknown", "not a public key: neither text nor DER");
  const begin = /^\s*-----BEGIN ([A-Z0-9 ]{1,64})-----/.exec(text);
  if (begin !== null) {
    const label = begin[1]!;
    if (PRIVATE_LABELS.includes(label) || label.endsWith(" PRIVATE KEY")) {
      return refuse("key_is_private", "a private key where a public key is expected");
    }
    const other = OTHER_LABELS.get(label);
    if (other !== undefined) return otherAlgorithm(other);
    if (label === "CERTIFICATE") {
      return refuse(
        "key_unknown",
        "a certificate; its key comes out with: openssl x509 -pubkey -noout -in FILE",
      );
    }
    const block = label === "PUBLIC KEY" ? readPem(text) : null;
    if (block === null) return refuse("key_malformed", "not one whole PEM block of a public key");
    return readSpki(block.der);
  }
  if (looksLikeOpensshLine(text)) return readOpensshLine(text);
  if (looksLikeMinisign(text)) return readMinisignPublic(text);
  return refuse("key_unknown", unknown(text, "public"));
}

/**
 * Reads an HMAC secret: the bytes as they are, at least 32.
 * @param options.file whether they come from a file: then one line end at their end is no part of the secret
 * @returns the secret, or a refusal: `secret_is_key` for text that is a key of any kind (whoever knows a public key
 * could forge with it), `secret_too_short`, `key_too_large`
 */
export function readHmacSecret(
  bytes: Uint8Array,
  options: { readonly file: boolean } = { file: true },
): KeyResult<HmacSecret> {
  if (bytes.length > MAX_KEY_BYTES) return tooLarge();
  if (isKey(bytes)) {
    return refuse(
      "secret_is_key",
      "this is a key file, not an HMAC secret; a public key is known to everybody",
    );
  }
  return hmacSecretOf(options.file ? withoutLineEnd(bytes) : bytes);
}

function isKey(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x30 && bytes.length >= 44 && readSequence(bytes) !== null) return true;
  const text = textOf(bytes);
  if (text === null) return false;
  // Any armour (PEM, SSH2, PGP), a JSON Web Key, whatever an attacker may hold a copy of.
  return /^\s*-----? ?BEGIN /.test(text) || /^\s*\{[^]*"kty"/.test(text) || isPublic(text);
}

/** Whether a text is a public key, or the inside of one: nobody must take it for a secret. */
export function isPublic(text: string): boolean {
  if (looksLikeOpensshLine(text) || looksLikeMinisign(text)) return true;
  // The inner line of a PEM or OpenSSH key without its frame, in base64 or hex.
  const bare = text.trim();
  return /^(MCowBQYDK2VwAyEA|AAAAC3NzaC1lZDI1NTE5|302a300506032b6570032100)/i.test(bare);
}

/** What is said of a text that is no key of the wanted half. */
export function unknown(text: string, half: "private" | "public"): string {
  if (text.trim() === "") return "the file is empty";
  return half === "private"
    ? "not a private key: expected PEM of PKCS#8 or of OpenSSH"
    : "not a public key: expected PEM, an OpenSSH line (ssh-ed25519 …) or a minisign public key";
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

/** Bytes as text; null where they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** What is said of a file too large for any key. */
export function tooLarge(): ReturnType<typeof refuse> {
  return refuse("key_too_large", `larger than ${MAX_KEY_BYTES} bytes: not a key`);
}
