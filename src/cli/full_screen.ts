import { setTimeout as sleep } from "node:timers/promises";
import { keysOf } from "./terminal_keys.ts";

/** Something that happened on a terminal. */
export type ScreenEvent =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "resize" }
  | { readonly kind: "tick" }
  | { readonly kind: "end" };

export interface FullScreen {
  /** Columns and rows. */
  size(): { readonly columns: number; readonly rows: number };
  /** Puts a whole screen there. */
  show(rows: readonly string[]): void;
  /** What happens next; a tick when nothing did for a while. */
  next(tickMs: number): Promise<ScreenEvent>;
  /** Gives the terminal back as it was. Idempotent. */
  leave(): void;
}

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l";

/**
 * Takes the terminal: keys one by one, another screen, no cursor. Whoever takes it leaves it, however they end.
 * @param signal ends it: the next event then is `end`
 */
export function fullScreen(signal: AbortSignal): FullScreen {
  const encoder = new TextEncoder();
  const write = (text: string) => {
    const bytes = encoder.encode(text);
    for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
  };
  const queue: ScreenEvent[] = [];
  let wake = () => {};
  const push = (...events: ScreenEvent[]) => {
    queue.push(...events);
    wake();
  };
  const resized = () => push({ kind: "resize" });
  const ended = () => push({ kind: "end" });
  let left = false;
  const leave = () => {
    if (left) return;
    left = true;
    Deno.removeSignalListener("SIGWINCH", resized);
    signal.removeEventListener("abort", ended);
    Deno.stdin.setRaw(false);
    write(LEAVE);
  };
  Deno.stdin.setRaw(true);
  try {
    write(ENTER);
    Deno.addSignalListener("SIGWINCH", resized);
    signal.addEventListener("abort", ended);
  } catch (error) {
    leave();
    throw error;
  }
  const read = async () => {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(1_024);
    while (!left) {
      const length = await Deno.stdin.read(buffer);
      if (length === null) return push({ kind: "end" });
      const keys = keysOf(decoder.decode(buffer.subarray(0, length), { stream: true }));
      push(...keys.map((key) => ({ kind: "key" as const, key })));
    }
  };
  read().catch(ended);
  return {
    size: Deno.consoleSize,
    show: (rows) => write(`\x1b[H${rows.map((row) => `${row}\x1b[0m\x1b[K`).join("\r\n")}\x1b[J`),
    next: async (tickMs) => {
      if (signal.aborted) return { kind: "end" };
      if (queue.length === 0) {
        const awake = new Promise<void>((resolve) => wake = resolve);
        const stop = new AbortController();
        await Promise.race([awake, sleep(tickMs, undefined, { signal: stop.signal }).catch(() => {})]);
        stop.abort();
      }
      return queue.shift() ?? { kind: "tick" };
    },
    leave,
  };
}
