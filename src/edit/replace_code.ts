import { splitLines } from "../patch/lines.ts";
import { SearchableLines } from "../patch/match.ts";
import { applyLoosely } from "../patch/resolve_file.ts";
import type { ByteString } from "../vocabulary/patch.ts";
import type { EditRefused } from "./edit.ts";
import { encoded, type FileText, lineNumber, type Splice, withEndings } from "./layout.ts";
import { linesText, MAX_PLACES, refused } from "./refusal.ts";

/** Line comparisons spent on one edit. */
const MAX_COMPARISONS = 10_000_000;

export type Splices = { readonly splices: readonly Splice[]; readonly notes: readonly string[] };

/**
 * Old code gives way to new. The old code is looked for as whole lines first, exactly, then ignoring blanks at line
 * ends, then ignoring all differences of blanks, as the hunks of a proposal are; then as a part of a line. It must be
 * in exactly one place under the strictest comparison that finds any.
 * @returns what to change, or `old_code_empty`, `old_code_not_found`, `old_code_ambiguous` with all places,
 *   `encoding_unknown`, `too_large`
 */
export function replaceCode(file: FileText, oldCode: string, newCode: string): Splices | EditRefused {
  const { path } = file;
  if (oldCode.trim() === "") return refused("old_code_empty", "there is no old code to look for", path);
  const old = encoded(file, oldCode), next = encoded(file, newCode);
  if (old === null || next === null) {
    return refused("encoding_unknown", `${path} is not UTF-8, and the code is not ASCII`, path);
  }
  const wanted = ended(splitLines(old));
  const budget = { left: MAX_COMPARISONS }, searchable = new SearchableLines(file.lines, budget);
  const places = searchable.places(wanted, MAX_PLACES + 1);
  if (budget.left < 0) {
    return refused("too_large", `finding the old code in ${path} takes too long`, path);
  }
  if (places.length > 1) return ambiguous(path, places.map((line) => line + 1));
  if (places.length === 0) return withinLine(file, old, next);
  const notes = new Set<string>();
  const content = applyLoosely(
    file.content,
    [{ at: null, old: wanted, new: next === "" ? [] : ended(splitLines(next)) }],
    path,
    { left: MAX_COMPARISONS },
    notes,
  );
  if (typeof content !== "string") return content;
  const before = file.lines.slice(0, places[0]!).join("").length;
  const after = file.lines.slice(places[0]! + wanted.length).join("").length;
  notes.delete("line_numbers_corrected");
  return {
    splices: [{
      from: before,
      to: file.content.length - after,
      text: content.slice(before, content.length - after) as ByteString,
    }],
    notes: [...notes],
  };

  /** Code is meant as whole lines, whether its last one ends in a line feed or not. */
  function ended(lines: ByteString[]): ByteString[] {
    return lines.map((line) => line.endsWith("\n") ? line : line + file.eol as ByteString);
  }
}

function withinLine(file: FileText, old: ByteString, next: ByteString): Splices | EditRefused {
  const { content, path } = file;
  for (const text of new Set([old, withEndings(old, "\n"), withEndings(old, "\r\n")])) {
    const found: number[] = [];
    for (let at = content.indexOf(text); at >= 0 && found.length <= MAX_PLACES;) {
      found.push(at);
      at = content.indexOf(text, at + 1);
    }
    if (found.length > 1) return ambiguous(path, found.map((at) => lineNumber(file, at)));
    if (found.length === 1) {
      return { splices: [{ from: found[0]!, to: found[0]! + text.length, text: next }], notes: [] };
    }
  }
  return refused("old_code_not_found", `the old code is in no place of ${path}`, path);
}

function ambiguous(path: string, places: readonly number[]): EditRefused {
  return refused(
    "old_code_ambiguous",
    `the old code is in several places of ${path}: ${linesText([...new Set(places)])}; give more lines of it`,
    path,
    [...new Set(places)],
  );
}
