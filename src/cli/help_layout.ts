import type { Help, HelpConfiguration, OutputConfiguration } from "commander";
import { colour } from "./output.ts";
import { columnsOf, wrapWords } from "./page/wrap.ts";

/** Beside a flag, or the head of a row, there has to be at least this much room for what it does; else it goes below. */
const ROOM_BESIDE = 32;
const BELOW = 6;

/** How commander lays out a help, so that it reads well on narrow terminals, too. */
export function helpLayout(): HelpConfiguration {
  const { bold } = colour(Deno.stdout);
  return {
    minWidthToWrap: 20,
    // The words and flags of a verb are in its own help.
    subcommandTerm: (command) => command.name(),
    styleTitle: bold,
    formatItem: (term: string, termWidth: number, description: string, helper: Help) => {
      const width = helper.helpWidth ?? 80;
      const beside = termWidth + 4;
      if (description === "") return `  ${term}`;
      if (width - beside < ROOM_BESIDE) {
        const lines = helper.boxWrap(description, Math.max(width - BELOW, 20)).split("\n");
        return [`  ${term}`, ...lines.map((line) => " ".repeat(BELOW) + line)].join("\n");
      }
      const lines = helper.boxWrap(description, width - beside).split("\n");
      return `  ${term.padEnd(termWidth)}  ${lines.join("\n" + " ".repeat(beside))}`;
    },
  };
}

/** Where commander writes: what stands below a help is fitted to the terminal as well. */
export const helpOutput: OutputConfiguration = {
  writeOut: (text) => write(Deno.stdout, fitted(text, terminalColumns())),
  writeErr: (text) => write(Deno.stderr, fitted(text, terminalColumns())),
  getOutHasColors: () => colour(Deno.stdout).bold("x") !== "x",
  getErrHasColors: () => colour(Deno.stderr).bold("x") !== "x",
};

/** To the end, or until nobody reads on, as behind `| head`. */
function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Null where nobody looks at it on a terminal: programs get the lines as they are. */
export function terminalColumns(): number | null {
  try {
    return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : null;
  } catch {
    return null;
  }
}

/** A row whose last column is prose, which stays in its column; below the row where that would be narrow. */
export function inColumns(head: string, prose: string, columns: number | null): string {
  if (columns === null || columnsOf(head + prose) <= columns) return head + prose;
  const beside = columns - columnsOf(head) >= ROOM_BESIDE;
  const indent = beside ? columnsOf(head) : BELOW;
  const lines = wrapWords(prose, columns - indent).map((line) => " ".repeat(indent) + line);
  return beside
    ? [head + lines[0]!.slice(indent), ...lines.slice(1)].join("\n")
    : [head.trimEnd(), ...lines].join("\n");
}

/**
 * Breaks lines that are too long: prose between words, with the line after it when that goes on; an example and
 * what is said of it onto two lines. Titles become bold.
 */
export function fitted(text: string, columns: number | null): string {
  const { bold } = colour(Deno.stdout);
  const out: string[] = [];
  let prose: string[] = [];
  const flush = () => {
    if (columns !== null && prose.some((line) => columnsOf(line) > columns)) {
      out.push(...wrapWords(prose.join(" "), columns));
    } else out.push(...prose);
    prose = [];
  };
  for (const line of text.split("\n")) {
    if (/^[A-Z].*[^:]$/.test(line) || (prose.length > 0 && /^\S.*[^:]$/.test(line))) {
      prose.push(line);
      continue;
    }
    flush();
    const example = /^( {2}\S.*?) {2,}(\S.*)$/.exec(line);
    if (/^[A-Z][^.]*:$/.test(line)) out.push(bold(line));
    else if (columns !== null && example !== null && columnsOf(line) > columns) {
      out.push(example[1]!, ...wrapWords(example[2]!, columns - BELOW).map((l) => " ".repeat(BELOW) + l));
    } else out.push(line);
  }
  flush();
  return out.join("\n");
}
