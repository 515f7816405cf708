import type { FileChange } from "../vocabulary/change.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import type { BaseFiles } from "./base_files.ts";

/**
 * A change where a workspace's walk does not look: a checkout would have it, and every later proof would run without.
 * @returns null when there is none
 */
export function ignoredChange(
  changes: readonly FileChange[],
  base: Pick<BaseFiles, "ignores">,
): Refusal | null {
  const found = changes.find(({ path }) => base.ignores(path));
  if (found === undefined) return null;
  const detail =
    "caches and what .ppignore names are left out of every workspace: later proofs would not see this";
  return { reason: "path_ignored", path: found.path, detail };
}
