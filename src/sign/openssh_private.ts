import { Buffer } from "node:buffer";
import { createDecipheriv } from "node:crypto";
import bcrypt from "bcrypt-pbkdf";
import { type KeyResult, type PrivateKey, privateKeyOf } from "./key.ts";
import { latin1, OTHER_TYPES, rawOfBlob, SshReader, TYPE } from "./openssh.ts";
import { otherAlgorithm } from "./pem.ts";
import { refuse } from "./refuse.ts";

const MAGIC = "openssh-key-v1\0";
/** Rounds of bcrypt taken; ssh-keygen uses 16 or 24 unless told otherwise. */
const MAX_ROUNDS = 512;
/** Key and initialization vector of each cipher, in bytes. */
const CIPHERS: ReadonlyMap<string, { readonly name: string; readonly key: number; readonly iv: number }> =
  new Map(
    [
      ["aes256-ctr", { name: "aes-256-ctr", key: 32, iv: 16 }],
      ["aes256-cbc", { name: "aes-256-cbc", key: 32, iv: 16 }],
    ],
  );

/**
 * The content of `-----BEGIN OPENSSH PRIVATE KEY-----` (OpenSSH's PROTOCOL.key), perhaps encrypted with bcrypt and AES.
 * @param passphrase undefined when there is none; an encrypted key is then `key_encrypted`
 */
export function readOpensshPrivate(bytes: Uint8Array, passphrase?: string): KeyResult<PrivateKey> {
  const malformed = refuse("key_malformed", "the OpenSSH private key is damaged or holds several keys");
  if (latin1(bytes.subarray(0, MAGIC.length)) !== MAGIC) return malformed;
  const outer = new SshReader(bytes.subarray(MAGIC.length));
  const [cipher, kdf, options] = [outer.text(), outer.text(), outer.bytes()];
  const [count, published, sealed] = [outer.number(), outer.bytes(), outer.bytes()];
  if (count !== 1 || sealed === null || options === null) return malformed;
  const type = new SshReader(published!).text();
  const other = OTHER_TYPES.get(type ?? "");
  if (other !== undefined) return otherAlgorithm(other);
  if (cipher === "none") {
    if (kdf !== "none" || options.length > 0 || !outer.finished()) return malformed;
    return readPrivateSection(sealed, published!, malformed);
  }
  if (passphrase === undefined) return refuse("key_encrypted", "the private key is encrypted");
  const known = CIPHERS.get(cipher!);
  if (kdf !== "bcrypt" || known === undefined) {
    return refuse(
      "key_cipher_unknown",
      "the key is encrypted in a way that is not read here; convert it: ssh-keygen -p -Z aes256-ctr -f FILE",
    );
  }
  if (!outer.finished()) return malformed;
  const parameters = new SshReader(options);
  const [salt, rounds] = [parameters.bytes(), parameters.number()];
  if (!parameters.finished() || salt!.length === 0 || salt!.length > 64 || rounds! < 1) return malformed;
  if (rounds! > MAX_ROUNDS) {
    return refuse(
      "key_cipher_unknown",
      `the key takes more than ${MAX_ROUNDS} rounds to open; convert it: ssh-keygen -p -a 24 -f FILE`,
    );
  }
  const secret = new Uint8Array(known.key + known.iv);
  const words = new TextEncoder().encode(passphrase);
  if (words.length === 0) return refuse("passphrase_wrong", "the passphrase is empty");
  bcrypt.pbkdf(words, words.length, salt!, salt!.length, secret, secret.length, rounds!);
  if (sealed.length === 0 || sealed.length % 16 !== 0) return malformed;
  const decipher = createDecipheriv(known.name, secret.subarray(0, known.key), secret.subarray(known.key));
  decipher.setAutoPadding(false);
  const section = Buffer.concat([decipher.update(sealed), decipher.final()]);
  return readPrivateSection(
    new Uint8Array(section),
    published!,
    refuse("passphrase_wrong", "the passphrase does not open the key, or its file is damaged"),
  );
}

function readPrivateSection(
  section: Uint8Array,
  published: Uint8Array,
  malformed: ReturnType<typeof refuse>,
): KeyResult<PrivateKey> {
  const reader = new SshReader(section);
  const [check, again, type] = [reader.number(), reader.number(), reader.text()];
  const [raw, pair, comment] = [reader.bytes(), reader.bytes(), reader.bytes()];
  const padding = reader.rest();
  if (check === null || check !== again || type !== TYPE || comment === null) return malformed;
  if (pair!.length !== 64 || padding.length > 16 || padding.some((byte, i) => byte !== i + 1)) {
    return malformed;
  }
  const made = privateKeyOf(pair!.subarray(0, 32));
  if (!made.ok) return made;
  const own = made.key.publicKey.raw.toHex();
  const all = [raw!, pair!.subarray(32), rawOfBlob(published) ?? new Uint8Array()];
  return all.every((other) => other.toHex() === own)
    ? made
    : refuse("key_malformed", "the public key in the file is not that of its private key");
}
