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

async function openOr({ openFolder }: RecoveryPorts, path: string): Promise<TargetFolder | null> {
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
