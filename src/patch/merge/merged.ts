import type { FileMode } from "../../vocabulary/manifest.ts";
import type { ByteString } from "../../vocabulary/patch.ts";
import type { RelativePath } from "../../vocabulary/path.ts";

/** What becomes of a place that both sides changed: asked of a person, one side, or ours and then theirs. */
export type MergeStrategy = "manual" | "ours" | "theirs" | "union";

/** Why something was not merged by itself. Stable. */
export type ConflictReason =
  /** Both sides changed the same lines, or lines next to each other. */
  | "both_changed"
  /** Both sides created the file, differently. */
  | "both_added"
  /** We deleted what they changed. */
  | "deleted_by_us"
  /** They deleted what we changed. */
  | "deleted_by_them"
  /** Both sides gave the path another mode. */
  | "mode_changed"
  /** NUL bytes: lines mean nothing. */
  | "not_text"
  /** File, link, directory: the sides do not agree on what it is. */
  | "type_changed"
  /** Both sides gave a link another target. */
  | "link_changed"
  /** A file of one side stands where the other has a directory with files. */
  | "path_in_the_way"
  /** More bytes, lines or differences than are merged. */
  | "too_large";

/** One place of one file. Lines hold their line feeds. */
export interface Conflict {
  /** 1-based line of ours where it begins; one past the end for what ours does not have. */
  readonly line: number;
  /** The base's lines; of a place that was narrowed down, those of the whole place. */
  readonly baseLines: readonly ByteString[];
  readonly oursLines: readonly ByteString[];
  readonly theirsLines: readonly ByteString[];
  readonly reason: ConflictReason;
}

/** A file in order: lines that are agreed on, and conflicts by their place in `regions`. */
export type MergePiece =
  | { readonly kind: "agreed"; readonly bytes: ByteString }
  | {
    readonly kind: "conflict";
    readonly index: number;
    /** With its markers. */
    readonly marked: ByteString;
    /** What a line here ends with. */
    readonly eol: "\n" | "\r\n";
  };

export type FileMerge =
  | { readonly clean: true; readonly bytes: Uint8Array }
  | {
    readonly clean: false;
    readonly regions: readonly Conflict[];
    /** The file with `<<<<<<<` markers, as git writes them; ours as it is when there are no lines to mark. */
    readonly marked: Uint8Array;
    /** What `resolveRegions` puts together again. Empty when the file can only be resolved as a whole. */
    readonly pieces: readonly MergePiece[];
  };

/** What stands at a path on one side; null is nothing. */
export type TreeEntry =
  | null
  | { readonly kind: "file"; readonly mode: FileMode; readonly bytes: Uint8Array }
  | { readonly kind: "link"; readonly target: Uint8Array }
  | { readonly kind: "directory" };

/** One path on all three sides. */
export interface ThreeSides {
  readonly path: RelativePath;
  readonly base: TreeEntry;
  readonly ours: TreeEntry;
  readonly theirs: TreeEntry;
}

/** A conflict as it is reported and kept. */
export interface TreeConflict {
  readonly path: RelativePath;
  /** 1-based line of ours; null when it is about the path as a whole. */
  readonly line: number | null;
  readonly reason: ConflictReason;
  /** For people. */
  readonly detail: string;
  /** The lines, where it is about lines. */
  readonly region: Conflict | null;
}

/** What a merge makes of one path. */
export type PathMerge =
  /** Ours stays. */
  | { readonly kind: "unchanged"; readonly path: RelativePath }
  /** Ours gives way to theirs; null is a deletion. */
  | { readonly kind: "theirs"; readonly path: RelativePath; readonly entry: TreeEntry }
  /** Both changed it and it could be put together. */
  | {
    readonly kind: "merged";
    readonly path: RelativePath;
    readonly entry: { readonly kind: "file"; readonly mode: FileMode; readonly bytes: Uint8Array };
  }
  | {
    readonly kind: "conflict";
    readonly path: RelativePath;
    readonly conflicts: readonly TreeConflict[];
    /** The merge of its lines, where it is about lines; what `resolveRegions` takes. */
    readonly file: FileMerge | null;
  };

export interface TreeMerge {
  /** One for each path, in path order. */
  readonly paths: readonly PathMerge[];
  readonly conflicts: readonly TreeConflict[];
  /** No conflicts. */
  readonly clean: boolean;
}

/** How a person ends a conflict. `both` is ours and then theirs. */
export type Resolution = "ours" | "theirs" | "both" | { readonly edited: Uint8Array };
