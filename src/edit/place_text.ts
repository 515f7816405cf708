import type { ByteString } from "../vocabulary/patch.ts";
import {
  beginsLine,
  type FileText,
  indentAt,
  indentOf,
  insertLines,
  lineEnd,
  lineStart,
  reindented,
  type Splice,
  withEndings,
} from "./layout.ts";
import { afterItem, beforeItem } from "./list_item.ts";

export interface Asked {
  readonly how:
    | "before"
    | "after"
    | "inside-start"
    | "inside-end"
    | "replace"
    | "list-before"
    | "list-after"
    | "file";
  readonly at: { readonly start: number; readonly end: number };
  /** Whole lines when it ends in a line feed, else a part of a line. */
  readonly text: ByteString;
  readonly language: string;
}

const OPEN = /^[{([]/;

/**
 * A template's text at its place. Whole lines go on lines of their own, indented as what they stand beside.
 * @returns null when other code is on the line, so that there is no place for one
 */
export function place(file: FileText, asked: Asked): Splice[] | null {
  const { how, at, text, language } = asked;
  if (how === "list-after") return afterItem(file, at, text, language);
  if (how === "list-before") return beforeItem(file, at, text);
  if (how === "file") return [insertLines(file, at.start, text)];
  return text.endsWith("\n") ? placeLines(file, asked) : placeInline(file, asked);
}

function placeInline(file: FileText, { how, at, text }: Asked): Splice[] {
  const inner = OPEN.test(file.content[at.start]!) ? 1 : 0;
  const splice = (from: number, to: number): Splice[] => {
    // What was before the text on its line ends there.
    const blanks = /^\r?\n/.test(text) ? /[ \t]*$/.exec(file.content.slice(0, from))![0].length : 0;
    return [{ from: from - blanks, to, text }];
  };
  switch (how) {
    case "before":
      return splice(at.start, at.start);
    case "after":
      return splice(at.end, at.end);
    case "inside-start":
      return splice(at.start + inner, at.start + inner);
    case "inside-end":
      return splice(at.end - inner, at.end - inner);
    default:
      return splice(at.start, at.end);
  }
}

function placeLines(file: FileText, { how, at, text, language }: Asked): Splice[] | null {
  const bracketed = OPEN.test(file.content[at.start]!);
  const lines = (indent: string) => indented(text, indent, file);
  if (how === "inside-start" && bracketed) return insideBrackets(file, at, lines, language);
  if (how === "inside-end" && bracketed) {
    if (!beginsLine(file, at.end - 1)) return insideBrackets(file, at, lines, language);
    return [insertLines(file, lineStart(file, at.end - 1), lines(indentAt(file, at.end - 1) + file.unit))];
  }
  if (!beginsLine(file, at.start)) return null;
  const indent = indentAt(file, at.start);
  if (how === "before" || how === "inside-start") {
    return [insertLines(file, lineStart(file, at.start), lines(indent))];
  }
  const over = lineEnd(file, Math.max(at.start, at.end - 1));
  if (!endsLine(file, at.end, language)) return null;
  if (how === "replace") {
    const from = lineStart(file, at.start), whole = lines(indent);
    const bare = file.content[over - 1] !== "\n";
    return [{ from, to: over, text: (bare ? whole.replace(/\r?\n$/, "") : whole) as ByteString }];
  }
  return [insertLines(file, over, lines(indent))];
}

/** Lines after an opening bracket; brackets with nothing between them are drawn apart. */
function insideBrackets(
  file: FileText,
  at: Asked["at"],
  lines: (indent: string) => ByteString,
  language: string,
): Splice[] | null {
  const own = indentAt(file, at.start);
  const inner = file.content.slice(at.start + 1, at.end - 1);
  if (inner.trim() === "") {
    const text = file.eol + lines(own + file.unit) + own as ByteString;
    return [{ from: at.start + 1, to: at.end - 1, text }];
  }
  if (!endsLine(file, at.start + 1, language)) return null;
  const over = lineEnd(file, at.start);
  const next = /\S/.exec(file.content.slice(over, at.end - 1));
  const indent = next === null ? own + file.unit : indentAt(file, over + next.index);
  return [insertLines(file, over, lines(indent.length > own.length ? indent : own + file.unit))];
}

/** Whether only blanks, a separator and a comment follow on the line. */
function endsLine(file: FileText, from: number, language: string): boolean {
  if (from > 0 && file.content[from - 1] === "\n") return true;
  const rest = file.content.slice(from, lineEnd(file, from));
  return (language === "python" ? /^[ \t]*;?\s*(?:#.*)?\s*$/ : /^[ \t]*[;,]?\s*(?:\/\/.*)?\s*$/).test(rest);
}

function indented(text: ByteString, indent: string, file: FileText): ByteString {
  const plain = text.replaceAll("\r\n", "\n");
  const deep = indentOf(plain.trimStart()) === "" ? reindented(plain, indent, file.unit) : plain;
  return withEndings(deep as ByteString, file.eol);
}
