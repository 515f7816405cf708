import type { ByteString } from "../vocabulary/patch.ts";
import { beginsLine, type FileText, indentAt, lineEnd, lineStart, type Splice } from "./layout.ts";

/** Languages whose comments run from # to the end of the line; in the others from //, or between the stars. */
const HASH_COMMENTS = new Set(["python", "ruby", "bash", "powershell"]);

interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Adds an item to a comma-separated list after one of its items, as the list is written: beside it, or, where that item
 * has a line of its own, on a line below any comment, and with a comma at the end where there was one.
 */
export function afterItem(file: FileText, item: Range, text: ByteString, language: string): Splice[] {
  const { content, eol } = file;
  const at = (offset: number, part: string): Splice => ({
    from: offset,
    to: offset,
    text: part as ByteString,
  });
  const next = pastBlanks(file, item.end, language);
  const comma = content[next] === ",";
  const end = comma ? next + 1 : item.end;
  if (!ownLine(file, item.start)) return [at(end, comma ? ` ${text},` : `, ${text}`)];
  const indent = indentAt(file, item.start);
  const lineOver = lineEnd(file, end), rest = pastBlanks(file, end, language);
  // Something else follows on the line: the closing bracket, or another item.
  if (rest < lineOver) return [comma ? at(end, ` ${text},`) : at(end, `,${eol}${indent}${text}`)];
  if (comma) return [at(lineOver, `${indent}${text},${eol}`)];
  return [at(end, ","), at(lineOver, `${indent}${text}${eol}`)];
}

/** The same before one of its items. */
export function beforeItem(file: FileText, item: Range, text: ByteString): Splice[] {
  const own = ownLine(file, item.start);
  const from = own ? lineStart(file, item.start) : item.start;
  const written = own ? `${indentAt(file, item.start)}${text},${file.eol}` : `${text}, `;
  return [{ from, to: from, text: written as ByteString }];
}

/** First on a line of its own, and not because the line before was continued by a backslash. */
function ownLine(file: FileText, at: number): boolean {
  if (!beginsLine(file, at)) return false;
  return !/\\\r?\n$/.test(file.content.slice(Math.max(0, lineStart(file, at) - 3), lineStart(file, at)));
}

function pastBlanks({ content }: FileText, from: number, language: string): number {
  const comment = HASH_COMMENTS.has(language) ? /[\s\\]+|#[^\n]*/y : /\s+|\/\/[^\n]*|\/\*[^]*?\*\//y;
  let at = from;
  for (comment.lastIndex = at; comment.test(content); at = comment.lastIndex);
  return at;
}
