import type { Sha256 } from "../vocabulary/digest.ts";
import type { FileMode } from "../vocabulary/manifest.ts";
import type { RevisionState } from "../vocabulary/proposal.ts";

/** `applying` is under way, or its process was killed; `undone`: the folder is as before; `failed`: look at it. */
export const OPERATION_STATES = ["applying", "done", "undone", "failed"] as const;
export type OperationState = typeof OPERATION_STATES[number];

export const OPERATION_KINDS = ["apply", "rollback", "redo"] as const;
export type OperationKind = typeof OPERATION_KINDS[number];

export type ResolutionKind = "ours" | "theirs" | "both" | "edited";

/** Something done to a folder, all or nothing. O1, O2 … in one store; never removed, never done twice. */
export interface Operation {
  /** From 1, without a gap. */
  readonly number: number;
  readonly kind: OperationKind;
  readonly state: OperationState;
  /** Why it is in that state; may be empty. */
  readonly reason: string;
  /** Absolute, without links. */
  readonly folder: string;
  /** 16 hex digits, part of its temporary names in the folder. */
  readonly staging: string;
  /** Whose next version the folder becomes. */
  readonly artifact: string;
  readonly actor: string;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly files: number;
  /** Manifest digests of the folder as it was, and as it is to be. */
  readonly beforeManifest: Sha256;
  readonly afterManifest: Sha256;
  /** Tree object of the folder as it is to be. */
  readonly afterRoot: Sha256;
  readonly afterFiles: number;
  readonly afterBytes: number;
  /** RFC 8785 JSON: the directories that come and go, as `workspace/target.ts` has them. */
  readonly directories: string;
  /** Which version was made of it; null until it is done. */
  readonly version: number | null;
  /** Until when it can be taken back; null is as long as the store lasts. */
  readonly backupsUntil: string | null;
  /** Whether the bytes it replaced are still kept. */
  readonly backups: "kept" | "dropped";
}

/** A file of one side of an operation; the permissions of what was there before are kept. */
export interface OperationSide {
  readonly mode: FileMode;
  readonly size: number;
  readonly sha256: Sha256;
}

export interface OperationBefore extends OperationSide {
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
}

/** What an operation does to one path; null on a side where no file is. */
export interface OperationPath {
  readonly operation: number;
  /** From 0; part of the path's temporary names. */
  readonly position: number;
  readonly path: string;
  readonly stageIn: string;
  readonly before: OperationBefore | null;
  readonly after: OperationSide | null;
}

/** A revision that an operation applies, with the state it goes back to when nothing comes of it. */
export interface OperationRevision {
  readonly operation: number;
  /** From 0, in the order they are applied. */
  readonly position: number;
  readonly proposal: number;
  readonly revision: number;
  readonly evidence: Sha256;
  readonly from: RevisionState;
}

/** One entry of what was done to a path of a folder, oldest first. */
export interface PathHistory {
  readonly operation: number;
  readonly kind: OperationKind;
  /** Operations that it takes back, or does again. */
  readonly targets: readonly number[];
}

/**
 * What stands in the way at one path of a folder, or of the version a rebase goes onto, kept until it is resolved or that
 * changes.
 */
export interface StoredConflict {
  /** From 1 in one store. */
  readonly id: number;
  readonly proposal: number;
  readonly revision: number;
  /** Null of a rebase. */
  readonly folder: string | null;
  /** Of a rebase, the version of the artifact it was to go onto; else null. */
  readonly onto: number | null;
  readonly path: string;
  /** RFC 8785 JSON: `[{line, reason, detail}]`. */
  readonly regions: string;
  /** What the three sides had; null where no file was. */
  readonly base: OperationSide | null;
  readonly ours: OperationSide | null;
  readonly theirs: OperationSide | null;
  readonly createdAt: string;
  readonly state: "open" | "resolved" | "obsolete";
  readonly resolution: ResolutionKind | null;
  /** What the path is to hold; null with a resolution: nothing. */
  readonly result: OperationSide | null;
  readonly resolvedAt: string | null;
  readonly resolvedBy: string | null;
}

export interface OperationFilter {
  readonly folder?: string;
  readonly state?: OperationState;
  readonly proposal?: number;
  /** The list goes on after this number: those with smaller ones. */
  readonly after?: number;
  readonly limit?: number;
}

/** What an operation or conflict needs of the blobs, and what for. */
export interface OperationBlob {
  readonly operation: number;
  readonly digest: Sha256;
  readonly size: number;
  readonly path: string;
}

export interface ConflictFilter {
  readonly proposal?: number;
  readonly revision?: number;
  /** With null, those of rebases. */
  readonly folder?: string | null;
  readonly state?: StoredConflict["state"];
}

/** What can be read of operations. */
export interface OperationRows {
  operation(number: number): Operation | null;
  /** 0 when there is none. */
  lastOperation(): number;
  /** Newest first. */
  operations(filter?: OperationFilter): readonly Operation[];
  operationPaths(number: number): readonly OperationPath[];
  operationRevisions(number: number): readonly OperationRevision[];
  /** Operations that one takes back or does again, in the order given. */
  operationTargets(number: number): readonly number[];
  /** Operations that are done and touched a path of a folder, oldest first. */
  pathHistory(folder: string, path: string): readonly PathHistory[];
  /** Blobs that must stay for operations under way and for those that can be taken back. */
  operationBlobs(): Iterable<OperationBlob>;
  conflict(id: number): StoredConflict | null;
  lastConflict(): number;
  /** In the order they were found. */
  conflicts(filter?: ConflictFilter): readonly StoredConflict[];
}

export interface NewOperation {
  readonly operation: Operation;
  readonly paths: readonly Omit<OperationPath, "operation">[];
  readonly revisions: readonly Omit<OperationRevision, "operation">[];
  readonly targets: readonly number[];
}

/** How an operation that was under way ended. */
export interface OperationEnd {
  readonly state: Exclude<OperationState, "applying">;
  readonly reason: string;
  readonly finishedAt: string;
  readonly version: number | null;
}

/** What can be changed of operations. Functions of `store/operation/` call these and append the event. */
export interface WritableOperationRows extends OperationRows {
  /** Its number must be the next one, in state `applying`; what it refers to must be there. */
  insertOperation(what: NewOperation): void;
  /** From `applying` only. @returns whether it took */
  setOperationState(number: number, to: OperationEnd): boolean;
  /** Of one that is not under way. */
  dropBackups(number: number): void;
  /** Its id must be the next one, in state `open`. */
  insertConflict(conflict: StoredConflict): void;
  /** From `open` or, to `obsolete`, from `resolved` too. @returns whether it took */
  setConflict(
    id: number,
    to: Pick<StoredConflict, "state" | "resolution" | "result" | "resolvedAt" | "resolvedBy">,
  ): boolean;
}
