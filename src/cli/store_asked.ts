import { userInfo } from "node:os";
import type { Author } from "../store/log/change.ts";
import { MAX_ACTOR } from "../store/log/event.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { onInterrupt } from "./interrupt.ts";
import { type Counter, counter } from "./counter.ts";
import { wireStore } from "./wire/store.ts";

export interface StoreFlags {
  readonly store?: string;
  readonly json?: boolean;
}

/** What a verb that works on the store is given. */
export interface StoreUse extends Awaited<ReturnType<typeof wireStore>> {
  readonly by: Author;
  /** Aborted by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  readonly counter: Counter;
  /** Says once that others are in the way. */
  readonly waiting: () => void;
}

/** Opens the store for one verb, and closes it. */
export async function withStore<T>(
  flags: StoreFlags,
  create: boolean,
  use: (store: StoreUse) => Promise<T>,
): Promise<T> {
  const now = new Date();
  const actor = actorOf();
  const wired = await wireStore(flags.store, Deno.env.toObject(), { create, actor, now });
  const shown = counter(flags.json === true);
  const interruption = onInterrupt(shown.say);
  try {
    return await use({
      ...wired,
      by: { storeId: wired.store.records.storeId, actor, now },
      signal: interruption.signal,
      counter: shown,
      waiting: () => shown.say("waiting for others who use the store …"),
    });
  } finally {
    shown.end();
    interruption.dispose();
    wired.store.close();
  }
}

/** Who is named in the log: `PP_ACTOR`, else the user's name. */
function actorOf(): string {
  const named = Deno.env.get("PP_ACTOR") ?? "";
  if (named === "") return userName();
  if (named.length <= MAX_ACTOR && printableLine(named) === named && named.trim() === named) return named;
  throw new Failure("usage", "actor_malformed", "PP_ACTOR is no name to put into the log", {
    hint: `it takes 1 to ${MAX_ACTOR} visible characters`,
  });
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${Deno.uid()}`;
  }
}
