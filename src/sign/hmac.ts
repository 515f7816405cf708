import { createHmac, timingSafeEqual } from "node:crypto";

/** Bytes a secret has at least. */
export const MIN_SECRET_BYTES = 32;
const TAG_BYTES = 32;

/** HMAC-SHA-256 (RFC 2104): 32 bytes. */
export function hmacTag(message: Uint8Array, secret: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", secret).update(message).digest());
}

/** Compares in constant time and in full length: a shortened tag is no tag. */
export function hmacVerify(tag: Uint8Array, message: Uint8Array, secret: Uint8Array): boolean {
  return tag.length === TAG_BYTES && timingSafeEqual(tag, hmacTag(message, secret));
}
