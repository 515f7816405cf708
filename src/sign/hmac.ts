import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

const TAG_BYTES = 32;

/** HMAC-SHA-256 (RFC 2104): 32 bytes. */
export function hmacTag(message: Uint8Array, secret: Uint8Array): Uint8Array {
  return hmac(sha256, secret, message);
}

/** Compares in constant time and in full length: a shortened tag is no tag. */
export function hmacVerify(tag: Uint8Array, message: Uint8Array, secret: Uint8Array): boolean {
  if (tag.length !== TAG_BYTES) return false;
  const own = hmacTag(message, secret);
  // Every byte is looked at, whatever the ones before said.
  let difference = 0;
  for (let i = 0; i < TAG_BYTES; i++) difference |= own[i]! ^ tag[i]!;
  return difference === 0;
}
