import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import { parseRelativePath } from "../vocabulary/path.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { STAGED_PREFIX } from "./ignore.ts";

/** One change with what the manifest says was at its path. */
export interface PlannedChange {
  /** Its place among the changes. */
  readonly index: number;
  readonly change: FileChange;
  /** A file or link; null where nothing was, or a directory these changes empty. */
  readonly before: ManifestEntry | null;
  /** Nearest directory above that is there before and after; temporary names go into it. */
  readonly stageIn: string;
}

export interface ApplyPlan {
  readonly deletes: readonly PlannedChange[];
  readonly writes: readonly PlannedChange[];
  /** Directories left without any file, deepest first. */
  readonly emptied: readonly string[];
}

/** Ancestors of a path, nearest first, without the root. */
export function* ancestors(path: string): Generator<string> {
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    yield path.slice(0, slash);
  }
}

/**
 * Orders changes and finds what they cannot do, from the manifest alone. A file may become a directory and a
 * directory whose files are all deleted may become a file.
 * @param mayGo the only directories that may go when they are left empty; any when left out
 * @throws Failure `changes_conflict` (a path twice, a file below a file, a directory in the way, a delete of nothing),
 *   `path_refused`, `link_in_the_way`; each with every path
 */
export function planChanges(
  byPath: ReadonlyMap<string, ManifestEntry>,
  changes: readonly FileChange[],
  mayGo?: ReadonlySet<string>,
): ApplyPlan {
  checkPaths(changes);
  const writes = new Set(changes.filter((c) => c.kind === "write").map((c) => c.path as string));
  const deletes = new Set(changes.filter((c) => c.kind === "delete").map((c) => c.path as string));
  const { alive, emptied } = directoriesAfter(byPath, writes, deletes, mayGo);

  const conflicts: string[] = [];
  const links: string[] = [];
  for (const { kind, path } of changes) {
    const before = byPath.get(path);
    if (kind === "delete") {
      if (before === undefined || before.mode === "040000") {
        conflicts.push(`${printablePath(path)}: is no file to delete`);
      }
      continue;
    }
    if (before?.mode === "120000") links.push(printablePath(path));
    if (before?.mode === "040000" && alive.has(path)) {
      conflicts.push(`${printablePath(path)}: is a directory with files`);
    }
    for (const above of ancestors(path)) {
      const entry = byPath.get(above);
      if (entry?.mode === "120000") links.push(`${printablePath(path)} (through ${printablePath(above)})`);
      const fileThere = entry !== undefined && entry.mode !== "040000" && !deletes.has(above);
      if (fileThere || writes.has(above)) {
        conflicts.push(`${printablePath(path)}: ${printablePath(above)} is a file`);
      }
    }
  }
  if (links.length > 0) throw refuse("denied", "link_in_the_way", "changes would go through a link", links);
  if (conflicts.length > 0) {
    throw refuse("malformed", "changes_conflict", "changes do not fit the workspace", conflicts);
  }

  const planned = changes.map((change, index): PlannedChange => {
    const before = byPath.get(change.path);
    return {
      index,
      change,
      before: before === undefined || before.mode === "040000" ? null : before,
      stageIn: [...ancestors(change.path)]
        .find((above) => alive.has(above) && byPath.get(above)?.mode === "040000") ?? "",
    };
  });
  return {
    deletes: planned.filter(({ change }) => change.kind === "delete"),
    writes: planned.filter(({ change }) => change.kind === "write"),
    emptied,
  };
}

function checkPaths(changes: readonly FileChange[]): void {
  const refused: string[] = [];
  const twice: string[] = [];
  const seen = new Set<string>();
  for (const { path } of changes) {
    const parsed = parseRelativePath(path);
    if (!parsed.ok) refused.push(`${printablePath(path)}: ${parsed.reason}`);
    const segments = path.split("/");
    if (segments.includes(".pp-artifacts") || segments.some((s) => s.startsWith(STAGED_PREFIX))) {
      refused.push(`${printablePath(path)}: path_reserved`);
    }
    if (seen.has(path)) twice.push(`${printablePath(path)}: changed twice`);
    seen.add(path);
  }
  if (refused.length > 0) {
    throw refuse("denied", "path_refused", "changes to paths that are never written", refused);
  }
  if (twice.length > 0) {
    throw refuse("malformed", "changes_conflict", "changes do not fit the workspace", twice);
  }
}

/** Which directories hold something afterwards, and which lose their last file. */
function directoriesAfter(
  byPath: ReadonlyMap<string, ManifestEntry>,
  writes: ReadonlySet<string>,
  deletes: ReadonlySet<string>,
  mayGo: ReadonlySet<string> | undefined,
): { alive: Set<string>; emptied: string[] } {
  const alive = new Set<string>();
  const keep = (path: string) => {
    for (const above of ancestors(path)) {
      if (alive.has(above)) return;
      alive.add(above);
    }
  };
  for (const path of writes) keep(path);
  for (const [path, { mode }] of byPath) if (mode !== "040000" && !deletes.has(path)) keep(path);

  const losing = new Set<string>();
  for (const path of deletes) for (const above of ancestors(path)) losing.add(above);
  // A directory that was empty before is not ours to remove, and keeps those above it.
  for (const [path, { mode }] of byPath) {
    if (mode !== "040000" || alive.has(path)) continue;
    if (losing.has(path) && (writes.has(path) || mayGo?.has(path) !== false)) continue;
    alive.add(path);
    keep(path);
  }
  const emptied = [...losing].filter((directory) => !alive.has(directory));
  return { alive, emptied: emptied.sort((a, b) => b.length - a.length) };
}

function refuse(kind: "denied" | "malformed", code: string, message: string, details: string[]): Failure {
  return new Failure(kind, code, `${message}: ${details[0]}`, {
    hint: "nothing was written; leave these paths out of the patch",
    details,
  });
}
