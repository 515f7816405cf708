import type { FileChange } from "../vocabulary/change.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import type { FileMode, ManifestEntry } from "../vocabulary/manifest.ts";
import type { RelativePath } from "../vocabulary/path.ts";

/** What the system says of a file or directory beside its content. */
export interface Attributes {
  /** The twelve permission bits. */
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file as it is to be at a path. */
export interface FileAfter {
  readonly mode: FileMode;
  /** Bytes. */
  readonly size: number;
  readonly sha256: Sha256;
}

/** A file as it was found. */
export interface FileBefore extends FileAfter, Attributes {}

/** One path of an exchange; null on a side where no file is. */
export interface ExchangePath {
  readonly path: RelativePath;
  /** Directory, there before and after, in which temporary names are made; "" for the root. */
  readonly stageIn: string;
  readonly before: FileBefore | null;
  readonly after: FileAfter | null;
}

/** A directory that comes or goes with an exchange. Attributes of one that comes are null when it takes the umask's. */
export interface ExchangeDirectory {
  readonly path: string;
  readonly change: "made" | "removed";
  readonly attributes: Attributes | null;
}

/**
 * All that is needed to finish an exchange or to take it back after the process was killed, whenever that was: written
 * down before the folder is touched.
 */
export interface Exchange {
  /** 16 hex digits; part of every temporary name, so that nothing of anybody else is ever taken for it. */
  readonly staging: string;
  /** In the order of the changes. */
  readonly paths: readonly ExchangePath[];
  readonly directories: readonly ExchangeDirectory[];
}

/** How an exchange is to differ from a plain application of a patch: it takes another one back. */
export interface ExchangeOptions {
  /** The only directories that may go when they are left empty; any when left out. */
  readonly mayGo?: ReadonlySet<string>;
  /** What files, and directories that come, are to have, by path. */
  readonly attributes?: ReadonlyMap<string, Attributes>;
}

/** What was done with an exchange that nobody finished. */
export interface Recovered {
  /**
   * `stuck`: some path was neither as before nor as after and was left alone; all others are as before. `unfinished`: the
   * system refused something; what was not done can be done later.
   */
  readonly outcome: "before" | "after" | "stuck" | "unfinished";
  /** Paths, "" for the folder itself, and why; of `unfinished` those that the system refused. */
  readonly stuck: readonly { readonly path: string; readonly reason: string }[];
}

/** What is at a path now. A directory counts as no file. */
export type PathState =
  | { readonly kind: "file"; readonly mode: FileMode; readonly size: number; readonly sha256: Sha256 }
  | { readonly kind: "absent" }
  /** A link, a device, or something that is reached through a link. */
  | { readonly kind: "other" }
  /** The system refuses to say. */
  | { readonly kind: "unknown"; readonly reason: string };

/** Told after each single step that changes the folder. */
export type Step = (what: string) => void;

/** A folder that changes are put into, all or nothing. Nothing but the paths of an exchange is ever written. */
export interface TargetFolder {
  /** Absolute, without links. */
  readonly root: string;
  /**
   * Has the folder to itself, by a lock of the system that ends with the process.
   * @returns null when somebody else has it
   * @throws Failure `unreadable` (denied)
   */
  hold<T>(work: () => Promise<T>): Promise<{ readonly result: T } | null>;
  /**
   * What an exchange would do, with everything compared to the manifest; writes nothing.
   * @param entries the manifest of the folder by path
   * @throws Failure as `exchange`
   */
  prepare(
    entries: ReadonlyMap<string, ManifestEntry>,
    changes: readonly FileChange[],
    staging: string,
    options?: ExchangeOptions,
  ): Exchange;
  /**
   * Makes the changes, after comparing everything touched again.
   * @throws Failure `workspace_changed`, `changes_conflict`, `path_refused`, `link_in_the_way`,
   *   `workspace_not_writable`, `apply_failed`: nothing written, or everything put back; `rollback_failed`: not
   *   everything could be put back
   */
  exchange(
    entries: ReadonlyMap<string, ManifestEntry>,
    changes: readonly FileChange[],
    staging: string,
    options?: ExchangeOptions,
    step?: Step,
  ): void;
  /**
   * Brings the folder to all-after when that is where it is, else to all-before. Can itself be stopped anywhere and
   * started again.
   * @param bytesOf content of files as they were, by digest; throws when there is none
   */
  recover(exchange: Exchange, bytesOf: (digest: Sha256) => Uint8Array, step?: Step): Recovered;
  stateOf(path: RelativePath): PathState;
}
