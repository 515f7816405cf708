import { eastAsianWidth } from "get-east-asian-width";

const ESCAPE = "\x1b";
// deno-lint-ignore no-control-regex -- colours are control characters
const COLOURS = /\x1b\[[0-9;]*m/g;
const COLOUR = /^\[[0-9;]*m/;
/** What ends a colour of ours, and boldness. */
const ENDS: readonly string[] = ["[39m", "[22m"];
const RESET = "\x1b[0m";
const TAB = "→   ";

/**
 * Breaks a line into rows of a terminal, so that nothing of it is out of sight: full-width characters take two cells,
 * combining ones none, colours go on in the next row.
 * @param line printable, on one line, perhaps with our own colours
 */
export function rowsOf(line: string, columns: number): string[] {
  const rows: string[] = [];
  let row = "", used = 0, open = "";
  const text = line.replaceAll("\t", TAB);
  for (let i = 0; i < text.length;) {
    const code = text[i] === ESCAPE ? COLOUR.exec(text.slice(i + 1, i + 12))?.[0] : undefined;
    if (code !== undefined) {
      open = ENDS.includes(code) ? "" : open + ESCAPE + code;
      row += ESCAPE + code;
      i += 1 + code.length;
      continue;
    }
    const point = text.codePointAt(i)!;
    const character = String.fromCodePoint(point);
    const cells = cellsOf(character, point);
    if (used + cells > columns && used > 0) {
      rows.push(open === "" ? row : row + RESET);
      [row, used] = [open, 0];
    }
    row += character;
    used += cells;
    i += character.length;
  }
  rows.push(open === "" ? row : row + RESET);
  return rows;
}

/** The first row of a line, with a mark where there is more. */
export function firstRow(line: string, columns: number): string {
  const rows = rowsOf(line, columns);
  if (rows.length === 1) return rows[0]!;
  return `${rowsOf(line, columns - 1)[0]}…`;
}

/** A line of a list as one row of a terminal; null leaves it whole. */
export function oneRow(line: string, columns: number | null): string {
  return columns === null ? line : firstRow(line, columns);
}

/**
 * A row of a list. On a terminal it takes one row: first the text gives way, with a mark, then the tail is left out.
 * @param columns of the terminal; null gives the whole line
 */
export function listRow(head: string, text: string, tail: string, columns: number | null): string {
  if (columns === null) return head + text + tail;
  const room = columns - cellsIn(head) - cellsIn(tail);
  if (cellsIn(text) <= room) return head + text + tail;
  return room < LEAST_TEXT ? firstRow(head + text, columns) : head + firstRow(text, room) + tail;
}

/** Cells of a text that is worth a tail after it. */
const LEAST_TEXT = 16;

function cellsIn(line: string): number {
  return [...line.replaceAll("\t", TAB).replaceAll(COLOURS, "")]
    .reduce((sum, character) => sum + cellsOf(character, character.codePointAt(0)!), 0);
}

function cellsOf(character: string, point: number): number {
  return /\p{M}/u.test(character) ? 0 : eastAsianWidth(point);
}
