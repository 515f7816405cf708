import { Buffer } from "node:buffer";
import { closeSync, readSync } from "node:fs";
import { setImmediate } from "node:timers";
import { Failure } from "../vocabulary/failure.ts";
import type { SkippedEntry } from "../vocabulary/manifest.ts";
import { comparePaths } from "../vocabulary/path.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { errorCode, isDenied } from "../vocabulary/system_error.ts";
import {
  type Identity,
  identityOf,
  insideOf,
  openDirectory,
  openFile,
  sameFile,
  statOpen,
} from "./directory_handles.ts";
import { exactNames } from "./exact_names.ts";
import { IGNORE_FILE, type IgnoreRules, ignoreRules, MAX_IGNORE_FILE_BYTES } from "./ignore.ts";
import { ioFailed, namesNotUtf8, tooLarge, unreadable, workspaceChanged } from "./problems.ts";
import { type WalkedEntry, WalkedTree } from "./walked_tree.ts";

export const MAX_ENTRIES = 1_000_000;
export const MAX_DEPTH = 256;
/** Leaves room for the root before it in what the system takes as a path (4,096). */
export const MAX_PATH_BYTES = 3_584;

interface Walk {
  readonly entries: WalkedTree;
  /** Sorted by path. */
  readonly skipped: readonly SkippedEntry[];
  /** What it left out, and would leave out. */
  readonly rules: IgnoreRules;
}

/**
 * Looks at everything below `root` that is not ignored, without following a link: every directory is opened from
 * the directory it was found in and checked to be the one found.
 * @param leftOut paths inside the workspace that are none of its own
 * @throws Failure `name_not_utf8`, `unreadable` (directories; files show when they are opened), both with every
 *   path; `workspace_too_large` past MAX_ENTRIES, MAX_DEPTH or MAX_PATH_BYTES; `workspace_changed`
 */
export async function walkTree(root: string, leftOut: ReadonlySet<string>): Promise<Walk> {
  const walker = new Walker(workspaceRules(root, leftOut));
  let fd: number;
  try {
    fd = openDirectory(root);
  } catch (error) {
    throw errorCode(error) === "EACCES" ? unreadable([root]) : ioFailed(root, error);
  }
  try {
    await walker.list(insideOf(fd, root), "", 1);
  } finally {
    closeSync(fd);
  }
  return await walker.finish(root);
}

/** What stays out of the workspace in a directory, by its own rules and ours. @throws Failure `ignore_file_malformed` */
export function workspaceRules(root: string, leftOut: ReadonlySet<string>): IgnoreRules {
  return ignoreRules(readIgnoreFile(root), leftOut);
}

function readIgnoreFile(root: string): string | null {
  let fd: number;
  try {
    fd = openFile(`${root}/${IGNORE_FILE}`);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    if (errorCode(error) === "EACCES") throw unreadable([IGNORE_FILE]);
    if (errorCode(error) === "ELOOP") throw notAnIgnoreFile("is a link");
    throw ioFailed(IGNORE_FILE, error);
  }
  try {
    if (!statOpen(fd).isFile) throw notAnIgnoreFile("is not a regular file");
    const bytes = new Uint8Array(MAX_IGNORE_FILE_BYTES + 1);
    let length = 0;
    for (let n; (n = readSync(fd, bytes, length, bytes.length - length, null)) > 0;) length += n;
    if (length > MAX_IGNORE_FILE_BYTES) {
      throw notAnIgnoreFile(`is larger than ${MAX_IGNORE_FILE_BYTES} bytes`);
    }
    return new TextDecoder().decode(bytes.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}

function notAnIgnoreFile(what: string): Failure {
  return new Failure("malformed", "ignore_file_malformed", `${IGNORE_FILE} ${what}`, {
    hint: `make ${IGNORE_FILE} a small text file, or remove it`,
  });
}

/** A directory that was looked at and is to be entered. */
interface FoundDirectory {
  readonly at: string;
  readonly path: string;
  readonly name: string;
  readonly seen: Identity;
}

class Walker {
  readonly #entries = new WalkedTree();
  readonly #skipped: SkippedEntry[] = [];
  readonly #notUtf8: { directory: string; name: string }[] = [];
  readonly #oddTargets: string[] = [];
  readonly #unreadable: string[] = [];
  readonly #tooDeep: string[] = [];
  #count = 0;
  #lastPause = performance.now();

  constructor(readonly rules: IgnoreRules) {}

  /**
   * Entries are found in the order they are kept in: what is in a directory comes where its name and a slash would, which
   * is not beside its name (`a`, `a.txt`, `a/b`).
   * @param inside prefix for lookups in this directory; `path` is it relative to the root
   */
  async list(inside: string, path: string, depth: number): Promise<void> {
    let found: Deno.DirEntry[];
    try {
      found = [...Deno.readDirSync(inside)];
    } catch (error) {
      if (isDenied(error)) return void this.#unreadable.push(path === "" ? "." : path);
      if (errorCode(error) === "ENOENT") {
        throw workspaceChanged([path], "a directory vanished while the workspace was read", error);
      }
      throw ioFailed(path, error);
    }
    found.sort((a, b) => comparePaths(a.name, b.name));
    // The last one is to be entered first.
    const waiting: FoundDirectory[] = [];
    const replaced = new Set<string>();
    for (const { name, isDirectory } of found) {
      while (waiting.length > 0 && comparePaths(`${waiting.at(-1)!.name}/`, name) < 0) {
        await this.#enter(waiting.pop()!, depth);
      }
      if (name.includes("\ufffd")) {
        // Two names that look the same: at least one of them was not UTF-8 and had bytes replaced.
        if (replaced.has(name)) {
          this.#notUtf8.push({ directory: path, name });
          continue;
        }
        replaced.add(name);
      }
      if (++this.#count > MAX_ENTRIES) {
        throw tooLarge(`the workspace has more than ${MAX_ENTRIES} entries`, []);
      }
      const child = path === "" ? name : `${path}/${name}`;
      if (this.rules.ignores(child, name, isDirectory)) {
        this.#skipped.push({ path: child, reason: "ignored" });
        continue;
      }
      if (child.length * 3 > MAX_PATH_BYTES && Buffer.byteLength(child) > MAX_PATH_BYTES) {
        this.#tooDeep.push(child);
        continue;
      }
      const directory = this.#entry(`${inside}/${name}`, path, name, child, depth);
      if (directory !== null) waiting.push(directory);
    }
    while (waiting.length > 0) await this.#enter(waiting.pop()!, depth);
    if (performance.now() - this.#lastPause > 20) {
      await new Promise((resume) => setImmediate(resume));
      this.#lastPause = performance.now();
    }
  }

  /** @returns a directory that is to be entered */
  #entry(at: string, directory: string, name: string, path: string, depth: number): FoundDirectory | null {
    let info: Deno.FileInfo;
    try {
      info = Deno.lstatSync(at);
    } catch (error) {
      if (isDenied(error)) {
        this.#unreadable.push(path);
        return null;
      }
      if (errorCode(error) !== "ENOENT") throw ioFailed(path, error);
      // A name shown with a replacement character that does not exist was not UTF-8; any other is gone by now.
      if (name.includes("\ufffd")) this.#notUtf8.push({ directory, name });
      return null;
    }
    if (info.isDirectory) {
      this.#entries.add({ kind: "directory", path });
      if (depth < MAX_DEPTH) return { at, path, name, seen: identityOf(info) };
      this.#tooDeep.push(path);
    } else if (info.isFile) {
      const executable = ((info.mode ?? 0) & 0o100) !== 0;
      this.#entries.add({ kind: "file", path, executable, seen: identityOf(info) });
    } else if (info.isSymlink) {
      this.#link(at, path);
    } else {
      this.#skipped.push({ path, reason: info.isFifo ? "fifo" : info.isSocket ? "socket" : "device" });
    }
    return null;
  }

  async #enter({ at, path, seen }: FoundDirectory, depth: number): Promise<void> {
    let fd: number;
    try {
      fd = openDirectory(at);
    } catch (error) {
      if (isDenied(error)) return void this.#unreadable.push(path);
      throw workspaceChanged([path], "a directory changed while the workspace was read", error);
    }
    try {
      if (!sameFile(statOpen(fd).info, seen)) {
        throw workspaceChanged([path], "a directory changed while the workspace was read");
      }
      await this.list(insideOf(fd, at), path, depth + 1);
    } finally {
      closeSync(fd);
    }
  }

  #link(at: string, path: string): void {
    try {
      this.#entries.add({ kind: "link", path, target: Deno.readLinkSync(at) });
    } catch (error) {
      if (error instanceof Deno.errors.InvalidData) return void this.#oddTargets.push(path);
      throw workspaceChanged([path], "a link changed while the workspace was read", error);
    }
  }

  async finish(root: string): Promise<Walk> {
    if (this.#notUtf8.length > 0 || this.#oddTargets.length > 0) {
      const names = await exactNames(root, this.#notUtf8);
      for (const path of this.#oddTargets) names.push(`${printablePath(path)} (the target of this link)`);
      throw namesNotUtf8(names, this.#unreadable);
    }
    if (this.#unreadable.length > 0) {
      throw unreadable([...this.#unreadable, ...closedFiles(root, this.#entries)].sort(comparePaths));
    }
    if (this.#tooDeep.length > 0) {
      throw tooLarge(
        `paths deeper than ${MAX_DEPTH} or longer than ${MAX_PATH_BYTES} bytes cannot be sent`,
        this.#tooDeep.map((path) => path.length > 300 ? `${path.slice(0, 300)}…` : path),
      );
    }
    this.#skipped.sort((a, b) => comparePaths(a.path, b.path));
    return { entries: this.#entries, skipped: this.#skipped, rules: this.rules };
  }
}

/** Every file among `entries` that this user may not open. */
export function closedFiles(root: string, entries: Iterable<WalkedEntry>): string[] {
  const closed: string[] = [];
  for (const entry of entries) {
    if (entry.kind !== "file") continue;
    try {
      closeSync(openFile(`${root}/${entry.path}`));
    } catch (error) {
      if (isDenied(error)) closed.push(entry.path);
    }
  }
  return closed;
}
