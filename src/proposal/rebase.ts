import { diffFiles, type FilePair } from "../patch/diff.ts";
import {
  type MergeStrategy,
  mergeTrees,
  type PathMerge,
  type ThreeSides,
  type TreeEntry,
} from "../patch/merge.ts";
import { changedEntries, treeSource } from "../store/artifact/tree.ts";
import type { NewConflict } from "../store/operation/conflict.ts";
import { mergedFile } from "../store/operation/merged_file.ts";
import type { OperationSide } from "../store/operations.ts";
import type { FoundRevision } from "../store/proposal/find.ts";
import type { Store, Version } from "../store/store.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import { parentsOf, parseRelativePath, type RelativePath } from "../vocabulary/path.ts";
import { printablePath } from "../vocabulary/printable.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { storedChange } from "./draft.ts";
import { type StoredWorkspace, storedWorkspace } from "./version_workspace.ts";
import { changeOf, type ProposedChange } from "./working_tree.ts";

/** What a proposal comes to on another version. */
export type Rebased =
  | {
    readonly kind: "rebased";
    readonly change: ProposedChange;
    /** Whether nothing had to be decided: no side was preferred anywhere, and no conflict was resolved. */
    readonly clean: boolean;
    /** Paths that are what somebody resolved their conflicts to. */
    readonly resolved: readonly RelativePath[];
    /** Paths where both sides were put together. */
    readonly merged: readonly RelativePath[];
  }
  /** The version has all of it already. */
  | { readonly kind: "nothing_left" }
  | { readonly kind: "conflicts"; readonly conflicts: readonly NewConflict[] }
  /** Merged, and still no patch that could be applied. */
  | { readonly kind: "refused"; readonly refusal: Refusal };

/**
 * Merges what a revision does to its base into another version of the artifact: its base is the base, the version is
 * ours, its result is theirs. Nothing is written.
 * @param resolutionOf what somebody said a conflict is to become; undefined when nobody did, null for no file
 * @throws Failure as `storedChange`; `file_too_large`, `blob_missing`, `blob_corrupt` (malformed)
 */
export async function rebaseOnto(
  store: Store,
  found: FoundRevision,
  onto: Version,
  strategy: MergeStrategy,
  resolutionOf: (conflict: NewConflict) => OperationSide | null | undefined = () => undefined,
): Promise<Rebased> {
  const { base, result } = await storedChange(store, found);
  const ours = storedWorkspace(store, onto.root, `${onto.artifact}@${onto.number}`);
  const changed = store.records.read((rows) =>
    changedEntries(
      found.revision.baseRoot,
      found.revision.resultRoot,
      treeSource((digest) => rows.tree(digest)),
    )
  );
  const sides = new Map<string, ThreeSides>();
  for (const { path, before, after } of changed) {
    if ((before ?? after)!.mode === "040000" && (after ?? before)!.mode === "040000") continue;
    sides.set(path, sidesOf(store, path, base, ours, result));
  }
  // Whatever stands where a new file needs a directory has its say.
  for (const above of parentsOf([...sides.keys()])) {
    const entry = ours.entry(above);
    if (sides.has(above) || entry === undefined || entry.mode === "040000") continue;
    const there = entryOf(store, above, ours);
    sides.set(above, { path: pathOf(above), base: there, ours: there, theirs: there });
  }
  const merge = mergeTrees([...sides.values()], strategy);
  const pairs: FilePair[] = [];
  const merged: RelativePath[] = [], resolved: RelativePath[] = [];
  const conflicts: NewConflict[] = [];
  for (const outcome of merge.paths) {
    if (outcome.kind === "unchanged") continue;
    const { path } = outcome;
    let entry: TreeEntry;
    if (outcome.kind === "conflict") {
      const conflict = conflictOf(found, outcome, sides.get(path)!);
      const resolution = resolutionOf(conflict);
      if (resolution === undefined) {
        conflicts.push(conflict);
        continue;
      }
      resolved.push(path);
      entry = resolution === null ? null : {
        ...{ kind: "file", mode: resolution.mode },
        bytes: mergedFile(store, path, resolution),
      };
    } else entry = outcome.entry;
    if (outcome.kind === "merged") merged.push(path);
    const [was, is] = [fileOf(sides.get(path)!.ours), fileOf(entry)];
    if (was !== null || is !== null) {
      pairs.push({ oldPath: was && path, old: was, newPath: is && path, new: is });
    }
  }
  if (conflicts.length > 0) return { kind: "conflicts", conflicts };
  const patch = diffFiles(pairs);
  if (patch.files.length === 0) return { kind: "nothing_left" };
  const change = await changeOf(patch, ours);
  if (!change.ok) return { kind: "refused", refusal: change.refusal };
  const clean = resolved.length === 0 &&
    (strategy === "manual" || mergeTrees([...sides.values()], "manual").clean);
  return { kind: "rebased", change: change.value, clean, merged, resolved };
}

function conflictOf(
  { revision }: FoundRevision,
  { path, conflicts }: Extract<PathMerge, { kind: "conflict" }>,
  { base, ours, theirs }: ThreeSides,
): NewConflict {
  return {
    ...{ proposal: revision.proposal, revision: revision.number, path },
    ...{ base: sideOf(base), ours: sideOf(ours), theirs: sideOf(theirs) },
    regions: conflicts.map(({ line, reason, detail }) => ({ line, reason, detail })),
  };
}

/** As a conflict keeps it; what is no file is none. */
function sideOf(entry: TreeEntry): OperationSide | null {
  if (entry?.kind !== "file") return null;
  return { mode: entry.mode, size: entry.bytes.length, sha256: sha256(entry.bytes) };
}

function sidesOf(
  store: Store,
  path: string,
  base: StoredWorkspace,
  ours: StoredWorkspace,
  theirs: StoredWorkspace,
): ThreeSides {
  return {
    path: pathOf(path),
    base: entryOf(store, path, base),
    ours: entryOf(store, path, ours),
    theirs: entryOf(store, path, theirs),
  };
}

function entryOf(store: Store, path: string, tree: StoredWorkspace): TreeEntry {
  const entry = tree.entry(path);
  if (entry === undefined) return null;
  switch (entry.mode) {
    case "040000":
      return { kind: "directory" };
    case "120000":
      return { kind: "link", target: new TextEncoder().encode(entry.target) };
    default:
      return { kind: "file", mode: entry.mode, bytes: mergedFile(store, path, entry) };
  }
}

function fileOf(entry: TreeEntry) {
  return entry?.kind === "file" ? { mode: entry.mode, bytes: entry.bytes } : null;
}

function pathOf(text: string): RelativePath {
  const parsed = parseRelativePath(text);
  if (parsed.ok) return parsed.path;
  throw new Failure("malformed", "path_malformed", `${printablePath(text)} is no path that a patch may have`);
}
