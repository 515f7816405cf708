import { comparePaths } from "./path.ts";
import { type Sha256, sha256 } from "./digest.ts";

/** Git's words for modes: regular, executable, symbolic link, directory. */
export type EntryMode = "100644" | "100755" | "120000" | "040000";
export type FileMode = "100644" | "100755";

/** One entry of a workspace. A link's bytes are its target; a directory has size 0 and the digest of nothing. */
export interface ManifestEntry {
  readonly path: string;
  readonly mode: EntryMode;
  /** Bytes. */
  readonly size: number;
  readonly sha256: Sha256;
  /** Links only: the target as stored. */
  readonly target?: string;
}

/** What was left out on purpose, and by which rule. */
export interface SkippedEntry {
  readonly path: string;
  readonly reason: "ignored" | "fifo" | "socket" | "device";
}

export interface Manifest {
  /** Sorted by `comparePaths`, unique. */
  readonly entries: readonly ManifestEntry[];
  readonly digest: Sha256;
}

/**
 * Digest of a tree: SHA-256 over `mode SP size SP sha256 SP path NUL` for each entry in path order. Paths hold
 * no NUL, so no two trees share an encoding.
 */
export function manifestDigest(entries: readonly ManifestEntry[]): Sha256 {
  return sha256(entries.map((e) => `${e.mode} ${e.size} ${e.sha256} ${e.path}\0`).join(""));
}

/** Sorts, checks uniqueness and digests. Throws RangeError on a duplicate path. */
export function makeManifest(entries: readonly ManifestEntry[]): Manifest {
  const sorted = [...entries].sort((a, b) => comparePaths(a.path, b.path));
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i - 1]!.path === sorted[i]!.path) throw new RangeError(`duplicate path ${sorted[i]!.path}`);
  }
  return { entries: sorted, digest: manifestDigest(sorted) };
}
