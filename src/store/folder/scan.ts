import { Buffer } from "node:buffer";
import { closeSync } from "node:fs";
import { setImmediate } from "node:timers";
import { type Sha256, sha256 } from "../../vocabulary/digest.ts";
import { interrupted } from "../../vocabulary/failure.ts";
import type { ManifestEntry } from "../../vocabulary/manifest.ts";
import { comparePaths } from "../../vocabulary/path.ts";
import { errorCode } from "../../vocabulary/system_error.ts";
import { openDirectory } from "../../workspace/directory_handles.ts";
import { BUILT_IN_RULES, IGNORE_FILE, type IgnoreRules } from "../../workspace/ignore.ts";
import { workspaceChanged } from "../../workspace/problems.ts";
import { MAX_DEPTH, MAX_ENTRIES, MAX_PATH_BYTES, walkTree, workspaceRules } from "../../workspace/walk.ts";
import type { WalkedTree } from "../../workspace/walked_tree.ts";
import { DirectoryCursor } from "./directory_cursor.ts";
import { ROOT, type StatCache } from "./stat_cache.ts";
import {
  isDirectory,
  isExecutable,
  isRegular,
  sizeOf,
  STAT_WORDS,
  type Stater,
  stater,
} from "./stat_words.ts";

/** What is in a workspace, looked at and not read. */
export interface Scan {
  /** In the order of `comparePaths`. */
  readonly pieces: readonly ScannedPiece[];
  /** STAT_WORDS words for each file and directory; before all others, the rows of the cache. */
  readonly words: Uint32Array;
  /** Digest of the rules by which things were left out. */
  readonly rules: Sha256;
  /** What settled contents are rows of. */
  readonly cache: StatCache | null;
  /** Directories that had to be listed. */
  readonly listed: number;
}

/** `at` is where its words begin, -1 when it has none. */
export type ScannedEntry =
  | { readonly kind: "directory"; readonly path: string; readonly at: number }
  | { readonly kind: "link"; readonly path: string; readonly at: -1; readonly target: string }
  | {
    readonly kind: "file";
    readonly path: string;
    readonly at: number;
    readonly executable: boolean;
    readonly size: number;
    /** The digest it is known to have; null when it has to be read. */
    readonly known: Sha256 | null;
  };

/** All that is below a directory in which nothing looks different: rows of the cache, and the tree it had and still has. */
export interface SettledContents {
  readonly kind: "settled";
  /** Of the directory, which is a piece of its own. */
  readonly path: string;
  readonly from: number;
  readonly to: number;
  readonly tree: Sha256;
}

export type ScannedPiece = ScannedEntry | SettledContents;

/** The same, with all that is settled entry by entry. */
export function opened(scan: Scan): Scan {
  const { cache } = scan;
  if (cache === null) return scan;
  const pieces = scan.pieces.flatMap((piece) =>
    piece.kind === "settled"
      ? Array.from({ length: piece.to - piece.from }, (_, i) => knownEntry(cache, piece.from + i))
      : [piece]
  );
  return { ...scan, pieces };
}

/** A row that looks as it did. */
function knownEntry(cache: StatCache, row: number): ScannedEntry {
  const path = cache.path(row), at = cache.at(row);
  if (cache.isDirectory(row)) return { kind: "directory", path, at };
  if (!cache.isFile(row)) return { kind: "link", path, at: -1, target: cache.extra(row) };
  const size = sizeOf(cache.remembered.words, at);
  return { kind: "file", path, at, executable: cache.isExecutable(row), size, known: cache.digest(row) };
}

/** @param digest of a file */
export function manifestEntry(entry: ScannedEntry, digest: Sha256): ManifestEntry {
  const { path } = entry;
  switch (entry.kind) {
    case "directory":
      return { path, mode: "040000", size: 0, sha256: EMPTY };
    case "link": {
      const { target } = entry;
      return { path, mode: "120000", size: Buffer.byteLength(target), sha256: sha256(target), target };
    }
    case "file":
      return { path, mode: entry.executable ? "100755" : "100644", size: entry.size, sha256: digest };
  }
}

/** Ends the quick look: the careful one finds the words for it. */
class Odd extends Error {}

/**
 * Looks at everything that belongs to a workspace, as `walkTree` does and without following a link, but quicker: what a
 * directory holds is only listed when the directory looks different from the last time. Whatever is out of the ordinary
 * (names that are not UTF-8, what may not be read, too deep, too many) is left to `walkTree` to tell.
 * @param cache what was seen the last time
 * @throws Failure as `walkTree`
 */
export async function scanWorkspace(
  root: string,
  leftOut: ReadonlySet<string>,
  cache: StatCache | null = null,
  signal?: AbortSignal,
): Promise<Scan> {
  const rules = workspaceRules(root, leftOut);
  const digest = rulesDigest(root, leftOut);
  const usable = cache?.rules === digest ? cache : null;
  let cursor: DirectoryCursor | null = null;
  try {
    cursor = new DirectoryCursor(root);
    const scanner = new Scanner(rules, cursor, usable, signal);
    await scanner.read("", ROOT, 1);
    return scanner.finish(digest);
  } catch (error) {
    if (!(error instanceof Odd)) throw error;
  } finally {
    cursor?.close();
  }
  return carefully(root, (await walkTree(root, leftOut)).entries, digest);
}

/** Of everything that says what is left out. The ignore file was read, and found sound, just before. */
function rulesDigest(root: string, leftOut: ReadonlySet<string>): Sha256 {
  let own: string | null;
  try {
    own = sha256(Deno.readFileSync(`${root}/${IGNORE_FILE}`));
  } catch {
    own = null;
  }
  return sha256(JSON.stringify([BUILT_IN_RULES, [...leftOut].sort(), own]));
}

/** Instead of a row: of what the cache does not have. */
const NEW = -2;
const NOTHING: ReadonlyMap<string, number> = new Map();
const EMPTY = sha256("");

class Scanner {
  readonly #found: ScannedPiece[] = [];
  readonly #stater: Stater;
  #words: Uint32Array;
  #used: number;
  #seen = 0;
  #listed = 0;
  #lastPause = performance.now();

  constructor(
    readonly rules: IgnoreRules,
    readonly cursor: DirectoryCursor,
    readonly cache: StatCache | null,
    readonly signal: AbortSignal | undefined,
  ) {
    this.#stater = stater(cursor.path);
    this.#words = cache?.remembered.words ?? new Uint32Array(STAT_WORDS * 4_096);
    this.#used = cache?.at(cache.remembered.count) ?? 0;
  }

  /** Adds a directory and everything in it. @returns whether nothing in it looks different */
  async #list(directory: string, row: number, depth: number): Promise<boolean> {
    if (depth > MAX_DEPTH) throw new Odd();
    if (performance.now() - this.#lastPause > 50) {
      await new Promise((resume) => setImmediate(resume));
      if (this.signal?.aborted) throw interrupted(this.signal.reason);
      this.#lastPause = performance.now();
    }
    const at = this.#stat(directory, isDirectory);
    this.#found.push({ kind: "directory", path: directory, at });
    if (row !== NEW && this.cache!.same(row, this.#words, at)) return await this.#look(directory, row, depth);
    await this.read(directory, row, depth);
    return false;
  }

  /** A directory that lists what it did. */
  async #look(directory: string, row: number, depth: number): Promise<boolean> {
    const cache = this.cache!, children = cache.children(row), before = this.#found.length;
    /** Files that look different: where their words are. */
    const different = new Map<number, number>();
    let settled = true;
    for (const child of children) {
      if (!cache.isFile(child)) continue;
      const at = this.#stat(cache.pathBytes(child), isRegular);
      if (cache.same(child, this.#words, at)) this.#used = at;
      else different.set(child, at);
    }
    for (const child of children) {
      if (!cache.isDirectory(child)) continue;
      settled = await this.#list(cache.path(child), child, depth + 1) && settled;
    }
    if (settled && different.size === 0) {
      this.#found.length = before;
      this.#found.push({ kind: "settled", path: directory, ...cache.below(row), tree: cache.extra(row) });
      return true;
    }
    for (const child of children) {
      if (cache.isDirectory(child)) continue;
      const at = different.get(child);
      this.#found.push(
        at === undefined ? knownEntry(cache, child) : this.#fileAt(cache.path(child), at, null),
      );
    }
    return false;
  }

  /** Lists a directory. */
  async read(directory: string, row: number, depth: number): Promise<void> {
    this.#listed++;
    const prefix = directory === "" ? "" : `${directory}/`;
    const rows = this.#rowsIn(row);
    const { inside } = orOdd(() => this.cursor.directory(directory));
    const directories: string[] = [];
    for (const { name, isFile, isDirectory, isSymlink } of orOdd(() => [...Deno.readDirSync(inside)])) {
      if (name.includes("\ufffd") || ++this.#seen > MAX_ENTRIES) throw new Odd();
      const path = prefix + name;
      if (path.length * 3 > MAX_PATH_BYTES) throw new Odd();
      if (this.rules.ignores(path, name, isDirectory)) continue;
      if (isFile) {
        const at = this.#stat(path, isRegular), known = rows.get(path) ?? NEW, { cache } = this;
        const same = known !== NEW && cache!.isFile(known) && cache!.same(known, this.#words, at);
        this.#found.push(this.#fileAt(path, at, same ? cache!.digest(known) : null));
      } else if (isSymlink) {
        const target = orOdd(() => Deno.readLinkSync(`${inside}/${name}`));
        this.#found.push({ kind: "link", path, at: -1, target });
      } else if (isDirectory) directories.push(path);
      // Anything else is a device, a FIFO or a socket, which no version holds.
    }
    for (const path of directories) {
      const known = rows.get(path) ?? NEW;
      await this.#list(path, known !== NEW && this.cache!.isDirectory(known) ? known : NEW, depth + 1);
    }
  }

  /** What the cache has in a directory, by path. */
  #rowsIn(row: number): ReadonlyMap<string, number> {
    const { cache } = this;
    if (cache === null || row === NEW) return NOTHING;
    return new Map(Array.from(cache.children(row), (child) => [cache.path(child), child]));
  }

  #fileAt(path: string, at: number, known: Sha256 | null): ScannedEntry {
    const words = this.#words;
    return { kind: "file", path, at, executable: isExecutable(words, at), size: sizeOf(words, at), known };
  }

  finish(rules: Sha256): Scan {
    const pieces = this.#found.sort((a, b) => comparePaths(placeOf(a), placeOf(b)));
    return { pieces, words: this.#words, rules, cache: this.cache, listed: this.#listed };
  }

  /**
   * Looks at a path from the root. Were a link put in the way meanwhile, what is behind it would be another file: one that
   * is known is not, and one that has to be read is opened without following links and compared with what was seen.
   */
  #stat(path: string | Uint8Array, isIt: (words: Uint32Array, at: number) => boolean): number {
    const at = this.#used;
    if (at + STAT_WORDS > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    if (!this.#stater.stat(this.cursor.root, path, this.#words, at) || !isIt(this.#words, at)) {
      throw new Odd();
    }
    this.#used += STAT_WORDS;
    return at;
  }
}

/** What is below a directory stands where its path and a slash would. */
function placeOf(piece: ScannedPiece): string {
  return piece.kind === "settled" ? `${piece.path}/` : piece.path;
}

/** What the careful walk found, with the words of each file. */
function carefully(root: string, found: WalkedTree, rules: Sha256): Scan {
  const words = new Uint32Array(STAT_WORDS * Math.max(1, found.length));
  const look = stater(root);
  const fd = openDirectory(root);
  try {
    const pieces = Array.from(found, (entry, i): ScannedEntry => {
      const { path } = entry;
      if (entry.kind === "directory") return { kind: "directory", path, at: -1 };
      if (entry.kind === "link") return { kind: "link", path, at: -1, target: entry.target };
      const at = i * STAT_WORDS;
      if (!look.stat(fd, path, words, at) || !isRegular(words, at)) {
        throw workspaceChanged([path], "a file changed while the workspace was read");
      }
      const executable = isExecutable(words, at);
      return { kind: "file", path, at, executable, size: sizeOf(words, at), known: null };
    });
    return { pieces, words, rules, cache: null, listed: found.length };
  } finally {
    closeSync(fd);
  }
}

function orOdd<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (errorCode(error) !== "" || error instanceof Deno.errors.InvalidData) throw new Odd();
    throw error;
  }
}
