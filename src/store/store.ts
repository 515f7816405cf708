import type { Sha256 } from "../vocabulary/digest.ts";
import type { OperationRows, WritableOperationRows } from "./operations.ts";
import type { ProposalRows, WritableProposalRows } from "./proposals.ts";

/**
 * The store: named series of workspace versions and the log of everything that ever changed in it.
 *
 * Three ports make it up. `Records` are the rows, changed in transactions only; `Blobs` hold the bytes of files by
 * their digest; `Keeper` says who may work on both at once. A blob is on the disk before any row refers to it, and
 * leaves only after no row does.
 *
 * Proposals, their revisions, checks and approvals are in `proposals.ts`, what was done to folders is in
 * `operations.ts`. Functions in the way of `log/change.ts`, `proposal/` and `operation/` take the `WritableRows` of a
 * transaction that is under way, change rows and append their event, so that several of them in one `write` happen
 * together or not at all.
 */
export interface Store {
  readonly records: Records;
  readonly blobs: Blobs;
  readonly keeper: Keeper;
  /** Lets go of everything. Idempotent. */
  close(): void;
}

/** A series of versions. */
export interface Artifact {
  readonly name: string;
  /** ISO 8601 in UTC, as every time in a store. */
  readonly createdAt: string;
  /** Of the newest version there ever was; numbers are given once. */
  readonly lastNumber: number;
}

/** A workspace as it was. Never changed. */
export interface Version {
  readonly artifact: string;
  /** From 1. */
  readonly number: number;
  /** The tree object of its root directory. */
  readonly root: Sha256;
  /** What `manifestDigest` says of its entries: the same as in a bundle's statement of the same workspace. */
  readonly manifest: Sha256;
  /** Files and links. */
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
  readonly createdAt: string;
  readonly actor: string;
  readonly message: string;
  /** The version it was made equal to; null for one made from a workspace. */
  readonly restores: number | null;
}

export interface ArtifactSummary {
  readonly artifact: Artifact;
  /** How many of its versions are kept. */
  readonly versions: number;
  /** The newest kept; null where there is none. */
  readonly latest: Version | null;
}

/** One entry of the log. */
export interface LogEvent {
  /** From 1, without a gap. */
  readonly sequence: number;
  readonly time: string;
  readonly actor: string;
  readonly kind: string;
  /** RFC 8785; null once retention took it away. */
  readonly payload: string | null;
  readonly payloadSha256: Sha256;
  /** Hash of the event before; of the first, what `genesis` says. */
  readonly previous: Sha256;
  readonly hash: Sha256;
}

/** What can be read, all as it was at one moment. */
export interface Rows extends ProposalRows, OperationRows {
  artifact(name: string): Artifact | null;
  /** By name. */
  artifacts(): readonly ArtifactSummary[];
  version(artifact: string, number: number): Version | null;
  latest(artifact: string): Version | null;
  /** Of one artifact, newest first; of all, by name. */
  versions(artifact?: string): readonly Version[];
  hasTree(digest: Sha256): boolean;
  /** As stored; whether it is what its digest says is for the reader to check. */
  tree(digest: Sha256): Uint8Array | null;
  treeDigests(): readonly Sha256[];
  event(sequence: number): LogEvent | null;
  lastEvent(): LogEvent | null;
  /** Those after a sequence, in order. */
  events(after: number, limit: number): readonly LogEvent[];
}

/** What can be changed. Functions of `log/change.ts`, `proposal/` and `operation/` call these and append the event; nobody else does. */
export interface WritableRows extends Rows, WritableProposalRows, WritableOperationRows {
  insertArtifact(artifact: Artifact): void;
  setLastNumber(artifact: string, number: number): void;
  /** Its artifact and its root tree must be there, its number must not. */
  insertVersion(version: Version): void;
  deleteVersion(artifact: string, number: number): void;
  /** One that is there stays as it is. */
  insertTree(digest: Sha256, body: Uint8Array): void;
  deleteTree(digest: Sha256): void;
  /** Its sequence must be the next one. */
  insertEvent(event: LogEvent): void;
  /** The payload goes, everything else stays. */
  dropPayload(sequence: number): void;
}

export interface Records {
  /** 32 hex digits, made with the store. */
  readonly storeId: string;
  /** Rows as they are at one moment. `work` must not wait for anything. */
  read<T>(work: (rows: Rows) => T): T;
  /** One transaction: all of it is there afterwards, also after a loss of power, or, when `work` throws, none. */
  write<T>(work: (rows: WritableRows) => T): T;
  /** What is wrong below the rows, in words; empty when nothing is. */
  check(): readonly string[];
  close(): void;
}

/** Bytes by their SHA-256. */
export interface Blobs {
  has(digest: Sha256): boolean;
  /**
   * In pieces; the last is handed out only when all together are what the digest says.
   * @throws Failure `blob_missing`, `blob_corrupt` (malformed)
   */
  chunks(digest: Sha256): Iterable<Uint8Array>;
  /** @throws as `chunks`; RangeError past `maxBytes` */
  read(digest: Sha256, maxBytes: number): Uint8Array;
  /** What is put can be read, and refers to, once `flush` came back. */
  writer(): BlobWriter;
  /** Every blob there is, in no order, with its size in bytes. */
  list(): Iterable<{ readonly digest: Sha256; readonly size: number }>;
  /** What lies there and is no blob: names, for people. */
  strangers(): readonly string[];
  /** @returns the bytes it had; 0 when it is not there */
  remove(digest: Sha256): number;
  /** Puts a corrupt blob aside. @returns where, for people; null when it is not there */
  quarantine(digest: Sha256): string | null;
}

export interface BlobWriter {
  /** Small bytes: whole in memory. */
  put(bytes: Uint8Array, digest: Sha256): void;
  /** Bytes in pieces. @returns their digest */
  putChunks(chunks: Iterable<Uint8Array>): Sha256;
  /** Makes what was put last. */
  flush(): void;
  /** Forgets what was not flushed. Idempotent; after `flush` nothing is left to forget. */
  discard(): void;
}

/**
 * Who works on a store. Those who put blobs and then rows that refer to them share it; who removes blobs has it alone.
 * A process that dies lets go.
 */
export interface Keeper {
  /** @param waiting called once when somebody else is in the way */
  shared<T>(work: () => Promise<T>, options: HoldOptions): Promise<T>;
  alone<T>(work: () => Promise<T>, options: HoldOptions): Promise<T>;
  /** Removes what killed processes left half written. Only when alone. @returns how many files and their bytes */
  sweep(): { readonly files: number; readonly bytes: number };
}

export interface HoldOptions {
  readonly signal?: AbortSignal;
  readonly waiting?: () => void;
}
