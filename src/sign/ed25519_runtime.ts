import type { SoundPoint } from "./ed25519.ts";

/** Of the field. */
const P = 2n ** 255n - 19n;
/** Order of the prime-order group. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const SIGN_BIT = 2n ** 255n;

/** PrivateKeyInfo of X25519 (RFC 8410) up to the 32 bytes of the scalar. */
const X25519_PREFIX = Uint8Array.fromHex("302e020100300506032b656e04220420");

/**
 * `soundPoint` by one scalar multiplication of the runtime's X25519, which takes a fraction of the time.
 *
 * It multiplies by the scalar s = 5L - 1, which is of the form that X25519 asks for: below 2^255, its bit 254 set, and
 * a multiple of 8. Let P be the point of which `encoded` has the y, P = Q + T with Q in the prime-order group and T of
 * small order. As s is -1 modulo L and 0 modulo 8, sP = -Q, and X25519, which knows points up to their sign, gives the
 * u of Q. That is the u of P if and only if P is Q or -Q, so if and only if T is nothing. A y that no point of the curve
 * has stands for a point of the twist, whose order is 4 times a prime that divides neither s - 1 nor s + 1: there no
 * point is its own result but those of small order.
 *
 * The points left out first, y = 1 and y = -1, are those for which u = (1 + y) / (1 - y) (RFC 7748, 4.1) is no number
 * or 0, and the only ones whose x is 0, so that it has but one sign.
 * @returns a copy; null when it is not sound, or when the runtime cannot tell: then `pointProblem` has the last word
 */
export async function soundPointByRuntime(encoded: Uint8Array): Promise<SoundPoint | null> {
  if (encoded.length !== 32) return null;
  const y = yOf(encoded);
  if (y >= P || y === 1n || y === P - 1n) return null;
  const u = littleEndian((1n + y) * inverse(P + 1n - y) % P);
  try {
    const scalar = Uint8Array.from([...X25519_PREFIX, ...littleEndian(5n * L - 1n)]);
    const [secret, point] = await Promise.all([
      crypto.subtle.importKey("pkcs8", scalar, "X25519", false, ["deriveBits"]),
      crypto.subtle.importKey("raw", u, "X25519", false, []),
    ]);
    const product = await crypto.subtle.deriveBits({ name: "X25519", public: point }, secret, 256);
    return new Uint8Array(product).toHex() === u.toHex() ? Uint8Array.from(encoded) as SoundPoint : null;
  } catch (error) {
    // Small order has nothing for a result, which is an error there.
    if (error instanceof DOMException) return null;
    throw error;
  }
}

/**
 * `ed25519Verify` by the runtime's Web Crypto: the same answer to everything. Runtimes agree on the equation without
 * cofactor, SB = R + kA, and not on what they take for S and R; so that is looked at here, as there. A lies in the
 * prime-order group, and so does any R that fits: of the points of small order that leaves y = 1, and of those that can
 * be written in several ways the ones whose y is not below P.
 * @returns false for anything else, wrong lengths included
 */
export async function ed25519VerifyByRuntime(
  signature: Uint8Array,
  message: Uint8Array<ArrayBuffer>,
  key: SoundPoint,
): Promise<boolean> {
  if (signature.length !== 64) return false;
  const r = yOf(signature.subarray(0, 32));
  if (r >= P || r === 1n || number(signature.subarray(32)) >= L) return false;
  const own = await crypto.subtle.importKey("raw", Uint8Array.from(key), "Ed25519", false, ["verify"]);
  return await crypto.subtle.verify("Ed25519", own, Uint8Array.from(signature), message);
}

/** The y of an encoded point, the sign of its x left out. */
function yOf(encoded: Uint8Array): bigint {
  return number(encoded) % SIGN_BIT;
}

/** Of little-endian bytes. */
function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${Uint8Array.from(bytes).reverse().toHex()}`);
}

/** 32 bytes. */
function littleEndian(value: bigint): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(value.toString(16).padStart(64, "0")).reverse();
}

/** 1 / a modulo P, by Euclid; a is above 0. */
function inverse(a: bigint): bigint {
  let [r, next, t, nextT] = [P, a % P, 0n, 1n];
  while (next !== 0n) {
    const quotient = r / next;
    [r, next, t, nextT] = [next, r - quotient * next, nextT, t - quotient * nextT];
  }
  return (t % P + P) % P;
}
