import type { Readable } from "node:stream";
import { CALL_MS, type Engine } from "./engine.ts";

/** How long an event may come after the end of the command it is about. */
const LATE_MS = 200;

/**
 * Whether the kernel killed something in a container for memory since a moment; told by the engine's events, because
 * the container's own state says so only when its main process was the victim. False when the engine cannot tell.
 * @param since epoch milliseconds of our clock
 */
export async function killedForMemory(
  engine: Engine,
  container: { readonly id: string; readonly clockOffset: number },
  since: number,
): Promise<boolean> {
  const at = (ms: number) => (Math.max(0, ms + container.clockOffset) / 1000).toFixed(3);
  try {
    return await engine.call("tell its events", CALL_MS, async (abortSignal) => {
      const query = {
        since: at(since),
        until: at(Date.now() + LATE_MS),
        filters: { container: [container.id], event: ["oom"] },
        abortSignal,
      };
      const events = await engine.docker.getEvents(query as never) as unknown as Readable;
      events.on("error", () => {});
      try {
        for await (const chunk of events) if (String(chunk).includes("oom")) return true;
        return false;
      } finally {
        events.destroy();
      }
    });
  } catch {
    return false;
  }
}
