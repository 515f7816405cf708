import { type KeyResult, type PublicKey, publicKeyOf } from "./key.ts";
import { readPublicBytes } from "./key_file.ts";

/**
 * Reads a public key in any of the forms of `readPublicBytes`.
 * @returns the key, or a refusal: those of `readPublicBytes`, or what is wrong with its point
 */
export function readPublicKey(bytes: Uint8Array): KeyResult<PublicKey> {
  const read = readPublicBytes(bytes);
  return read.ok ? publicKeyOf(read.key) : read;
}
