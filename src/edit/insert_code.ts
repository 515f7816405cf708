import { SearchableLines } from "../patch/match.ts";
import { splitLines } from "../patch/lines.ts";
import type { ParsedSource } from "../syntax/tree.ts";
import type { Anchor, EditRefused, Position } from "./edit.ts";
import {
  encoded,
  type FileText,
  indentAt,
  indentOf,
  insertLines,
  lineEnd,
  lineStart,
  reindented,
} from "./layout.ts";
import { linesText, MAX_PLACES, refused } from "./refusal.ts";
import type { Splices } from "./replace_code.ts";
import { findSymbol } from "./symbols.ts";

const MAX_COMPARISONS = 10_000_000;

/** Reads `start`, `end`, `before:ANCHOR`, `after:ANCHOR`; undefined for anything else. */
export function parsePosition(text: string): Position | undefined {
  if (text === "start" || text === "end") return { at: text };
  const split = /^(before|after):([^]+)$/.exec(text);
  if (split === null) return undefined;
  return { at: split[1] as "before" | "after", anchor: parseAnchor(split[2]!) };
}

/** Reads `line:12`, `symbol:Foo.bar`; anything else, also after `text:`, is the text of a line. */
export function parseAnchor(text: string): Anchor {
  const line = /^line:([1-9]\d{0,8})$/.exec(text);
  if (line) return { kind: "line", line: Number(line[1]) };
  if (text.startsWith("symbol:")) return { kind: "symbol", name: text.slice("symbol:".length) };
  return { kind: "text", text: text.startsWith("text:") ? text.slice("text:".length) : text };
}

/**
 * Puts whole lines at a place. Beside an anchor the code is indented as the anchor is, or, after a line that opens a
 * block, as what stands in the block; at the start it goes below a `#!` line.
 * @param parsed the file's tree, asked for only by a symbol
 * @returns what to change, or `anchor_not_found`, `anchor_ambiguous` with all places, `anchor_past_end`,
 *   `syntax_unknown`, `encoding_unknown`, `code_empty`
 */
export async function insertCode(
  file: FileText,
  position: Position,
  code: string,
  parsed: () => Promise<ParsedSource>,
): Promise<Splices | EditRefused> {
  const { path, content } = file;
  if (code === "") return refused("code_empty", "there is no code to insert", path);
  const lines = code.replaceAll("\r\n", "\n").replace(/\n?$/, "\n");
  let at: number, text: string;
  if (!("anchor" in position)) {
    at = position.at === "start" ? startOfCode(file) : content.length;
    text = lines;
  } else {
    const range = await findAnchor(file, position.anchor, parsed);
    if ("ok" in range) return range;
    at = position.at === "before"
      ? lineStart(file, range.from)
      : lineEnd(file, Math.max(range.from, range.to - 1));
    const indent = position.at === "after" && position.anchor.kind !== "symbol"
      ? indentBelow(file, range.from, at)
      : indentAt(file, range.from);
    text = reindented(lines, indent, file.unit);
  }
  const bytes = encoded(file, text);
  if (bytes === null) {
    return refused("encoding_unknown", `${path} is not UTF-8, and the code is not ASCII`, path);
  }
  return { splices: [insertLines(file, at, bytes)], notes: [] };
}

/** Past a `#!` line. */
export function startOfCode(file: FileText): number {
  return file.content.startsWith("#!") ? lineEnd(file, 0) : 0;
}

/** Indentation for what follows a line that ends at an offset. */
function indentBelow(file: FileText, from: number, end: number): string {
  const own = indentAt(file, from);
  const line = file.content.slice(lineStart(file, Math.max(from, end - 1)), end).trimEnd();
  if (!/[:{([]$/.test(line)) return own;
  for (let at = end; at < file.content.length; at = lineEnd(file, at)) {
    const next = file.content.slice(at, lineEnd(file, at));
    if (next.trim() === "") continue;
    const indent = indentOf(next);
    return indent.length > own.length && indent.startsWith(own) ? indent : own + file.unit;
  }
  return own + file.unit;
}

interface ByteRange {
  readonly from: number;
  readonly to: number;
}

async function findAnchor(
  file: FileText,
  anchor: Anchor,
  parsed: () => Promise<ParsedSource>,
): Promise<ByteRange | EditRefused> {
  const { path, lines } = file;
  if (anchor.kind === "symbol") return symbolRange(file, anchor.name, await parsed());
  if (anchor.kind === "line") {
    if (anchor.line < 1 || anchor.line > lines.length) {
      return refused(
        "anchor_past_end",
        `${path} has ${lines.length} lines, and no line ${anchor.line}`,
        path,
      );
    }
    return linesRange(anchor.line - 1, 1);
  }
  const wanted = encoded(file, anchor.text.replace(/(?:\r?\n)?$/, "\n"));
  if (wanted === null || wanted.trim() === "") {
    return refused("anchor_not_found", `the anchor is no line of ${path}`, path);
  }
  const asLines = splitLines(wanted), budget = { left: MAX_COMPARISONS };
  const places = new SearchableLines(lines, budget).places(asLines, MAX_PLACES + 1);
  if (budget.left < 0) return refused("too_large", `finding the anchor in ${path} takes too long`, path);
  if (places.length === 0) return refused("anchor_not_found", `the anchor is no line of ${path}`, path);
  if (places.length > 1) return ambiguous(file, places.map((line) => line + 1));
  return linesRange(places[0]!, asLines.length);

  function linesRange(first: number, count: number): ByteRange {
    const from = lines.slice(0, first).join("").length;
    return { from, to: from + lines.slice(first, first + count).join("").length };
  }
}

function symbolRange(file: FileText, name: string, parsed: ParsedSource): ByteRange | EditRefused {
  const { path } = file;
  if (!parsed.ok) {
    return refused("syntax_unknown", `${path} has no tree to find ${name} in: ${parsed.reason}`, path);
  }
  const found = findSymbol(parsed.root, parsed.text, name);
  if (found.length === 0) {
    return refused("anchor_not_found", `${path} defines no function or class ${name}`, path);
  }
  if (found.length > 1) return ambiguous(file, found.map(({ line }) => line));
  const { text } = parsed, { start, end } = found[0]!;
  const bytes = (part: string) => new TextEncoder().encode(part).length;
  if (bytes(text) !== file.content.length) {
    return refused("syntax_unknown", `${path} is not UTF-8; places of its tree cannot be found in it`, path);
  }
  return { from: bytes(text.slice(0, start)), to: bytes(text.slice(0, end)) };
}

function ambiguous({ path }: FileText, places: readonly number[]): EditRefused {
  return refused(
    "anchor_ambiguous",
    `the anchor fits several places of ${path}: ${linesText(places)}`,
    path,
    places,
  );
}
