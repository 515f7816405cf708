import { createHash } from "node:crypto";
import { getPublicKey, hashes, Point, sign, verify } from "@noble/ed25519";

// The signed bytes may be 16 MiB: the native hash is several times as fast.
hashes.sha512 = (message: Uint8Array) => new Uint8Array(createHash("sha512").update(message).digest());

export const SEED_BYTES = 32;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

export type PointProblem = "wrong_length" | "not_canonical" | "not_on_curve" | "small_order" | "mixed_order";

/** The public key of a seed (RFC 8032, 5.1.5): 32 bytes to 32 bytes. */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return getPublicKey(seed);
}

/** The signature of a message (RFC 8032, 5.1.6): the same seed and message always give the same 64 bytes. */
export function ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
  return sign(message, seed);
}

/**
 * Verifies by RFC 8032, 5.1.7, with every choice it leaves open closed:
 * - S is below the group's order L, so that no second signature can be made from a first;
 * - A and R are the canonical encodings of points of the prime-order group. Small-order points, with which one
 *   signature fits many messages, are refused, and so are points with a small-order part.
 *
 * The library checks the equation with cofactor (8SB = 8R + 8kA). In the prime-order group, where the honest ones all
 * lie, that and the equation without cofactor (SB = R + kA) say the same, so that no signature is valid here and
 * invalid to a verifier that leaves the cofactor out, or the other way round.
 * @returns false for anything else, wrong lengths included; never throws
 */
export function ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== PUBLIC_KEY_BYTES) return false;
  if (!verify(signature, message, publicKey, { zip215: false })) return false;
  // Only now, as these cost as much as the equation and a hostile envelope has many signatures that fail it.
  return pointProblem(publicKey) === null && pointProblem(signature.subarray(0, 32)) === null;
}

/** What keeps 32 bytes from being a key (or an R) that is taken; null when nothing does. */
export function pointProblem(encoded: Uint8Array): PointProblem | null {
  if (encoded.length !== PUBLIC_KEY_BYTES) return "wrong_length";
  const point = decode(encoded, true);
  if (point === null) return "not_on_curve";
  if (decode(encoded, false) === null) return "not_canonical";
  if (point.isSmallOrder()) return "small_order";
  return point.isTorsionFree() ? null : "mixed_order";
}

/** @param lenient takes encodings that are not canonical */
function decode(encoded: Uint8Array, lenient: boolean): Point | null {
  try {
    return Point.fromBytes(encoded, lenient);
  } catch {
    return null;
  }
}
