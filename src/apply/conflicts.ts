import { mergeFile, resolveFile, resolveRegions } from "../patch/merge.ts";
import type { Resolution } from "../patch/merge.ts";
import type { Author } from "../store/log/change.ts";
import type { OperationSide, ResolutionKind, StoredConflict } from "../store/operations.ts";
import { type ConflictPlace, findConflicts, resolveFound } from "../store/operation/conflict.ts";
import { mergedFile } from "../store/operation/merged_file.ts";
import type { Store } from "../store/store.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { FileMode } from "../vocabulary/manifest.ts";
import { printablePath } from "../vocabulary/printable.ts";
import type { ApplyPorts } from "./operate.ts";
import type { Incoming, PlannedConflict } from "./plan.ts";

/** Writes the conflicts of a plan down, to be resolved. */
export function keepConflicts(
  { store, by, folder }: ApplyPorts,
  revisions: readonly Incoming[],
  conflicts: readonly PlannedConflict[],
): void {
  store.records.write((rows) =>
    findConflicts(rows, by(), { folder: folder.root, onto: null }, revisions, conflicts)
  );
}

/**
 * The file of a conflict with `<<<<<<<` markers, as git writes them; of one that is not about lines, our side.
 * @throws Failure `blob_missing`, `blob_corrupt` (malformed)
 */
export function markedConflict(store: Store, { path, base, ours, theirs }: StoredConflict): Uint8Array {
  const bytes = (side: OperationSide | null) =>
    side === null ? new Uint8Array() : mergedFile(store, path, side);
  if (ours === null || theirs === null) return bytes(ours ?? theirs);
  const merge = mergeFile(bytes(base), bytes(ours), bytes(theirs), "manual");
  return merge.clean ? merge.bytes : merge.marked;
}

/** What somebody wants a conflict to become. */
export type Wanted = "ours" | "theirs" | "both" | { readonly edited: Uint8Array };

/**
 * Resolves open conflicts of a revision in a folder, or with null in a rebase.
 * @param path one file, or null for all
 * @returns what was resolved
 * @throws Failure `no_conflict` (usage), `both_impossible` (usage)
 */
export async function resolveConflicts(
  store: Store,
  by: Author,
  where: { readonly proposal: number; readonly revision: number; readonly folder: ConflictPlace },
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
        `P${where.proposal}.${where.revision} has ${what}${where.folder === null ? "" : " in this folder"}`,
        {
          hint: `pp apply and pp proposal rebase find them, pp resolve P${where.proposal} lists them`,
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
    const said = results.map(({ conflict, result }) => ({ id: conflict.id, result }));
    const resolved = store.records.write((rows) => resolveFound(rows, by, where.folder, resolution, said));
    return Promise.resolve(resolved);
  }, {});
}

interface Content {
  readonly mode: FileMode;
  readonly bytes: Uint8Array;
}

function resultOf(store: Store, conflict: StoredConflict, wanted: Wanted): Content | null {
  const content = (side: OperationSide | null): Content | null =>
    side === null ? null : { mode: side.mode, bytes: mergedFile(store, conflict.path, side) };
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
