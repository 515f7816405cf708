import { createHash } from "node:crypto";

/** SHA-256 as 64 lower-case hex digits. */
export type Sha256 = string;

/** As bytes. */
export const SHA256_BYTES = 32;

/** SHA-256 of bytes or of a string's UTF-8 encoding. */
export function sha256(data: Uint8Array | string): Sha256 {
  return createHash("sha256").update(data).digest("hex");
}
