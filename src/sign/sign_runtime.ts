import { type Envelope, preAuthEncoding } from "./dsse.ts";
import { ed25519VerifyByRuntime } from "./ed25519_runtime.ts";
import { hmacVerifyByRuntime, sameSecret } from "./hmac_runtime.ts";
import type { HmacSecret, VerificationKey } from "./key.ts";
import { trySignatures } from "./try_signatures.ts";

/**
 * `signaturesBy` by the runtime's Web Crypto: the same answer, without a library that has to load and to warm up.
 * @returns each distinct key once, in the order given
 */
export async function signaturesByRuntime(
  envelope: Envelope,
  keys: readonly VerificationKey[],
): Promise<readonly VerificationKey[]> {
  const message = preAuthEncoding(envelope.payloadType, envelope.payload);
  const tries = trySignatures(envelope.signatures, await distinctKeys(keys), message.length);
  let at = tries.next();
  while (at.done !== true) at = tries.next(await fits(at.value.sig, message, at.value.key));
  return at.value;
}

/** Each key once, as `sameKey` has it, in the order given. */
export async function distinctKeys(keys: readonly VerificationKey[]): Promise<readonly VerificationKey[]> {
  const distinct: VerificationKey[] = [];
  const ids = new Set<string>();
  const secrets: HmacSecret[] = [];
  for (const key of keys) {
    if (key.kind === "ed25519") {
      if (ids.has(key.id)) continue;
      ids.add(key.id);
    } else {
      const same = await Promise.all(secrets.map(({ secret }) => sameSecret(key.secret, secret)));
      if (same.includes(true)) continue;
      secrets.push(key);
    }
    distinct.push(key);
  }
  return distinct;
}

async function fits(
  sig: Uint8Array,
  message: Uint8Array<ArrayBuffer>,
  key: VerificationKey,
): Promise<boolean> {
  switch (key.kind) {
    case "ed25519":
      return await ed25519VerifyByRuntime(sig, message, key.raw);
    case "hmac-sha256":
      return await hmacVerifyByRuntime(sig, message, key.secret);
  }
}
