import { setTimeout as sleep } from "node:timers/promises";
import { dropPayloads } from "../store/log/change.ts";
import type { LogEvent, Store } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { olderThan } from "./duration_asked.ts";
import { signLog, verifyEvents } from "./events_verify.ts";
import { EXIT } from "./exit_code.ts";
import { wholeNumber } from "./number_asked.ts";
import { type Colour, colour, count, timeText } from "./output.ts";
import type { PassphraseFlags } from "./passphrase.ts";
import { type StoreFlags, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";

const LATEST = 50;
const PAGE = 1_000;
/** Events in one document; --follow goes on without end. */
const MOST = 100_000;
const POLL_MS = 200;
const MAX_PAYLOAD_SHOWN = 160;

export interface EventsFlags extends StoreFlags, PassphraseFlags {
  readonly since?: string;
  readonly follow?: boolean;
  readonly verify?: boolean;
  readonly checkpoint?: readonly string[];
  readonly output?: string;
  readonly force?: boolean;
  readonly key?: readonly string[];
  readonly trust?: string;
  readonly role?: string;
}

/** `pp events`. */
export async function runEvents(flags: EventsFlags): Promise<VerbResult> {
  if (flags.verify === true) return await verifyEvents(flags);
  if (flags.key !== undefined || flags.trust !== undefined || flags.role !== undefined) {
    throw new Failure("usage", "trust_without_verify", "--key, --trust and --role are for --verify");
  }
  if (flags.checkpoint !== undefined) return await signLog(flags);
  if (flags.output !== undefined) {
    throw new Failure("usage", "out_without_checkpoint", "-o is for --checkpoint");
  }
  const since = flags.since === undefined ? null : wholeNumber("--since", flags.since, 0);
  return await withStore(flags, false, async ({ store, signal }) => {
    const c = colour(Deno.stdout);
    const after = since ?? Math.max(0, (lastOf(store)?.sequence ?? 0) - LATEST);
    if (flags.follow === true) {
      await follow(
        store,
        after,
        signal,
        (event) => flags.json === true ? eventLine(event) : eventText(event, c),
      );
      return { exit: EXIT.interrupted, text: "", json: undefined };
    }
    const events = eventsAfter(store, after);
    return {
      exit: EXIT.yes,
      text: events.length === 0 ? "no events" : events.map((event) => eventText(event, c)).join("\n"),
      ...(events.length === MOST ? { note: "there are more: --since goes on from the last" } : {}),
      json: { format: "veripatch-events/v1", store: store.records.storeId, events: events.map(eventJson) },
    };
  });
}

function lastOf(store: Store): LogEvent | null {
  return store.records.read((rows) => rows.lastEvent());
}

function eventsAfter(store: Store, after: number): LogEvent[] {
  return store.records.read((rows) => {
    const events: LogEvent[] = [];
    for (let at = after; events.length < MOST;) {
      const page = rows.events(at, Math.min(PAGE, MOST - events.length));
      if (page.length === 0) break;
      events.push(...page);
      at = page.at(-1)!.sequence;
    }
    return events;
  });
}

async function follow(
  store: Store,
  after: number,
  signal: AbortSignal,
  line: (event: LogEvent) => string,
): Promise<void> {
  const encoder = new TextEncoder();
  while (!signal.aborted) {
    const page = store.records.read((rows) => rows.events(after, PAGE));
    for (const event of page) {
      const bytes = encoder.encode(`${line(event)}\n`);
      try {
        for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
      } catch (error) {
        // Nobody reads any more, as after `| head`.
        if (error instanceof Deno.errors.BrokenPipe) return;
        throw error;
      }
      after = event.sequence;
    }
    if (page.length === 0) await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

function eventJson(event: LogEvent) {
  const { sequence, time, actor, kind, payload, payloadSha256, previous, hash } = event;
  return {
    sequence,
    time,
    actor,
    kind,
    payload: parsed(payload),
    payload_sha256: payloadSha256,
    previous,
    hash,
  };
}

/** Somebody may have put something else there; that is for --verify to say. */
function parsed(payload: string | null): unknown {
  try {
    return payload === null ? null : JSON.parse(payload);
  } catch {
    return payload;
  }
}

function eventLine(event: LogEvent): string {
  return JSON.stringify({ format: "veripatch-event/v1", ...eventJson(event) });
}

function eventText({ sequence, time, actor, kind, payload }: LogEvent, c: Colour): string {
  const shown = payload === null ? "(payload pruned)" : told(payload);
  return `${String(sequence).padStart(5)}  ${c.dim(timeText(time))}  ${printableLine(actor)}  ${
    c.bold(printableLine(kind))
  }  ${printableLine(shown)}`;
}

/** The short values of a payload; the rest is in JSON. */
function told(payload: string): string {
  const value = parsed(payload);
  if (typeof value !== "object" || value === null) return String(value).slice(0, MAX_PAYLOAD_SHOWN);
  const parts = Object.entries(value)
    .filter(([, v]) => v !== null && v !== "" && !(typeof v === "string" && /^[0-9a-f]{64}$/.test(v)))
    .map(([name, v]) => `${name}=${typeof v === "string" ? v : JSON.stringify(v)}`);
  const text = parts.join(" ");
  return text.length <= MAX_PAYLOAD_SHOWN ? text : `${text.slice(0, MAX_PAYLOAD_SHOWN - 1).toWellFormed()}…`;
}

export interface EventsPruneFlags extends StoreFlags {
  readonly olderThan: string;
}

/** `pp events prune`. */
export async function eventsPrune(flags: EventsPruneFlags): Promise<VerbResult> {
  return await withStore(flags, false, ({ store, by }) => {
    const before = olderThan(flags.olderThan, by.now).toISOString();
    const dropped = store.records.write((rows) => {
      let through = 0;
      for (let page = rows.events(0, PAGE); page.length > 0; page = rows.events(through, PAGE)) {
        const young = page.findIndex(({ time }) => time >= before);
        through = (young < 0 ? page.at(-1) : page[young - 1])?.sequence ?? through;
        if (young >= 0) break;
      }
      return dropPayloads(rows, by, through);
    });
    return Promise.resolve({
      exit: EXIT.yes,
      text: dropped === 0
        ? "no payload is that old"
        : `took ${count(dropped, "payload")} away; the chain verifies as before`,
      json: { format: "veripatch-events-pruned/v1", payloads: dropped },
    });
  });
}
