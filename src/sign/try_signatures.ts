import type { EnvelopeSignature } from "./dsse.ts";
import type { VerificationKey } from "./key.ts";

/** Keys tried on signatures whose hint names none of them; honest envelopes carry the id of their key. */
const MAX_TRIES_WITHOUT_HINT = 1_024;
/** Bytes hashed in such tries. */
const MAX_BYTES_WITHOUT_HINT = 2 ** 27;

/** Whether a signature is by a key. */
interface Try {
  readonly sig: Uint8Array;
  readonly key: VerificationKey;
}

/**
 * Which keys have really signed, asking of one signature and one key at a time: who answers may do so at once or after
 * a while. The key says which algorithm it is; of the envelope nothing but the signature's bytes and, as a hint where to
 * begin, its key id is used.
 *
 * Work is bounded: a signature whose id is that of a given key is tried with that key first; with other keys at most
 * 1,024 times in all and over at most 128 MiB. What is left untried then has not signed.
 * @param keys distinct
 * @param messageBytes how many bytes each try hashes
 * @returns in the order given
 */
export function* trySignatures(
  signatures: readonly EnvelopeSignature[],
  keys: readonly VerificationKey[],
  messageBytes: number,
): Generator<Try, readonly VerificationKey[], boolean> {
  const signed = new Set<VerificationKey>();
  for (const key of keys) {
    for (const { keyid, sig } of signatures) {
      if (keyid !== key.id || !(yield { sig, key })) continue;
      signed.add(key);
      break;
    }
  }
  let tries = 0;
  for (const key of keys) {
    if (signed.has(key)) continue;
    for (const { keyid, sig } of signatures) {
      if (keyid === key.id) continue;
      if (tries === MAX_TRIES_WITHOUT_HINT || tries * messageBytes > MAX_BYTES_WITHOUT_HINT) break;
      tries++;
      if (!(yield { sig, key })) continue;
      signed.add(key);
      break;
    }
  }
  return keys.filter((key) => signed.has(key));
}
