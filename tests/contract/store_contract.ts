import assert from "node:assert/strict";
import fc from "fast-check";
import { createVersion, rollBack } from "../../src/store/artifact/create.ts";
import { diffVersions } from "../../src/store/artifact/diff.ts";
import { entriesOf } from "../../src/store/artifact/export.ts";
import { buildTrees } from "../../src/store/artifact/tree.ts";
import { collectGarbage, examine, pruneVersions, repair } from "../../src/store/artifact/upkeep.ts";
import { addVersion, type Author, dropPayloads, record } from "../../src/store/log/change.ts";
import { verifyLog } from "../../src/store/log/verify.ts";
import type { Store, Version } from "../../src/store/store.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import { makeManifest, type ManifestEntry } from "../../src/vocabulary/manifest.ts";
import { parentsOf } from "../../src/vocabulary/path.ts";

/** One adapter under test. */
export interface StoreUnderTest {
  readonly store: Store;
  cleanUp(): Promise<void>;
}

type Files = Readonly<Record<string, string>>;

const encode = (text: string) => new TextEncoder().encode(text);

/** Puts some text files into a store as a workspace would be; paths ending in `*` are executable. */
export function putFiles(store: Store, files: Files) {
  const writer = store.blobs.writer();
  const entries: ManifestEntry[] = parentsOf(Object.keys(files)).map((path) => ({
    ...{ path, mode: "040000" as const, size: 0, sha256: sha256("") },
  }));
  for (const [path, text] of Object.entries(files)) {
    const bytes = encode(text);
    const digest = sha256(bytes);
    writer.put(bytes, digest);
    entries.push({ path, mode: "100644", size: bytes.length, sha256: digest });
  }
  writer.flush();
  const manifest = makeManifest(entries);
  const { root, trees } = buildTrees(manifest.entries);
  return {
    root,
    trees: [...trees].map(([digest, { body }]) => [digest, body] as const),
    manifest: () => manifest.digest,
    files: Object.keys(files).length,
    bytes: Object.values(files).reduce((sum, text) => sum + encode(text).length, 0),
  };
}

export function authorOf(store: Store, actor = "tester", now = new Date("2026-01-02T03:04:05Z")): Author {
  return { storeId: store.records.storeId, actor, now };
}

/** Stores files as the next version of an artifact. */
export async function addFiles(store: Store, name: string, files: Files, by = authorOf(store)) {
  return await createVersion(store, by, name, "", () => Promise.resolve(putFiles(store, files)), {});
}

/** What a version holds, as text by path. */
export function filesOf(store: Store, version: Version): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { path, mode, sha256 } of entriesOf(store, version)) {
    if (mode === "100644") found[path] = new TextDecoder().decode(store.blobs.read(sha256, 1 << 20));
  }
  return found;
}

const logProblems = (store: Store) =>
  store.records.read((rows) => verifyLog(rows, store.records.storeId)).problems;

/** Registers a case on a store of its own. */
export function givenStore(name: string, make: () => Promise<StoreUnderTest>) {
  return (behaviour: string, body: (store: Store) => Promise<void>) =>
    Deno.test(`${name} store: ${behaviour}`, async () => {
      const under = await make();
      try {
        await body(under.store);
      } finally {
        under.store.close();
        await under.cleanUp();
      }
    });
}

/** Registers `<name> store: <behaviour>` cases every adapter must pass. */
export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const given = givenStore(name, make);

  given("begins with the event that says which store it is", (store) => {
    const events = store.records.read((rows) => rows.events(0, 10));
    assert.deepEqual(events.map(({ sequence, kind }) => [sequence, kind]), [[1, "store_created"]]);
    assert.equal(JSON.parse(events[0]!.payload!).store, store.records.storeId);
    assert.match(store.records.storeId, /^[0-9a-f]{32}$/);
    return Promise.resolve();
  });

  given("a version holds what was put, and the next one what changed", async (store) => {
    const first = await addFiles(store, "a", { "x/y.txt": "one\n", "z": "zed" });
    const second = await addFiles(store, "a", { "x/y.txt": "two\n", "z": "zed" });
    assert.deepEqual([first.version.number, second.version.number], [1, 2]);
    assert.deepEqual(filesOf(store, first.version), { "x/y.txt": "one\n", z: "zed" });
    assert.deepEqual(filesOf(store, second.version), { "x/y.txt": "two\n", z: "zed" });
    const diff = diffVersions(store, first.version, second.version);
    assert.deepEqual(diff.changes.map(({ path, change }) => [path, change]), [["x/y.txt", "changed"]]);
    assert.match([...diff.patch()].join(""), /-one\n\+two\n/);
  });

  given("equal to the newest, nothing is made and nothing logged", async (store) => {
    await addFiles(store, "a", { f: "1" });
    const before = store.records.read((rows) => rows.lastEvent());
    const again = await addFiles(store, "a", { f: "1" });
    assert.equal(again.changed, false);
    assert.equal(again.version.number, 1);
    assert.deepEqual(store.records.read((rows) => rows.lastEvent()), before);
  });

  given("equal files are stored once, also across artifacts", async (store) => {
    await addFiles(store, "a", { f: "same", g: "same" });
    await addFiles(store, "b", { other: "same" });
    assert.equal([...store.blobs.list()].length, 1);
  });

  given("a rollback is a new version and history stays", async (store) => {
    const first = await addFiles(store, "a", { f: "1" });
    await addFiles(store, "a", { f: "2" });
    const back = rollBack(store, authorOf(store), { artifact: "a", number: 1 }, "why");
    assert.equal(back.version.number, 3);
    assert.equal(back.version.restores, 1);
    assert.equal(back.version.root, first.version.root);
    assert.deepEqual(store.records.read((rows) => rows.versions("a")).map((v) => v.number), [3, 2, 1]);
    assert.equal(rollBack(store, authorOf(store), { artifact: "a", number: 1 }, "").changed, false);
  });

  given("what is not there is told with what to do", (store) => {
    const failed = (number: number | null) => {
      try {
        rollBack(store, authorOf(store), { artifact: "nobody", number }, "");
      } catch (error) {
        return (error as Failure).code;
      }
    };
    assert.equal(failed(1), "artifact_unknown");
    return Promise.resolve();
  });

  given("a write that throws leaves nothing behind", async (store) => {
    const captured = putFiles(store, { f: "1" });
    const before = store.records.read((rows) => rows.lastEvent());
    assert.throws(() =>
      store.records.write((rows) => {
        addVersion(rows, authorOf(store), {
          ...{ ...captured, manifest: captured.manifest(), artifact: "a", message: "", restores: null },
        });
        throw new Error("stop");
      }), /stop/);
    assert.deepEqual(store.records.read((rows) => rows.lastEvent()), before);
    assert.equal(store.records.read((rows) => rows.latest("a")), null);
    assert.equal(store.records.read((rows) => rows.artifact("a")), null);
    assert.deepEqual(store.records.read((rows) => rows.treeDigests()), []);
    await addFiles(store, "a", { f: "1" });
    assert.deepEqual(logProblems(store), []);
  });

  given("several changes in one write happen together, each with its event", (store) => {
    const by = authorOf(store);
    store.records.write((rows) => {
      record(rows, by, "one", { n: 1 });
      record(rows, by, "two", { n: 2 });
    });
    const kinds = store.records.read((rows) => rows.events(1, 10)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["one", "two"]);
    assert.deepEqual(logProblems(store), []);
    return Promise.resolve();
  });

  given("rows that refer to nothing, and rows twice, are refused", async (store) => {
    const { version } = await addFiles(store, "a", { f: "1" });
    const refused = (work: Parameters<Store["records"]["write"]>[0]) =>
      assert.throws(() => store.records.write(work));
    refused((rows) => rows.insertVersion({ ...version, number: 2, root: "0".repeat(64) }));
    refused((rows) => rows.insertVersion({ ...version, number: 2, artifact: "nobody" }));
    refused((rows) => rows.insertVersion(version));
    refused((rows) => rows.insertArtifact({ name: "a", createdAt: version.createdAt, lastNumber: 0 }));
    refused((rows) => rows.insertEvent(rows.lastEvent()!));
    refused((rows) => rows.deleteTree(version.root));
    assert.deepEqual(logProblems(store), []);
  });

  given("prune keeps the newest, numbers are never given again, gc frees the rest", async (store) => {
    for (const text of ["1", "2", "3"]) await addFiles(store, "a", { f: text, same: "same" });
    const by = authorOf(store);
    assert.deepEqual(pruneVersions(store, by, "a", { kind: "keep", newest: 1 }, true).map((v) => v.number), [
      2,
      1,
    ]);
    assert.equal(store.records.read((rows) => rows.versions("a")).length, 3);
    pruneVersions(store, by, null, { kind: "keep", newest: 1 }, false);
    assert.deepEqual(store.records.read((rows) => rows.versions("a")).map((v) => v.number), [3]);
    const dry = await collectGarbage(store, by, true, {});
    assert.deepEqual([dry.blobs, dry.trees], [2, 2]);
    assert.equal([...store.blobs.list()].length, 4);
    await collectGarbage(store, by, false, {});
    assert.equal([...store.blobs.list()].length, 2);
    assert.equal(store.records.read((rows) => rows.treeDigests()).length, 1);
    assert.deepEqual(filesOf(store, store.records.read((rows) => rows.latest("a"))!), {
      f: "3",
      same: "same",
    });
    assert.equal((await addFiles(store, "a", { f: "4" })).version.number, 4);
    assert.deepEqual((await examine(store, {})).damages, []);
    assert.deepEqual(logProblems(store), []);
    const older = pruneVersions(store, by, "a", { kind: "before", time: new Date("2030-01-01") }, false);
    assert.deepEqual(older.map((v) => v.number), [3]);
  });

  given("retention leaves tombstones, and only retention may", async (store) => {
    await addFiles(store, "a", { f: "1" });
    await addFiles(store, "a", { f: "2" });
    const by = authorOf(store);
    assert.equal(store.records.write((rows) => dropPayloads(rows, by, 3)), 3);
    assert.equal(store.records.write((rows) => dropPayloads(rows, by, 3)), 0);
    const report = store.records.read((rows) => verifyLog(rows, store.records.storeId));
    assert.deepEqual([report.problems, report.tombstones, report.events], [[], 3, 5]);
    store.records.write((rows) => rows.dropPayload(4));
    assert.deepEqual(logProblems(store).map(({ code, sequence }) => [code, sequence]), [["payload_gone", 4]]);
  });

  given("a missing blob is told of with every version it hits, and restored", async (store) => {
    await addFiles(store, "a", { "d/f": "lost", g: "kept" });
    await addFiles(store, "a", { "d/f": "lost", g: "changed" });
    await addFiles(store, "b", { h: "other" });
    store.blobs.remove(sha256("lost"));
    const health = await examine(store, {});
    assert.deepEqual(health.damages.map(({ digest, problem }) => [digest, problem]), [[
      sha256("lost"),
      "missing",
    ]]);
    assert.deepEqual(health.damages[0]!.hits, [
      { artifact: "a", number: 2, path: "d/f" },
      { artifact: "a", number: 1, path: "d/f" },
    ]);
    const by = authorOf(store);
    const none = await repair(store, by, health.damages, () => null, {});
    assert.deepEqual([none.restored, none.left.length], [[], 1]);
    const wrong = await repair(store, by, health.damages, () => [encode("lies")], {});
    assert.deepEqual([wrong.restored, wrong.left.length], [[], 1]);
    const done = await repair(store, by, health.damages, () => [encode("lo"), encode("st")], {});
    assert.deepEqual(done.restored, [sha256("lost")]);
    assert.deepEqual((await examine(store, {})).damages, []);
    assert.deepEqual(logProblems(store), []);
  });

  given("bytes that are put and not flushed are forgotten", (store) => {
    const writer = store.blobs.writer();
    writer.put(encode("x"), sha256("x"));
    writer.discard();
    writer.flush();
    assert.equal(store.blobs.has(sha256("x")), false);
    assert.throws(() => store.blobs.read(sha256("x"), 10), (error: Failure) => error.code === "blob_missing");
    return Promise.resolve();
  });

  given("any interleaving of verbs keeps every promise", async (store) => {
    const model = new Map<string, { number: number; text: string }[]>();
    const name = fc.constantFrom("a", "b");
    const step = fc.oneof(
      fc.record({ kind: fc.constant("create"), name, text: fc.constantFrom("1", "2", "3", "4") }),
      fc.record({ kind: fc.constant("rollback"), name, pick: fc.nat(5) }),
      fc.record({ kind: fc.constant("prune"), name, keep: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant("gc"), name }),
    ) as fc.Arbitrary<{ kind: string; name: string; text: string; pick: number; keep: number }>;
    const numbers = new Map<string, number>();
    const by = authorOf(store);
    const expectNext = (artifact: string, text: string) => {
      const number = (numbers.get(artifact) ?? 0) + 1;
      numbers.set(artifact, number);
      model.set(artifact, [...(model.get(artifact) ?? []), { number, text }]);
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        for (const { kind, name, text, pick, keep } of steps) {
          const versions = model.get(name) ?? [];
          const latest = versions.at(-1);
          if (kind === "create") {
            if (latest?.text !== text) expectNext(name, text);
            await addFiles(store, name, { f: text, [`only-${text}`]: name });
          } else if (kind === "rollback" && latest !== undefined) {
            const old = versions[pick % versions.length]!;
            if (old.text !== latest.text) expectNext(name, old.text);
            rollBack(store, by, { artifact: name, number: old.number }, "");
          } else if (kind === "prune" && latest !== undefined) {
            model.set(name, versions.slice(-keep));
            pruneVersions(store, by, name, { kind: "keep", newest: keep }, false);
          } else if (kind === "gc") await collectGarbage(store, by, false, {});
        }
        for (const [artifact, expected] of model) {
          const found = store.records.read((rows) => rows.versions(artifact));
          assert.deepEqual(found.map((v) => v.number).reverse(), expected.map((v) => v.number));
          for (const version of found) {
            const text = expected.find((v) => v.number === version.number)!.text;
            assert.deepEqual(filesOf(store, version), { f: text, [`only-${text}`]: artifact });
          }
        }
        const health = await examine(store, {});
        assert.deepEqual([health.damages, health.database, health.strangers, health.log.problems], [
          [],
          [],
          [],
          [],
        ]);
      }),
      { numRuns: 25 },
    );
  });
}
