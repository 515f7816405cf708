import type { FileMode } from "./manifest.ts";
import type { RelativePath } from "./path.ts";

/**
 * Text whose UTF-16 code units are bytes 0..255, so that files in any encoding pass through a patch unharmed.
 * Made by `byteString`, turned back by `bytesOf`; decode for display only.
 */
export type ByteString = string & { readonly __byteString: unique symbol };

/** One line of a hunk without its line feed; a carriage return before the line feed belongs to `text`. */
export interface HunkLine {
  readonly op: " " | "-" | "+";
  readonly text: ByteString;
  /** False for a last line the file does not end with a line feed (`\ No newline at end of file`). */
  readonly newline: boolean;
}

/** Starts are 1-based; a start is the line before the hunk when its count is 0, as in unified diffs. */
export interface Hunk {
  readonly oldStart: number;
  readonly oldCount: number;
  readonly newStart: number;
  readonly newCount: number;
  readonly lines: readonly HunkLine[];
}

/**
 * The change to one file. `oldPath` is null for a created file, `newPath` for a deleted one; both set and
 * different is a rename. Modes are null exactly where the path is.
 */
export interface FilePatch {
  readonly oldPath: RelativePath | null;
  readonly newPath: RelativePath | null;
  readonly oldMode: FileMode | null;
  readonly newMode: FileMode | null;
  readonly hunks: readonly Hunk[];
}

/** A patch in canonical form: files sorted by new (else old) path, each path touched once, hunks in order. */
export interface Patch {
  readonly files: readonly FilePatch[];
}

/** Why a proposal or patch was not taken. `reason` is stable snake_case, `detail` is for people. */
export interface Refusal {
  readonly reason: string;
  readonly path?: string;
  readonly detail: string;
}
