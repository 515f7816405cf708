import { printable, printableLine } from "../vocabulary/printable.ts";

/** Hostile text as a code span: nothing in it is markup, a link, a mention or a second line. */
export function code(text: string): string {
  const line = printableLine(text);
  if (line.trim() === "") return "(empty)";
  const fence = "`".repeat(longestRun(line) + 1);
  const pad = line.startsWith("`") || line.endsWith("`") || (line.startsWith(" ") && line.endsWith(" "))
    ? " "
    : "";
  return fence + pad + line + pad + fence;
}

/** Words, numbers and simple marks: nothing Markdown or a page that shows it would make something else of. */
const PLAIN = /^[a-z0-9](?:[a-z0-9 ,.;:+\/'()-]|(?<=[a-z0-9])_(?=[a-z0-9]))*$/i;

/** Hostile text as it is when it is plain words, else as a code span. */
export function plain(text: string): string {
  return text.length <= 200 && PLAIN.test(text) && !/www\.|:\/|:\w*[a-z]\w*:|\d\.\s/i.test(text)
    ? text
    : code(text);
}

/** A size in bytes for people: `2 GiB`, `1.5 MiB`. */
export function humanBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${Number(bytes.toFixed(1))} ${units[unit]}`;
}

/** Hostile text of many lines as a fenced block whose fence is longer than any in it. */
export function block(text: string, language = ""): string {
  const body = printable(text).replace(/\n+$/, "");
  const fence = "`".repeat(Math.max(3, longestRun(body) + 1));
  return `${fence}${language}\n${body}\n${fence}`;
}

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // A bar ends a cell even in a code span, unless it is escaped; the backslash is then taken away again.
  const line = (cells: readonly string[]) => `| ${cells.map((c) => c.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The first lines of a text, with a note of how many are left out. */
export function firstLines(text: string, most: number): { readonly text: string; readonly more: number } {
  const lines = text.replace(/\n$/, "").split("\n");
  return { text: lines.slice(0, most).join("\n"), more: Math.max(0, lines.length - most) };
}

/** A number with its noun. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
}
