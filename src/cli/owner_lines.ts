import type { UndoPlan } from "../apply/undo.ts";
import type { OperationPath } from "../store/operations.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { count } from "./output.ts";

const SHOWN = 5;

interface Owner {
  readonly uid: number | null;
  readonly gid: number | null;
}

/** Whose a file was, and is to be again. */
interface Owned {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
}

/** The files that stay, when others are put in their place, and whose they were. */
export function keptOwners(paths: readonly Pick<OperationPath, "path" | "before" | "after">[]): Owned[] {
  return paths.flatMap(({ path, before, after }) =>
    before === null || after === null ? [] : [{ path, uid: before.uid, gid: before.gid }]
  );
}

/** The files that come back, and whose they were before they were changed. */
export function restoredOwners({ paths, options }: Pick<UndoPlan, "paths" | "options">): Owned[] {
  return paths.flatMap(({ path, after }) => {
    const was = after === null ? undefined : options.attributes?.get(path);
    return was === undefined ? [] : [{ path, uid: was.uid, gid: was.gid }];
  });
}

/**
 * Says of which files an operation could not keep the owner or group: only root gives files to others.
 * @param ownerOf a path has now; null when nothing is there
 */
export function ownerLines(owned: readonly Owned[], ownerOf: (path: string) => Owner | null): string[] {
  const lost: string[] = [];
  for (const { path, uid, gid } of owned) {
    const now = ownerOf(path);
    if (now === null || (now.uid === uid && now.gid === gid)) continue;
    lost.push(`${printablePath(path)} (was ${uid}:${gid})`);
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
