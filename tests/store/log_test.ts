import assert from "node:assert/strict";
import fc from "fast-check";
import { privateKeyOf, type SigningKey } from "../../src/sign/key.ts";
import { renderEnvelope } from "../../src/sign/dsse.ts";
import { signEnvelope } from "../../src/sign/sign.ts";
import { record } from "../../src/store/log/change.ts";
import { CHECKPOINT_TYPE, readCheckpoint, signCheckpoint } from "../../src/store/log/checkpoint.ts";
import { eventHash, genesis, nextEvent } from "../../src/store/log/event.ts";
import { verifyLog } from "../../src/store/log/verify.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { LogEvent, Rows, Store } from "../../src/store/store.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { addFiles, authorOf } from "../contract/store_contract.ts";
import { NOW } from "./fixture.ts";

const KEY = keyOf(1), OTHER = keyOf(2);

function keyOf(seed: number): SigningKey & { publicKey: { id: string } } {
  const made = privateKeyOf(new Uint8Array(32).fill(seed));
  assert.ok(made.ok);
  return made.key;
}

async function storeWithLog(): Promise<Store> {
  const store = memoryStore({ actor: "tester", now: NOW });
  for (const text of ["1", "2", "3"]) await addFiles(store, "a", { f: text });
  return store;
}

const allEvents = (store: Store) => store.records.read((rows) => rows.events(0, 1_000));

/** The rows of a store with other events than it has. */
function withEvents(store: Store, events: readonly LogEvent[]): Rows {
  return store.records.read((rows) => ({
    ...{ versions: (name?: string) => rows.versions(name), artifact: rows.artifact },
    ...{
      lastProposal: () => 0,
      lastOperation: () => 0,
      lastConflict: () => 0,
      allRevisions: () => [],
      allApprovals: () => [],
    },
    event: (n: number) => events.find((event) => event.sequence === n) ?? null,
    lastEvent: () => events.at(-1) ?? null,
    events: (after: number, limit: number) => events.filter((e) => e.sequence > after).slice(0, limit),
  })) as unknown as Rows;
}

const codes = (store: Store, events: readonly LogEvent[], points: Parameters<typeof verifyLog>[2] = []) =>
  verifyLog(withEvents(store, events), store.records.storeId, points).problems.map(({ code }) => code);

Deno.test("eventHash: is SHA-256 of the literal canonical form", () => {
  const event = nextEvent("ab", null, { time: "T", actor: "me", kind: "k", payload: { b: 1, a: "ü" } });
  assert.equal(event.payload, '{"a":"ü","b":1}');
  assert.equal(event.previous, sha256("veripatch-events/v1 ab\n"));
  const canonical = `{"actor":"me","kind":"k","payload_sha256":"${sha256('{"a":"ü","b":1}')}",` +
    `"previous":"${event.previous}","sequence":1,"time":"T"}`;
  assert.equal(event.hash, sha256(canonical));
});

Deno.test("verifyLog: a log as written is sound", async () => {
  const store = await storeWithLog();
  assert.deepEqual(codes(store, allEvents(store)), []);
});

Deno.test("verifyLog: every edit of any field of any event is found", async () => {
  const store = await storeWithLog();
  const events = allEvents(store);
  await fc.assert(fc.asyncProperty(
    fc.nat(events.length - 1),
    fc.constantFrom("time", "actor", "kind", "payload", "payloadSha256", "previous", "hash"),
    (at, field) => {
      const edited = events.map((event, i) =>
        i === at ? { ...event, [field]: `${event[field as "hash"]}0` } : event
      );
      assert.notDeepEqual(codes(store, edited), []);
      return Promise.resolve();
    },
  ));
});

Deno.test("verifyLog: an event taken out, put in, or in another order is found", async () => {
  const store = await storeWithLog();
  const events = allEvents(store);
  for (let i = 0; i < events.length - 1; i++) {
    const without = events.filter((_, n) => n !== i);
    assert.ok(codes(store, without).includes("sequence_gap"), `event ${i + 1} taken out`);
    const renumbered = without.map((event, n) => ({ ...event, sequence: n + 1 }));
    assert.notDeepEqual(codes(store, renumbered), []);
  }
  const swapped = [
    events[0]!,
    { ...events[2]!, sequence: 2 },
    { ...events[1]!, sequence: 3 },
    ...events.slice(3),
  ];
  assert.ok(codes(store, swapped).includes("chain_broken"));
});

Deno.test("verifyLog: a version the log does not tell of, another one, and one that is gone are found", async () => {
  const store = await storeWithLog();
  const change = (kind: string, work: Parameters<Store["records"]["write"]>[0]) => {
    store.records.write(work);
    const { problems } = store.records.read((rows) => verifyLog(rows, store.records.storeId));
    assert.deepEqual(problems.map(({ code }) => code), [kind]);
  };
  const version = store.records.read((rows) => rows.version("a", 2))!;
  change("version_gone", (rows) => rows.deleteVersion("a", 2));
  change("version_edited", (rows) => rows.insertVersion({ ...version, message: "other" }));
  store.records.write((rows) => {
    rows.deleteVersion("a", 2);
    rows.insertVersion(version);
  });
  change("version_unknown", (rows) => rows.insertVersion({ ...version, number: 9 }));
});

/** The log written anew from an event on, by somebody who knows how. */
function rewritten(store: Store, from: number): LogEvent[] {
  const out: LogEvent[] = [];
  for (const event of allEvents(store)) {
    if (event.sequence < from) out.push(event);
    else {
      const base = {
        ...event,
        actor: "mallory",
        previous: out.at(-1)?.hash ?? genesis(store.records.storeId),
      };
      out.push({ ...base, hash: eventHash(base) });
    }
  }
  return out;
}

Deno.test("verifyLog: checkpoints tell what the chain alone cannot: a cut end, a log written anew, another store", async () => {
  const store = await storeWithLog();
  const events = allEvents(store);
  const at = (n: number) => ({ store: store.records.storeId, sequence: n, hash: events[n - 1]!.hash });
  assert.deepEqual(codes(store, events, [at(2), at(5)]), []);
  assert.deepEqual(codes(store, events.slice(0, 4), [at(2), at(5)]), ["version_unknown", "truncated"]);
  assert.deepEqual(codes(store, rewritten(store, 1), []).includes("rewritten"), false);
  const anew = codes(store, rewritten(store, 3), [at(2), at(5)]);
  assert.deepEqual(anew.filter((code) => code !== "version_edited"), ["rewritten"]);
  assert.deepEqual(codes(store, events, [{ ...at(2), store: "0".repeat(32) }]), ["other_store"]);
});

Deno.test("readCheckpoint: what was signed comes back, for the keys that signed alone", async () => {
  const store = await storeWithLog();
  const { sequence, hash } = allEvents(store).at(-1)!;
  const time = NOW.toISOString();
  const point = {
    format: "veripatch-checkpoint/v1" as const,
    store: store.records.storeId,
    sequence,
    hash,
    time,
  };
  const bytes = signCheckpoint(point, [KEY]);
  const read = readCheckpoint(bytes, [KEY.publicKey as never]);
  assert.ok(read.ok);
  assert.deepEqual(read.checkpoint, point);
  const refused = (bytes: Uint8Array, keys: readonly unknown[], threshold?: number) => {
    const read = readCheckpoint(bytes, keys as never, threshold);
    return read.ok ? null : read.refusal.reason;
  };
  assert.equal(refused(bytes, [OTHER.publicKey]), "checkpoint_untrusted");
  assert.equal(refused(bytes, []), "checkpoint_untrusted");
  assert.equal(refused(bytes, [], 0), "checkpoint_untrusted");
  assert.equal(refused(bytes, [KEY.publicKey, OTHER.publicKey], 2), "checkpoint_untrusted");
  const signed = (type: string, payload: unknown) =>
    renderEnvelope(signEnvelope(type, new TextEncoder().encode(JSON.stringify(payload)), [KEY]));
  const own = [KEY.publicKey];
  assert.equal(refused(signed("application/vnd.in-toto+json", point), own), "not_a_checkpoint");
  assert.equal(refused(signed(CHECKPOINT_TYPE, { ...point, sequence: -1 }), own), "checkpoint_malformed");
  assert.equal(refused(signed(CHECKPOINT_TYPE, { ...point, more: 1 }), own), "checkpoint_malformed");
  assert.equal(refused(signed(CHECKPOINT_TYPE, { ...point, format: "other" }), own), "checkpoint_malformed");
  const noMoment = { ...point, time: "2026-13-45T99:99:99.999Z" };
  assert.equal(refused(signed(CHECKPOINT_TYPE, noMoment), own), "checkpoint_malformed");
  for (let i = 0; i < bytes.length; i += 7) {
    const flipped = Uint8Array.from(bytes);
    flipped[i]! ^= 1;
    const read = readCheckpoint(flipped, own as never);
    if (read.ok) assert.deepEqual(read.checkpoint, point, `byte ${i}`);
  }
});

Deno.test("record: a hostile payload and actor are stored as they are, and verify", () => {
  const store = memoryStore({ actor: "tester", now: NOW });
  const by = authorOf(store, "\u202ee\nvil");
  store.records.write((rows) => record(rows, by, "k", { "": "\u0000", deep: [[[{ a: null }]]], n: 1e21 }));
  const report = store.records.read((rows) => verifyLog(rows, store.records.storeId));
  assert.deepEqual(report.problems, []);
});
