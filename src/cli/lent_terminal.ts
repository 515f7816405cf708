import { setTimeout as sleep } from "node:timers/promises";

/** What a terminal sends to all who use it, and only the program that has it is meant by. */
const OF_TERMINAL = ["SIGINT", "SIGQUIT"] as const;
/** Longest wait for a signal that ended the program and must have reached us, too. */
const LATE_MS = 200;

let lent = 0;

/** Whether another program has the terminal, so that its Ctrl-C is not for us. */
export function isTerminalLent(): boolean {
  return lent > 0;
}

/**
 * Lets a program that we started have the terminal: Ctrl-C and Ctrl-\ are for it alone until it ends.
 * @param run to its end
 */
export async function lendTerminal(run: () => Promise<Deno.CommandStatus>): Promise<Deno.CommandStatus> {
  const came = Promise.withResolvers<void>();
  const listen = () => came.resolve();
  for (const name of OF_TERMINAL) Deno.addSignalListener(name, listen);
  lent++;
  try {
    const status = await run();
    // Its end may be heard of before the signal that caused it.
    if (status.signal !== null || status.code > 128) {
      await Promise.race([came.promise, sleep(LATE_MS)]);
    }
    await sleep(0);
    return status;
  } finally {
    lent--;
    for (const name of OF_TERMINAL) Deno.removeSignalListener(name, listen);
  }
}
