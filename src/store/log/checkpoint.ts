import { MAX_ENVELOPE_BYTES, parseEnvelope, renderEnvelope } from "../../sign/dsse.ts";
import type { SigningKey, VerificationKey } from "../../sign/key.ts";
import { signaturesBy, signEnvelope } from "../../sign/sign.ts";
import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import type { Refusal } from "../../vocabulary/patch.ts";
import { checked, count, digestShape, exactly, oneOf } from "../../vocabulary/shape.ts";
import { instant, storeId } from "../../vocabulary/store_shape.ts";
import { parseStrictJson } from "../../vocabulary/strict_json.ts";
import type { KnownPoint } from "./verify.ts";

export const CHECKPOINT_TYPE = "application/vnd.veripatch.checkpoint+json";
export const MAX_CHECKPOINT_BYTES = Math.min(MAX_ENVELOPE_BYTES, 64 * 1024);

/** What a signer has seen of a log: the hash of one event stands for all up to it. */
export interface Checkpoint extends KnownPoint {
  readonly format: "veripatch-checkpoint/v1";
  /** When it was signed, ISO 8601 in UTC. */
  readonly time: string;
}

const shape = exactly({
  format: oneOf("veripatch-checkpoint/v1"),
  store: storeId,
  sequence: count,
  hash: digestShape,
  time: instant,
});

/** A DSSE envelope over the RFC 8785 form of a checkpoint. */
export function signCheckpoint(checkpoint: Checkpoint, keys: readonly SigningKey[]): Uint8Array {
  const payload = new TextEncoder().encode(canonicalJson(checkpoint));
  return renderEnvelope(signEnvelope(CHECKPOINT_TYPE, payload, keys));
}

export type CheckpointRead =
  | { readonly ok: true; readonly checkpoint: Checkpoint; readonly signers: readonly VerificationKey[] }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Reads a checkpoint that at least one of the given keys signed. Nothing of it is parsed before that is known.
 * @param threshold how many of the keys must have signed, at least 1
 */
export function readCheckpoint(
  bytes: Uint8Array,
  keys: readonly VerificationKey[],
  threshold = 1,
): CheckpointRead {
  const no = (reason: string, detail: string): CheckpointRead => ({ ok: false, refusal: { reason, detail } });
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return parsed;
  const { envelope } = parsed;
  if (envelope.payloadType !== CHECKPOINT_TYPE) {
    return no("not_a_checkpoint", "the envelope holds something else than a checkpoint");
  }
  const signers = signaturesBy(envelope, keys);
  if (signers.length < Math.max(1, threshold)) {
    return no("checkpoint_untrusted", `signed by ${signers.length} of the given keys, ${threshold} needed`);
  }
  const json = parseStrictJson(envelope.payload, 2, 64);
  if (!json.ok) return no("checkpoint_malformed", json.detail);
  const read = checked(shape, json.value);
  if (!read.ok) return no("checkpoint_malformed", `${read.at}: ${read.what}`);
  return { ok: true, checkpoint: read.value, signers };
}
