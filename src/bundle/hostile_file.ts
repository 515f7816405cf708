/** A file for reading, whose place in a folder others may be able to change at any moment. */
export interface HostileFile extends Disposable {
  readonly isFile: boolean;
  /** Bytes. */
  readonly size: number;
  readonly dev: number;
  readonly ino: number | null;
  /** Permission bits; null where there are none. */
  readonly mode: number | null;
  /** Reads on from where it stands. @returns how many bytes, 0 at the end */
  read(buffer: Uint8Array): Promise<number>;
  /** The same without going to another thread, for small files. */
  readSync(buffer: Uint8Array): number;
}

/**
 * Opens what is at a path without waiting: a FIFO that somebody puts there has no say in how long it takes. Whether it
 * is a file, and which, is for the caller to look at.
 * @param follow whether a link at the path's end is followed
 * @param looked folders that `isOnlyOurs` was asked about, for a caller who opens many files
 * @throws an error of the system; `ELOOP` for a link that is not followed
 */
export async function openHostile(
  path: string,
  follow: boolean,
  looked = new Map<string, boolean>(),
): Promise<HostileFile> {
  const known = plainFile(path, follow, looked);
  // Opening a file takes less time than asking another thread to.
  return known === null ? await openWithoutWaiting(path, follow) : ofDeno(Deno.openSync(known));
}

/**
 * Where nobody else can put something else at a path, a look tells what will be opened. Loading `node:fs`, which alone
 * can open without waiting, takes longer than verifying a small bundle.
 * @returns the path to open; null when it has to be opened without waiting
 */
function plainFile(path: string, follow: boolean, looked: Map<string, boolean>): string | null {
  const real = follow ? Deno.realPathSync(path) : path;
  const folder = parentOf(real);
  const ours = looked.get(folder) ?? isOnlyOurs(folder);
  looked.set(folder, ours);
  return ours && Deno.lstatSync(real).isFile ? real : null;
}

/**
 * Whether nobody but this user and root can change which entries a folder has, or put another folder in its place:
 * it and all above it belong to one of them, no one else may write to it, nor to those above it unless they are sticky.
 */
export function isOnlyOurs(folder: string): boolean {
  const me = Deno.uid();
  if (me === null) return false;
  const own = Deno.realPathSync(folder);
  for (let at = own;; at = parentOf(at)) {
    const { uid, mode, isDirectory } = Deno.lstatSync(at);
    if (!isDirectory || mode === null || (uid !== 0 && uid !== me)) return false;
    const sticky = at !== own && (mode & 0o1000) !== 0;
    if ((mode & 0o022) !== 0 && !sticky) return false;
    if (at === "/") return true;
  }
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf("/");
  return cut > 0 ? path.slice(0, cut) : cut === 0 ? "/" : ".";
}

function ofDeno(file: Deno.FsFile): HostileFile {
  try {
    const { isFile, size, dev, ino, mode } = file.statSync();
    return {
      ...{ isFile, size, dev, ino, mode: mode === null ? null : mode & 0o7777 },
      read: async (buffer) => await file.read(buffer) ?? 0,
      readSync: (buffer) => file.readSync(buffer) ?? 0,
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openWithoutWaiting(path: string, follow: boolean): Promise<HostileFile> {
  const { closeSync, constants, fstatSync, openSync, read, readSync } = await import("node:fs");
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) |
    (follow ? 0 : constants.O_NOFOLLOW ?? 0);
  const file = openSync(path, flags);
  try {
    const info = fstatSync(file);
    return {
      ...{ isFile: info.isFile(), size: info.size, dev: info.dev, ino: info.ino },
      mode: Deno.build.os === "windows" ? null : info.mode & 0o7777,
      read: (buffer) =>
        new Promise((resolve, reject) =>
          read(file, buffer, 0, buffer.length, null, (error, n) => error ? reject(error) : resolve(n))
        ),
      readSync: (buffer) => readSync(file, buffer, 0, buffer.length, null),
      [Symbol.dispose]: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}
