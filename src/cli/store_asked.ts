import { userInfo } from "node:os";
import type { Author } from "../store/log/change.ts";
import { MAX_ACTOR } from "../store/log/event.ts";
import type { Version } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, quoted } from "../vocabulary/printable.ts";
import { onInterrupt } from "./interrupt.ts";
import { type Counter, counter } from "./counter.ts";
import { bytesText } from "./output.ts";
import { wireStore } from "./wire.ts";

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

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** The time that lies as far back as `--older-than` says. */
export function olderThan(text: string, now: Date): Date {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  if (match !== null) {
    return new Date(now.getTime() - Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
  }
  throw new Failure(
    "usage",
    "age_malformed",
    `--older-than takes a time such as 90s, 30m, 12h, 30d or 2w, not ${printableLine(text.slice(0, 40))}`,
  );
}

/** Milliseconds of a time such as `90s`. @throws Failure `duration_malformed` (usage) */
export function durationMs(flag: string, text: string): number {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  if (match !== null) return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  throw new Failure("usage", "duration_malformed", `${flag} takes a time such as 90s, 30m, 12h, 7d or 2w`);
}

/** Reads a whole number from `least`. @throws Failure `number_malformed` (usage) */
export function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d{1,15}$/.test(text) && number >= least) return number;
  throw new Failure(
    "usage",
    "number_malformed",
    `${flag} takes a whole number from ${least}, not ${quoted(text, 40)}`,
  );
}

export function versionJson(version: Version) {
  const { artifact, number, root, manifest, files, bytes, createdAt, actor, message, restores } = version;
  return {
    name: `${artifact}@${number}`,
    ...{ artifact, number, root, manifest, files, bytes, created_at: createdAt, actor, message, restores },
  };
}

/** `1,234 files, 5.6 MiB`. */
export function amount(files: number, bytes: number): string {
  return `${grouped(files)} file${files === 1 ? "" : "s"}, ${bytesText(bytes)}`;
}

export function grouped(n: number): string {
  return n.toLocaleString("en-US");
}

/** A time of the store for people: to the second, in UTC. */
export function timeText(iso: string): string {
  return printableLine(iso).replace("T", " ").replace(/\.\d+Z$/, "Z");
}
