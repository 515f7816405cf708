import { decodeBase64, encodeBase64 } from "./base64.ts";
import { algorithmOf, DER, readSequence } from "./der.ts";
import type { KeyResult, PrivateKey, PublicKey } from "./key.ts";
import { refuse } from "./refuse.ts";

interface PemBlock {
  /** Such as `PUBLIC KEY`. */
  readonly label: string;
  readonly der: Uint8Array;
}

/** DER of an Ed25519 SPKI up to the 32 bytes of the key (RFC 8410). */
const SPKI_PREFIX = Uint8Array.fromHex("302a300506032b6570032100");
/** DER of an Ed25519 PrivateKeyInfo up to the 32 bytes of the seed (RFC 8410). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");

/**
 * Reads text that is one PEM block (RFC 7468) and nothing else but blanks around it.
 * @returns the block, or null: no block, several, headers in it, base64 that is not canonical
 */
export function readPem(text: string): PemBlock | null {
  const match = /^\s*-----BEGIN ([A-Z0-9 ]{1,64})-----[ \t]*\r?\n([A-Za-z0-9+/=\s]*?)-----END \1-----\s*$/
    .exec(
      text,
    );
  if (match === null) return null;
  const bytes = decodeBase64(match[2]!.replace(/\s+/g, ""));
  return bytes === null || bytes.length === 0 ? null : { label: match[1]!, der: bytes };
}

/** PEM as openssl writes it. */
export function renderPem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** The 32 bytes of the key in a SubjectPublicKeyInfo (RFC 8410) in DER; whether they are a point is not looked at. */
export function readSpki(bytes: Uint8Array): KeyResult<Uint8Array> {
  const parts = readSequence(bytes);
  const algorithm = algorithmOf(parts?.[0]);
  if (parts?.length !== 2 || algorithm === null || parts[1]!.tag !== DER.bitString) {
    return refuse("key_malformed", "the public key is not a SubjectPublicKeyInfo in DER");
  }
  if (algorithm !== "Ed25519") return otherAlgorithm(algorithm);
  const bits = parts[1]!.content;
  if (bits.length !== 33 || bits[0] !== 0) {
    return refuse("key_malformed", "an Ed25519 public key has 32 bytes");
  }
  return { ok: true, key: bits.subarray(1) };
}

/** SubjectPublicKeyInfo in DER, 44 bytes. */
export function spkiOf(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const der = new Uint8Array(SPKI_PREFIX.length + raw.length);
  der.set(SPKI_PREFIX);
  der.set(raw, SPKI_PREFIX.length);
  return der;
}

/** `-----BEGIN PUBLIC KEY-----` … as openssl writes it. */
export function renderPublicPem(key: PublicKey): string {
  return renderPem("PUBLIC KEY", spkiOf(key.raw));
}

/** `-----BEGIN PRIVATE KEY-----` … as openssl writes it: for whoever can read it. */
export function renderPrivatePem(key: PrivateKey): string {
  return renderPem("PRIVATE KEY", pkcs8Of(key));
}

/** What is said of a key we know but cannot use. */
export function otherAlgorithm(name: string): ReturnType<typeof refuse> {
  const article = /^[AEIRX]/.test(name) && name !== "Ed25519" ? "an" : "a";
  return refuse(
    "key_not_ed25519",
    name === "unknown"
      ? "a key of an unknown algorithm; veripatch signs and verifies with Ed25519"
      : `${article} ${name} key; veripatch signs and verifies with Ed25519`,
  );
}

/** PrivateKeyInfo (RFC 8410) in DER. */
export function pkcs8Of(key: PrivateKey): Uint8Array {
  const bytes = new Uint8Array(PKCS8_PREFIX.length + 32);
  bytes.set(PKCS8_PREFIX);
  bytes.set(key.seed, PKCS8_PREFIX.length);
  return bytes;
}
