import { Failure } from "../../vocabulary/failure.ts";
import { printablePath } from "../../vocabulary/printable.ts";
import { addVersion, type Author, record } from "../log/change.ts";
import type { NewOperation, Operation, OperationState } from "../operations.ts";
import type { WritableRows } from "../store.ts";
import { overlap } from "./overlap.ts";
import {
  BACKUPS_DROPPED,
  MAX_NAMED,
  OPERATION_ABANDONED,
  OPERATION_STARTED,
  operationSummary,
  startedPayload,
} from "./payload.ts";

/** What an operation is to do, before it has a number. */
export interface OperationAsked extends Omit<NewOperation, "operation"> {
  readonly operation: Pick<
    Operation,
    | "kind"
    | "folder"
    | "staging"
    | "artifact"
    | "beforeManifest"
    | "afterManifest"
    | "afterRoot"
    | "afterFiles"
    | "afterBytes"
    | "directories"
    | "backupsUntil"
  >;
}

/**
 * Writes an operation down, before its folder is touched.
 * @throws Failure `folder_busy` (unavailable) when another one on that folder, or on one above or in it, is under way
 */
export function beginOperation(rows: WritableRows, by: Author, asked: OperationAsked): Operation {
  const { paths, revisions, targets } = asked;
  const other = rows.operations({ state: "applying" }).find(({ folder }) =>
    overlap(folder, asked.operation.folder)
  );
  if (other !== undefined) throw folderBusy(other.folder, other.number);
  const operation: Operation = {
    ...asked.operation,
    ...{ number: rows.lastOperation() + 1, state: "applying", reason: "", actor: by.actor },
    ...{ createdAt: by.now.toISOString(), finishedAt: null, version: null, backups: "kept" },
    files: paths.length,
  };
  rows.insertOperation({ operation, paths, revisions, targets });
  record(rows, by, OPERATION_STARTED, startedPayload({ operation, paths, revisions, targets }));
  return operation;
}

/** Who else works on the folder, and what to do. */
export function folderBusy(folder: string, operation: number | null): Failure {
  const what = operation === null ? "somebody else" : `O${operation}`;
  const shown = printablePath(folder);
  return new Failure("unavailable", "folder_busy", `${what} is changing ${shown}`, {
    hint: operation === null
      ? "try again when it is done"
      : `try again when it is done; if its process was killed, pp history --workspace ${shown} ends it`,
  });
}

/** What came of an operation under way. */
export type OperationEnd =
  /** Everything is in the folder, which becomes the next version of its artifact. */
  | { readonly state: "done"; readonly message: string }
  | {
    readonly state: "undone" | "failed";
    readonly reason: string;
    /** Where the folder is neither as before nor as after. */
    readonly stuck: readonly string[];
    /** Nobody can look at the folder any more, or end it there, and whoever says so gives it up. */
    readonly abandoned?: true;
  };

/**
 * Ends an operation, once.
 * @returns it as it is now; null when somebody else ended it
 */
export function endOperation(
  rows: WritableRows,
  by: Author,
  number: number,
  end: OperationEnd,
): Operation | null {
  const operation = rows.operation(number);
  if (operation === null || operation.state !== "applying") return null;
  const version = end.state === "done" ? versionOf(rows, by, operation, end.message) : null;
  const reason = end.state === "done" ? "" : end.reason;
  const to = { state: end.state as Exclude<OperationState, "applying">, reason, version };
  if (!rows.setOperationState(number, { ...to, finishedAt: by.now.toISOString() })) return null;
  const stuck = end.state === "done" ? [] : end.stuck.slice(0, MAX_NAMED);
  const abandoned = end.state !== "done" && end.abandoned === true;
  record(rows, by, abandoned ? OPERATION_ABANDONED : `operation_${end.state}`, {
    ...operationSummary(operation),
    ...(end.state === "done" ? { version } : { reason, stuck }),
  });
  return rows.operation(number);
}

function versionOf(rows: WritableRows, by: Author, operation: Operation, message: string): number {
  const { artifact, afterRoot: root, afterManifest: manifest, afterFiles: files, afterBytes: bytes } =
    operation;
  const { version } = addVersion(rows, by, {
    ...{ artifact, root, manifest, files, bytes, message, trees: [], restores: null },
  });
  return version.number;
}

/**
 * Lets go of what operations replaced: they cannot be taken back any more. Those under way keep theirs.
 * @param before made before that time, besides those whose own limit is over
 * @returns the numbers of those that lost theirs, or with `dryRun` would
 */
export function dropOldBackups(
  rows: WritableRows,
  by: Author,
  before: Date | null,
  dryRun = false,
): readonly number[] {
  const now = by.now.toISOString();
  const gone = rows.operations()
    .filter(({ state, backups }) => state !== "applying" && backups === "kept")
    .filter(({ createdAt, backupsUntil }) =>
      (backupsUntil !== null && backupsUntil <= now) || (before !== null && createdAt < before.toISOString())
    )
    .map(({ number }) => number).reverse();
  if (dryRun || gone.length === 0) return gone;
  for (const number of gone) rows.dropBackups(number);
  for (let from = 0; from < gone.length; from += MAX_NAMED) {
    const operations = gone.slice(from, from + MAX_NAMED);
    record(rows, by, BACKUPS_DROPPED, { operations, older_than: before?.toISOString() ?? null });
  }
  return gone;
}
