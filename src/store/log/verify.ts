import { sha256 } from "../../vocabulary/digest.ts";
import { parseStrictJson } from "../../vocabulary/strict_json.ts";
import type { LogEvent, Rows } from "../store.ts";
import { EVENTS_PRUNED } from "./change.ts";
import { eventHash, genesis } from "./event.ts";
import type { AddProblem, LogProblem, Payload } from "./problem.ts";
import { toldOfOperations } from "./verify_operations.ts";
import { toldOfProposals } from "./verify_proposals.ts";
import { toldOfVersions } from "./verify_versions.ts";

export type { LogProblem } from "./problem.ts";

const PAGE = 1_000;
/** Listed at most; what follows a break is of little use. */
const MAX_PROBLEMS = 100;

export interface LogReport {
  readonly problems: readonly LogProblem[];
  readonly events: number;
  /** Payloads that retention took away. */
  readonly tombstones: number;
  readonly last: { readonly sequence: number; readonly hash: string } | null;
}

/** A checkpoint whose signature was verified. */
export interface KnownPoint {
  readonly store: string;
  readonly sequence: number;
  readonly hash: string;
}

/**
 * Verifies the log of a store: sequence, hashes, payloads, that what is gone was taken by retention, that each version,
 * revision of a proposal, decision, operation and conflict is what the log says, and that the log still holds what
 * checkpoints have seen. Without a checkpoint, a log whose end was cut off, or that was written anew as a whole, looks sound: nothing inside
 * can tell.
 */
export function verifyLog(rows: Rows, storeId: string, points: readonly KnownPoint[] = []): LogReport {
  const problems: LogProblem[] = [];
  const add: AddProblem = (code, sequence, detail) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ code, sequence, detail });
  };
  const gone: number[] = [];
  let retained = 0;
  let last: LogEvent | null = null;
  let count = 0;
  const told = [toldOfVersions(rows), toldOfProposals(rows), toldOfOperations(rows)];
  let allPayloads = true;
  for (let page = rows.events(0, PAGE); page.length > 0; page = rows.events(last!.sequence, PAGE)) {
    for (const event of page) {
      const expected: number = (last?.sequence ?? 0) + 1;
      if (event.sequence !== expected) {
        add("sequence_gap", event.sequence, `events ${expected} to ${event.sequence - 1} are not there`);
      } else if (event.previous !== (last?.hash ?? genesis(storeId))) {
        add("chain_broken", event.sequence, "it does not follow from the event before it");
      }
      if (eventHash(event) !== event.hash) add("event_edited", event.sequence, "its hash is another");
      if (event.payload === null) {
        gone.push(event.sequence);
        allPayloads = false;
      } else if (sha256(event.payload) !== event.payloadSha256) {
        add("payload_edited", event.sequence, "its payload has another digest");
      } else {
        const payload = payloadOf(event);
        if (event.kind === EVENTS_PRUNED) retained = Math.max(retained, Number(payload.through) || 0);
        for (const of of told) of.see({ ...event, payload: event.payload }, payload);
      }
      last = event;
      count++;
    }
  }
  for (const sequence of gone) {
    if (sequence > retained) add("payload_gone", sequence, "its payload is gone, and not by retention");
  }
  for (const of of told) of.compare(allPayloads, add);
  for (const point of points) pointProblem(rows, storeId, point, last, add);
  return {
    problems,
    events: count,
    tombstones: gone.length,
    last: last === null ? null : { sequence: last.sequence, hash: last.hash },
  };
}

function pointProblem(
  rows: Rows,
  storeId: string,
  point: KnownPoint,
  last: LogEvent | null,
  add: AddProblem,
): void {
  const { store, sequence, hash } = point;
  if (store !== storeId) return add("other_store", sequence, "the checkpoint is of another store");
  const event = rows.event(sequence);
  if (event === null) {
    const ends = last === null ? "is empty" : `ends with ${last.sequence}`;
    add("truncated", sequence, `the log ${ends}; the checkpoint has seen ${sequence}`);
  } else if (event.hash !== hash) {
    add("rewritten", sequence, `event ${sequence} is not the one the checkpoint has seen`);
  }
}

function payloadOf({ payload }: LogEvent): Payload {
  const parsed = parseStrictJson(new TextEncoder().encode(payload!), 16);
  const value = parsed.ok ? parsed.value : null;
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : {};
}
