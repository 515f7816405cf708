import { closeSync, constants, fstatSync, openSync } from "node:fs";

const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
const DIRECTORY = constants.O_RDONLY | NOFOLLOW | (constants.O_DIRECTORY ?? 0);
const FILE = constants.O_RDONLY | NOFOLLOW | (constants.O_NONBLOCK ?? 0);

/** What tells one file from another and one state of it from the next, as far as the runtime reports it. */
export interface Identity {
  readonly dev: number;
  readonly ino: number | null;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

export function identityOf(info: Deno.FileInfo): Identity {
  return {
    dev: info.dev,
    ino: info.ino,
    size: info.size,
    mtimeMs: info.mtime?.getTime() ?? 0,
    ctimeMs: info.ctime?.getTime() ?? 0,
  };
}

/** Same file, whatever its content. */
export function sameFile(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** Same file with, as far as its times tell, the same content, were it renamed or linked since. */
export function sameContent(a: Identity, b: Identity): boolean {
  return sameFile(a, b) && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

/** Same file and, as far as its times tell, unchanged. */
export function unchanged(a: Identity, b: Identity): boolean {
  return sameContent(a, b) && a.ctimeMs === b.ctimeMs;
}

/** A relative path as its directory ("" for the root) and its name. */
export function splitPath(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? ["", path] : [path.slice(0, slash), path.slice(slash + 1)];
}

/** Opens a directory itself, never what a link points to. */
export function openDirectory(path: string): number {
  return openSync(path, DIRECTORY);
}

/** Opens a file itself for reading, never what a link points to, and without waiting on a FIFO. */
export function openFile(path: string): number {
  return openSync(path, FILE);
}

/** Linux names every open file; through that name a lookup starts at the open directory, as openat(2) does. */
const descriptorNames = Deno.build.os === "linux" && isDirectory("/proc/self/fd");

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** fstat(2). The name of the descriptor is four times as fast as node's fstatSync, and the same call below. */
export function statOpen(
  fd: number,
): { info: Identity; isFile: boolean; isDirectory: boolean; mode: number } {
  if (descriptorNames) {
    const info = Deno.statSync(`/proc/self/fd/${fd}`);
    return {
      info: identityOf(info),
      isFile: info.isFile,
      isDirectory: info.isDirectory,
      mode: info.mode ?? 0,
    };
  }
  const stat = fstatSync(fd);
  const info = {
    dev: stat.dev,
    ino: stat.ino,
    size: stat.size,
    mtimeMs: Math.floor(stat.mtimeMs),
    ctimeMs: Math.floor(stat.ctimeMs),
  };
  return { info, isFile: stat.isFile(), isDirectory: stat.isDirectory(), mode: stat.mode };
}

/** The prefix under which names inside the open directory are looked up. Where the system has none, its path. */
export function insideOf(fd: number, path: string): string {
  return descriptorNames ? `/proc/self/fd/${fd}` : path;
}

/**
 * Open directories of one tree, each reached from the root through directories alone: what is named through `at`
 * cannot be led elsewhere by a link put in the way later. Close it when done.
 */
export class DirectoryHandles {
  readonly #open = new Map<string, { fd: number; inside: string }>();

  /** @param root absolute */
  constructor(root: string) {
    const fd = openDirectory(root);
    this.#open.set("", { fd, inside: insideOf(fd, root) });
  }

  /**
   * @param directory relative to the root, "" for the root
   * @returns a prefix to put before `/name`
   * @throws the system's error: ENOENT, or ENOTDIR and ELOOP when a link or file is in the way
   */
  at(directory: string): string {
    return this.#handle(directory).inside;
  }

  /** Descriptor of a directory, for fsync. */
  descriptor(directory: string): number {
    return this.#handle(directory).fd;
  }

  /** Forgets a directory that was removed. */
  forget(directory: string): void {
    const handle = this.#open.get(directory);
    if (handle === undefined || directory === "") return;
    this.#open.delete(directory);
    closeSync(handle.fd);
  }

  close(): void {
    for (const { fd } of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #handle(directory: string): { fd: number; inside: string } {
    const known = this.#open.get(directory);
    if (known !== undefined) return known;
    const slash = directory.lastIndexOf("/");
    const path = `${this.at(slash < 0 ? "" : directory.slice(0, slash))}/${directory.slice(slash + 1)}`;
    const fd = openDirectory(path);
    const handle = { fd, inside: insideOf(fd, path) };
    this.#open.set(directory, handle);
    return handle;
  }
}
