import { sha256 } from "@noble/hashes/sha2.js";
import type { Sha256 } from "../vocabulary/digest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import {
  ed25519PublicKey,
  type PointProblem,
  pointProblem,
  SEED_BYTES,
  type SoundPoint,
  soundPoint,
} from "./ed25519.ts";
import { hmacTag, hmacVerify } from "./hmac.ts";
import { hiding } from "./hmac_secret.ts";
import { spkiOf } from "./pem.ts";
import { refuse } from "./refuse.ts";

/** Made only by `publicKeyOf`: the point is a sound one. */
export interface PublicKey {
  readonly kind: "ed25519";
  readonly raw: SoundPoint;
  /** SHA-256 of the key's SPKI (RFC 8410) in DER. */
  readonly id: Sha256;
}

/** Never printed; `seed` is hidden from JSON and from inspection. */
export interface PrivateKey {
  readonly kind: "ed25519";
  /** 32 bytes. */
  readonly seed: Uint8Array;
  readonly publicKey: PublicKey;
}

/** Never printed; `secret` is hidden from JSON and from inspection. */
export interface HmacSecret {
  readonly kind: "hmac-sha256";
  /** At least 32 bytes. */
  readonly secret: Uint8Array;
  /** A label, the same for every secret: nothing about the secret can be learned from it. */
  readonly id: string;
}

/** What a signature is checked with. Its kind, never the envelope, says which algorithm. */
export type VerificationKey = PublicKey | HmacSecret;
export type SigningKey = PrivateKey | HmacSecret;

export type KeyResult<Key> = { readonly ok: true; readonly key: Key } | {
  readonly ok: false;
  readonly refusal: Refusal;
};

const POINT_PROBLEMS: Readonly<Record<PointProblem, string>> = {
  wrong_length: "an Ed25519 public key has 32 bytes",
  not_canonical: "the public key is not canonically encoded",
  not_on_curve: "the public key is no point of the curve",
  small_order: "the public key is a point of small order, with which anybody can sign",
  mixed_order: "the public key is no point of the prime-order group",
};

/** The key with these 32 bytes, or why no signature of it could ever be believed. */
export function publicKeyOf(raw: Uint8Array): KeyResult<PublicKey> {
  const own = soundPoint(raw);
  if (own === null) {
    const problem = pointProblem(raw)!;
    return refuse(`key_${problem}`, POINT_PROBLEMS[problem]);
  }
  return { ok: true, key: { kind: "ed25519", raw: own, id: sha256(spkiOf(own)).toHex() } };
}

/** The key pair of a 32-byte seed. */
export function privateKeyOf(seed: Uint8Array): KeyResult<PrivateKey> {
  if (seed.length !== SEED_BYTES) {
    return refuse("key_wrong_length", `an Ed25519 private key has ${SEED_BYTES} bytes`);
  }
  const publicKey = publicKeyOf(ed25519PublicKey(seed));
  if (!publicKey.ok) return publicKey;
  return {
    ok: true,
    key: hiding({ kind: "ed25519", publicKey: publicKey.key }, "seed", Uint8Array.from(seed)),
  };
}

/** The id that goes into an envelope as a hint. */
export function keyIdOf(key: SigningKey | VerificationKey): string {
  return "publicKey" in key ? key.publicKey.id : key.id;
}

/** Whether two keys are one: the same public key bytes, or the same secret. */
export function sameKey(a: VerificationKey, b: VerificationKey): boolean {
  if (a.kind === "ed25519") return b.kind === "ed25519" && a.id === b.id;
  if (b.kind !== "hmac-sha256") return false;
  // By what they do: HMAC fills a short secret up with zeros and hashes a long one, so that two texts may be one key.
  const nothing = new Uint8Array();
  return hmacVerify(hmacTag(nothing, a.secret), nothing, b.secret);
}
