import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../../vocabulary/digest.ts";
import type { LogEvent } from "../store.ts";

/** UTF-16 code units. */
export const MAX_ACTOR = 200;

/** What takes the place of a hash before the first event: the chain belongs to one store. */
export function genesis(storeId: string): Sha256 {
  return sha256(`veripatch-events/v1 ${storeId}\n`);
}

/**
 * SHA-256 over the RFC 8785 form of everything but the payload, of which only the digest goes in: retention can take a
 * payload away and the chain still verifies.
 */
export function eventHash(event: Omit<LogEvent, "hash" | "payload">): Sha256 {
  const { sequence, time, actor, kind, payloadSha256, previous } = event;
  return sha256(canonicalJson({ actor, kind, payload_sha256: payloadSha256, previous, sequence, time }));
}

/** The event that comes after another; null for the first of a store. */
export function nextEvent(
  storeId: string,
  last: LogEvent | null,
  what: { readonly time: string; readonly actor: string; readonly kind: string; readonly payload: unknown },
): LogEvent {
  const payload = canonicalJson(what.payload);
  const event = {
    sequence: (last?.sequence ?? 0) + 1,
    time: what.time,
    actor: what.actor,
    kind: what.kind,
    payloadSha256: sha256(payload),
    previous: last?.hash ?? genesis(storeId),
  };
  return { ...event, payload, hash: eventHash(event) };
}
