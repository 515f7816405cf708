import { Failure } from "../vocabulary/failure.ts";
import { type Envelope, type EnvelopeSignature, MAX_SIGNATURES, preAuthEncoding } from "./dsse.ts";
import { ed25519Sign, ed25519Verify } from "./ed25519.ts";
import { hmacTag, hmacVerify } from "./hmac.ts";
import { keyIdOf, sameKey, type SigningKey, type VerificationKey } from "./key.ts";
import { trySignatures } from "./try_signatures.ts";

/**
 * Signs a payload with every key, in their order; the same input gives the same bytes.
 * @param earlier an envelope with the same type and payload whose signatures are kept, before the new ones; a
 * signature that carries the id of one of `keys` makes way for the new one
 * @throws Failure `nothing_to_sign_with` (no key), `payload_differs`, `too_many_signatures`, all of kind `usage`
 */
export function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  keys: readonly SigningKey[],
  earlier?: Envelope,
): Envelope {
  if (keys.length === 0) {
    throw new Failure("usage", "nothing_to_sign_with", "there is no key to sign with");
  }
  if (earlier !== undefined && !(earlier.payloadType === payloadType && equal(earlier.payload, payload))) {
    throw new Failure("usage", "payload_differs", "the earlier signatures are for another statement", {
      hint: "signatures can be added only to the very same bytes",
    });
  }
  const message = preAuthEncoding(payloadType, payload);
  const fresh: EnvelopeSignature[] = [];
  for (const key of keys) {
    const signature = { keyid: keyIdOf(key), sig: signatureOf(message, key) };
    if (!fresh.some((other) => equal(other.sig, signature.sig))) fresh.push(signature);
  }
  // A label of HMAC secrets names no secret: only the very same tag is replaced there.
  const ids = new Set(keys.filter((key) => key.kind === "ed25519").map(keyIdOf));
  const kept = (earlier?.signatures ?? []).filter(({ keyid, sig }) =>
    !(keyid !== null && ids.has(keyid)) && !fresh.some((other) => equal(other.sig, sig))
  );
  const signatures = [...kept, ...fresh];
  if (signatures.length > MAX_SIGNATURES) {
    throw new Failure(
      "usage",
      "too_many_signatures",
      `an envelope holds at most ${MAX_SIGNATURES} signatures`,
    );
  }
  return { payloadType, payload, signatures };
}

/**
 * Which of the given keys have really signed an envelope, as `trySignatures` has it. A key given twice is one key.
 * @returns each distinct key once, in the order given
 */
export function signaturesBy(
  envelope: Envelope,
  keys: readonly VerificationKey[],
): readonly VerificationKey[] {
  const message = preAuthEncoding(envelope.payloadType, envelope.payload);
  const distinct = keys.filter((key, i) => !keys.slice(0, i).some((other) => sameKey(key, other)));
  const tries = trySignatures(envelope.signatures, distinct, message.length);
  let at = tries.next();
  while (at.done !== true) at = tries.next(fits(at.value.sig, message, at.value.key));
  return at.value;
}

function signatureOf(message: Uint8Array, key: SigningKey): Uint8Array {
  switch (key.kind) {
    case "ed25519":
      return ed25519Sign(message, key.seed);
    case "hmac-sha256":
      return hmacTag(message, key.secret);
  }
}

function fits(sig: Uint8Array, message: Uint8Array, key: VerificationKey): boolean {
  switch (key.kind) {
    case "ed25519":
      return ed25519Verify(sig, message, key.raw);
    case "hmac-sha256":
      return hmacVerify(sig, message, key.secret);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
