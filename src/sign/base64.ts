import { Buffer } from "node:buffer";

const STANDARD = /^[A-Za-z0-9+/]*={0,2}$/;
const URL_SAFE = /^[A-Za-z0-9_-]*={0,2}$/;

/**
 * Decodes base64 (RFC 4648 section 4 or 5) that has exactly one spelling: one alphabet, padded, no blanks or line
 * ends, no bits beyond the last byte.
 * @returns the bytes, or null
 */
export function decodeBase64(text: string): Uint8Array | null {
  const standard = STANDARD.test(text);
  if ((!standard && !URL_SAFE.test(text)) || text.length % 4 !== 0) return null;
  const bytes = Buffer.from(text, standard ? "base64" : "base64url");
  const again = bytes.toString("base64");
  // Only the last four characters can hold stray bits; all before are fixed by the alphabet.
  const tail = standard ? text.slice(-4) : text.slice(-4).replaceAll("-", "+").replaceAll("_", "/");
  return again.length === text.length && again.slice(-4) === tail ? new Uint8Array(bytes) : null;
}

/** Padded standard base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
