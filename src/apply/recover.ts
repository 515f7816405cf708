import type { Author } from "../store/log/change.ts";
import { endOperation, folderBusy } from "../store/operation/change.ts";
import { isWithin } from "../store/operation/overlap.ts";
import type { Operation } from "../store/operations.ts";
import type { Store } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Recovered, Step, TargetFolder } from "../workspace/target.ts";
import { exchangeOf } from "./exchange.ts";
import { finish, MAX_OPERATION_BYTES } from "./operate.ts";
import { moveRevisions } from "./revisions.ts";

/** What came of an operation whose process was killed. */
export interface RecoveredOperation {
  readonly operation: Operation;
  readonly outcome: Recovered["outcome"] | "under_way" | "folder_gone" | "elsewhere";
  readonly stuck: Recovered["stuck"];
}

export interface RecoveryPorts {
  readonly store: Store;
  readonly by: () => Author;
  /** Absolute, without links: nothing outside of it is written, whatever the store says. */
  readonly within: string;
  /** @throws Failure `workspace_missing` when there is no such folder */
  readonly openFolder: (path: string) => Promise<TargetFolder>;
  readonly step?: Step;
}

/**
 * Ends what killed processes left under way in a folder or below it: finished where the folder is as after, else taken
 * back. Operations whose process still works, those whose folder is not there now, those that the system lets nobody end
 * now (`unfinished`), and those elsewhere are left as they are: who asks for one folder lets a store write to that one
 * alone.
 * @throws Failure `operation_corrupt` (malformed)
 */
export async function recoverOperations(ports: RecoveryPorts): Promise<readonly RecoveredOperation[]> {
  const { store } = ports;
  const found = store.records.read((rows) => rows.operations({ state: "applying" }));
  const recovered: RecoveredOperation[] = [];
  for (const operation of [...found].reverse()) {
    const folder = await openOr(ports, operation.folder);
    if (folder === null) {
      recovered.push({ operation, outcome: "folder_gone", stuck: [] });
      continue;
    }
    if (isWithin(operation.folder, ports.within)) {
      const one = await recoverIn(ports, folder, operation);
      if (one !== null) recovered.push(one);
    } else {
      const idle = await folder.hold(() => Promise.resolve()).catch(() => true) !== null;
      recovered.push({ operation, outcome: idle ? "elsewhere" : "under_way", stuck: [] });
    }
  }
  return recovered;
}

/** @returns null when somebody else ended it meanwhile */
async function recoverIn(
  ports: Pick<RecoveryPorts, "store" | "by" | "step">,
  folder: TargetFolder,
  operation: Operation,
): Promise<RecoveredOperation | null> {
  try {
    const held = await folder.hold(() => Promise.resolve(recoverOne(ports, folder, operation.number)));
    return held === null ? { operation, outcome: "under_way", stuck: [] } : held.result;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "unreadable") throw error;
    return { operation, outcome: "unfinished", stuck: [{ path: "", reason: error.message }] };
  }
}

async function openOr(
  { openFolder }: Pick<RecoveryPorts, "openFolder">,
  path: string,
): Promise<TargetFolder | null> {
  try {
    const folder = await openFolder(path);
    // A link in its place leads to another folder.
    return folder.root === path ? folder : null;
  } catch (error) {
    if (error instanceof Failure && error.code === "workspace_missing") return null;
    throw error;
  }
}

/** @returns null when somebody else ended it meanwhile */
function recoverOne(
  ports: Pick<RecoveryPorts, "store" | "by" | "step">,
  folder: TargetFolder,
  number: number,
): RecoveredOperation | null {
  const { store, by } = ports;
  const step = ports.step ?? (() => {});
  const found = store.records.read((rows) => {
    const operation = rows.operation(number);
    return operation?.state === "applying" ? { operation, exchange: exchangeOf(rows, operation) } : null;
  });
  if (found === null) return null;
  const { outcome, stuck } = folder.recover(
    found.exchange,
    (digest) => store.blobs.read(digest, MAX_OPERATION_BYTES),
    step,
  );
  if (outcome === "unfinished") return { operation: found.operation, outcome, stuck };
  step("the folder is recovered");
  const operation = store.records.write((rows) => {
    if (outcome === "after") return finish(rows, by(), number);
    const ended = endOperation(rows, by(), number, {
      state: outcome === "before" ? "undone" : "failed",
      reason: outcome === "before"
        ? "its process was killed"
        : "its process was killed and others changed the folder",
      stuck: stuck.map(({ path }) => path),
    });
    if (ended !== null) moveRevisions(rows, by(), ended);
    return ended;
  });
  return operation === null ? null : { operation, outcome, stuck };
}

/**
 * Gives up an operation that was cut off in a folder that is not at its place any more: it and its revisions are `failed`,
 * with the event `operation_abandoned`. Nothing of the folder is looked at, should it come back.
 * @param force also in a folder that is there, when ending it there was tried now and failed
 * @throws Failure `operation_unknown`, `operation_ended`, `folder_there` (usage), `folder_busy` (unavailable)
 */
export async function abandonOperation(
  ports: Pick<RecoveryPorts, "store" | "by" | "openFolder">,
  number: number,
  reason: string,
  force = false,
): Promise<Operation> {
  const { store, by } = ports;
  const operation = store.records.read((rows) => rows.operation(number));
  if (operation === null) {
    throw new Failure("usage", "operation_unknown", `there is no O${number}`, {
      hint: "pp history --all shows those there are",
    });
  }
  const ended = (how: string) =>
    new Failure("usage", "operation_ended", `O${number} is not under way any more${how}`);
  if (operation.state !== "applying") throw ended("");
  const folder = await openOr(ports, operation.folder);
  if (folder !== null && !force) {
    throw new Failure("usage", "folder_there", `the folder of O${number} is at its place`, {
      hint: "pp history in that folder ends what was cut off there; where that fails, add --force",
    });
  }
  const left = folder === null ? [] : await leftIn(ports, folder, operation);
  if (left === null) throw ended(": it could be ended just now, and was; pp history shows how");
  return store.records.write((rows) => {
    const author = by();
    const abandoned = {
      state: "failed",
      abandoned: true,
      reason: `given up: ${reason}`,
      stuck: left,
    } as const;
    const failed = endOperation(rows, author, number, abandoned);
    if (failed === null) throw ended("");
    moveRevisions(rows, author, failed);
    return failed;
  });
}

/**
 * Tries once more to end an operation.
 * @returns the paths, with reasons, that are left as they are because that failed; null when it is ended
 */
async function leftIn(
  ports: Pick<RecoveryPorts, "store" | "by">,
  folder: TargetFolder,
  operation: Operation,
): Promise<readonly string[] | null> {
  let one: RecoveredOperation | null;
  try {
    one = await recoverIn(ports, folder, operation);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "operation_corrupt") throw error;
    return [error.message];
  }
  if (one?.outcome === "under_way") throw folderBusy(operation.folder, operation.number);
  return one?.outcome === "unfinished"
    ? one.stuck.map(({ path, reason }) => path === "" ? reason : `${path}: ${reason}`)
    : null;
}
