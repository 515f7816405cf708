import type { OperationPath } from "../store/operations.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { count } from "./output.ts";

const SHOWN = 5;

interface Owner {
  readonly uid: number | null;
  readonly gid: number | null;
}

/**
 * Says of which files an operation could not keep the owner or group: only root gives files to others.
 * @param ownerOf a path has now; null when nothing is there
 */
export function ownerLines(
  paths: readonly Pick<OperationPath, "path" | "before" | "after">[],
  ownerOf: (path: string) => Owner | null,
): string[] {
  const lost: string[] = [];
  for (const { path, before, after } of paths) {
    const now = before === null || after === null ? null : ownerOf(path);
    if (now === null || (now.uid === before!.uid && now.gid === before!.gid)) continue;
    lost.push(`${printablePath(path)} (was ${before!.uid}:${before!.gid})`);
  }
  if (lost.length === 0) return [];
  const more = lost.length > SHOWN ? ` and ${count(lost.length - SHOWN, "more file")}` : "";
  return [`owner    not kept, as only root can: ${lost.slice(0, SHOWN).join(", ")}${more}`];
}

/** Who has a file of a folder now. */
export function ownerIn(root: string): (path: string) => Owner | null {
  return (path) => {
    try {
      const { uid, gid } = Deno.lstatSync(`${root}/${path}`);
      return { uid, gid };
    } catch {
      return null;
    }
  };
}
