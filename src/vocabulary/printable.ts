import type { Refusal } from "./patch.ts";

/**
 * What a terminal or a page obeys, hides or reorders instead of showing: control characters, format characters (all
 * bidirectional and zero-width ones, tags), line and paragraph separators, fillers without a glyph, lone surrogates.
 */
const UNPRINTABLE =
  /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2060-\u206f\u2800\u3164\uffa0\u{e0000}-\u{e007f}]/gu;

const MAX_PATH_SHOWN = 1_000;

/**
 * Makes hostile text harmless for a terminal or a page of text: every character that is obeyed or not seen becomes a
 * visible `\u{…}` escape. Line feeds and tabs stay.
 */
export function printable(text: string): string {
  // The classes above take some milliseconds to get ready, which plain text does not need.
  if (/^[\n\t\x20-\x7e]*$/.test(text)) return text;
  return text.replace(UNPRINTABLE, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

/** The same on one line: line feeds and tabs are escaped too. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/**
 * A path on one line. Backslashes are doubled, so that what looks like an escape is one; of a very long path the
 * middle is left out.
 */
export function printablePath(path: string): string {
  const half = MAX_PATH_SHOWN / 2;
  const cut = path.length <= MAX_PATH_SHOWN ? path : `${path.slice(0, half)}…${path.slice(-half)}`;
  // A cut may have halved a pair; a replacement character then says so.
  return printableLine((cut === path ? path : cut.toWellFormed()).replaceAll("\\", "\\\\"));
}

/** What was refused and why, on one line; both may be hostile. The path is not said twice. */
export function refusalText({ path, detail }: Pick<Refusal, "path" | "detail">): string {
  const text = printableLine(detail);
  return path === undefined || isNamedIn(text, printablePath(path))
    ? text
    : `${printablePath(path)}: ${text}`;
}

/** A path that could be a word of the sentence does not count as named by it. */
function isNamedIn(text: string, path: string): boolean {
  if (!/[./]/.test(path)) return false;
  return text.startsWith(`${path} `) || text.endsWith(` ${path}`) || text.includes(` ${path}: `);
}

/** A short text in quotes, as in JSON, at most `max` characters of it and then a mark. */
export function quoted(text: string, max: number): string {
  const points = [...text.slice(0, 2 * max + 2)];
  return printableLine(JSON.stringify(points.length > max ? `${points.slice(0, max - 1).join("")}…` : text));
}
