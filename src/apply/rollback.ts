import type { Operation } from "../store/operations.ts";
import { type FoundRevision, requireRevision, revisionName } from "../store/proposal/find.ts";
import type { Revision } from "../store/proposals.ts";
import type { Rows } from "../store/store.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ApplyAsked, Clearance } from "./apply.ts";
import { type ApplyPorts, type Decide, MAX_OPERATION_BYTES, operate } from "./operate.ts";
import {
  newestRollback,
  planRedo,
  planRollback,
  standingOperations,
  standsAnywhere,
  type UndoPlan,
} from "./undo.ts";

/** Which operations of a folder are taken back. */
export type RollbackAsked =
  /** The newest that stand. */
  | { readonly kind: "last"; readonly count: number }
  | { readonly kind: "operation"; readonly number: number }
  /** The newest operation that applied it and stands. */
  | { readonly kind: "proposal"; readonly number: number }
  /** What the newest operation that stands did to one path. */
  | { readonly kind: "file"; readonly path: string };

export interface Undone {
  /** Null when nothing was done: refused, or only tried. */
  readonly operation: Operation | null;
  readonly plan: UndoPlan;
}

export interface UndoOptions {
  readonly dryRun: boolean;
  readonly backupsUntil: string | null;
}

/** Judges anew whether a revision may be in the folder, as for applying it. */
export type Clear = (rows: Rows, revision: Revision, now: Date) => Clearance;

/**
 * Takes operations back by a new one with the inverse changes; history stays. Refused, with every reason, when a path is
 * not as the operation left it, when a later operation stands on it, or when what it replaced is not kept any more.
 * @throws Failure `operation_unknown`, `nothing_to_roll_back` (usage); as `operate`
 */
export async function rollBack(
  ports: ApplyPorts,
  asked: RollbackAsked,
  options: UndoOptions,
): Promise<Undone> {
  const proved = () => Promise.resolve();
  return await undo(ports, { ...options, proved }, "rollback", () => {}, (rows, root, bytesOf, tree) => {
    const targets = targetsOf(rows, root, asked);
    return planRollback(
      rows,
      bytesOf,
      tree,
      targets,
      asked.kind === "file" ? asked.path : null,
      ports.by().now,
    );
  });
}

/**
 * Does again what a rollback took back, by a new operation. What may not be applied any more is not: a key revoked, a
 * decision withdrawn or expired, a rejection in the review of a bypass, another policy.
 * @param number of the rollback, or null for the newest one that can be done again
 * @throws Failure `operation_unknown`, `nothing_to_redo` (usage), `not_cleared` (denied); as `operate`
 */
export async function redo(
  ports: ApplyPorts,
  number: number | null,
  options: UndoOptions & Pick<ApplyAsked, "proofHolds"> & { readonly clear: Clear },
): Promise<Undone> {
  const { proofHolds } = options;
  const guard = (rows: Rows, rollbacks: readonly Operation[]) => {
    for (const { number } of rollbacks) requireCleared(rows, number, options.clear, ports.by().now);
  };
  const proved = async (rollbacks: readonly Operation[]) => {
    const found = ports.store.records.read((rows) =>
      rollbacks.flatMap(({ number }) => appliedBy(rows, number))
        .filter(({ revision }) => isExact(options.clear(rows, revision, ports.by().now)))
    );
    for (const one of found) await proofHolds(one);
  };
  return await undo(ports, { ...options, proved }, "redo", guard, (rows, root, bytesOf, tree) => {
    const rollback = number === null ? newestRollback(rows, root) : operationIn(rows, root, number);
    if (rollback === null) {
      throw new Failure("usage", "nothing_to_redo", "nothing was taken back in this folder");
    }
    if (rollback.kind !== "rollback") {
      throw new Failure("usage", "nothing_to_redo", `O${rollback.number} is no rollback`, {
        hint: "pp redo does again what a rollback took back; pp history shows them",
      });
    }
    return planRedo(rows, bytesOf, tree, rollback, ports.by().now);
  });
}

async function undo(
  ports: ApplyPorts,
  { dryRun, backupsUntil, proved }: UndoOptions & {
    /** Throws where what is to be done again was proved, and is not any more. */
    readonly proved: (targets: readonly Operation[]) => Promise<void>;
  },
  kind: "rollback" | "redo",
  guard: (rows: Rows, targets: readonly Operation[]) => void,
  plan: (
    rows: Rows,
    root: string,
    bytesOf: (digest: Sha256) => Uint8Array,
    tree: Parameters<Decide<UndoPlan>>[0],
  ) => UndoPlan,
): Promise<Undone> {
  const { store, folder } = ports;
  const bytesOf = (digest: Sha256) => store.blobs.read(digest, MAX_OPERATION_BYTES);
  const decide: Decide<UndoPlan> = async (tree) => {
    const value = store.records.read((rows) => {
      const planned = plan(rows, folder.root, bytesOf, tree);
      guard(rows, planned.targets);
      return planned;
    });
    await proved(value.targets);
    if (dryRun || value.refusals.length > 0) return { intent: null, value };
    const [first] = value.targets;
    return {
      value,
      intent: {
        ...{ kind, artifact: first!.artifact, changes: value.changes, options: value.options, revisions: [] },
        targets: value.targets.map(({ number }) => number),
        backupsUntil,
        guard: (rows) => guard(rows, value.targets),
      },
    };
  };
  const { operation, value } = await operate(ports, decide);
  return { operation, plan: value };
}

/** Of every revision that the operations which a rollback took back had applied. */
function requireCleared(rows: Rows, rollback: number, clear: Clear, now: Date): void {
  for (const { revision } of appliedBy(rows, rollback)) {
    const clearance = clear(rows, revision, now);
    if (clearance.ok) continue;
    throw new Failure("denied", "not_cleared", `it may not be applied any more: ${clearance.detail}`, {
      hint: `nothing was written; pp approval show ${revisionName(revision)} says what is missing`,
    });
  }
}

/** Every revision that the operations which a rollback took back had applied. */
function appliedBy(rows: Rows, rollback: number): readonly FoundRevision[] {
  return rows.operationTargets(rollback)
    .flatMap((number) => rows.operationRevisions(number))
    .map(({ proposal, revision }) => requireRevision(rows, { proposal, revision }));
}

function isExact(clearance: Clearance): boolean {
  return clearance.ok && clearance.exact;
}

function targetsOf(rows: Rows, root: string, asked: RollbackAsked): readonly Operation[] {
  switch (asked.kind) {
    case "last": {
      const found: Operation[] = [];
      for (const operation of standingOperations(rows, root)) {
        if (found.length === asked.count) break;
        found.push(operation);
      }
      if (found.length === asked.count) return found;
      const what = found.length === 0
        ? "nothing was"
        : found.length === 1
        ? "only one operation was"
        : `only ${found.length} operations were`;
      throw nothing(`${what} applied to this folder and not taken back`);
    }
    case "operation": {
      const operation = operationIn(rows, root, asked.number);
      if (operation.kind === "apply") return [operation];
      const hint = operation.kind === "rollback"
        ? `pp redo --id O${operation.number} does again what it took back`
        : `pp rollback --id O${
          rows.operationTargets(rows.operationTargets(operation.number)[0]!)[0]
        } takes it back`;
      throw new Failure("usage", "not_an_application", `O${operation.number} is a ${operation.kind}`, {
        hint,
      });
    }
    case "proposal": {
      const applied = rows.operations({ folder: root, state: "done", proposal: asked.number });
      const standing = applied.find((operation) => standsAnywhere(rows, operation));
      if (standing !== undefined) return [standing];
      const what = applied.length === 0 ? "was not applied to" : "does not stand any more in";
      throw nothing(`P${asked.number} ${what} this folder`);
    }
    case "file": {
      for (const operation of standingOperations(rows, root)) {
        const last = rows.operationPaths(operation.number).some(({ path }) => path === asked.path);
        if (last) return [operation];
      }
      throw nothing("no operation that stands in this folder changed that file");
    }
  }
}

function operationIn(rows: Rows, root: string, number: number): Operation {
  const operation = rows.operation(number);
  if (operation !== null && operation.folder === root && operation.state === "done") return operation;
  const why = operation === null
    ? `there is no O${number}`
    : operation.folder === root
    ? `O${number} is ${operation.state}: ${operation.reason}`
    : `O${number} was done to another folder, ${operation.folder}`;
  throw new Failure("usage", "operation_unknown", why, {
    hint: "pp history shows what was done to this folder",
  });
}

function nothing(message: string): Failure {
  return new Failure("usage", "nothing_to_roll_back", message, {
    hint: "pp history shows what was done to this folder",
  });
}
