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
