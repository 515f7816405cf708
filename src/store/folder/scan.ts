import { closeSync, constants, openSync } from "node:fs";
import { setImmediate } from "node:timers";
import { interrupted } from "../../vocabulary/failure.ts";
import { comparePaths } from "../../vocabulary/path.ts";
import { errorCode, insideOf, openDirectory } from "../../workspace/directory_handles.ts";
import type { IgnoreRules } from "../../workspace/ignore.ts";
import { workspaceChanged } from "../../workspace/problems.ts";
import {
  MAX_DEPTH,
  MAX_ENTRIES,
  MAX_PATH_BYTES,
  type WalkedEntry,
  walkTree,
  workspaceRules,
} from "../../workspace/walk.ts";
import { isExecutable, isRegular, sizeOf, STAT_WORDS, stater } from "./stat_words.ts";

/** What is in a workspace, looked at and not read. */
export interface Scan {
  /** Sorted by `comparePaths`. */
  readonly entries: readonly ScannedEntry[];
  /** STAT_WORDS words for each file. */
  readonly words: Uint32Array;
}

export type ScannedEntry =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | {
    readonly kind: "file";
    readonly path: string;
    readonly executable: boolean;
    readonly size: number;
    /** Where its words begin. */
    readonly at: number;
  };

/** Ends the quick look: the careful one finds the words for it. */
class Odd extends Error {}

/**
 * Looks at everything that belongs to a workspace, as `walkTree` does and without following a link, but quicker. Whatever
 * is out of the ordinary (names that are not UTF-8, what may not be read, too deep, too many) is left to `walkTree` to
 * tell.
 * @throws Failure as `walkTree`
 */
export async function scanWorkspace(
  root: string,
  leftOut: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<Scan> {
  const scanner = new Scanner(workspaceRules(root, leftOut), signal);
  let fd: number | null = null;
  try {
    fd = openDirectory(root);
    await scanner.list(fd, insideOf(fd, root), "", 1);
    return scanner.finish();
  } catch (error) {
    if (!(error instanceof Odd)) throw error;
  } finally {
    if (fd !== null) closeSync(fd);
  }
  return carefully(root, (await walkTree(root, leftOut)).entries);
}

/** What the careful walk found, with the words of each file. */
function carefully(root: string, found: readonly WalkedEntry[]): Scan {
  const words = new Uint32Array(STAT_WORDS * Math.max(1, found.length));
  const look = stater();
  const fd = openDirectory(root);
  try {
    const entries = found.map((entry, i): ScannedEntry => {
      if (entry.kind !== "file") return entry;
      const at = i * STAT_WORDS;
      if (!look.stat(fd, insideOf(fd, root), entry.path, words, at) || !isRegular(words, at)) {
        throw workspaceChanged([entry.path], "a file changed while the workspace was read");
      }
      const { path } = entry;
      return { kind: "file", path, executable: isExecutable(words, at), size: sizeOf(words, at), at };
    });
    return { entries, words };
  } finally {
    closeSync(fd);
  }
}

class Scanner {
  readonly #entries: ScannedEntry[] = [];
  readonly #stater = stater();
  #words = new Uint32Array(STAT_WORDS * 4_096);
  #files = 0;
  #seen = 0;
  #lastPause = performance.now();

  constructor(readonly rules: IgnoreRules, readonly signal: AbortSignal | undefined) {}

  async list(fd: number, inside: string, directory: string, depth: number): Promise<void> {
    const prefix = directory === "" ? "" : `${directory}/`;
    const found = orOdd(() => [...Deno.readDirSync(inside)]);
    found.sort((a, b) => comparePaths(a.name, b.name));
    for (const { name, isFile, isDirectory, isSymlink } of found) {
      if (name.includes("\ufffd") || ++this.#seen > MAX_ENTRIES) throw new Odd();
      const path = prefix + name;
      if (path.length * 3 > MAX_PATH_BYTES) throw new Odd();
      if (this.rules.ignores(path, name, isDirectory)) continue;
      if (isFile) this.#file(fd, inside, name, path);
      else if (isSymlink) {
        this.#entries.push({
          kind: "link",
          path,
          target: orOdd(() => Deno.readLinkSync(`${inside}/${name}`)),
        });
      } else if (isDirectory) {
        if (depth >= MAX_DEPTH) throw new Odd();
        const child = orOdd(() =>
          openSync(`${inside}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_DIRECTORY)
        );
        try {
          this.#entries.push({ kind: "directory", path });
          await this.list(child, insideOf(child, `${inside}/${name}`), path, depth + 1);
        } finally {
          closeSync(child);
        }
      }
      // Anything else is a device, a FIFO or a socket, which no version holds.
    }
    if (performance.now() - this.#lastPause > 50) {
      await new Promise((resume) => setImmediate(resume));
      if (this.signal?.aborted) throw interrupted(this.signal.reason);
      this.#lastPause = performance.now();
    }
  }

  finish(): Scan {
    const entries = this.#entries.sort((a, b) => comparePaths(a.path, b.path));
    return { entries, words: this.#words };
  }

  #file(fd: number, inside: string, name: string, path: string): void {
    const at = this.#files * STAT_WORDS;
    if (at + STAT_WORDS > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    const words = this.#words;
    if (!this.#stater.stat(fd, inside, name, words, at) || !isRegular(words, at)) throw new Odd();
    this.#files++;
    const executable = isExecutable(words, at);
    this.#entries.push({ kind: "file", path, executable, size: sizeOf(words, at), at });
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
