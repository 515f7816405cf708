import { parseRelativePath } from "../vocabulary/path.ts";
import type { FilePatch, Patch, Refusal } from "../vocabulary/patch.ts";
import { type Glob, matchesGlob, parseGlob } from "./glob.ts";
import type { Policy } from "./policy.ts";

/** Where veripatch keeps its bundles; never writable, in any letter case. */
const ARTIFACTS_DIRECTORY = ".pp-artifacts";

/**
 * Every way in which a patch breaks the write rules of a policy; empty when it may be applied. Both paths of a
 * rename count, and deletions are writes. deny_write wins over write_allowlist.
 * @param patchBytes size of the patch in canonical form
 * @returns `too_many_files`, `patch_too_large`, and for each path at most one of: a `path_…` reason of
 * `parseRelativePath` (`.git` and everything outside), `path_artifacts_directory`, `path_denied`,
 * `path_not_allowlisted`
 * @throws RangeError if the policy holds a glob that the schema would have refused
 */
export function checkWrites(policy: Policy, patch: Patch, patchBytes: number): Refusal[] {
  const refusals: Refusal[] = [];
  const { max_files_changed: maxFiles, max_patch_bytes: maxBytes } = policy.limits;
  if (patch.files.length > maxFiles) {
    refusals.push({
      reason: "too_many_files",
      detail: `the patch changes ${patch.files.length} files; max_files_changed is ${maxFiles}`,
    });
  }
  if (patchBytes > maxBytes) {
    refusals.push({
      reason: "patch_too_large",
      detail: `the patch has ${patchBytes} bytes; max_patch_bytes is ${maxBytes}`,
    });
  }
  const check = writeCheck(policy);
  for (const path of writtenPaths(patch.files)) {
    const refusal = check(path);
    if (refusal !== null) refusals.push(refusal);
  }
  return refusals;
}

/**
 * The write rules of a policy for single paths, compiled once; the same rules as `checkWrites`.
 * @returns a function that gives null for a path that may be written, else why not
 */
export function writeCheck(policy: Policy): (path: string) => Refusal | null {
  const allow = policy.write_allowlist.map(compiled);
  const deny = policy.deny_write.map(compiled);
  return (path) => checkPath(path, allow, deny);
}

function checkPath(path: string, allow: readonly Glob[], deny: readonly Glob[]): Refusal | null {
  const parsed = parseRelativePath(path);
  if (!parsed.ok) return { reason: parsed.reason, path, detail: "this path can never be written" };
  const top = path.split("/", 1)[0]!.toLowerCase().replace(/[. ]+$/, "");
  if (top === ARTIFACTS_DIRECTORY) {
    return {
      reason: "path_artifacts_directory",
      path,
      detail: `nothing in ${ARTIFACTS_DIRECTORY} can ever be written by a patch`,
    };
  }
  const denied = deny.find((glob) => matchesGlob(glob, path));
  if (denied !== undefined) {
    return { reason: "path_denied", path, detail: `deny_write has ${JSON.stringify(denied.source)}` };
  }
  if (!allow.some((glob) => matchesGlob(glob, path))) {
    return { reason: "path_not_allowlisted", path, detail: "no glob of write_allowlist matches it" };
  }
  return null;
}

function writtenPaths(files: readonly FilePatch[]): Set<string> {
  return new Set(files.flatMap((f) => [f.oldPath, f.newPath]).filter((path) => path !== null));
}

function compiled(source: string): Glob {
  const parsed = parseGlob(source);
  if (!parsed.ok) throw new RangeError(`glob ${JSON.stringify(source)}: ${parsed.detail}`);
  return parsed.glob;
}
