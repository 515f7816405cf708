import { printable, printableLine, printablePath, quoted } from "../vocabulary/printable.ts";

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** Paints text, or leaves it as it is. */
export type Colour = Readonly<Record<keyof typeof CODES, (text: string) => string>>;

/**
 * Colours for a stream: off when it is no terminal, when NO_COLOR is set to anything, or TERM is `dumb`;
 * FORCE_COLOR turns them on where there is no terminal.
 */
export function colour(stream: { isTerminal(): boolean }): Colour {
  const no = (Deno.env.get("NO_COLOR") ?? "") !== "" || Deno.env.get("TERM") === "dumb";
  const force = (Deno.env.get("FORCE_COLOR") ?? "") !== "";
  return colours(!no && (force || stream.isTerminal()));
}

/** ECMA-48 colours; a colour inside another one ends in it. */
export function colours(on: boolean): Colour {
  const painter = ([open, close]: readonly [number, number]) => (text: string) =>
    on
      ? `\x1b[${open}m${text.replaceAll(`\x1b[${close}m`, `\x1b[${close}m\x1b[${open}m`)}\x1b[${close}m`
      : text;
  return Object.fromEntries(
    Object.entries(CODES).map(([name, codes]) => [name, painter(codes)]),
  ) as unknown as Colour;
}

/** A diff for the terminal: additions green, deletions red, headers bold; hostile characters made visible. */
export function colourDiff(diff: string, c: Colour): string {
  const paint = (line: string): string => {
    if (line.startsWith("diff --git") || line.startsWith("--- ") || line.startsWith("+++ ")) {
      return c.bold(line);
    }
    if (line.startsWith("@@")) return c.cyan(line);
    if (line.startsWith("+")) return c.green(line);
    if (line.startsWith("-")) return c.red(line);
    return line;
  };
  return diff.split("\n").map((line) => paint(printable(line.replace(/\r$/, "␍")))).join("\n");
}

/** Seconds for people: `0.42 s`, `12 s`, `3 min 05 s`. */
export function seconds(ms: number): string {
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`;
  const whole = Math.round(ms / 1000);
  if (whole < 120) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** A path for people: relative to where they stand when it is inside. */
export function shownPath(path: string, root: string): string {
  return printableLine(path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path);
}

/** Where something is: `src/a.py:3`, or the file alone. */
export function placeText(path: string, line: number | null): string {
  return `${printablePath(path)}${line === null ? "" : `:${line}`}`;
}

/** A number with its word: `1 file`, `2 files`. */
export function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}

/** Bytes for people, in powers of 1024. */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [shown, power] = [bytes, 0];
  // What would be shown as 1024.0 is one of the next unit.
  for (; Number(shown.toFixed(1)) >= 1024 && power < units.length - 1; power++) shown /= 1024;
  return `${power === 0 ? bytes : shown.toFixed(1)} ${units[power]}`;
}

/** `1,234 files, 5.6 MiB`. */
export function amount(files: number, bytes: number): string {
  return `${grouped(files)} file${files === 1 ? "" : "s"}, ${bytesText(bytes)}`;
}

/** A number with its thousands apart: `12,345`. */
export function grouped(n: number): string {
  return n.toLocaleString("en-US");
}

/** A time of the store for people: to the second, in UTC. */
export function timeText(iso: string): string {
  return printableLine(iso).replace("T", " ").replace(/\.\d+Z$/, "Z");
}

/** A path as a word of a POSIX shell, for commands people copy. */
export function shellPath(path: string): string {
  if (/^[A-Za-z0-9_.\/@%+=:,-]+$/.test(path)) return path.startsWith("-") ? `./${path}` : path;
  return path === printablePath(path) ? `'${path.replaceAll("'", `'\\''`)}'` : quoted(path, 200);
}
