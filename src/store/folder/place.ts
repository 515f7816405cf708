import { closeSync, constants, lstatSync, mkdirSync, openSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Environment } from "../../vocabulary/environment.ts";
import { Failure } from "../../vocabulary/failure.ts";
import { printablePath } from "../../vocabulary/printable.ts";
import { errorCode, refusalKind } from "../../vocabulary/system_error.ts";
import { storeMissing } from "../sqlite/sqlite.ts";
import { INCOMING, linked, makeFolder } from "./blobs.ts";

export const DATABASE = "store.sqlite";
export const LOCK = "lock";
export const CACHE = "cache";
const FOLDERS = ["blobs", INCOMING, "quarantine", CACHE] as const;

/**
 * Where the store is: what the call names, else `PP_STORE`, else `veripatch` in the user's data directory
 * (`XDG_DATA_HOME`, `~/.local/share`).
 * @returns an absolute path
 * @throws Failure `store_nowhere` (usage) when there is no home
 */
export function storePlace(named: string | undefined, env: Environment): string {
  const asked = named ?? (env.PP_STORE === "" ? undefined : env.PP_STORE);
  if (asked !== undefined) return resolve(asked);
  const data = env.XDG_DATA_HOME ?? "";
  // The specification says that a relative one is to be ignored.
  if (data.startsWith("/")) return join(data, "veripatch");
  const home = env.HOME ?? "";
  if (home.startsWith("/")) return join(home, ".local/share/veripatch");
  throw new Failure("usage", "store_nowhere", "there is no home directory to keep a store in", {
    hint: "name a directory with --store DIR or PP_STORE",
  });
}

/**
 * Makes sure that a store's folder is there, that nobody else can write to it and that nothing of its own is a link.
 * @param create whether one is made; else a missing one is an error
 * @returns its path without links
 * @throws Failure `store_missing` (unavailable), `store_exposed` (denied), `store_unusable` (by
 *   `refusalKind`), `store_hostile`, `store_foreign` (malformed)
 */
export function preparePlace(path: string, create: boolean): string {
  const shown = printablePath(path);
  let real: string;
  try {
    if (create) mkdirSync(path, { recursive: true, mode: 0o700 });
    real = realpathSync(path);
    if (!lstatSync(real).isDirectory()) throw new Error("it is not a directory");
  } catch (error) {
    if (errorCode(error) === "ENOENT" && !create) throw storeMissing(join(path, DATABASE));
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(refusalKind(error), "store_unusable", `cannot keep a store in ${shown}: ${why}`, {
      hint: "name a directory that can be written with --store DIR or PP_STORE",
      cause: error,
    });
  }
  const info = lstatSync(real);
  if ((info.mode & 0o022) !== 0) {
    throw new Failure("denied", "store_exposed", `others can write to the store in ${shown}`, {
      hint: `chmod 700 ${shown}`,
    });
  }
  const database = join(real, DATABASE);
  if (!exists(database)) {
    if (!create) throw storeMissing(join(path, DATABASE));
    refuseStrangers(real, shown);
    for (const folder of FOLDERS) makeFolder(join(real, folder));
    // SQLite would make it readable for others; the files beside it take its mode.
    for (const file of [LOCK, DATABASE]) {
      try {
        const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
        closeSync(openSync(join(real, file), flags, 0o600));
      } catch (error) {
        if (errorCode(error) !== "EEXIST") throw error;
      }
    }
  }
  for (const folder of FOLDERS) {
    makeFolder(join(real, folder));
    if (!lstatSync(join(real, folder)).isDirectory()) throw linked(join(real, folder));
  }
  for (const file of [DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`, LOCK]) {
    if (exists(join(real, file)) && !lstatSync(join(real, file)).isFile()) throw linked(join(real, file));
  }
  return real;
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Whether nothing shows that there ever was a store: no folder of blobs. */
export function isFresh(store: string): boolean {
  return Deno.readDirSync(`${store}/blobs`)[Symbol.iterator]().next().done === true;
}

/** A store is not spread into a folder that holds something else. */
function refuseStrangers(real: string, shown: string): void {
  const own: readonly string[] = [...FOLDERS, DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`, LOCK];
  for (const { name } of Deno.readDirSync(real)) {
    if (own.includes(name)) continue;
    throw new Failure("usage", "store_not_empty", `${shown} is neither a store nor an empty directory`, {
      hint: "name a directory of its own with --store DIR or PP_STORE",
    });
  }
}
