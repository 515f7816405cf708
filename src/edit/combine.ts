import type { ByteString } from "../vocabulary/patch.ts";
import type { EditRefused } from "./edit.ts";
import { type FileText, isWholeLines, lineNumber, type Splice } from "./layout.ts";
import { refused } from "./refusal.ts";

/** A splice and the edit it comes from. */
export interface Placed extends Splice {
  readonly edit: number;
}

/**
 * A file's content after the splices of all edits. Whole lines that several edits put at one place stay in the order of
 * the edits; anything else that meets is refused: `edits_overlap`.
 */
export function rewritten(
  file: FileText,
  splices: readonly Placed[],
): { readonly content: ByteString } | EditRefused {
  const sorted = splices.map((splice, order) => ({ ...splice, order })).sort((a, b) =>
    a.from - b.from || a.to - b.to || a.edit - b.edit || a.order - b.order
  );
  const parts: string[] = [];
  let at = 0;
  for (const [i, splice] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before !== undefined && clash(file, before, splice)) {
      const { edit } = splice.edit > before.edit ? splice : before;
      const other = Math.min(splice.edit, before.edit);
      const made = refused(
        "edits_overlap",
        `edits ${other + 1} and ${edit + 1} both change line ${
          lineNumber(file, splice.from)
        } of ${file.path}`,
        file.path,
        [lineNumber(file, splice.from)],
      );
      return { ...made, refusal: { ...made.refusal, edit } };
    }
    parts.push(file.content.slice(at, splice.from), splice.text);
    at = splice.to;
  }
  parts.push(file.content.slice(at));
  return { content: parts.join("") as ByteString };
}

function clash(file: FileText, before: Placed, next: Placed): boolean {
  if (before.to > next.from) return true;
  if (before.edit === next.edit || before.to < next.from) return false;
  // They touch. Whole lines can stand beside anything that ends or begins with a line.
  const inserts = before.from === before.to || next.from === next.to;
  return inserts && !(isWholeLines(file, before) || isWholeLines(file, next));
}
