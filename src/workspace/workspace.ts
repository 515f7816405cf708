import type { FileChange } from "../vocabulary/change.ts";
import type { Manifest, ManifestEntry, SkippedEntry } from "../vocabulary/manifest.ts";
import type { RelativePath } from "../vocabulary/path.ts";
import type { TarPlacement } from "../vocabulary/tar_placement.ts";

/** What git says about a workspace; all null outside a repository or without git. */
export interface GitProvenance {
  readonly commit: string | null;
  readonly tree: string | null;
  readonly branch: string | null;
  /** Credentials removed. */
  readonly remote: string | null;
  readonly dirty: boolean | null;
  /** `git diff HEAD` of tracked files, bounded; empty when clean. */
  readonly diff: Uint8Array;
}

/** A directory tree to prove something about. Read-only except for `apply`. */
export interface Workspace {
  /** Absolute. */
  readonly root: string;
  /**
   * Streams the tree as a reproducible tar, hashing on the way. After it ended, `manifest()` is known. Names what
   * cannot go in: Failure kind `malformed` (`name_not_utf8`), `denied` (`unreadable`), both listing every path;
   * `workspace_changed` when a file changes while it is read.
   */
  tar(placement: TarPlacement): AsyncIterable<Uint8Array>;
  /** The manifest of what `tar` sent, or a hashing walk of its own if nothing was sent yet. Stable afterwards. */
  manifest(): Promise<Manifest>;
  /** Known once `manifest()` is. */
  skipped(): readonly SkippedEntry[];
  /** By path, undefined when not in the manifest. Known once `manifest()` is. */
  entry(path: string): ManifestEntry | undefined;
  /** Whether the walk leaves a file of this path out, now or when somebody creates it. Known once `manifest()` is. */
  ignores(path: string): boolean;
  /**
   * A file's bytes, checked against the manifest.
   * @throws Failure `workspace_changed` when they differ from what was sent; RangeError past `maxBytes`
   */
  read(path: RelativePath, maxBytes: number): Promise<Uint8Array>;
  provenance(): Promise<GitProvenance>;
  /**
   * Puts changes into the directory, all or nothing: every touched file must still be as in the manifest.
   * @throws Failure `workspace_changed`, with nothing written
   */
  apply(changes: readonly FileChange[]): Promise<void>;
}
