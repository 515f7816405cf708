import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { KeyResult, PublicKey } from "./key.ts";
import { otherAlgorithm } from "./pem.ts";
import { refuse } from "./refuse.ts";

export const TYPE = "ssh-ed25519";

/** Key types of OpenSSH that people may hand us, by what they are called elsewhere. */
export const OTHER_TYPES: ReadonlyMap<string, string> = new Map([
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

/**
 * The 32 bytes of the key in the line of a `.pub` file: `ssh-ed25519 BASE64 [comment]`, one key and no options; whether
 * they are a point is not looked at.
 */
export function readOpensshLine(text: string): KeyResult<Uint8Array> {
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
  return { ok: true, key: raw };
}

/** `ssh-ed25519 BASE64`, without a comment. */
export function opensshLine(key: PublicKey): string {
  return `${TYPE} ${encodeBase64(blobOf(key))}`;
}

/** What OpenSSH hashes and encodes of a public key (RFC 8709). */
export function blobOf(key: PublicKey): Uint8Array {
  const parts = [new TextEncoder().encode(TYPE), key.raw];
  return Uint8Array.from(parts.flatMap((part) => [0, 0, 0, part.length, ...part]));
}

/** The 32 bytes of the key in a public key blob, or null. */
export function rawOfBlob(blob: Uint8Array): Uint8Array | null {
  const reader = new SshReader(blob);
  const [type, raw] = [reader.text(), reader.bytes()];
  return reader.finished() && type === TYPE ? raw : null;
}

/** The data types of RFC 4251. After anything that is not there, all that follows is null. */
export class SshReader {
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
    return bytes === null ? null : latin1(bytes);
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

/** Each byte as a character. */
export function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
