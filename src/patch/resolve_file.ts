import type { ByteString } from "../vocabulary/patch.ts";
import { learnIndentation } from "./indentation.ts";
import { diffLines } from "./line_diff.ts";
import { splitLines } from "./lines.ts";
import { type Budget, type Placed, SearchableLines } from "./match.ts";
import type { LooseHunk, Notes } from "./proposal.ts";
import { refuse, type Refused } from "./refusal.ts";

/** Lines `start` to `end` of the file give way to `add`. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly add: readonly ByteString[];
  readonly loose: boolean;
  /** Loose, and nothing in the hunk speaks of a missing last line feed. */
  readonly endUnsaid: boolean;
}

/**
 * The new content of a file after loosely written hunks: each in exactly one place, all lines they do not change
 * kept byte for byte, added lines in the file's own line endings.
 */
export function applyLoosely(
  content: ByteString,
  hunks: readonly LooseHunk[],
  path: string,
  budget: Budget,
  notes: Notes,
): ByteString | Refused {
  const lines = splitLines(content), searchable = new SearchableLines(lines, budget);
  const replacements: Replacement[] = [];
  for (const hunk of hunks) {
    const placed = searchable.place(hunk);
    if (typeof placed === "string") return misplaced(placed, hunk, path);
    if (placed.at !== hunk.at) notes.add("line_numbers_corrected");
    if (placed.drift !== "none") notes.add("whitespace_ignored");
    if (placed.hunk !== hunk) notes.add("prose_ignored");
    replacements.push(...replace(placed, lines, notes));
  }
  replacements.sort((a, b) => a.start - b.start || a.end - b.end);
  for (let i = 1; i < replacements.length; i++) {
    const before = replacements[i - 1]!, next = replacements[i]!;
    if (next.start < before.end || next.start === before.start) {
      return refuse("hunks_overlap", `two changes meet at line ${next.start + 1} of ${path}`, path);
    }
  }
  return rebuild(content, lines, replacements);
}

function misplaced(
  why: "not_found" | "ambiguous" | "too_much_work",
  hunk: LooseHunk,
  path: string,
): Refused {
  const first = hunk.old.find((l) => l.trim() !== "")?.trim().slice(0, 60);
  const what = first === undefined ? "a change without context" : `the change near ${JSON.stringify(first)}`;
  if (why === "ambiguous") {
    return refuse("hunk_ambiguous", `${what} fits more than one place of ${path}`, path);
  }
  if (why === "not_found") return refuse("hunk_not_found", `${what} fits no place of ${path}`, path);
  return refuse("too_large", `finding the place of ${what} in ${path} takes too long`, path);
}

function replace(placed: Placed, lines: readonly ByteString[], notes: Notes): Replacement[] {
  const { hunk, at, drift } = placed;
  const adapt = drift === "all_spaces"
    ? learnIndentation(hunk.old.map((proposed, i) => ({ proposed, actual: lines[at + i]! })))
    : (raw: ByteString) => raw;
  const loose = drift !== "none";
  const endUnsaid = loose && [...hunk.old, ...hunk.new].every((l) => l.endsWith("\n"));
  return diffLines(hunk.old, hunk.new).map((edit) => {
    const written = hunk.new.slice(edit.newStart, edit.newEnd), add = written.map(adapt);
    if (add.some((l, i) => l !== written[i])) notes.add("indentation_adjusted");
    return { start: at + edit.oldStart, end: at + edit.oldEnd, add, loose, endUnsaid };
  });
}

function rebuild(
  content: ByteString,
  lines: readonly ByteString[],
  replacements: readonly Replacement[],
): ByteString {
  const eol = endOfLine(lines);
  const out: string[] = [];
  let at = 0;
  for (const { start, end, add, loose } of replacements) {
    for (; at < start; at++) out.push(lines[at]!);
    for (const line of add) out.push(withEnding(line, eol, loose));
    at = end;
  }
  const tail = replacements[replacements.length - 1];
  const endsInLoose = tail !== undefined && tail.endUnsaid && tail.end === lines.length &&
    tail.add.length > 0;
  for (; at < lines.length; at++) out.push(lines[at]!);
  const last = out.length - 1;
  for (let i = 0; i < last; i++) if (!out[i]!.endsWith("\n")) out[i] += eol === "mixed" ? "\n" : eol;
  if (endsInLoose && content !== "") {
    // A loosely matched end says nothing certain about the last line feed: the file's own habit stays.
    const bare = out[last]!.replace(/\r?\n$/, "");
    out[last] = content.endsWith("\n") ? bare + (eol === "mixed" ? "\n" : eol) : bare;
  }
  return out.join("") as ByteString;
}

type EndOfLine = "\r\n" | "\n" | "mixed";

/** The ending all lines of a file share; `mixed` when they do not. */
export function endOfLine(lines: readonly ByteString[]): EndOfLine {
  let crlf = 0, lf = 0;
  for (const line of lines) {
    if (line.endsWith("\r\n")) crlf++;
    else if (line.endsWith("\n")) lf++;
  }
  return crlf > 0 && lf === 0 ? "\r\n" : crlf === 0 ? "\n" : "mixed";
}

/**
 * A line with the file's ending. A last line without one and lines of mixed files stay as they are, and so does a
 * carriage return that an otherwise exact change brings into a file of line feeds.
 */
function withEnding(raw: ByteString, eol: EndOfLine, loose: boolean): ByteString {
  if (eol === "mixed" || !raw.endsWith("\n") || eol === "\n" && !loose) return raw;
  return (raw.replace(/\r?\n$/, "") + eol) as ByteString;
}

/** A whole new content in the habits of the file it replaces: line endings, and the last line feed. */
export function inHabitOf(content: ByteString, old: ByteString): ByteString {
  if (old === "") return content;
  const eol = endOfLine(splitLines(old));
  const adapted = splitLines(content).map((l) => withEnding(l, eol, true)).join("");
  return (old.endsWith("\n") ? adapted : adapted.replace(/\r?\n$/, "")) as ByteString;
}
