import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import { errorCode, isAnotherThing, isDenied } from "../vocabulary/system_error.ts";
import { applyFailed } from "./apply_failure.ts";
import { ancestors, type ApplyPlan } from "./apply_plan.ts";
import {
  type DirectoryHandles,
  type Identity,
  identityOf,
  openFile,
  sameFile,
  splitPath,
  statOpen,
} from "./directory_handles.ts";
import { workspaceChanged } from "./problems.ts";

/** What was found, and checked, where a change goes. */
export interface Found {
  readonly identity: Identity;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Compares every touched path with the manifest and reports all that differ at once. */
export function checkUnchanged(
  directories: DirectoryHandles,
  plan: ApplyPlan,
  byPath: ReadonlyMap<string, ManifestEntry>,
): Map<string, Found> {
  const found = new Map<string, Found>();
  const changed: string[] = [];
  for (const { change, before } of [...plan.deletes, ...plan.writes]) {
    const [directory, name] = splitPath(change.path);
    let at: string;
    try {
      at = `${directories.at(directory)}/${name}`;
    } catch (error) {
      if (isDenied(error)) throw applyFailed(error, change.path, "nothing was written");
      // The directory is to be made: nothing may be there, or a file these changes delete.
      const blocked = [...ancestors(change.path)].some((above) => {
        const entry = byPath.get(above);
        if (entry?.mode === "040000") return !isDirectory(directories, above);
        return entry === undefined && exists(directories, above) && !isDirectory(directories, above);
      });
      if (before !== null || blocked) changed.push(change.path);
      continue;
    }
    const state = before === null ? absent(at, change.path, byPath.get(change.path)) : asBefore(at, before);
    if (state === false) changed.push(change.path);
    else if (state !== true) found.set(change.path, state);
  }
  if (changed.length > 0) {
    throw workspaceChanged(changed, "nothing was written: the workspace is not what was proved");
  }
  return found;
}

function exists(directories: DirectoryHandles, path: string): boolean {
  const [directory, name] = splitPath(path);
  try {
    Deno.lstatSync(`${directories.at(directory)}/${name}`);
    return true;
  } catch {
    return false;
  }
}

function isDirectory(directories: DirectoryHandles, path: string): boolean {
  try {
    directories.at(path);
    return true;
  } catch {
    return false;
  }
}

/** Nothing there, or a directory where the manifest had one too (these changes empty it). */
function absent(at: string, path: string, entry: ManifestEntry | undefined): boolean {
  try {
    return Deno.lstatSync(at).isDirectory && entry?.mode === "040000";
  } catch (error) {
    if (errorCode(error) === "ENOENT") return true;
    throw applyFailed(error, path, "nothing was written");
  }
}

function asBefore(at: string, before: ManifestEntry): Found | false {
  try {
    const info = Deno.lstatSync(at);
    const found = {
      identity: identityOf(info),
      mode: info.mode ?? 0,
      uid: info.uid ?? 0,
      gid: info.gid ?? 0,
    };
    if (before.mode === "120000") return info.isSymlink && Deno.readLinkSync(at) === before.target && found;
    if (!info.isFile || info.size !== before.size) return false;
    if (((found.mode & 0o100) !== 0) !== (before.mode === "100755")) return false;
    return digestOf(at, found.identity) === before.sha256 && found;
  } catch (error) {
    if (isAnotherThing(error)) return false;
    throw applyFailed(error, before.path, "nothing was written");
  }
}

/** SHA-256 of a file's bytes; null when it is not the file of that identity any more. */
export function digestOf(at: string, identity: Identity): string | null {
  const fd = openFile(at);
  try {
    if (!sameFile(statOpen(fd).info, identity)) return null;
    const digest = createHash("sha256");
    const buffer = new Uint8Array(64 * 1024);
    for (let n; (n = readSync(fd, buffer, 0, buffer.length, null)) > 0;) digest.update(buffer.subarray(0, n));
    return digest.digest("hex");
  } finally {
    closeSync(fd);
  }
}
