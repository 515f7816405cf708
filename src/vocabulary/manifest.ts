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

/** A list of them; an array is one, and so is an `EntryTable`, which keeps none of its entries as an object. */
export interface ManifestEntries extends Iterable<ManifestEntry> {
  readonly length: number;
}

export interface Manifest {
  /** Sorted by `comparePaths`, unique. */
  readonly entries: ManifestEntries;
  readonly digest: Sha256;
}

/** One that was put together from entries. */
export interface ListedManifest extends Manifest {
  readonly entries: readonly ManifestEntry[];
}

const ENCODED_AT_ONCE = 64 * 1024;

/** How an entry stands in the encoding of its tree: `mode SP size SP sha256 SP path NUL`. */
export function encodedEntry({ mode, size, sha256, path }: ManifestEntry): string {
  return `${mode} ${size} ${sha256} ${path}\0`;
}

/**
 * Digest of a tree: SHA-256 over the encoding of each entry in path order. Paths hold no NUL, so no two trees share an
 * encoding.
 */
export function manifestDigest(entries: Iterable<ManifestEntry>): Sha256 {
  const hash = new ManifestHash();
  for (const entry of entries) hash.add(entry);
  return hash.digest();
}

/** The same of entries that come one after the other, or are encoded already. */
export class ManifestHash {
  readonly #hash = createHash("sha256");
  /** Some at a time: the encoding of a large tree need not be whole in memory. */
  #some = "";

  add(entry: ManifestEntry): void {
    this.#some += encodedEntry(entry);
    if (this.#some.length >= ENCODED_AT_ONCE) this.#flush();
  }

  addEncoded(lines: Uint8Array): void {
    this.#flush();
    this.#hash.update(lines);
  }

  digest(): Sha256 {
    this.#flush();
    return this.#hash.digest("hex");
  }

  #flush(): void {
    this.#hash.update(this.#some);
    this.#some = "";
  }
}

/** Sorts, checks uniqueness and digests. Throws RangeError on a duplicate path. */
export function makeManifest(entries: Iterable<ManifestEntry>): ListedManifest {
  const sorted = [...entries].sort((a, b) => comparePaths(a.path, b.path));
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i - 1]!.path === sorted[i]!.path) throw new RangeError(`duplicate path ${sorted[i]!.path}`);
  }
  return { entries: sorted, digest: manifestDigest(sorted) };
}
