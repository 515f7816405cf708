import type { Author } from "../store/log/change.ts";
import { endOperation } from "../store/operation/change.ts";
import { isWithin } from "../store/operation/overlap.ts";
import type { Operation } from "../store/operations.ts";
import type { Store } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Recovered, Step, TargetFolder } from "../workspace/target.ts";
import { exchangeOf, finish, MAX_OPERATION_BYTES } from "./operate.ts";
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
 * back. Operations whose process still works, those whose folder is not there now, and those elsewhere are left as they
 * are: who asks for one folder lets a store write to that one alone.
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
    const mine = isWithin(operation.folder, ports.within);
    const held = await folder.hold(() =>
      Promise.resolve(mine ? recoverOne(ports, folder, operation.number) : null)
    );
    if (held !== null && !mine) recovered.push({ operation, outcome: "elsewhere", stuck: [] });
    else if (held === null) recovered.push({ operation, outcome: "under_way", stuck: [] });
    else if (held.result !== null) recovered.push(held.result);
  }
  return recovered;
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
function recoverOne(ports: RecoveryPorts, folder: TargetFolder, number: number): RecoveredOperation | null {
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
 * @throws Failure `operation_unknown`, `operation_ended`, `folder_there` (usage)
 */
export async function abandonOperation(
  ports: Pick<RecoveryPorts, "store" | "by" | "openFolder">,
  number: number,
  reason: string,
): Promise<Operation> {
  const { store, by } = ports;
  const operation = store.records.read((rows) => rows.operation(number));
  if (operation === null) {
    throw new Failure("usage", "operation_unknown", `there is no O${number}`, {
      hint: "pp history --all shows those there are",
    });
  }
  const ended = () => new Failure("usage", "operation_ended", `O${number} is not under way any more`);
  if (operation.state !== "applying") throw ended();
  if (await openOr(ports, operation.folder) !== null) {
    throw new Failure("usage", "folder_there", `the folder of O${number} is at its place`, {
      hint: "nothing is given up: pp history in that folder ends what was cut off there",
    });
  }
  return store.records.write((rows) => {
    const author = by();
    const abandoned = { state: "failed", abandoned: true, reason: `given up: ${reason}` } as const;
    const failed = endOperation(rows, author, number, abandoned);
    if (failed === null) throw ended();
    moveRevisions(rows, author, failed);
    return failed;
  });
}
