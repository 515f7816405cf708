import { createHash } from "node:crypto";
import { comparePaths } from "./path.ts";
import type { Sha256 } from "./digest.ts";

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
  const hash = createHash("sha256");
  // Some at a time: the encoding of a large tree need not be whole in memory.
  for (let from = 0; from < entries.length; from += 1000) {
    const some = entries.slice(from, from + 1000);
    hash.update(some.map((e) => `${e.mode} ${e.size} ${e.sha256} ${e.path}\0`).join(""));
  }
  return hash.digest("hex");
}

/** Sorts, checks uniqueness and digests. Throws RangeError on a duplicate path. */
export function makeManifest(entries: readonly ManifestEntry[]): Manifest {
  const sorted = [...entries].sort((a, b) => comparePaths(a.path, b.path));
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i - 1]!.path === sorted[i]!.path) throw new RangeError(`duplicate path ${sorted[i]!.path}`);
  }
  return { entries: sorted, digest: manifestDigest(sorted) };
}
