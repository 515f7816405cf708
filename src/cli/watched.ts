import { onInterrupt } from "./interrupt.ts";
import { type Progress, sessionProgress } from "./progress.ts";

/** What long work is given: where to say how it goes, and when to stop. */
export interface Watch extends Pick<Progress, "emit" | "say"> {
  readonly signal: AbortSignal;
}

/** Does long work with progress on stderr and an orderly end on SIGINT, SIGTERM and SIGHUP. */
export async function watched<T>(quiet: boolean, work: (watch: Watch) => Promise<T>): Promise<T> {
  const progress = sessionProgress({ quiet });
  const interruption = onInterrupt(progress.say);
  try {
    return await work({ emit: progress.emit, say: progress.say, signal: interruption.signal });
  } finally {
    progress.end();
    interruption.dispose();
  }
}
