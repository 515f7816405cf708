import { getPublicKey, hashes, Point, sign } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";

hashes.sha512 = sha512;

export const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** 32 bytes under which signatures may be believed. Made only by `soundPoint`. */
export type SoundPoint = Uint8Array & { readonly __soundPoint: unique symbol };

export type PointProblem = "wrong_length" | "not_canonical" | "not_on_curve" | "small_order" | "mixed_order";

/** The public key of a seed (RFC 8032, 5.1.5): 32 bytes to 32 bytes. */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return getPublicKey(seed);
}

/** The signature of a message (RFC 8032, 5.1.6): the same seed and message always give the same 64 bytes. */
export function ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
  return sign(message, seed);
}

/** Order of the prime-order group. */
const L = Point.CURVE().n;

/**
 * Verifies by RFC 8032, 5.1.7, with every choice it leaves open closed:
 * - S is below the group's order L, so that no second signature can be made from a first;
 * - A and R are the canonical encodings of points of the prime-order group. Small-order points, with which one
 *   signature fits many messages, are refused, and so are points with a small-order part.
 *
 * R is made anew as SB - kA, without cofactor, and has to be the very bytes of the signature. As B and A lie in the
 * prime-order group, so does that point; there the equation with cofactor says the same, so that no signature is valid
 * here and invalid to a verifier that multiplies by it, or the other way round. Nothing in it is secret, so time may
 * depend on it.
 * @param key a sound point, so that a hostile envelope's many signatures cost no check of the key each
 * @returns false for anything else, wrong lengths included; never throws
 */
export function ed25519Verify(signature: Uint8Array, message: Uint8Array, key: SoundPoint): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const [r, s] = [signature.subarray(0, 32), littleEndian(signature.subarray(32))];
  const a = decode(key, false);
  if (s >= L || a === null) return false;
  const hash = sha512.create().update(r).update(key).update(message).digest();
  const point = sum(s, littleEndian(hash) % L, a.negate());
  return !point.is0() && point.toBytes().toHex() === r.toHex();
}

/**
 * sB + kP by Shamir's trick: one run of doublings for both. The library's multiplication of B prepares a table first,
 * which takes longer than ten verifications.
 */
function sum(s: bigint, k: bigint, point: Point): Point {
  const addends = [null, Point.BASE, point, Point.BASE.add(point)];
  let total = Point.ZERO;
  for (let bit = 252n; bit >= 0n; bit--) {
    total = total.double();
    const addend = addends[Number((s >> bit & 1n) | (k >> bit & 1n) << 1n)];
    if (addend) total = total.add(addend);
  }
  return total;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Uint8Array.from(bytes).reverse().toHex()}`);
}

/** What keeps 32 bytes from being a key (or an R) that is taken; null when nothing does. */
export function pointProblem(encoded: Uint8Array): PointProblem | null {
  if (encoded.length !== PUBLIC_KEY_BYTES) return "wrong_length";
  const point = decode(encoded, false);
  if (point === null) return decode(encoded, true) === null ? "not_on_curve" : "not_canonical";
  if (point.isSmallOrder()) return "small_order";
  return point.isTorsionFree() ? null : "mixed_order";
}

/** A copy of a public key of which `pointProblem` is null; else null. */
export function soundPoint(encoded: Uint8Array): SoundPoint | null {
  return pointProblem(encoded) === null ? Uint8Array.from(encoded) as SoundPoint : null;
}

/** @param lenient takes encodings that are not canonical */
function decode(encoded: Uint8Array, lenient: boolean): Point | null {
  try {
    return Point.fromBytes(encoded, lenient);
  } catch {
    return null;
  }
}
