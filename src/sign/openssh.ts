import { Buffer } from "node:buffer";
import { createDecipheriv } from "node:crypto";
import bcrypt from "bcrypt-pbkdf";
import { sha256 } from "../vocabulary/digest.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { type KeyResult, type PrivateKey, privateKeyOf, type PublicKey, publicKeyOf } from "./key.ts";
import { otherAlgorithm } from "./pem.ts";
import { refuse } from "./refuse.ts";

const MAGIC = "openssh-key-v1\0";
const TYPE = "ssh-ed25519";
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

/** Key types of OpenSSH that people may hand us, by what they are called elsewhere. */
const OTHER_TYPES: ReadonlyMap<string, string> = new Map([
  ["ssh-rsa", "RSA"],
  ["ssh-dss", "DSA"],
  ["ecdsa-sha2-nistp256", "ECDSA"],
  ["ecdsa-sha2-nistp384", "ECDSA"],
  ["ecdsa-sha2-nistp521", "ECDSA"],
  ["sk-ssh-ed25519@openssh.com", "hardware (FIDO)"],
  ["sk-ecdsa-sha2-nistp256@openssh.com", "hardware (FIDO)"],
  ["ssh-ed25519-cert-v01@openssh.com", "certified (OpenSSH certificate)"],
]);

/** Whether a text begins like an OpenSSH public key of any type. */
export function looksLikeOpensshLine(text: string): boolean {
  const [type] = text.trimStart().split(/[ \t]/, 1);
  return type === TYPE || OTHER_TYPES.has(type ?? "");
}

/** The line of a `.pub` file: `ssh-ed25519 BASE64 [comment]`, one key and no options. */
export function readOpensshLine(text: string): KeyResult<PublicKey> {
  const line = text.trim();
  if (/[\r\n]/.test(line)) {
    return refuse("key_several", "several lines where one OpenSSH public key is expected");
  }
  const [type, encoded] = line.split(/[ \t]+/, 2);
  const other = OTHER_TYPES.get(type ?? "");
  if (other !== undefined) return otherAlgorithm(other);
  const blob = decodeBase64(encoded ?? "");
  const raw = blob === null ? null : rawOfBlob(blob);
  if (type !== TYPE || raw === null) {
    return refuse("key_malformed", "the OpenSSH public key is not one ssh-ed25519 key in base64");
  }
  return publicKeyOf(raw);
}

/**
 * The content of `-----BEGIN OPENSSH PRIVATE KEY-----` (OpenSSH's PROTOCOL.key), perhaps encrypted with bcrypt and AES.
 * @param passphrase undefined when there is none; an encrypted key is then `key_encrypted`
 */
export function readOpensshPrivate(bytes: Uint8Array, passphrase?: string): KeyResult<PrivateKey> {
  const malformed = refuse("key_malformed", "the OpenSSH private key is damaged or holds several keys");
  if (Buffer.from(bytes.subarray(0, MAGIC.length)).toString("latin1") !== MAGIC) return malformed;
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

/** `ssh-ed25519 BASE64`, without a comment. */
export function opensshLine(key: PublicKey): string {
  return `${TYPE} ${encodeBase64(blobOf(key))}`;
}

/** `SHA256:…` as `ssh-keygen -l` prints it. */
export function opensshFingerprint(key: PublicKey): string {
  return `SHA256:${encodeBase64(Uint8Array.fromHex(sha256(blobOf(key)))).replace(/=+$/, "")}`;
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

function blobOf(key: PublicKey): Uint8Array {
  const blob = Buffer.alloc(4 + TYPE.length + 4 + 32);
  blob.writeUInt32BE(TYPE.length, 0);
  blob.write(TYPE, 4, "latin1");
  blob.writeUInt32BE(32, 4 + TYPE.length);
  blob.set(key.raw, 8 + TYPE.length);
  return new Uint8Array(blob);
}

function rawOfBlob(blob: Uint8Array): Uint8Array | null {
  const reader = new SshReader(blob);
  const [type, raw] = [reader.text(), reader.bytes()];
  return reader.finished() && type === TYPE ? raw : null;
}

/** The data types of RFC 4251. After anything that is not there, all that follows is null. */
class SshReader {
  #at = 0;
  #failed = false;

  constructor(private readonly data: Uint8Array) {}

  number(): number | null {
    const bytes = this.#take(4);
    return bytes === null ? null : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  }

  bytes(): Uint8Array | null {
    const length = this.number();
    return length === null ? null : this.#take(length);
  }

  /** A name in ASCII. */
  text(): string | null {
    const bytes = this.bytes();
    return bytes === null ? null : Buffer.from(bytes).toString("latin1");
  }

  rest(): Uint8Array {
    return this.data.subarray(this.#at);
  }

  finished(): boolean {
    return !this.#failed && this.#at === this.data.length;
  }

  #take(length: number): Uint8Array | null {
    if (this.#failed || length > this.data.length - this.#at) {
      this.#failed = true;
      return null;
    }
    this.#at += length;
    return this.data.subarray(this.#at - length, this.#at);
  }
}
