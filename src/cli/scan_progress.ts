import { onInterrupt } from "./interrupt.ts";
import { count } from "./output.ts";

const CLEAR_LINE = "\r\x1b[2K";
const LIVE_MS = 100;
const PLAIN_MS = 10_000;

export interface ScanProgress {
  /** @throws Failure `interrupted` after SIGINT, SIGTERM or SIGHUP */
  readonly onFile: (done: number, all: number) => void;
  readonly end: () => void;
}

/** Says on stderr how far a scan is: one live line on a terminal, else a line every ten seconds. */
export function scanProgress(quiet: boolean): ScanProgress {
  const live = !quiet && Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
  const interruption = onInterrupt((line) => console.error(line));
  let last = performance.now();
  let drawn = false;
  return {
    onFile: (done, all) => {
      interruption.signal.throwIfAborted();
      const now = performance.now();
      if (quiet || now - last < (live ? LIVE_MS : PLAIN_MS)) return;
      last = now;
      const text = `scanning: ${done} of ${count(all, "file")}`;
      if (live) Deno.stderr.writeSync(new TextEncoder().encode(CLEAR_LINE + text));
      else console.error(text);
      drawn = live;
    },
    end: () => {
      if (drawn) Deno.stderr.writeSync(new TextEncoder().encode(CLEAR_LINE));
      interruption.dispose();
    },
  };
}
