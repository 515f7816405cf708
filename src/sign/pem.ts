import { createCipheriv, createPrivateKey, pbkdf2Sync } from "node:crypto";
import { Buffer } from "node:buffer";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { algorithmOf, DER, der, type DerElement, readDer, readSequence } from "./der.ts";
import { type KeyResult, type PrivateKey, privateKeyOf, type PublicKey, publicKeyOf, spkiOf } from "./key.ts";
import { refuse } from "./refuse.ts";

export interface PemBlock {
  /** Such as `PUBLIC KEY`. */
  readonly label: string;
  readonly der: Uint8Array;
}

/** DER of an Ed25519 PrivateKeyInfo up to the 32 bytes of the seed (RFC 8410). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");

/** What OWASP asks of PBKDF2-HMAC-SHA-256 in 2023; below a second. */
const PBKDF2_ROUNDS = 600_000;
/** What opening a key may cost: rounds of PBKDF2, bytes of scrypt's memory, times it is filled. Half a minute. */
const MAX_COST = { rounds: 20_000_000, memory: 2 ** 30, passes: 16 } as const;
export const PEM_SALT_BYTES = 16;
export const PEM_IV_BYTES = 16;

const OID = {
  pbes2: "2a864886f70d01050d",
  pbkdf2: "2a864886f70d01050c",
  hmacWithSha256: "2a864886f70d0209",
  aes256Cbc: "60864801650304012a",
  scrypt: "2b06010401da47040b",
} as const;

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

function renderPem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** A SubjectPublicKeyInfo (RFC 8410) in DER. */
export function readSpki(bytes: Uint8Array): KeyResult<PublicKey> {
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
  return publicKeyOf(bits.subarray(1));
}

/** An unencrypted PKCS#8 key (RFC 8410, RFC 5958) in DER; a public key in it must be the seed's. */
export function readPkcs8(bytes: Uint8Array): KeyResult<PrivateKey> {
  const malformed = refuse("key_malformed", "the private key is not an Ed25519 PKCS#8 key in DER");
  const parts = readSequence(bytes);
  const [version, identifier, octets, ...rest] = parts ?? [];
  const algorithm = algorithmOf(identifier);
  if (version?.tag !== DER.integer || version.content.length !== 1 || algorithm === null) return malformed;
  if (algorithm !== "Ed25519") return otherAlgorithm(algorithm);
  if (octets?.tag !== DER.octetString) return malformed;
  const inner = readDer(octets.content);
  if (inner?.length !== 1 || inner[0]!.tag !== DER.octetString || inner[0]!.content.length !== 32) {
    return malformed;
  }
  const made = privateKeyOf(inner[0]!.content);
  if (!made.ok || (version.content[0] === 0 && rest.length === 0)) return made;
  const [published, ...more] = rest;
  if (version.content[0] !== 1 || published?.tag !== DER.publicKey || more.length > 0) return malformed;
  const same = published.content.length === 33 && published.content[0] === 0 &&
    published.content.subarray(1).toHex() === made.key.publicKey.raw.toHex();
  return same ? made : refuse("key_malformed", "the public key in the file is not that of its private key");
}

/**
 * An encrypted PKCS#8 key in DER: PBES2 with PBKDF2 or scrypt and AES, as openssl writes it.
 * @returns `passphrase_wrong` also for what is damaged: the two cannot be told apart
 */
export function readEncryptedPkcs8(bytes: Uint8Array, passphrase: string): KeyResult<PrivateKey> {
  if (costsTooMuch(bytes)) {
    return refuse(
      "key_cipher_unknown",
      "the key takes too long to open; convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc",
    );
  }
  let plain: Uint8Array;
  try {
    const key = createPrivateKey({
      key: renderPem("ENCRYPTED PRIVATE KEY", bytes),
      format: "pem",
      passphrase,
    });
    plain = new Uint8Array(key.export({ format: "der", type: "pkcs8" }));
  } catch (error) {
    if (error instanceof Error && /unsupported/i.test(error.message)) {
      return refuse(
        "key_cipher_unknown",
        "the key is encrypted in a way that is not read here; convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc",
      );
    }
    return refuse("passphrase_wrong", "the passphrase does not open the key, or its file is damaged");
  }
  return readPkcs8(plain);
}

/** Whether opening would take longer than anybody means it to; false for what is not understood, which will not open. */
function costsTooMuch(bytes: Uint8Array): boolean {
  const parts = (element: DerElement | undefined) =>
    element?.tag === DER.sequence ? readDer(element.content) ?? [] : [];
  const [, scheme] = parts(readSequence(bytes)?.[0]);
  const [name, parameters] = parts(parts(scheme)[0]);
  const numbers = parts(parameters).filter(({ tag }) => tag === DER.integer)
    .map(({ content }) => content.length > 8 ? Infinity : Number(`0x${content.toHex() || "0"}`));
  switch (name?.content.toHex()) {
    case OID.pbkdf2:
      return (numbers[0] ?? 0) > MAX_COST.rounds;
    case OID.scrypt: {
      const [n = 0, r = 0, p = 0] = numbers;
      return 128 * n * r > MAX_COST.memory || p > MAX_COST.passes;
    }
    default:
      return false;
  }
}

/** `-----BEGIN PUBLIC KEY-----` … as openssl writes it. */
export function renderPublicPem(key: PublicKey): string {
  return renderPem("PUBLIC KEY", spkiOf(key.raw));
}

/** `-----BEGIN PRIVATE KEY-----` … as openssl writes it: for whoever can read it. */
export function renderPrivatePem(key: PrivateKey): string {
  return renderPem("PRIVATE KEY", pkcs8Of(key));
}

/**
 * `-----BEGIN ENCRYPTED PRIVATE KEY-----` … (RFC 8018, PBES2): PBKDF2-HMAC-SHA-256 with 600,000 rounds, AES-256-CBC.
 * @param salt 16 random bytes
 * @param iv 16 random bytes
 */
export function renderEncryptedPem(
  key: PrivateKey,
  passphrase: string,
  salt: Uint8Array,
  iv: Uint8Array,
): string {
  const secret = pbkdf2Sync(passphrase, salt, PBKDF2_ROUNDS, 32, "sha256");
  const cipher = createCipheriv("aes-256-cbc", secret, iv);
  const encrypted = Buffer.concat([cipher.update(pkcs8Of(key)), cipher.final()]);
  const oid = (hex: string) => der(DER.oid, Uint8Array.fromHex(hex));
  const rounds = Uint8Array.of(PBKDF2_ROUNDS >> 16, (PBKDF2_ROUNDS >> 8) & 0xff, PBKDF2_ROUNDS & 0xff);
  const derivation = der(
    DER.sequence,
    oid(OID.pbkdf2),
    der(
      DER.sequence,
      der(DER.octetString, salt),
      der(DER.integer, rounds),
      der(DER.sequence, oid(OID.hmacWithSha256), der(DER.null)),
    ),
  );
  const scheme = der(DER.sequence, oid(OID.aes256Cbc), der(DER.octetString, iv));
  const algorithm = der(DER.sequence, oid(OID.pbes2), der(DER.sequence, derivation, scheme));
  const encoded = der(DER.sequence, algorithm, der(DER.octetString, new Uint8Array(encrypted)));
  return renderPem("ENCRYPTED PRIVATE KEY", encoded);
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

function pkcs8Of(key: PrivateKey): Uint8Array {
  const bytes = new Uint8Array(PKCS8_PREFIX.length + 32);
  bytes.set(PKCS8_PREFIX);
  bytes.set(key.seed, PKCS8_PREFIX.length);
  return bytes;
}
