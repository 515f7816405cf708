import { byteStringOfText, strictText } from "../patch/bytes.ts";
import { splitLines } from "../patch/lines.ts";
import { endOfLine } from "../patch/resolve_file.ts";
import type { ByteString } from "../vocabulary/patch.ts";

/** Part of a file that gives way to other bytes; an insertion when it is empty. */
export interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: ByteString;
}

/** A file's bytes, less a byte order mark, with the habits new code in it has to follow. Offsets are of bytes. */
export interface FileText {
  readonly path: string;
  readonly content: ByteString;
  readonly lines: readonly ByteString[];
  readonly eol: "\n" | "\r\n";
  /** One step of indentation. */
  readonly unit: string;
}

const DEFAULT_UNIT = "    ";

/** Looks at a file's habits. */
export function fileText(path: string, content: ByteString): FileText {
  const lines = splitLines(content), eol = endOfLine(lines);
  return { path, content, lines, eol: eol === "mixed" ? "\n" : eol, unit: unitOf(lines) };
}

/** The commonest step from a line to a deeper one below it. */
function unitOf(lines: readonly string[]): string {
  const steps = new Map<string, number>();
  let above = "";
  for (const line of lines) {
    if (line.trim() === "") continue;
    const indent = indentOf(line);
    if (indent.length > above.length && indent.startsWith(above)) {
      const step = indent.slice(above.length);
      if (step === "\t" || /^ {2,8}$/.test(step)) steps.set(step, (steps.get(step) ?? 0) + 1);
    }
    above = indent;
  }
  let best = DEFAULT_UNIT, most = 0;
  for (const [step, count] of steps) {
    if (count > most) {
      best = step;
      most = count;
    }
  }
  return best;
}

/** The blanks a line begins with. */
export function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)![0];
}

/** Offset of the line that an offset is in. */
export function lineStart({ content }: FileText, at: number): number {
  return at === 0 ? 0 : content.lastIndexOf("\n", at - 1) + 1;
}

/** Offset just past the line feed of the line that an offset is in. */
export function lineEnd({ content }: FileText, at: number): number {
  const feed = content.indexOf("\n", at);
  return feed < 0 ? content.length : feed + 1;
}

/** Indentation of the line that an offset is in. */
export function indentAt(file: FileText, at: number): string {
  const from = lineStart(file, at);
  return indentOf(file.content.slice(from, lineEnd(file, at)));
}

/** 1-based line of an offset. */
export function lineNumber({ content }: FileText, at: number): number {
  let line = 1;
  for (let i = content.indexOf("\n"); i >= 0 && i < at; i = content.indexOf("\n", i + 1)) line++;
  return line;
}

/** Whether nothing but blanks stands before an offset on its line. */
export function beginsLine(file: FileText, at: number): boolean {
  return file.content.slice(lineStart(file, at), at).trim() === "";
}

/** Text as bytes of the file, with its line endings; null when it has characters the file's encoding is unknown for. */
export function encoded(file: FileText, text: string): ByteString | null {
  // deno-lint-ignore no-control-regex
  if (/[^\x00-\x7f]/.test(text) && strictText(file.content) === undefined) return null;
  return withEndings(byteStringOfText(text), file.eol);
}

/** The same bytes with one kind of line ending. */
export function withEndings(text: ByteString, eol: string): ByteString {
  return text.replace(/\r?\n/g, eol) as ByteString;
}

/** What all lines of some code that are not blank begin with is taken off; each is indented anew. */
export function reindented(code: string, indent: string, unit: string): string {
  const lines = code.split("\n");
  const common = lines.filter((line) => line.trim() !== "").map(indentOf).reduce<string | null>(
    (shared, next) => {
      if (shared === null) return next;
      let n = 0;
      while (n < shared.length && shared[n] === next[n]) n++;
      return shared.slice(0, n);
    },
    null,
  ) ?? "";
  const own = lines.map((line) => line.trim() === "" ? line.trimStart() : line.slice(common.length));
  const convert = stepConversion(own, unit);
  return own.map((line) => line.trim() === "" ? line : indent + convert(line)).join("\n");
}

/** Tabs for spaces, or spaces for tabs, where code and file differ in that. */
function stepConversion(lines: readonly string[], unit: string): (line: string) => string {
  const indents = lines.map(indentOf).filter((indent) => indent !== "");
  if (unit !== "\t" && indents.every((indent) => /^\t+$/.test(indent))) {
    return (line) => unit.repeat(indentOf(line).length) + line.slice(indentOf(line).length);
  }
  const step = Math.min(...indents.map((indent) => indent.length));
  const spaced = indents.every((indent) => /^ +$/.test(indent) && indent.length % step === 0);
  if (unit === "\t" && indents.length > 0 && spaced) {
    return (line) => "\t".repeat(indentOf(line).length / step) + line.slice(indentOf(line).length);
  }
  return (line) => line;
}

/** Whole lines at the start of a line or at the end of the file, which may lack its last line feed. */
export function insertLines(file: FileText, at: number, text: ByteString): Splice {
  const lines = (text === "" || text.endsWith("\n") ? text : text + file.eol) as ByteString;
  if (at > 0 && file.content[at - 1] !== "\n") {
    // The file keeps its habit of ending without a line feed.
    return { from: at, to: at, text: file.eol + lines.replace(/\r?\n$/, "") as ByteString };
  }
  return { from: at, to: at, text: lines };
}

/** Whether a splice puts whole lines between lines. */
export function isWholeLines(file: FileText, { from, to, text }: Splice): boolean {
  if (from !== to) return false;
  if (from === 0 || file.content[from - 1] === "\n") return text.endsWith("\n");
  return from === file.content.length && text.startsWith(file.eol);
}
