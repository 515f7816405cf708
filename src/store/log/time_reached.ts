import type { Rows } from "../store.ts";

/**
 * The time by which something has run out: that of the clock, or of the newest event where the clock was set back behind
 * it.
 */
export function timeReached(rows: Pick<Rows, "lastEvent">, now: Date): Date {
  const last = rows.lastEvent();
  return last !== null && Date.parse(last.time) > now.getTime() ? new Date(last.time) : now;
}
