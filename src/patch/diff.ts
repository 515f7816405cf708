import type { ByteString, FilePatch, Hunk, HunkLine, Patch } from "../vocabulary/patch.ts";
import { comparePaths, type RelativePath } from "../vocabulary/path.ts";
import type { FileState } from "./apply.ts";
import { byteString } from "./bytes.ts";
import { diffLines, type Edit } from "./line_diff.ts";
import { hunkLine, splitLines } from "./lines.ts";

const CONTEXT = 3;

/** One file before and after. `old` is null exactly when `oldPath` is (created), likewise `new` (deleted). */
export interface FilePair {
  readonly oldPath: RelativePath | null;
  readonly old: FileState | null;
  readonly newPath: RelativePath | null;
  readonly new: FileState | null;
}

/**
 * The canonical patch from each old state to its new one: three lines of context, files sorted, files that do not
 * change left out. Deterministic; time and size are bounded as `diffLines` says.
 */
export function diffFiles(pairs: readonly FilePair[]): Patch {
  const files: FilePatch[] = [];
  for (const pair of pairs) {
    const oldContent = pair.old ? byteString(pair.old.bytes) : "" as ByteString;
    const newContent = pair.new ? byteString(pair.new.bytes) : "" as ByteString;
    const same = oldContent === newContent;
    if (same && pair.oldPath === pair.newPath && pair.old?.mode === pair.new?.mode) continue;
    files.push({
      oldPath: pair.oldPath,
      newPath: pair.newPath,
      oldMode: pair.old?.mode ?? null,
      newMode: pair.new?.mode ?? null,
      hunks: same ? [] : diffHunks(splitLines(oldContent), splitLines(newContent)),
    });
  }
  return { files: sortFiles(files) };
}

/** Files of a patch in canonical order: by new path, else old. */
export function sortFiles(files: readonly FilePatch[]): FilePatch[] {
  return [...files].sort((x, y) => comparePaths((x.newPath ?? x.oldPath)!, (y.newPath ?? y.oldPath)!));
}

/** Canonical hunks between two files given as lines with their line feeds. */
export function diffHunks(oldLines: readonly ByteString[], newLines: readonly ByteString[]): Hunk[] {
  const hunks: Hunk[] = [];
  let group: Edit[] = [];
  for (const edit of diffLines(oldLines, newLines)) {
    const last = group[group.length - 1];
    if (last && edit.oldStart - last.oldEnd > 2 * CONTEXT) {
      hunks.push(makeHunk(group, oldLines, newLines));
      group = [];
    }
    group.push(edit);
  }
  if (group.length > 0) hunks.push(makeHunk(group, oldLines, newLines));
  return hunks;
}

function makeHunk(
  edits: readonly Edit[],
  oldLines: readonly ByteString[],
  newLines: readonly ByteString[],
): Hunk {
  const first = edits[0]!, last = edits[edits.length - 1]!;
  const lead = Math.min(CONTEXT, first.oldStart), trail = Math.min(CONTEXT, oldLines.length - last.oldEnd);
  const from = first.oldStart - lead, to = last.oldEnd + trail;
  const lines: HunkLine[] = [];
  const take = (op: HunkLine["op"], source: readonly ByteString[], start: number, end: number) => {
    for (let i = start; i < end; i++) lines.push(hunkLine(op, source[i]!));
  };
  let at = from;
  for (const edit of edits) {
    take(" ", oldLines, at, edit.oldStart);
    take("-", oldLines, edit.oldStart, edit.oldEnd);
    take("+", newLines, edit.newStart, edit.newEnd);
    at = edit.oldEnd;
  }
  take(" ", oldLines, at, to);
  const newFrom = first.newStart - lead, newTo = last.newEnd + trail;
  return {
    oldStart: to > from ? from + 1 : from,
    oldCount: to - from,
    newStart: newTo > newFrom ? newFrom + 1 : newFrom,
    newCount: newTo - newFrom,
    lines,
  };
}
