import { mergeFile, resolveFile, resolveRegions } from "../patch/merge.ts";
import type { Resolution } from "../patch/merge.ts";

import { type Author, record } from "../store/log/change.ts";
import type { OperationSide, ResolutionKind, StoredConflict } from "../store/operations.ts";
import type { Rows, Store } from "../store/store.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { FileMode } from "../vocabulary/manifest.ts";
import { printablePath } from "../vocabulary/printable.ts";
import type { ApplyPorts } from "./operate.ts";
import { type Incoming, type PlannedConflict, same } from "./plan.ts";

const MAX_FILE_BYTES = 64 << 20;
const MAX_REGIONS = 1_000;

/**
 * Writes conflicts down, to be resolved: those of the same revision and folder that were open, or resolved for other
 * content, are obsolete then.
 */
export function keepConflicts(
  { store, by, folder }: ApplyPorts,
  conflicts: readonly PlannedConflict[],
): void {
  store.records.write((rows) => {
    const now = by();
    const about = new Map(conflicts.map((one) => [`${one.proposal}.${one.revision}`, one]));
    const kept = new Set<PlannedConflict>();
    for (const { proposal, revision } of about.values()) {
      for (const old of rows.conflicts({ proposal, revision, folder: folder.root })) {
        const again = conflicts.find((one) => isAbout(old, one));
        if (old.state === "open" && again !== undefined) kept.add(again);
        else if (old.state === "open") {
          rows.setConflict(old.id, { ...NOTHING, state: "obsolete" });
        }
      }
    }
    const fresh = conflicts.filter((one) => !kept.has(one));
    for (const { proposal, revision, path, regions, base, ours, theirs } of fresh) {
      rows.insertConflict({
        ...{ id: rows.lastConflict() + 1, proposal, revision, folder: folder.root, path, base, ours, theirs },
        regions: canonicalJson(regions.slice(0, MAX_REGIONS)),
        ...{ createdAt: now.now.toISOString(), ...NOTHING, state: "open" },
      });
    }
    if (fresh.length === 0) return;
    record(rows, now, "conflicts_found", {
      folder: folder.root,
      count: fresh.length,
      conflicts: fresh.slice(0, 200).map(({ proposal, revision, path, regions }) => ({
        ...{ proposal, revision, path },
        line: regions[0]?.line ?? null,
        reason: regions[0]?.reason ?? "",
      })),
    });
  });
}

const NOTHING = { resolution: null, result: null, resolvedAt: null, resolvedBy: null };

function isAbout(
  stored: StoredConflict,
  { proposal, revision, path, base, ours, theirs }: PlannedConflict,
): boolean {
  return stored.proposal === proposal && stored.revision === revision && stored.path === path &&
    same(stored.base, base) && same(stored.ours, ours) && same(stored.theirs, theirs);
}

/** What a conflict was resolved to, as long as all three sides are what they were; undefined when it was not. */
export function resolutionOf(
  rows: Rows,
  folder: string,
  { proposal, revision }: Incoming,
  conflict: PlannedConflict,
): OperationSide | null | undefined {
  const stored = rows.conflicts({ proposal, revision, folder, state: "resolved" })
    .findLast((one) => isAbout(one, conflict));
  return stored === undefined ? undefined : stored.result;
}

/**
 * The file of a conflict with `<<<<<<<` markers, as git writes them; of one that is not about lines, our side.
 * @throws Failure `blob_missing`, `blob_corrupt` (malformed)
 */
export function markedConflict(store: Store, { base, ours, theirs }: StoredConflict): Uint8Array {
  const bytes = (side: OperationSide | null) =>
    side === null ? new Uint8Array() : store.blobs.read(side.sha256, MAX_FILE_BYTES);
  if (ours === null || theirs === null) return bytes(ours ?? theirs);
  const merge = mergeFile(bytes(base), bytes(ours), bytes(theirs), "manual");
  return merge.clean ? merge.bytes : merge.marked;
}

/** What somebody wants a conflict to become. */
export type Wanted = "ours" | "theirs" | "both" | { readonly edited: Uint8Array };

/**
 * Resolves open conflicts of a revision in a folder.
 * @param path one file, or null for all
 * @returns what was resolved
 * @throws Failure `no_conflict` (usage), `both_impossible` (usage)
 */
export async function resolveConflicts(
  store: Store,
  by: Author,
  where: { readonly proposal: number; readonly revision: number; readonly folder: string },
  path: string | null,
  wanted: Wanted,
): Promise<readonly StoredConflict[]> {
  return await store.keeper.shared(() => {
    const open = store.records.read((rows) => rows.conflicts({ ...where, state: "open" }))
      .filter((one) => path === null || one.path === path);
    if (open.length === 0) {
      const what = path === null ? "no open conflict" : `no open conflict at ${printablePath(path)}`;
      throw new Failure(
        "usage",
        "no_conflict",
        `P${where.proposal}.${where.revision} has ${what} in this folder`,
        {
          hint: `pp apply P${where.proposal} finds them, pp resolve P${where.proposal} lists them`,
        },
      );
    }
    const writer = store.blobs.writer();
    const results = open.map((conflict) => {
      const side = resultOf(store, conflict, wanted);
      if (side === null) return { conflict, result: null };
      const digest = sha256(side.bytes);
      writer.put(side.bytes, digest);
      return { conflict, result: { mode: side.mode, size: side.bytes.length, sha256: digest } };
    });
    writer.flush();
    const resolution: ResolutionKind = typeof wanted === "object" ? "edited" : wanted;
    store.records.write((rows) => {
      for (const { conflict, result } of results) {
        const to = { resolution, result, resolvedAt: by.now.toISOString(), resolvedBy: by.actor };
        if (!rows.setConflict(conflict.id, { state: "resolved", ...to })) {
          throw new Failure("unavailable", "conflict_moved", "somebody resolved it meanwhile", {
            hint: `pp resolve P${where.proposal} lists what is open`,
          });
        }
      }
      record(rows, by, "conflicts_resolved", {
        ...where,
        resolution,
        paths: results.slice(0, 200).map(({ conflict, result }) => ({
          path: conflict.path,
          result: result?.sha256 ?? null,
        })),
      });
      return results;
    });
    return Promise.resolve(
      store.records.read((rows) => results.map(({ conflict }) => rows.conflict(conflict.id)!)),
    );
  }, {});
}

interface Content {
  readonly mode: FileMode;
  readonly bytes: Uint8Array;
}

function resultOf(store: Store, conflict: StoredConflict, wanted: Wanted): Content | null {
  const content = (side: OperationSide | null): Content | null =>
    side === null ? null : { mode: side.mode, bytes: store.blobs.read(side.sha256, MAX_FILE_BYTES) };
  const [base, ours, theirs] = [content(conflict.base), content(conflict.ours), content(conflict.theirs)];
  const mode = modeOf(conflict, wanted);
  if (typeof wanted === "object") return { mode, bytes: wanted.edited };
  if (ours === null || theirs === null) {
    if (wanted === "both") throw bothImpossible(conflict.path);
    return wanted === "ours" ? ours : theirs;
  }
  const merge = mergeFile(base?.bytes ?? new Uint8Array(), ours.bytes, theirs.bytes, "manual");
  const sides = { ours: ours.bytes, theirs: theirs.bytes };
  if (merge.clean) return { mode, bytes: merge.bytes };
  if (merge.pieces.length === 0) {
    if (wanted === "both") throw bothImpossible(conflict.path);
    return { mode, bytes: resolveFile(merge, wanted, sides) };
  }
  // What both sides agree on stays; only the places in conflict take a side.
  const each: Resolution = wanted;
  const all = resolveRegions(merge, new Map(merge.regions.map((_, index) => [index, each])));
  if (!all.clean) throw new Failure("bug", "conflict_left", `${conflict.path} was not resolved whole`);
  return { mode, bytes: all.bytes };
}

/** Whoever changed the mode has it; where both did, the side that is kept. */
function modeOf({ base, ours, theirs }: StoredConflict, wanted: Wanted): FileMode {
  const [a, b] = [ours?.mode ?? theirs?.mode ?? "100644", theirs?.mode ?? ours?.mode ?? "100644"] as const;
  if (a === b) return a;
  if (base?.mode === a) return b;
  if (base?.mode === b) return a;
  return wanted === "theirs" ? b : a;
}

function bothImpossible(path: string): Failure {
  return new Failure(
    "usage",
    "both_impossible",
    `${printablePath(path)} has no lines that can stand one after the other`,
    {
      hint: "--keep ours or --keep theirs takes a whole side, --edited FILE anything",
    },
  );
}
