import { printableLine } from "../vocabulary/printable.ts";
import { CLEAR_LINE, columns, isLive, writeStderr } from "./live_line.ts";
import { colour } from "./output.ts";

/** How far long work is, on stderr. */
export interface Counter {
  /** What is going on, in a few words; shown on a terminal at once, elsewhere now and then. */
  readonly show: (text: string) => void;
  /** A line of its own. */
  readonly say: (line: string) => void;
  /** Removes the live line. Idempotent. */
  readonly end: () => void;
}

const LIVE_MS = 100;
const PLAIN_MS = 5_000;

/** Quiet shows nothing but what is said. */
export function counter(quiet: boolean): Counter {
  const c = colour(Deno.stderr);
  const live = !quiet && isLive();
  let last = live ? 0 : performance.now();
  let drawn = false;
  const clear = () => {
    if (drawn) writeStderr(CLEAR_LINE);
    drawn = false;
  };
  return {
    show: (text) => {
      if (quiet || performance.now() - last < (live ? LIVE_MS : PLAIN_MS)) return;
      last = performance.now();
      if (!live) return writeStderr(`${printableLine(text)}\n`);
      writeStderr(CLEAR_LINE + c.dim(printableLine(text).slice(0, columns() - 1)));
      drawn = true;
    },
    say: (line) => {
      clear();
      writeStderr(`${printableLine(line)}\n`);
    },
    end: clear,
  };
}
