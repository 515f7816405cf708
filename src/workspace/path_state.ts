import { errorCode, isAnotherThing, systemReason } from "../vocabulary/system_error.ts";
import { digestOf } from "./apply_check.ts";
import { type DirectoryHandles, identityOf, splitPath } from "./directory_handles.ts";
import type { PathState } from "./target.ts";

/** What is at a path of an open folder, read whole; no link is followed on the way. */
export function pathState(directories: DirectoryHandles, path: string): PathState {
  const [directory, name] = splitPath(path);
  try {
    const at = `${directories.at(directory)}/${name}`;
    const info = Deno.lstatSync(at);
    if (info.isDirectory) return { kind: "absent" };
    if (!info.isFile) return { kind: "other" };
    const sha256 = digestOf(at, identityOf(info));
    if (sha256 === null) return { kind: "other" };
    const executable = ((info.mode ?? 0) & 0o100) !== 0;
    return { kind: "file", mode: executable ? "100755" : "100644", size: info.size, sha256 };
  } catch (error) {
    // Below a file there is nothing.
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return { kind: "absent" };
    return isAnotherThing(error) ? { kind: "other" } : { kind: "unknown", reason: systemReason(error) };
  }
}
