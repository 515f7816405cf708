import { sameSide, sideOf } from "../store/operation/side.ts";
import type { Operation, OperationBefore, OperationPath, OperationSide } from "../store/operations.ts";
import type { Rows } from "../store/store.ts";
import type { FileChange } from "../vocabulary/change.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import type { Attributes, ExchangeDirectory, ExchangeOptions } from "../workspace/target.ts";
import type { FolderTree } from "./folder_tree.ts";
import { pathOf } from "./plan.ts";
import { standing, undone } from "./standing.ts";

/** Why something cannot be taken back, or done again. */
export interface UndoRefusal {
  readonly reason:
    /** There is nothing of it to take back. */
    | "nothing_stands"
    /** A later operation changed the path. */
    | "later_change"
    /** The folder does not hold what the operation left there. */
    | "path_changed"
    /** What it replaced is not kept any more. */
    | "backup_expired";
  readonly path: string | null;
  /** The operation it is about. */
  readonly operation: number | null;
  readonly detail: string;
}

export interface UndoPlan {
  readonly changes: readonly FileChange[];
  readonly options: ExchangeOptions;
  /** Operations it is about, newest first. */
  readonly targets: readonly Operation[];
  readonly paths: readonly {
    readonly path: string;
    readonly before: OperationSide | null;
    readonly after: OperationSide | null;
  }[];
  readonly refusals: readonly UndoRefusal[];
}

/** Of the targets that touch a path, those that count there, oldest first; a refusal when others stand on them. */
type LayersOf = (
  history: ReturnType<Rows["pathHistory"]>,
  path: string,
) => readonly number[] | UndoRefusal;

/**
 * What taking operations back does to a folder.
 * @param targets newest first
 * @param only one path, or null for all
 */
export function planRollback(
  rows: Rows,
  bytesOf: (digest: Sha256) => Uint8Array,
  folder: FolderTree,
  targets: readonly Operation[],
  only: string | null,
  now: Date,
): UndoPlan {
  const chosen = new Set(targets.map(({ number }) => number));
  return planUndo(rows, bytesOf, folder, targets, only, now, (history, path) => {
    const stack = standing(history);
    const layers = stack.filter((number) => chosen.has(number));
    const first = stack.indexOf(layers[0] ?? -1);
    const blocking = layers.length === 0
      ? undefined
      : stack.slice(first).find((number) => !chosen.has(number));
    if (blocking === undefined) return layers;
    const detail = `O${blocking} changed it later: take that back first`;
    return { reason: "later_change", path, operation: blocking, detail };
  });
}

/** What doing again what a rollback took back does to a folder. */
export function planRedo(
  rows: Rows,
  bytesOf: (digest: Sha256) => Uint8Array,
  folder: FolderTree,
  rollback: Operation,
  now: Date,
): UndoPlan {
  return planUndo(rows, bytesOf, folder, [rollback], null, now, (history, path) => {
    const open = undone(history);
    if (open.at(-1) === rollback.number) return [rollback.number];
    const later = history.findLast(({ operation }) => operation > rollback.number)?.operation ?? null;
    const detail = later === null ? "it was done again" : `O${later} changed it later`;
    return { reason: "later_change", path, operation: later, detail };
  });
}

function planUndo(
  rows: Rows,
  bytesOf: (digest: Sha256) => Uint8Array,
  folder: FolderTree,
  targets: readonly Operation[],
  only: string | null,
  now: Date,
  layersOf: LayersOf,
): UndoPlan {
  const byPath = new Map<string, Map<number, OperationPath>>();
  for (const { number } of targets) {
    for (const one of rows.operationPaths(number)) {
      if (only !== null && one.path !== only) continue;
      const known = byPath.get(one.path) ?? new Map<number, OperationPath>();
      byPath.set(one.path, known.set(number, one));
    }
  }
  const refusals: UndoRefusal[] = [];
  const paths: UndoPlan["paths"][number][] = [];
  const changes: FileChange[] = [];
  const attributes = new Map<string, Attributes>();
  const root = targets[0]?.folder ?? "";
  let stood = 0;
  for (const path of [...byPath.keys()].sort()) {
    const found = layersOf(rows.pathHistory(root, path), path);
    if ("reason" in found) {
      refusals.push(found);
      continue;
    }
    if (found.length === 0) continue;
    stood++;
    const [oldest, newest] = [found[0]!, found.at(-1)!];
    const expected = lastSide(rows, root, path);
    const wanted: OperationBefore | null = byPath.get(path)!.get(oldest)!.before;
    const here = sideOf(folder.byPath.get(path));
    if (!sameSide(here, expected)) {
      const detail = `it is not what O${newest} left there: somebody changed it`;
      refusals.push({ reason: "path_changed", path, operation: newest, detail });
      continue;
    }
    if (sameSide(here, wanted)) continue;
    paths.push({ path, before: here, after: wanted });
    if (wanted === null) changes.push({ kind: "delete", path: pathOf(path) });
    else {
      const expired = targets.find((target) => target.number === oldest && isExpired(target, now));
      if (expired !== undefined) {
        const detail = `what O${oldest} replaced is kept no longer`;
        refusals.push({ reason: "backup_expired", path, operation: oldest, detail });
        continue;
      }
      const { permissions, uid, gid } = wanted;
      attributes.set(path, { permissions, uid, gid });
      changes.push({ kind: "write", path: pathOf(path), mode: wanted.mode, bytes: bytesOf(wanted.sha256) });
    }
  }
  if (stood === 0 && refusals.length === 0) {
    const detail = only === null ? "nothing of it stands any more" : "no operation that stands changed it";
    refusals.push({ reason: "nothing_stands", path: only, operation: targets[0]?.number ?? null, detail });
  }
  const { made, gone } = directoriesOf(rows, root);
  for (const [path, of] of gone) if (!attributes.has(path)) attributes.set(path, of);
  return { changes, options: { mayGo: made, attributes }, targets, paths, refusals };
}

/** What the newest operation that is done left at a path. */
function lastSide(rows: Rows, folder: string, path: string): OperationSide | null {
  const last = rows.pathHistory(folder, path).at(-1)!.operation;
  return rows.operationPaths(last).find((one) => one.path === path)!.after;
}

function isExpired({ backups, backupsUntil }: Operation, now: Date): boolean {
  return backups === "dropped" || (backupsUntil !== null && backupsUntil <= now.toISOString());
}

/** Directories that operations ever made in a folder, which may go again, and how those were that went. */
function directoriesOf(rows: Rows, folder: string) {
  const made = new Set<string>();
  const gone = new Map<string, Attributes>();
  for (const { directories } of [...rows.operations({ folder, state: "done" })].reverse()) {
    for (const { path, change, attributes } of JSON.parse(directories) as ExchangeDirectory[]) {
      if (change === "made") made.add(path);
      else if (attributes !== null) gone.set(path, attributes);
    }
  }
  return { made, gone };
}

/** Operations with something that stands in a folder, newest first. */
export function* standingOperations(rows: Rows, folder: string): Iterable<Operation> {
  for (const operation of rows.operations({ folder, state: "done" })) {
    if (operation.kind === "apply" && standsAnywhere(rows, operation)) yield operation;
  }
}

export function standsAnywhere(rows: Rows, { number, folder }: Operation): boolean {
  return rows.operationPaths(number).some(({ path }) =>
    standing(rows.pathHistory(folder, path)).includes(number)
  );
}

/** The newest rollback in a folder that can be done again as a whole; null when there is none. */
export function newestRollback(rows: Rows, folder: string): Operation | null {
  for (const operation of rows.operations({ folder, state: "done" })) {
    if (operation.kind !== "rollback") continue;
    const paths = rows.operationPaths(operation.number);
    if (paths.some(({ path }) => undone(rows.pathHistory(folder, path)).includes(operation.number))) {
      return operation;
    }
  }
  return null;
}
