import { sha256 } from "../../vocabulary/digest.ts";
import { parseStrictJson } from "../../vocabulary/strict_json.ts";
import type { LogEvent, Rows, Version } from "../store.ts";
import { EVENTS_PRUNED, versionPayload } from "./change.ts";
import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import { eventHash, genesis } from "./event.ts";

const PAGE = 1_000;
/** Listed at most; what follows a break is of little use. */
const MAX_PROBLEMS = 100;

/** Something that is not as the log, or a checkpoint, says it must be. */
export interface LogProblem {
  /** Stable snake_case. */
  readonly code:
    | "sequence_gap"
    | "event_edited"
    | "chain_broken"
    | "payload_edited"
    | "payload_gone"
    | "truncated"
    | "rewritten"
    | "other_store"
    | "version_edited"
    | "version_gone"
    | "version_unknown";
  /** The event or checkpoint it is about; null for one about a version. */
  readonly sequence: number | null;
  readonly detail: string;
}

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
 * Verifies the log of a store: sequence, hashes, payloads, that what is gone was taken by retention, that each version
 * is what the log says, and that the log still holds what checkpoints have seen. Without a checkpoint, a log whose end
 * was cut off, or that was written anew as a whole, looks sound: nothing inside can tell.
 */
export function verifyLog(rows: Rows, storeId: string, points: readonly KnownPoint[] = []): LogReport {
  const problems: LogProblem[] = [];
  const add = (code: LogProblem["code"], sequence: number | null, detail: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ code, sequence, detail });
  };
  const gone: number[] = [];
  let retained = 0;
  let last: LogEvent | null = null;
  let count = 0;
  const told = new Map<string, string>();
  const pruned = new Set<string>();
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
        if (event.kind === "version_created") {
          told.set(keyOf(payload.artifact, payload.version), toldAs(event));
        }
        if (event.kind === "versions_pruned" && Array.isArray(payload.versions)) {
          for (const number of payload.versions) pruned.add(keyOf(payload.artifact, number));
        }
      }
      last = event;
      count++;
    }
  }
  for (const sequence of gone) {
    if (sequence > retained) add("payload_gone", sequence, "its payload is gone, and not by retention");
  }
  versionProblems(rows, told, pruned, allPayloads, add);
  for (const point of points) pointProblem(rows, storeId, point, last, add);
  return {
    problems,
    events: count,
    tombstones: gone.length,
    last: last === null ? null : { sequence: last.sequence, hash: last.hash },
  };
}

type Add = (code: LogProblem["code"], sequence: number | null, detail: string) => void;

function versionProblems(
  rows: Rows,
  told: Map<string, string>,
  pruned: ReadonlySet<string>,
  allPayloads: boolean,
  add: Add,
): void {
  for (const version of rows.versions()) {
    const key = keyOf(version.artifact, version.number);
    const said = told.get(key);
    told.delete(key);
    if (said === undefined) {
      // The event that told of it may have lost its payload.
      if (allPayloads) add("version_unknown", null, `no event tells of ${key}`);
    } else if (said !== versionAs(version)) {
      add("version_edited", null, `${key} is not as the log says`);
    } else if (pruned.has(key)) add("version_edited", null, `${key} was pruned, and is there`);
  }
  for (const key of told.keys()) {
    if (!pruned.has(key) && allPayloads) add("version_gone", null, `${key} is not there, and was not pruned`);
  }
}

function pointProblem(
  rows: Rows,
  storeId: string,
  point: KnownPoint,
  last: LogEvent | null,
  add: Add,
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

function keyOf(artifact: unknown, number: unknown): string {
  return `${artifact}@${number}`;
}

function toldAs({ payload, time, actor }: LogEvent): string {
  return `${payload}\n${time}\n${actor}`;
}

function versionAs(version: Version): string {
  return `${canonicalJson(versionPayload(version))}\n${version.createdAt}\n${version.actor}`;
}

function payloadOf({ payload }: LogEvent): Readonly<Record<string, unknown>> {
  const parsed = parseStrictJson(new TextEncoder().encode(payload!), 16);
  const value = parsed.ok ? parsed.value : null;
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : {};
}
