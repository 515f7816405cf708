import { Failure } from "../vocabulary/failure.ts";
import { EXIT } from "./exit_code.ts";
import { isTerminalLent } from "./lent_terminal.ts";

/** A signal that aborts on SIGINT, SIGTERM or SIGHUP, and what undoes the listening. */
export interface Interruption {
  readonly signal: AbortSignal;
  dispose(): void;
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an orderly end: the session aborts, removes what it made and exits
 * 130, but for Ctrl-C while another program has the terminal. A second one within the clean-up is told to wait; a third ends at once (the next start cleans up).
 */
export function onInterrupt(say: (line: string) => void): Interruption {
  const controller = new AbortController();
  let count = 0;
  const handle = (name: Deno.Signal) => () => {
    if (name === "SIGINT" && isTerminalLent()) return;
    count++;
    if (count === 1) {
      say(`${name}: stopping and cleaning up …`);
      controller.abort(
        new Failure("interrupted", "interrupted", `stopped by ${name}; everything was cleaned up`),
      );
    } else if (count === 2) {
      say("still cleaning up; once more ends at once and leaves the rest to the next start");
    } else Deno.exit(EXIT.interrupted);
  };
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((name) => [name, handle(name)] as const);
  for (const [name, handler] of handlers) Deno.addSignalListener(name, handler);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const [name, handler] of handlers) Deno.removeSignalListener(name, handler);
    },
  };
}
