import { isFinal } from "../../approve/states.ts";
import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import { Failure } from "../../vocabulary/failure.ts";
import { type Author, record } from "../log/change.ts";
import type { OperationSide, ResolutionKind, StoredConflict } from "../operations.ts";
import type { RevisionLine } from "../proposals.ts";
import type { Rows, WritableRows } from "../store.ts";
import {
  conflictPayload,
  CONFLICTS_FOUND,
  CONFLICTS_OBSOLETE,
  CONFLICTS_RESOLVED,
  MAX_NAMED,
  resolvedPayload,
} from "./payload.ts";
import { sameSide } from "./side.ts";

const MAX_REGIONS = 1_000;

/** What stands in the way at one path, before it is written down. */
export interface NewConflict
  extends Pick<StoredConflict, "proposal" | "revision" | "path" | "base" | "ours" | "theirs"> {
  readonly regions: readonly {
    readonly line: number | null;
    readonly reason: string;
    readonly detail: string;
  }[];
}

/** Where a revision was to go: a folder, or with null another version of its artifact. */
export type ConflictPlace = StoredConflict["folder"];

/** The same, with the version. */
export type ConflictTarget =
  | { readonly folder: string; readonly onto: null }
  | { readonly folder: null; readonly onto: number };

/**
 * Writes down the conflicts of revisions at one place. Those that are known stay; earlier ones of the same revisions and
 * place that are about other content, or another version, are obsolete then. A revision that stays where it is for good
 * has none.
 * @param revisions that were looked at, also those without a conflict
 */
export function findConflicts(
  rows: WritableRows,
  by: Author,
  { folder, onto }: ConflictTarget,
  revisions: readonly Pick<NewConflict, "proposal" | "revision">[],
  conflicts: readonly NewConflict[],
): void {
  const known = new Set<NewConflict>();
  const obsolete: number[] = [];
  for (const { proposal, revision } of revisions) {
    for (const old of rows.conflicts({ proposal, revision, folder })) {
      if (old.state === "obsolete") continue;
      const again = conflicts.find((one) => isAbout(old, one));
      if (again !== undefined && old.state === "open" && old.onto === onto) known.add(again);
      else if (old.state === "open" || conflicts.some(({ path }) => path === old.path)) obsolete.push(old.id);
    }
  }
  for (const id of obsolete) rows.setConflict(id, { ...UNRESOLVED, state: "obsolete" });
  const moves = ({ proposal, revision }: NewConflict) => {
    const row = rows.revision(proposal, revision);
    return row !== null && !isFinal(row.state);
  };
  const fresh = conflicts.filter((one) => !known.has(one) && moves(one)).map((one): StoredConflict => {
    const { proposal, revision, path, base, ours, theirs } = one;
    const conflict: StoredConflict = {
      ...{ id: rows.lastConflict() + 1, proposal, revision, folder, onto, path, base, ours, theirs },
      regions: canonicalJson(one.regions.slice(0, MAX_REGIONS)),
      ...{ createdAt: by.now.toISOString(), ...UNRESOLVED, state: "open" },
    };
    rows.insertConflict(conflict);
    return conflict;
  });
  for (const ids of slices(obsolete)) record(rows, by, CONFLICTS_OBSOLETE, { folder, conflicts: ids });
  for (const some of slices(fresh)) {
    record(rows, by, CONFLICTS_FOUND, { folder, onto, conflicts: some.map(conflictPayload) });
  }
}

/** Closes what is open of a revision that goes nowhere any more, wherever it was to go. */
export function closeConflicts(
  rows: WritableRows,
  by: Author,
  { proposal, number: revision }: Pick<RevisionLine, "proposal" | "number">,
  reason: string,
): void {
  const byPlace = new Map<ConflictPlace, number[]>();
  for (const { id, folder } of rows.conflicts({ proposal, revision, state: "open" })) {
    rows.setConflict(id, { ...UNRESOLVED, state: "obsolete" });
    byPlace.set(folder, [...byPlace.get(folder) ?? [], id]);
  }
  for (const [folder, all] of byPlace) {
    for (const ids of slices(all)) record(rows, by, CONFLICTS_OBSOLETE, { folder, conflicts: ids, reason });
  }
}

const UNRESOLVED = { resolution: null, result: null, resolvedAt: null, resolvedBy: null };

/** Says what open conflicts of one place become. @throws Failure `conflict_moved` (unavailable) */
export function resolveFound(
  rows: WritableRows,
  by: Author,
  place: ConflictPlace,
  resolution: ResolutionKind,
  results: readonly { readonly id: number; readonly result: OperationSide | null }[],
): readonly StoredConflict[] {
  const resolved = results.map(({ id, result }) => {
    const to = { resolution, result, resolvedAt: by.now.toISOString(), resolvedBy: by.actor };
    if (rows.conflict(id)?.state !== "open" || !rows.setConflict(id, { state: "resolved", ...to })) {
      throw new Failure("unavailable", "conflict_moved", "somebody resolved it meanwhile", {
        hint: "pp resolve lists what is open",
      });
    }
    return rows.conflict(id)!;
  });
  for (const some of slices(resolved)) {
    record(rows, by, CONFLICTS_RESOLVED, {
      ...{ folder: place, resolution, conflicts: some.map(resolvedPayload) },
    });
  }
  return resolved;
}

/** What a conflict was resolved to, as long as all three sides are what they were; undefined when it was not. */
export function resolutionOf(
  rows: Rows,
  place: ConflictPlace,
  conflict: NewConflict,
): OperationSide | null | undefined {
  const { proposal, revision } = conflict;
  const stored = rows.conflicts({ proposal, revision, folder: place, state: "resolved" })
    .findLast((one) => isAbout(one, conflict));
  return stored === undefined ? undefined : stored.result;
}

/** Whether a conflict that was kept is the one at hand: all three sides are what they were. */
function isAbout(
  stored: StoredConflict,
  { proposal, revision, path, base, ours, theirs }: Omit<NewConflict, "regions">,
): boolean {
  return stored.proposal === proposal && stored.revision === revision && stored.path === path &&
    sameSide(stored.base, base) && sameSide(stored.ours, ours) && sameSide(stored.theirs, theirs);
}

/** Each event tells of some, so that all are told of. */
function* slices<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let from = 0; from < all.length; from += MAX_NAMED) yield all.slice(from, from + MAX_NAMED);
}
