import { setTimeout as sleep } from "node:timers/promises";
import { resolve } from "node:path";
import { writeWhole } from "../bundle/pack.ts";
import { keyIdOf } from "../sign/key.ts";
import { dropPayloads } from "../store/log/change.ts";
import {
  type Checkpoint,
  MAX_CHECKPOINT_BYTES,
  readCheckpoint,
  signCheckpoint,
} from "../store/log/checkpoint.ts";
import { type LogProblem, verifyLog } from "../store/log/verify.ts";
import type { LogEvent, Store } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { readBoundedFile } from "./bounded_file.ts";
import { olderThan } from "./duration_asked.ts";
import { EXIT } from "./exit_code.ts";
import { signingKey } from "./key_input.ts";
import { wholeNumber } from "./number_asked.ts";
import { type Colour, colour, count, timeText } from "./output.ts";
import type { PassphraseFlags } from "./passphrase.ts";
import { type StoreFlags, withStore } from "./store_asked.ts";
import { noTrustedKey, trustAsked } from "./trust_asked.ts";
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
  if (flags.verify === true) return await verify(flags);
  if (flags.key !== undefined || flags.trust !== undefined || flags.role !== undefined) {
    throw new Failure("usage", "trust_without_verify", "--key, --trust and --role are for --verify");
  }
  if (flags.checkpoint !== undefined) return await sign(flags);
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

async function sign(flags: EventsFlags): Promise<VerbResult> {
  const keys = await Promise.all(flags.checkpoint!.map((spec) => signingKey(spec, flags)));
  return await withStore(flags, false, async ({ store, by }) => {
    const problems = store.records.read((rows) => verifyLog(rows, store.records.storeId)).problems;
    if (problems.length > 0) throw notSigned(problems);
    const last = lastOf(store)!;
    const checkpoint: Checkpoint = {
      format: "veripatch-checkpoint/v1",
      store: store.records.storeId,
      sequence: last.sequence,
      hash: last.hash,
      time: by.now.toISOString(),
    };
    const out = flags.output ?? `checkpoint-${last.sequence}.json`;
    await writeWhole(resolve(out), [signCheckpoint(checkpoint, keys)], flags.force === true);
    return {
      exit: EXIT.yes,
      text:
        `checkpoint of event ${last.sequence} (${last.hash.slice(0, 12)}) written to ${
          printablePath(out)
        }\n` +
        `next     keep it where the store's owner cannot change it; pp events --verify --checkpoint FILE --key PUBLIC`,
      json: {
        ...checkpoint,
        format: "veripatch-checkpoint-written/v1",
        output: out,
        key_ids: keys.map(keyIdOf),
      },
    };
  });
}

/** Nobody puts a name to a log that does not hold. */
function notSigned(problems: readonly LogProblem[]): Failure {
  return new Failure("malformed", "log_damaged", "the log does not verify: it is not signed", {
    hint: "pp events --verify says what is wrong",
    details: problems.map(problemText),
  });
}

async function verify(flags: EventsFlags): Promise<VerbResult> {
  if (flags.follow === true || flags.since !== undefined || flags.output !== undefined) {
    throw new Failure("usage", "verify_alone", "--verify looks at the whole log: no --follow, --since or -o");
  }
  const points = await checkpoints(flags);
  return await withStore(flags, false, ({ store }) => {
    const report = store.records.read((rows) => verifyLog(rows, store.records.storeId, points));
    const sound = report.problems.length === 0;
    const c = colour(Deno.stdout);
    const lines = report.problems.map((problem) => `${c.red("wrong")}    ${problemText(problem)}`);
    const furthest = Math.max(0, ...points.map(({ sequence }) => sequence));
    const seen = points.length === 0
      ? "no checkpoint given: a cut end or a log written anew would not show"
      : `${count(points.length, "checkpoint")}, up to event ${furthest}`;
    lines.push(
      `${sound ? c.green("sound") : c.red("not sound")}: ${count(report.events, "event")}` +
        (report.tombstones === 0 ? "" : `, ${count(report.tombstones, "payload")} pruned`) + `; ${seen}`,
    );
    return Promise.resolve({
      exit: sound ? EXIT.yes : EXIT.no,
      text: lines.join("\n"),
      json: {
        format: "veripatch-events-verification/v1",
        store: store.records.storeId,
        sound,
        ...report,
        checkpoints: points.map(({ sequence, hash, time }) => ({ sequence, hash, time })),
      },
    });
  });
}

function problemText({ sequence, code, detail }: LogProblem): string {
  return `${sequence === null ? "" : `event ${sequence}: `}${code}: ${printableLine(detail)}`;
}

/** Checkpoints that the caller's keys signed. One that they did not sign is an error, not a finding. */
async function checkpoints(flags: EventsFlags): Promise<readonly Checkpoint[]> {
  const files = flags.checkpoint ?? [];
  if (files.length === 0) {
    if (flags.key === undefined && flags.trust === undefined) return [];
    throw new Failure("usage", "key_without_checkpoint", "keys are for checkpoints: give --checkpoint FILE");
  }
  const role = flags.trust === undefined ? flags.role : flags.role ?? "approver";
  const trust = await trustAsked({ ...flags, ...(role === undefined ? {} : { role }) }, new Date());
  if (trust === null) throw noTrustedKey("checkpoint");
  const points: Checkpoint[] = [];
  for (const file of files) {
    const { bytes } = await readBoundedFile(file, MAX_CHECKPOINT_BYTES, "checkpoint");
    const read = readCheckpoint(bytes, trust.keys, trust.threshold);
    if (!read.ok) {
      const { reason, detail } = read.refusal;
      throw new Failure(
        reason === "checkpoint_untrusted" ? "denied" : "malformed",
        reason,
        `${printablePath(file)}: ${printableLine(detail)}`,
        { hint: "give the public key that signed it with --key, or a checkpoint as pp writes it" },
      );
    }
    points.push(read.checkpoint);
  }
  return points;
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
