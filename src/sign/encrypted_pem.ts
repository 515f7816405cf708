import { createCipheriv, createPrivateKey, pbkdf2Sync } from "node:crypto";
import { Buffer } from "node:buffer";
import { DER, der, type DerElement, readDer, readSequence } from "./der.ts";
import type { KeyResult, PrivateKey } from "./key.ts";
import { pkcs8Of, renderPem } from "./pem.ts";
import { readPkcs8 } from "./pkcs8.ts";
import { refuse } from "./refuse.ts";

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
