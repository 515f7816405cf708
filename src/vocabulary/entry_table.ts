import { Buffer } from "node:buffer";
import type { EntryMode, ManifestEntries, ManifestEntry } from "./manifest.ts";
import { SHA256_BYTES } from "./digest.ts";
import { comparePaths } from "./path.ts";

const MODES: readonly EntryMode[] = ["100644", "100755", "120000", "040000"];

/** A list of paths, in one piece of memory. */
export class PathColumn {
  #bytes = Buffer.alloc(4_096);
  #ends = new Uint32Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(path: string): void {
    const from = this.#endOf(this.#length - 1);
    // No character takes more than three bytes for each of its UTF-16 units.
    if (from + path.length * 3 > this.#bytes.length) {
      const larger = Buffer.alloc((from + path.length * 3) * 1.5);
      larger.set(this.#bytes.subarray(0, from));
      this.#bytes = larger;
    }
    this.#ends = withRoom(this.#ends, this.#length + 1);
    this.#ends[this.#length++] = from + this.#bytes.write(path, from);
  }

  at(i: number): string {
    return this.#bytes.toString("utf8", this.#endOf(i - 1), this.#endOf(i));
  }

  /** Where a path is among paths that are sorted by `comparePaths`; -1 when it is not. */
  find(path: string): number {
    let low = 0, high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = comparePaths(this.at(middle), path);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  #endOf(i: number): number {
    return i < 0 ? 0 : this.#ends[i]!;
  }
}

/** The column itself, or a larger copy when it holds fewer than `length` numbers. */
export function withRoom<Column extends Uint8Array | Uint32Array | Float64Array>(
  column: Column,
  length: number,
): Column {
  if (length <= column.length) return column;
  const larger = new (column.constructor as new (length: number) => Column)(length + (length >> 1));
  larger.set(column);
  return larger;
}

/** What `EntryTable` is made of, each with a place for each entry. */
export interface EntryColumns {
  /** Sorted by `comparePaths`, unique. */
  readonly paths: PathColumn;
  /** Places in the list of modes, as `modeCode` says. */
  readonly modes: Uint8Array;
  readonly sizes: Float64Array;
  /** 32 bytes each. */
  readonly digests: Buffer;
  /** Of links. */
  readonly targets: ReadonlyMap<number, string>;
}

export function modeCode(mode: EntryMode): number {
  return MODES.indexOf(mode);
}

/**
 * Entries of a manifest in columns: some 45 bytes and the path for each, where an object, its strings and its place in
 * lists and maps take ten times as much. An entry is made anew each time it is asked for.
 */
export class EntryTable implements ManifestEntries {
  readonly byPath: ReadonlyMap<string, ManifestEntry> = new ByPath(this);
  readonly #columns: EntryColumns;

  constructor(columns: EntryColumns) {
    this.#columns = columns;
  }

  get length(): number {
    return this.#columns.paths.length;
  }

  at(i: number): ManifestEntry {
    const { paths, modes, sizes, digests, targets } = this.#columns;
    const sha256 = digests.toString("hex", i * SHA256_BYTES, (i + 1) * SHA256_BYTES);
    const entry = { path: paths.at(i), mode: MODES[modes[i]!]!, size: sizes[i]!, sha256 };
    const target = targets.get(i);
    return target === undefined ? entry : { ...entry, target };
  }

  find(path: string): ManifestEntry | undefined {
    const i = this.#columns.paths.find(path);
    return i < 0 ? undefined : this.at(i);
  }

  has(path: string): boolean {
    return this.#columns.paths.find(path) >= 0;
  }

  *paths(): Generator<string, undefined> {
    for (let i = 0; i < this.length; i++) yield this.#columns.paths.at(i);
  }

  *[Symbol.iterator](): Generator<ManifestEntry, undefined> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

class ByPath implements ReadonlyMap<string, ManifestEntry> {
  readonly #table: EntryTable;

  constructor(table: EntryTable) {
    this.#table = table;
  }

  get size(): number {
    return this.#table.length;
  }

  get(path: string): ManifestEntry | undefined {
    return this.#table.find(path);
  }

  has(path: string): boolean {
    return this.#table.has(path);
  }

  keys(): Generator<string, undefined> {
    return this.#table.paths();
  }

  values(): Generator<ManifestEntry, undefined> {
    return this.#table[Symbol.iterator]();
  }

  *entries(): Generator<[string, ManifestEntry], undefined> {
    for (const entry of this.#table) yield [entry.path, entry];
  }

  [Symbol.iterator](): Generator<[string, ManifestEntry], undefined> {
    return this.entries();
  }

  forEach(each: (entry: ManifestEntry, path: string, all: ReadonlyMap<string, ManifestEntry>) => void): void {
    for (const entry of this.#table) each(entry, entry.path, this);
  }
}

/** The entries of a manifest by their paths, in their order. */
export function entriesByPath(entries: ManifestEntries): ReadonlyMap<string, ManifestEntry> {
  if (entries instanceof EntryTable) return entries.byPath;
  return new Map(Array.from(entries, (entry) => [entry.path, entry]));
}
