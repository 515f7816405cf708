import type { Captured } from "../store/artifact/create.ts";
import { buildTrees, EMPTY_TREE, flatten, treeSource } from "../store/artifact/tree.ts";
import type { Rows } from "../store/store.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { manifestDigest, type ManifestEntry } from "../vocabulary/manifest.ts";
import { comparePaths, parentsOf } from "../vocabulary/path.ts";

/** Everything in a folder, all of whose bytes are in the store. */
export interface FolderTree {
  readonly entries: readonly ManifestEntry[];
  readonly byPath: ReadonlyMap<string, ManifestEntry>;
  /** Manifest digest. */
  readonly digest: Sha256;
}

/** The entries of a folder that was just captured. */
export function capturedTree(rows: Rows, captured: Captured): FolderTree {
  const fresh = new Map(captured.trees);
  return treeOf(flatten(captured.root, treeSource((digest) => fresh.get(digest) ?? rows.tree(digest))));
}

export function treeOf(entries: readonly ManifestEntry[]): FolderTree {
  return {
    entries,
    byPath: new Map(entries.map((entry) => [entry.path, entry])),
    digest: manifestDigest(entries),
  };
}

export interface TreeAfter extends FolderTree {
  readonly root: Sha256;
  readonly trees: readonly (readonly [Sha256, Uint8Array])[];
  readonly files: number;
  readonly bytes: number;
}

/**
 * The folder as it is after changes.
 * @param removed directories that go, because they are left empty
 */
export function treeAfter(
  before: FolderTree,
  changes: readonly FileChange[],
  removed: ReadonlySet<string>,
): TreeAfter {
  const after = new Map(before.byPath);
  for (const directory of removed) after.delete(directory);
  for (const { kind, path } of changes) if (kind === "delete") after.delete(path);
  for (const change of changes) {
    if (change.kind === "delete") continue;
    const { path, mode, bytes } = change;
    for (const parent of parentsOf([path])) {
      if (!after.has(parent)) {
        after.set(parent, { path: parent, mode: "040000", size: 0, sha256: EMPTY_TREE });
      }
    }
    after.set(path, { path, mode, size: bytes.length, sha256: sha256(bytes) });
  }
  const entries = [...after.values()].sort((a, b) => comparePaths(a.path, b.path));
  const { root, trees } = buildTrees(entries);
  const files = entries.filter(({ mode }) => mode !== "040000");
  return {
    ...treeOf(entries),
    root,
    trees: [...trees].map(([digest, { body }]) => [digest, body] as const),
    files: files.length,
    bytes: files.reduce((sum, { mode, size }) => mode.startsWith("100") ? sum + size : sum, 0),
  };
}
