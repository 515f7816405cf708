import type { FileChange } from "../vocabulary/change.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { entriesByPath } from "../vocabulary/entry_table.ts";
import {
  type ListedManifest,
  type Manifest,
  manifestDigest,
  type ManifestEntries,
  type ManifestEntry,
} from "../vocabulary/manifest.ts";
import { comparePaths, parentsOf } from "../vocabulary/path.ts";

/**
 * The manifest of base plus changes, in one merge over the sorted base.
 *
 * Directories: a manifest that lists them (it has a directory entry, or no path with a slash) gets an entry for
 * each directory the changes imply. A directory that became empty stays listed: the tree is that of the files in
 * place, not of git, which knows no empty directories.
 */
export function resultManifest(base: Manifest, changes: readonly FileChange[]): ListedManifest {
  const entries = [...resultEntries(base, changes)];
  return { entries, digest: manifestDigest(entries) };
}

/** Digest of that manifest; of a large tree no list is made. */
export function resultDigest(base: Manifest, changes: readonly FileChange[]): Sha256 {
  return manifestDigest(resultEntries(base, changes));
}

function* resultEntries(
  { entries: base }: Manifest,
  changes: readonly FileChange[],
): Iterable<ManifestEntry> {
  const changed = new Map<string, ManifestEntry | null>();
  if (listsDirectories(base)) {
    const known = entriesByPath(base);
    for (const change of changes) {
      for (const parent of change.kind === "write" ? parentsOf([change.path]) : []) {
        if (!known.has(parent)) changed.set(parent, directory(parent));
      }
    }
  }
  for (const c of changes) {
    changed.set(
      c.path,
      c.kind === "delete"
        ? null
        : { path: c.path, mode: c.mode, size: c.bytes.length, sha256: sha256(c.bytes) },
    );
  }
  const incoming = [...changed].sort(([a], [b]) => comparePaths(a, b));
  let next = 0;
  for (const entry of base) {
    while (next < incoming.length && comparePaths(incoming[next]![0], entry.path) < 0) {
      yield* present(incoming[next++]![1]);
    }
    if (next < incoming.length && incoming[next]![0] === entry.path) yield* present(incoming[next++]![1]);
    else yield entry;
  }
  while (next < incoming.length) yield* present(incoming[next++]![1]);
}

function present(entry: ManifestEntry | null): readonly ManifestEntry[] {
  return entry === null ? [] : [entry];
}

function listsDirectories(base: ManifestEntries): boolean {
  let flat = true;
  for (const { mode, path } of base) {
    if (mode === "040000") return true;
    if (path.includes("/")) flat = false;
  }
  return flat;
}

const NOTHING = sha256("");

function directory(path: string): ManifestEntry {
  return { path, mode: "040000", size: 0, sha256: NOTHING };
}

/**
 * A cheap identity of a result on one fixed base: SHA-256 over path, mode and content digest of each change in
 * path order. Equal changes give equal keys; no two sets of changes share an encoding.
 */
export function resultKey(changes: readonly FileChange[]): Sha256 {
  const parts = [...changes].sort((a, b) => comparePaths(a.path, b.path)).map((c) =>
    c.kind === "delete" ? `- ${c.path}\0` : `${c.mode} ${sha256(c.bytes)} ${c.path}\0`
  );
  return sha256(parts.join(""));
}
