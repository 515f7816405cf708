import type { Hunk, HunkLine, Patch } from "../../src/vocabulary/patch.ts";
import { sortFiles } from "../../src/patch/diff.ts";

/** The patch that undoes `patch`. Of a canonical patch it is canonical, and reversing twice gives it back. */
export function reversePatch(patch: Patch): Patch {
  return {
    files: sortFiles(patch.files.map((f) => ({
      oldPath: f.newPath,
      newPath: f.oldPath,
      oldMode: f.newMode,
      newMode: f.oldMode,
      hunks: f.hunks.map(reverseHunk),
    }))),
  };
}

function reverseHunk(hunk: Hunk): Hunk {
  const lines: HunkLine[] = [];
  let added: HunkLine[] = [];
  for (const line of hunk.lines) {
    if (line.op === "+") lines.push({ ...line, op: "-" });
    else if (line.op === "-") added.push({ ...line, op: "+" });
    else {
      lines.push(...added, line);
      added = [];
    }
  }
  lines.push(...added);
  return {
    oldStart: hunk.newStart,
    oldCount: hunk.newCount,
    newStart: hunk.oldStart,
    newCount: hunk.oldCount,
    lines,
  };
}
