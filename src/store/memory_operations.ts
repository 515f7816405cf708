import type {
  ConflictFilter,
  NewOperation,
  Operation,
  OperationBlob,
  OperationEnd,
  OperationFilter,
  OperationPath,
  OperationRevision,
  PathHistory,
  StoredConflict,
  WritableOperationRows,
} from "./operations.ts";
import { MemoryProposalRows, type ProposalTables, type Referred } from "./memory_proposals.ts";

export interface OperationTables {
  operations: NewOperation[];
  conflicts: StoredConflict[];
}

export function emptyOperations(): OperationTables {
  return { operations: [], conflicts: [] };
}

export function copiedOperations({ operations, conflicts }: OperationTables): OperationTables {
  return { operations: [...operations], conflicts: [...conflicts] };
}

/** The rows of operations in memory, with every refusal of the database. */
export abstract class MemoryOperationRows extends MemoryProposalRows implements WritableOperationRows {
  constructor(proposed: ProposalTables, readonly operated: OperationTables, referred: Referred) {
    super(proposed, referred);
  }

  operation(number: number): Operation | null {
    return this.operated.operations[number - 1]?.operation ?? null;
  }

  lastOperation(): number {
    return this.operated.operations.length;
  }

  operations({ folder, state, proposal, after, limit }: OperationFilter = {}): readonly Operation[] {
    return this.operated.operations
      .filter(({ revisions }) => proposal === undefined || revisions.some((r) => r.proposal === proposal))
      .map(({ operation }) => operation)
      .filter((operation) => folder === undefined || operation.folder === folder)
      .filter((operation) => state === undefined || operation.state === state)
      .filter(({ number }) => number < (after ?? Infinity))
      .reverse().slice(0, limit);
  }

  operationPaths(number: number): readonly OperationPath[] {
    return (this.operated.operations[number - 1]?.paths ?? []).map((path) => ({
      operation: number,
      ...path,
    }));
  }

  operationRevisions(number: number): readonly OperationRevision[] {
    return (this.operated.operations[number - 1]?.revisions ?? []).map((one) => ({
      operation: number,
      ...one,
    }));
  }

  operationTargets(number: number): readonly number[] {
    return this.operated.operations[number - 1]?.targets ?? [];
  }

  pathHistory(folder: string, path: string): readonly PathHistory[] {
    return this.operated.operations
      .filter(({ operation, paths }) =>
        operation.folder === folder && operation.state === "done" && paths.some((one) => one.path === path)
      )
      .map(({ operation: { number, kind }, targets }) => ({ operation: number, kind, targets }));
  }

  *operationBlobs(): Iterable<OperationBlob> {
    for (const { operation, paths } of this.operated.operations) {
      if (operation.backups === "dropped") continue;
      for (const { path, before, after } of paths) {
        for (const side of [before, after]) {
          if (side !== null) {
            yield { operation: operation.number, digest: side.sha256, size: side.size, path };
          }
        }
      }
    }
  }

  conflict(id: number): StoredConflict | null {
    return this.operated.conflicts[id - 1] ?? null;
  }

  lastConflict(): number {
    return this.operated.conflicts.length;
  }

  conflicts({ proposal, revision, folder, state }: ConflictFilter = {}): readonly StoredConflict[] {
    return this.operated.conflicts.filter((one) =>
      (proposal === undefined || one.proposal === proposal) &&
      (revision === undefined || one.revision === revision) &&
      (folder === undefined || one.folder === folder) && (state === undefined || one.state === state)
    );
  }

  insertOperation(what: NewOperation): void {
    const { operation, paths, revisions, targets } = what;
    if (operation.number !== this.lastOperation() + 1 || operation.state !== "applying") {
      throw new Error("an operation takes the next number, under way");
    }
    if (!this.referred.hasArtifact(operation.artifact)) throw new Error("an operation without its artifact");
    if (!this.referred.hasTree(operation.afterRoot)) throw new Error("an operation without its tree");
    if (this.operated.operations.some((one) => one.operation.staging === operation.staging)) {
      throw new Error("the staging of another operation");
    }
    if (new Set(paths.map(({ path }) => path)).size !== paths.length) throw new Error("a path twice");
    for (const { before, after } of paths) {
      if (before?.sha256 === after?.sha256 && before?.mode === after?.mode) {
        throw new Error("a path that stays as it is");
      }
    }
    for (const { proposal, revision } of revisions) {
      if (this.revision(proposal, revision) === null) throw new Error("an operation without its revision");
    }
    if (targets.some((target) => target >= operation.number || this.operation(target) === null)) {
      throw new Error("an operation without its target");
    }
    this.operated.operations.push(what);
  }

  setOperationState(number: number, to: OperationEnd): boolean {
    if (this.operation(number)?.state !== "applying") return false;
    this.#set(number, to);
    return true;
  }

  dropBackups(number: number): void {
    if ((this.operation(number)?.state ?? "applying") === "applying") {
      throw new Error("backups of an operation under way stay");
    }
    this.#set(number, { backups: "dropped" });
  }

  insertConflict(conflict: StoredConflict): void {
    if (conflict.id !== this.lastConflict() + 1 || conflict.state !== "open") {
      throw new Error("a conflict takes the next id, open");
    }
    if (this.revision(conflict.proposal, conflict.revision) === null) {
      throw new Error("a conflict without its revision");
    }
    if ((conflict.folder === null) === (conflict.onto === null)) {
      throw new Error("a conflict is one in a folder or with a version");
    }
    this.operated.conflicts.push({
      ...conflict,
      ...{ resolution: null, result: null, resolvedAt: null, resolvedBy: null },
    });
  }

  setConflict(
    id: number,
    to: Pick<StoredConflict, "state" | "resolution" | "result" | "resolvedAt" | "resolvedBy">,
  ): boolean {
    const conflict = this.conflict(id);
    if (conflict === null || conflict.state === "obsolete") return false;
    if (conflict.state === "resolved" && to.state === "open") return false;
    this.operated.conflicts[id - 1] = { ...conflict, ...to };
    return true;
  }

  #set(number: number, to: Partial<Operation>): void {
    const one = this.operated.operations[number - 1]!;
    this.operated.operations[number - 1] = { ...one, operation: { ...one.operation, ...to } };
  }
}
