import { randomBytes } from "node:crypto";
import { type Capture, type Captured, unknownTreesOf } from "../store/artifact/create.ts";
import type { Author } from "../store/log/change.ts";
import { beginOperation, endOperation, folderBusy } from "../store/operation/change.ts";
import type { Operation, OperationKind, OperationRevision } from "../store/operations.ts";
import type { HoldOptions, Store, WritableRows } from "../store/store.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Exchange, ExchangeOptions, Step, TargetFolder } from "../workspace/target.ts";
import { capturedTree, type FolderTree, treeAfter } from "./folder_tree.ts";
import { messageOf } from "./message.ts";
import { moveRevisions } from "./revisions.ts";

/** Of all files that an operation changes, before and after, together. */
export const MAX_OPERATION_BYTES = 512 << 20;
/** Characters of why an operation was taken back. */
const MAX_REASON = 500;
/** What ends an operation that is still under way in the store. */
const LATER = "pp history in this folder";

/** The world around operations on a folder. */
export interface ApplyPorts extends HoldOptions {
  readonly store: Store;
  /** Who does it, with the time it is now. */
  readonly by: () => Author;
  readonly folder: TargetFolder;
  /** Puts all of the folder into the store. */
  readonly capture: Capture<Captured>;
  /** Told after each step that changes something; a test stops the process there. */
  readonly step?: Step;
}

/** What is to be done to a folder. */
export interface Intent {
  readonly kind: OperationKind;
  readonly artifact: string;
  readonly changes: readonly FileChange[];
  readonly options?: ExchangeOptions;
  readonly revisions: readonly Omit<OperationRevision, "operation" | "position">[];
  readonly targets: readonly number[];
  readonly backupsUntil: string | null;
  /** Looked at once more in the transaction that begins the operation; throws to refuse. */
  readonly guard?: (rows: WritableRows) => void;
}

/** What somebody wants done, told what is in the folder; null when nothing is to be done after all. */
export type Decide<T> = (tree: FolderTree) => Promise<{ readonly intent: Intent | null; readonly value: T }>;

/**
 * Works on a folder that nobody else has meanwhile: captures it, asks what is to be done, and does that all or nothing.
 * What is needed to finish or take it back is in the store before the folder is touched, so that whoever comes after a
 * kill can do either.
 * @throws Failure `folder_busy` (unavailable); of `decide`; of `TargetFolder.exchange`
 */
export async function operate<T>(
  ports: ApplyPorts,
  decide: Decide<T>,
): Promise<{ readonly operation: Operation | null; readonly value: T }> {
  const held = await ports.folder.hold(() =>
    ports.store.keeper.shared(async () => {
      const captured = await ports.capture(unknownTreesOf(ports.store));
      const tree = ports.store.records.read((rows) => capturedTree(rows, captured));
      const { intent, value } = await decide(tree);
      return { operation: intent === null ? null : perform(ports, tree, intent), value };
    }, ports)
  );
  if (held === null) throw folderBusy(ports.folder.root, null);
  return held.result;
}

function perform(ports: ApplyPorts, tree: FolderTree, intent: Intent): Operation {
  const { store, folder } = ports;
  const step = ports.step ?? (() => {});
  const staging = randomBytes(8).toString("hex");
  const exchange = folder.prepare(tree.byPath, intent.changes, staging, intent.options);
  keepBytes(store, exchange, intent.changes);
  step("kept the bytes of both sides");
  const operation = store.records.write((rows) => {
    intent.guard?.(rows);
    return begin(rows, ports.by(), folder.root, tree, intent, exchange);
  });
  step("began the operation");
  try {
    folder.exchange(tree.byPath, intent.changes, staging, intent.options, step);
  } catch (error) {
    throw takenBack(ports, operation, error);
  }
  step("the folder is as after");
  try {
    return store.records.write((rows) => finish(rows, ports.by(), operation.number));
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== "unavailable") throw error;
    const what = `the folder holds all of O${operation.number}, and the store could not note that`;
    const todo = error.hint ?? "see the cause";
    throw new Failure("unavailable", "operation_unwritten", `${what}: ${error.message}`, {
      hint: `${todo}; then ${LATER} notes it, nothing else is to be done`,
      cause: error,
    });
  }
}

/** Notes what an exchange that failed left behind. @returns what to throw */
function takenBack({ store, by }: ApplyPorts, operation: Operation, error: unknown): unknown {
  const failure = error instanceof Failure ? error : null;
  if (failure?.code === "rollback_failed") {
    // Left under way: what could not be put back now can be later.
    return new Failure(failure.kind, failure.code, `${failure.message}: O${operation.number} is cut off`, {
      hint: `see the cause; then ${LATER} puts back the rest`,
      details: failure.details,
      cause: failure.cause,
    });
  }
  const reason = failure === null
    ? "unexpected"
    : `${failure.code}: ${failure.message}`.slice(0, MAX_REASON).toWellFormed();
  try {
    store.records.write((rows) => {
      const author = by();
      const ended = endOperation(rows, author, operation.number, { state: "undone", reason, stuck: [] });
      if (ended !== null) moveRevisions(rows, author, ended);
    });
  } catch (unwritten) {
    if (failure === null || !(unwritten instanceof Failure)) throw unwritten;
    const todo = failure.hint ?? "see the cause";
    return new Failure(failure.kind, failure.code, failure.message, {
      hint: `${todo}; the store could not note it (${unwritten.message}): ${LATER} does`,
      details: failure.details,
      cause: failure.cause,
    });
  }
  return error;
}

/** Ends an operation whose folder is as after. */
export function finish(rows: WritableRows, by: Author, number: number): Operation {
  const message = messageOf(rows, number);
  const done = endOperation(rows, by, number, { state: "done", message });
  if (done === null) {
    throw new Failure("bug", "operation_ended", `O${number} was ended by somebody else`);
  }
  moveRevisions(rows, by, done);
  return done;
}

function begin(
  rows: WritableRows,
  by: Author,
  root: string,
  tree: FolderTree,
  intent: Intent,
  exchange: Exchange,
): Operation {
  const removed = exchange.directories.filter(({ change }) => change === "removed").map(({ path }) => path);
  const after = treeAfter(tree, intent.changes, new Set(removed));
  for (const [digest, body] of after.trees) rows.insertTree(digest, body);
  const operation = beginOperation(rows, by, {
    operation: {
      ...{ kind: intent.kind, folder: root, staging: exchange.staging, artifact: intent.artifact },
      ...{ beforeManifest: tree.digest, afterManifest: after.digest, afterRoot: after.root },
      ...{ afterFiles: after.files, afterBytes: after.bytes, backupsUntil: intent.backupsUntil },
      directories: canonicalJson(exchange.directories),
    },
    paths: exchange.paths.map((path, position) => ({ position, ...path })),
    revisions: intent.revisions.map((revision, position) => ({ position, ...revision })),
    targets: intent.targets,
  });
  moveRevisions(rows, by, operation);
  return operation;
}

/** The bytes before are in the store since the folder was captured; the bytes after come now. */
function keepBytes(store: Store, exchange: Exchange, changes: readonly FileChange[]): void {
  const bytes = exchange.paths.reduce(
    (sum, { before, after }) => sum + (before?.size ?? 0) + (after?.size ?? 0),
    0,
  );
  if (bytes > MAX_OPERATION_BYTES) {
    throw new Failure("malformed", "change_too_large", `the changed files have ${bytes} bytes together`, {
      hint: `at most ${MAX_OPERATION_BYTES} are taken at once; split the change`,
    });
  }
  const writer = store.blobs.writer();
  try {
    for (const change of changes) {
      if (change.kind === "write") writer.put(change.bytes, sha256(change.bytes));
    }
    writer.flush();
  } finally {
    writer.discard();
  }
  for (const { path, before } of exchange.paths) {
    if (before !== null && !store.blobs.has(before.sha256)) {
      throw new Failure("bug", "backup_missing", `what is at ${path} is not in the store`);
    }
  }
}
