import type { FileChange } from "../vocabulary/change.ts";
import type { RelativePath } from "../vocabulary/path.ts";
import type { TarPlacement } from "../vocabulary/tar_placement.ts";
import type { CommandResult } from "../vocabulary/verification.ts";

/** The base workspace as a reproducible tar, produced lazily; the consumer's pace is the producer's pace. */
export type TarSource = (placement: TarPlacement) => AsyncIterable<Uint8Array>;

/** Null means: not asked for; a backend then applies its own default and reports what it enforced. */
export interface SandboxLimits {
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
  readonly pids: number | null;
  /** Largest single file a command may write. */
  readonly fileBytes: number | null;
  /** All a command may add to the disk. */
  readonly diskBytes: number | null;
}

export interface SandboxSpec {
  /** Session id; labels everything made, so that orphans are found. */
  readonly session: string;
  readonly image: string;
  /** Absolute POSIX path of the workspace inside. */
  readonly workdir: string;
  /** `uid` or `uid:gid`; never root. */
  readonly user: string;
  /** OCI runtime name (`runc`, `runsc` …); null for the engine's default. */
  readonly runtime: string | null;
  readonly network: "deny" | "allow";
  readonly limits: SandboxLimits;
  /** When the whole session must be over, epoch milliseconds; what outlives it may be reaped by anyone. */
  readonly deadline: number;
  /** How many pristine copies are used at once; the ready pool is sized from it. */
  readonly parallel: number;
  /** Whether a missing image may be pulled. */
  readonly pull: boolean;
  /** Keep the last container or copy for inspection after close. */
  readonly keep: boolean;
}

/** One row of environment.json: what was enforced, at what value, by what. */
export interface Enforcement {
  readonly limit:
    | "network"
    | "cpus"
    | "memory"
    | "pids"
    | "file_size"
    | "disk"
    | "time"
    | "user"
    | "capabilities"
    | "syscalls";
  readonly value: string;
  /** `cgroup`, `network namespace`, `seccomp profile`, `rlimit`, `watchdog` …; `none` when not asked for and not done. */
  readonly by: string;
}

/** Facts for environment.json. Digests and ids as the engine reports them; absent on host backends. */
export interface SandboxEnvironment {
  readonly backend: BackendName;
  readonly engine: string;
  readonly engineVersion: string;
  readonly platform: string;
  readonly image:
    | { readonly name: string; readonly id: string; readonly repoDigests: readonly string[] }
    | null;
  readonly runtime: string;
  readonly enforced: readonly Enforcement[];
}

export type BackendName = "container" | "copy" | "git_worktree" | "fake";

export interface ExecOptions {
  /** Wall time; past it everything the command started is killed and the copy is dead. */
  readonly timeoutMs: number;
  /** Kept per stream, half head and half tail. */
  readonly outputBytes: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Image + workspace + changes, used by nobody before. Good for one verification. */
export interface PristineCopy {
  /**
   * Runs one argv in the workspace directory as the sandbox user. No shell is added. Never rejects because of what
   * the command did; a program that does not exist is exit 127, one that cannot be executed 126.
   * @throws Failure `interrupted` when the signal aborts (the command is killed first); `unavailable` when the
   *   engine is gone; `bug` when the copy is used after a timeout or discard
   */
  exec(argv: readonly string[], options: ExecOptions): Promise<CommandResult>;
  /**
   * A file of the workspace as the commands so far have left it; works after they have ended.
   * @param maxBytes what is longer is cut to one byte more, so that it is seen to be longer
   * @returns null when there is no regular file, or a link is on the way to it: none is ever followed
   * @throws Failure `unavailable` when the engine is gone; `bug` when the copy was discarded
   */
  read(path: RelativePath, maxBytes: number): Promise<Uint8Array | null>;
  /** Kills and removes everything of this copy. Idempotent; never rejects for something already gone. */
  discard(): Promise<void>;
}

/** The workspace frozen inside a backend, from which pristine copies are made. */
export interface FrozenBase {
  readonly environment: SandboxEnvironment;
  /**
   * @param changes laid over the base before anything runs; paths checked by the caller against the base manifest
   * @param options.fresh true for a newly created copy that never waited in the pool
   */
  checkout(
    changes: readonly FileChange[],
    options?: { readonly fresh?: boolean; readonly signal?: AbortSignal },
  ): Promise<PristineCopy>;
  /** Removes every copy, the pool and the snapshot. Idempotent. Works after an engine error as far as it can. */
  close(): Promise<void>;
  /** Where what was kept by `keep` is, for people, and calls to look at it and remove it, a line each; empty otherwise. */
  kept(): readonly string[];
}

/** A backend. `open` streams the workspace in once. */
export interface Sandbox {
  readonly backend: BackendName;
  /**
   * @throws Failure kind `unavailable` (`engine_unavailable`, `image_missing`, `bubblewrap_missing` …) or kind
   *   `denied` code `cannot_enforce` naming every limit asked for that this backend cannot enforce
   */
  open(spec: SandboxSpec, tar: TarSource, signal?: AbortSignal): Promise<FrozenBase>;
}

/** Something an earlier, killed veripatch left behind. */
export interface Orphan {
  readonly kind: "container" | "image" | "directory";
  readonly id: string;
  readonly session: string;
  readonly createdAt: string;
}
