import type { FilePatch, Patch } from "../vocabulary/patch.ts";

export interface FileStats {
  /** The new path, or the old one of a deleted file. */
  readonly path: string;
  readonly change: "created" | "deleted" | "renamed" | "modified";
  readonly additions: number;
  readonly deletions: number;
}

export interface PatchStats {
  readonly files: number;
  readonly additions: number;
  readonly deletions: number;
  readonly perFile: readonly FileStats[];
}

/** Counts files and lines of a patch, in the patch's order. */
export function patchStats(patch: Patch): PatchStats {
  const perFile = patch.files.map(fileStats);
  const sum = (of: (f: FileStats) => number) => perFile.reduce((n, f) => n + of(f), 0);
  return {
    files: perFile.length,
    additions: sum((f) => f.additions),
    deletions: sum((f) => f.deletions),
    perFile,
  };
}

/** Counts the lines of one file of a patch. */
export function fileStats(file: FilePatch): FileStats {
  let additions = 0, deletions = 0;
  for (const hunk of file.hunks) {
    for (const line of hunk.lines) {
      if (line.op === "+") additions++;
      else if (line.op === "-") deletions++;
    }
  }
  const change = file.oldPath === null
    ? "created"
    : file.newPath === null
    ? "deleted"
    : file.oldPath === file.newPath
    ? "modified"
    : "renamed";
  return { path: (file.newPath ?? file.oldPath)!, change, additions, deletions };
}
