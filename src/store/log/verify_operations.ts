import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import {
  BACKUPS_DROPPED,
  conflictPayload,
  CONFLICTS_FOUND,
  CONFLICTS_OBSOLETE,
  CONFLICTS_RESOLVED,
  OPERATION_ABANDONED,
  OPERATION_STARTED,
  resolvedPayload,
  startedPayload,
} from "../operation/payload.ts";
import {
  type Operation,
  OPERATION_STATES,
  type OperationSide,
  type OperationState,
  type StoredConflict,
} from "../operations.ts";
import type { Rows } from "../store.ts";
import type { AddProblem, Payload, Told } from "./problem.ts";

/** What was told of the end of an operation. */
interface ToldEnd {
  readonly state: OperationState;
  readonly reason: unknown;
  readonly version: unknown;
  readonly time: string;
}

/** What was told last of where a conflict stands. */
interface ToldConflict {
  readonly state: StoredConflict["state"];
  readonly resolution: unknown;
  /** As `resolvedPayload`; null where nothing was decided. */
  readonly resolved: string | null;
  readonly time: string | null;
  readonly actor: string | null;
}

const OPEN = { resolution: null, resolved: null, time: null, actor: null };

/** What the log tells of operations on folders, and of conflicts. */
export function toldOfOperations(rows: Rows): Told {
  const started = new Map<unknown, string>();
  const ended = new Map<unknown, ToldEnd>();
  const dropped = new Set<unknown>();
  const found = new Map<unknown, string>();
  const conflicts = new Map<unknown, ToldConflict>();
  return {
    see({ kind, payload: text, time, actor }, payload) {
      if (kind === OPERATION_STARTED) {
        started.set(payload.operation, `${text}\n${time}\n${actor}`);
        return void ended.set(payload.operation, { state: "applying", reason: "", version: null, time });
      }
      if (kind === BACKUPS_DROPPED) {
        for (const number of listOf(payload.operations)) dropped.add(number);
      } else if (kind === CONFLICTS_FOUND) {
        for (const one of membersOf(payload.conflicts)) {
          const { id, ...what } = one;
          found.set(id, canonicalJson({ ...what, folder: payload.folder, onto: payload.onto, time }));
          conflicts.set(id, { state: "open", ...OPEN });
        }
      } else if (kind === CONFLICTS_OBSOLETE) {
        for (const id of listOf(payload.conflicts)) conflicts.set(id, { state: "obsolete", ...OPEN });
      } else if (kind === CONFLICTS_RESOLVED) {
        for (const one of membersOf(payload.conflicts)) {
          const resolved = canonicalJson(one);
          const { resolution } = payload;
          conflicts.set(one.id, { state: "resolved", resolution, resolved, time, actor });
        }
      } else {
        const state = endOf(kind);
        if (state === null) return;
        const { operation, reason = "", version = null } = payload;
        ended.set(operation, { state, reason, version, time });
      }
    },
    compare(whole, add) {
      compareOperations(rows, { started, ended, dropped }, whole, add);
      compareConflicts(rows, { found, conflicts }, whole, add);
    },
  };
}

/** The state an event tells of; null for other events. */
function endOf(kind: string): OperationState | null {
  if (kind === OPERATION_ABANDONED) return "failed";
  return OPERATION_STATES.find((state) => kind === `operation_${state}`) ?? null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function membersOf(value: unknown): readonly Payload[] {
  return listOf(value).filter((one): one is Payload => typeof one === "object" && one !== null);
}

function compareOperations(
  rows: Rows,
  { started, ended, dropped }: {
    readonly started: Map<unknown, string>;
    readonly ended: Map<unknown, ToldEnd>;
    readonly dropped: ReadonlySet<unknown>;
  },
  whole: boolean,
  add: AddProblem,
): void {
  for (let number = 1; number <= rows.lastOperation(); number++) {
    const operation = rows.operation(number);
    const said = started.get(number);
    started.delete(number);
    if (operation === null) {
      add("operation_gone", null, `O${number} is not there`);
      continue;
    }
    if (said === undefined) {
      if (whole) add("operation_unknown", null, `no event tells of O${number}`);
    } else if (said !== operationAs(rows, operation)) {
      add("operation_edited", null, `O${number} is not as the log says`);
    }
    const end = ended.get(number);
    const isLost = end === undefined || (!whole && end.state === "applying");
    if (!isLost && !sameEnd(operation, end)) {
      add("operation_edited", null, `O${number} is ${operation.state}, and ${end.state} in the log`);
    }
    const isDropped = operation.backups === "dropped";
    if (isDropped !== dropped.has(number) && (whole || !isDropped)) {
      add("operation_edited", null, `the backups of O${number} are not as the log says`);
    }
  }
  for (const number of started.keys()) add("operation_gone", null, `O${number} is not there`);
}

function sameEnd({ state, reason, version, createdAt, finishedAt }: Operation, told: ToldEnd): boolean {
  return state === told.state && reason === told.reason && version === told.version &&
    (state === "applying" ? finishedAt === null && createdAt === told.time : finishedAt === told.time);
}

function compareConflicts(
  rows: Rows,
  { found, conflicts }: {
    readonly found: Map<unknown, string>;
    readonly conflicts: Map<unknown, ToldConflict>;
  },
  whole: boolean,
  add: AddProblem,
): void {
  for (let id = 1; id <= rows.lastConflict(); id++) {
    const conflict = rows.conflict(id);
    const said = found.get(id);
    found.delete(id);
    if (conflict === null) {
      add("conflict_gone", null, `conflict ${id} is not there`);
      continue;
    }
    if (said === undefined) {
      if (whole) add("conflict_unknown", null, `no event tells of conflict ${id}`);
    } else if (said !== conflictAs(conflict)) {
      add("conflict_edited", null, `conflict ${id} is not as the log says`);
    }
    const told = conflicts.get(id);
    const isLost = told === undefined || (!whole && told.state === "open");
    if (!isLost && !sameResolution(conflict, told)) {
      add("conflict_edited", null, `conflict ${id} is ${conflict.state}, and ${told.state} in the log`);
    }
  }
  for (const id of found.keys()) add("conflict_gone", null, `conflict ${id} is not there`);
}

function sameResolution(conflict: StoredConflict, told: ToldConflict): boolean {
  const { state, resolution, result, resolvedAt, resolvedBy } = conflict;
  const resolved = state === "resolved" ? canonicalJson(resolvedPayload(conflict)) : sideText(result);
  return state === told.state && resolution === told.resolution && resolved === told.resolved &&
    resolvedAt === told.time && resolvedBy === told.actor;
}

function sideText(side: OperationSide | null): string | null {
  return side === null ? null : canonicalJson(side);
}

function operationAs(rows: Rows, operation: Operation): string {
  const { number, createdAt, actor } = operation;
  const payload = startedPayload({
    operation,
    paths: rows.operationPaths(number),
    revisions: rows.operationRevisions(number),
    targets: rows.operationTargets(number),
  });
  return `${canonicalJson(payload)}\n${createdAt}\n${actor}`;
}

function conflictAs(conflict: StoredConflict): string {
  const { id: _, ...what } = conflictPayload(conflict);
  const { folder, onto, createdAt: time } = conflict;
  return canonicalJson({ ...what, folder, onto, time });
}
