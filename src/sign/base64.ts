const STANDARD = /^[A-Za-z0-9+/]*={0,2}$/;
const URL_SAFE = /^[A-Za-z0-9_-]*={0,2}$/;

/**
 * Decodes base64 (RFC 4648 section 4 or 5) that has exactly one spelling: one alphabet, padded, no blanks or line
 * ends, no bits beyond the last byte.
 * @returns the bytes, or null
 */
export function decodeBase64(text: string): Uint8Array | null {
  const alphabet = STANDARD.test(text) ? "base64" : URL_SAFE.test(text) ? "base64url" : null;
  if (alphabet === null || text.length % 4 !== 0) return null;
  try {
    return Uint8Array.fromBase64(text, { alphabet, lastChunkHandling: "strict" });
  } catch {
    return null;
  }
}

/** Padded standard base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}
