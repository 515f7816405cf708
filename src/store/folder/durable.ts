import { closeSync, fsyncSync, openSync } from "node:fs";
import { errorCode } from "../../vocabulary/system_error.ts";

/** From this many files on, one sync of the file system costs less than one for each file. */
const WORTH_ALL = 32;

/** syncfs(2) of the system's C library; null where there is none. */
let syncfs: ((fd: number) => number) | null | undefined;

function loadSyncfs(): typeof syncfs {
  if (Deno.build.os !== "linux") return null;
  try {
    const library = Deno.dlopen("libc.so.6", { syncfs: { parameters: ["i32"], result: "i32" } });
    return (fd) => library.symbols.syncfs(fd);
  } catch {
    return null;
  }
}

/**
 * Makes the content of files last. Few are synced one by one; for many, their file system is synced as a whole, which
 * Linux promises to be the same and is some fifty times as fast.
 * @param home a directory on the file system of all of them
 */
export function syncFiles(home: string, paths: readonly string[]): void {
  if (paths.length >= WORTH_ALL && syncAll(home)) return;
  for (const path of paths) syncOne(path);
}

/** Makes the names in directories last. */
export function syncDirectories(home: string, directories: Iterable<string>): void {
  const paths = [...directories];
  if (paths.length >= WORTH_ALL && syncAll(home)) return;
  for (const path of paths) syncOne(path);
}

function syncAll(home: string): boolean {
  syncfs ??= loadSyncfs();
  if (syncfs === null || syncfs === undefined) return false;
  const fd = openSync(home, "r");
  try {
    return syncfs(fd) === 0;
  } finally {
    closeSync(fd);
  }
}

/** Some file systems have nothing to sync for a directory. */
function syncOne(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP"].includes(errorCode(error))) throw error;
  } finally {
    closeSync(fd);
  }
}
