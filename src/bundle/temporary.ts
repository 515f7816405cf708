import { lstat, mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSessionId } from "./session_id.ts";

/** Then the process id, for people; whether the writer is alive is told by its lock alone. */
const PREFIX = ".tmp-";
const CLAIM_TRIES = 100;

/**
 * A directory of one writer, locked by it. The system lets go of the lock when the process ends, however it ends, and
 * the lock is seen across PID namespaces and after a reuse of the id.
 */
export interface Claimed {
  readonly path: string;
  /** Close it after the directory was renamed or removed. */
  readonly lock: Deno.FsFile;
}

/**
 * Makes a temporary directory in `home` that no sweep will take for left behind; `home` is made when missing.
 * @param options.mode of the directory, before the umask
 */
export async function claimTemporary(
  home: string,
  { prefix = PREFIX, mode = 0o777 }: { readonly prefix?: string; readonly mode?: number } = {},
): Promise<Claimed> {
  for (let tries = 1;; tries++) {
    const path = join(home, `${prefix}${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`);
    let lock: Deno.FsFile | undefined;
    try {
      await mkdir(home, { recursive: true });
      await mkdir(path, { mode });
      lock = await Deno.open(path);
      await lock.lock(true);
      // A sweep may have come between the making and the locking.
      if ((await lock.stat()).ino === (await lstat(path)).ino) return { path, lock };
      lock.close();
    } catch (error) {
      lock?.close();
      if ((error as { code?: string }).code !== "ENOENT" || tries === CLAIM_TRIES) throw error;
    }
  }
}

/**
 * Removes what writers that were killed left behind. Only temporary directories whose writer is gone are touched;
 * links are not followed.
 * @returns the removed directories
 */
export async function removeStaleBundles(artifactsDir: string): Promise<string[]> {
  const removed: string[] = [];
  for (const session of await directoriesIn(artifactsDir)) {
    if (!isSessionId(session)) continue;
    const home = join(artifactsDir, session);
    for (const name of await directoriesIn(home)) {
      if (name.startsWith(PREFIX) && await removeIfStale(join(home, name))) removed.push(join(home, name));
    }
    // Goes only when empty.
    if (removed.some((path) => dirname(path) === home)) await rmdir(home).catch(() => {});
  }
  return removed;
}

/** What `claimTemporary` puts after a prefix; anything else is somebody else's. */
const CLAIMED = /^\d+-[0-9a-f]{8}$/;

/**
 * Removes claimed directories of a prefix whose makers are gone from a folder that others may write to as well: only
 * this user's own are looked at.
 */
export async function removeStaleTemporaries(home: string, prefix: string = PREFIX): Promise<void> {
  for (const name of await directoriesIn(home)) {
    if (!name.startsWith(prefix) || !CLAIMED.test(name.slice(prefix.length))) continue;
    const path = join(home, name);
    const owner = await lstat(path).then((info) => info.uid, () => null);
    if (owner === Deno.uid()) await removeIfStale(path);
  }
}

/** Holds the lock while removing, so that a writer that comes for it finds the directory gone, not half there. */
async function removeIfStale(path: string): Promise<boolean> {
  let lock: Deno.FsFile | undefined;
  try {
    lock = await Deno.open(path);
    if (!await lock.tryLock(true)) return false;
    await rm(path, { recursive: true, force: true });
    return true;
  } catch {
    // Gone meanwhile, not ours to open, or on a file system without locks: then nothing is known of its writer.
    return false;
  } finally {
    lock?.close();
  }
}

async function directoriesIn(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return [];
    throw error;
  }
}
