import { diffFiles, type FilePair } from "../patch/diff.ts";
import {
  type MergeStrategy,
  mergeTrees,
  type ThreeSides,
  type TreeConflict,
  type TreeEntry,
} from "../patch/merge.ts";
import { changedEntries, treeSource } from "../store/artifact/tree.ts";
import type { FoundRevision } from "../store/proposal/find.ts";
import type { Store, Version } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
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
    /** Whether nothing had to be decided: no side was preferred anywhere. */
    readonly clean: boolean;
    /** Paths where both sides were put together. */
    readonly merged: readonly RelativePath[];
  }
  /** The version has all of it already. */
  | { readonly kind: "nothing_left" }
  | { readonly kind: "conflicts"; readonly conflicts: readonly TreeConflict[] }
  /** Merged, and still no patch that could be applied. */
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Larger files are not merged, as they are not patched. */
const MAX_FILE_BYTES = 16 << 20;

/**
 * Merges what a revision does to its base into another version of the artifact: its base is the base, the version is
 * ours, its result is theirs. Nothing is written.
 * @throws Failure as `storedChange`; `file_too_large` (malformed)
 */
export async function rebaseOnto(
  store: Store,
  found: FoundRevision,
  onto: Version,
  strategy: MergeStrategy,
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
    sides.set(path, sidesOf(path, base, ours, result));
  }
  // Whatever stands where a new file needs a directory has its say.
  for (const above of parentsOf([...sides.keys()])) {
    const entry = ours.entry(above);
    if (sides.has(above) || entry === undefined || entry.mode === "040000") continue;
    const there = entryOf(above, ours);
    sides.set(above, { path: pathOf(above), base: there, ours: there, theirs: there });
  }
  const merge = mergeTrees([...sides.values()], strategy);
  if (!merge.clean) return { kind: "conflicts", conflicts: merge.conflicts };
  const pairs: FilePair[] = [];
  const merged: RelativePath[] = [];
  for (const outcome of merge.paths) {
    if (outcome.kind === "unchanged" || outcome.kind === "conflict") continue;
    if (outcome.kind === "merged") merged.push(outcome.path);
    const old = sides.get(outcome.path)!.ours;
    const [was, is] = [fileOf(old), fileOf(outcome.entry)];
    const { path } = outcome;
    if (was !== null || is !== null) {
      pairs.push({ oldPath: was && path, old: was, newPath: is && path, new: is });
    }
  }
  const patch = diffFiles(pairs);
  if (patch.files.length === 0) return { kind: "nothing_left" };
  const change = await changeOf(patch, ours);
  if (!change.ok) return { kind: "refused", refusal: change.refusal };
  const clean = strategy === "manual" || mergeTrees([...sides.values()], "manual").clean;
  return { kind: "rebased", change: change.value, clean, merged };
}

function sidesOf(
  path: string,
  base: StoredWorkspace,
  ours: StoredWorkspace,
  theirs: StoredWorkspace,
): ThreeSides {
  return {
    path: pathOf(path),
    base: entryOf(path, base),
    ours: entryOf(path, ours),
    theirs: entryOf(path, theirs),
  };
}

function entryOf(path: string, tree: StoredWorkspace): TreeEntry {
  const entry = tree.entry(path);
  if (entry === undefined) return null;
  switch (entry.mode) {
    case "040000":
      return { kind: "directory" };
    case "120000":
      return { kind: "link", target: new TextEncoder().encode(entry.target) };
    default:
      return { kind: "file", mode: entry.mode, bytes: bytesOf(entry, tree) };
  }
}

function bytesOf({ path, sha256, size }: ManifestEntry, tree: StoredWorkspace): Uint8Array {
  if (size <= MAX_FILE_BYTES) return tree.bytes(sha256, MAX_FILE_BYTES);
  throw new Failure("malformed", "file_too_large", `${printablePath(path)} is too large to be merged`, {
    hint: "propose the change anew against the newest version",
  });
}

function fileOf(entry: TreeEntry) {
  return entry?.kind === "file" ? { mode: entry.mode, bytes: entry.bytes } : null;
}

function pathOf(text: string): RelativePath {
  const parsed = parseRelativePath(text);
  if (parsed.ok) return parsed.path;
  throw new Failure("malformed", "path_malformed", `${printablePath(text)} is no path that a patch may have`);
}
