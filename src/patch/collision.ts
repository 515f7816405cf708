import type { FileChange } from "../vocabulary/change.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { parentsOf } from "../vocabulary/path.ts";

/**
 * A file that changes create under a name that is another file's, or another folder's, where neither letter case nor
 * the composition of characters counts: a checkout there holds only one of the two, and not what was proved.
 * @param base entries by path; names of the base that collide among themselves are its own affair
 * @returns null when there is none
 */
export function collisionOf(
  changes: readonly FileChange[],
  base: ReadonlyMap<string, ManifestEntry>,
): Refusal | null {
  const created = changes.flatMap(({ kind, path }) => kind === "write" && !base.has(path) ? [path] : []);
  if (created.length === 0) return null;
  const gone = new Set<string>(changes.flatMap(({ kind, path }) => kind === "delete" ? [path] : []));
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  const stays: string[] = [];
  for (const { path, mode } of base.values()) {
    if (mode === "040000" || gone.has(path)) continue;
    stays.push(path);
    files.set(folded(path), path);
  }
  for (const path of parentsOf(stays)) folders.set(folded(path), path);
  for (const path of created) {
    const above = parentsOf([path]);
    const other = files.get(folded(path)) ?? folders.get(folded(path)) ??
      above.map((parent) => files.get(folded(parent))).find((file) => file !== undefined);
    if (other !== undefined) {
      const detail = `where letter case does not count, this is ${other}, which stays`;
      return { reason: "path_collides", path, detail };
    }
    files.set(folded(path), path);
    for (const parent of above) folders.set(folded(parent), parent);
  }
  return null;
}

/** One spelling where case and composition of characters do not count. */
function folded(path: string): string {
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}
