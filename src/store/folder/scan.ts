import { closeSync } from "node:fs";
import { setImmediate } from "node:timers";
import { type Sha256, sha256 } from "../../vocabulary/digest.ts";
import { interrupted } from "../../vocabulary/failure.ts";
import { comparePaths } from "../../vocabulary/path.ts";
import { errorCode } from "../../vocabulary/system_error.ts";
import { openDirectory } from "../../workspace/directory_handles.ts";
import { BUILT_IN_RULES, IGNORE_FILE, type IgnoreRules } from "../../workspace/ignore.ts";
import { workspaceChanged } from "../../workspace/problems.ts";
import { MAX_DEPTH, MAX_ENTRIES, MAX_PATH_BYTES, walkTree, workspaceRules } from "../../workspace/walk.ts";
import type { WalkedTree } from "../../workspace/walked_tree.ts";
import { DirectoryCursor } from "./directory_cursor.ts";
import type { StatCache } from "./stat_cache.ts";
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
  /** Sorted by `comparePaths`. */
  readonly entries: readonly ScannedEntry[];
  /** STAT_WORDS words for each file and directory. */
  readonly words: Uint32Array;
  /** Digest of the rules by which things were left out. */
  readonly rules: Sha256;
  /** Directories in which nothing looks different, with the trees they had and still have. */
  readonly settled: ReadonlyMap<string, Sha256>;
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
    await scanner.list("", 1);
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

class Scanner {
  readonly #found: ScannedEntry[] = [];
  readonly #stater: Stater;
  #words: Uint32Array;
  readonly #settled = new Map<string, Sha256>();
  #used = 0;
  #seen = 0;
  #listed = 0;
  /** Where in the cache the next entry is likely to be. */
  #guess = 0;
  #lastPause = performance.now();

  constructor(
    readonly rules: IgnoreRules,
    readonly cursor: DirectoryCursor,
    readonly cache: StatCache | null,
    readonly signal: AbortSignal | undefined,
  ) {
    this.#stater = stater(cursor.path);
    this.#words = new Uint32Array(STAT_WORDS * Math.max(4_096, (cache?.paths.length ?? 0) + 1_024));
  }

  /** Adds a directory and everything in it. @returns whether nothing in it looks different */
  async list(directory: string, depth: number): Promise<boolean> {
    const { cache } = this;
    if (depth > MAX_DEPTH) throw new Odd();
    if (performance.now() - this.#lastPause > 50) {
      await new Promise((resume) => setImmediate(resume));
      if (this.signal?.aborted) throw interrupted(this.signal.reason);
      this.#lastPause = performance.now();
    }
    const at = directory === "" ? -1 : this.#stat(directory, isDirectory);
    if (directory !== "") {
      this.#found.push({ kind: "directory", path: directory, at });
    }
    const known = cache === null || directory === "" ? -1 : cache.find(directory, this.#guess);
    if (known < 0 || !cache!.same(known, this.#words, at)) return await this.#read(directory, depth);
    this.#guess = known + 1;
    let settled = true;
    for (const i of cache!.children(directory)) {
      const path = cache!.paths[i]!;
      if (cache!.isFile(i)) settled = this.#file(path) && settled;
      else if (cache!.isDirectory(i)) settled = await this.list(path, depth + 1) && settled;
      else this.#found.push({ kind: "link", path, at: -1, target: cache!.targets.get(i)! });
    }
    if (settled) this.#settled.set(directory, cache!.digest(known));
    return settled;
  }

  async #read(directory: string, depth: number): Promise<false> {
    this.#listed++;
    const prefix = directory === "" ? "" : `${directory}/`;
    const { inside } = orOdd(() => this.cursor.directory(directory));
    const names = orOdd(() => [...Deno.readDirSync(inside)]);
    names.sort((a, b) => comparePaths(a.name, b.name));
    const directories: string[] = [];
    for (const { name, isFile, isDirectory, isSymlink } of names) {
      if (name.includes("\ufffd") || ++this.#seen > MAX_ENTRIES) throw new Odd();
      const path = prefix + name;
      if (path.length * 3 > MAX_PATH_BYTES) throw new Odd();
      if (this.rules.ignores(path, name, isDirectory)) continue;
      if (isFile) this.#file(path);
      else if (isSymlink) {
        const target = orOdd(() => Deno.readLinkSync(`${inside}/${name}`));
        this.#found.push({ kind: "link", path, at: -1, target });
      } else if (isDirectory) directories.push(path);
      // Anything else is a device, a FIFO or a socket, which no version holds.
    }
    for (const path of directories) await this.list(path, depth + 1);
    return false;
  }

  finish(rules: Sha256): Scan {
    const entries = this.#found.sort((a, b) => comparePaths(a.path, b.path));
    return { entries, words: this.#words, rules, settled: this.#settled, listed: this.#listed };
  }

  /** @returns whether it is known what is in it */
  #file(path: string): boolean {
    const at = this.#stat(path, isRegular);
    const words = this.#words;
    const i = this.cache?.find(path, this.#guess) ?? -1;
    if (i >= 0) this.#guess = i + 1;
    const known = i >= 0 && this.cache!.isFile(i) && this.cache!.same(i, words, at)
      ? this.cache!.digest(i)
      : null;
    const executable = isExecutable(words, at);
    this.#found.push({ kind: "file", path, at, executable, size: sizeOf(words, at), known });
    return known !== null;
  }

  /**
   * Looks at a path from the root. Were a link put in the way meanwhile, what is behind it would be another file: one that
   * is known is not, and one that has to be read is opened without following links and compared with what was seen.
   */
  #stat(path: string, isIt: (words: Uint32Array, at: number) => boolean): number {
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

/** What the careful walk found, with the words of each file. */
function carefully(root: string, found: WalkedTree, rules: Sha256): Scan {
  const words = new Uint32Array(STAT_WORDS * Math.max(1, found.length));
  const look = stater(root);
  const fd = openDirectory(root);
  try {
    const entries = Array.from(found, (entry, i): ScannedEntry => {
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
    return { entries, words, rules, settled: new Map(), listed: found.length };
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
