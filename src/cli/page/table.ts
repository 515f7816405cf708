import { columnsOf, wrapWords } from "./wrap.ts";

const GAP = "  ";
/** A column narrower than this is not worth reading. */
const NARROWEST = 12;

/**
 * A table in columns that fit the width; where they would be too narrow, one block a row: its first cell, and the
 * others below it with their headings.
 */
export function tableLines(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly string[] {
  const widths = fittingWidths([header, ...rows], width);
  if (widths === null) return rows.flatMap((row) => [...blockLines(header, row, width), ""]).slice(0, -1);
  const rule = widths.map((n) => "-".repeat(n)).join(GAP);
  return [...rowLines(header, widths), rule, ...rows.flatMap((row) => rowLines(row, widths))];
}

/** Takes from the widest column until all fit; null when one would get too narrow, or a word would not fit. */
function fittingWidths(rows: readonly (readonly string[])[], width: number): readonly number[] | null {
  const columns = rows[0]!.map((_, i) => rows.map((row) => row[i] ?? ""));
  const widths = columns.map((cells) => Math.max(...cells.map(columnsOf), 1));
  const least = columns.map((cells) => Math.max(...cells.flatMap((cell) => cell.split(" ")).map(columnsOf)));
  const room = width - GAP.length * (widths.length - 1);
  for (let total = widths.reduce((a, b) => a + b, 0); total > room; total--) {
    let widest = -1;
    widths.forEach((n, i) => {
      if (n > Math.max(least[i]!, NARROWEST) && (widest === -1 || n > widths[widest]!)) widest = i;
    });
    if (widest === -1) return null;
    widths[widest]!--;
  }
  return widths;
}

function rowLines(row: readonly string[], widths: readonly number[]): readonly string[] {
  const cells = widths.map((width, i) => wrapWords(row[i] ?? "", width));
  const height = Math.max(...cells.map((lines) => lines.length), 1);
  return Array.from({ length: height }, (_, n) =>
    widths.map((width, i) => {
      const text = cells[i]![n] ?? "";
      return text + " ".repeat(width - columnsOf(text));
    }).join(GAP).trimEnd());
}

function blockLines(header: readonly string[], row: readonly string[], width: number): readonly string[] {
  const [first = "", ...others] = row;
  return [
    ...wrapWords(first, width),
    ...others.flatMap((cell, i) => {
      if (cell === "") return [];
      const label = header.length > 2 && header[i + 1] !== "" ? `${header[i + 1]}: ` : "";
      return wrapWords(label + cell, width - 4).map((line) => `    ${line}`);
    }),
  ];
}
