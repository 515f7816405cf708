import assert from "node:assert/strict";
import { collectGarbage, examine, pruneVersions } from "../../src/store/artifact/upkeep.ts";
import { dropPayloads } from "../../src/store/log/change.ts";
import { verifyLog } from "../../src/store/log/verify.ts";
import {
  beginOperation,
  dropOldBackups,
  endOperation,
  type OperationAsked,
} from "../../src/store/operation/change.ts";
import { addProposal, addRevision } from "../../src/store/proposal/change.ts";
import { transition, withdraw } from "../../src/store/proposal/transition.ts";
import { findConflicts, type NewConflict, resolveFound } from "../../src/store/operation/conflict.ts";
import type { NewOperation, Operation, StoredConflict } from "../../src/store/operations.ts";
import type { Rows, Store, WritableRows } from "../../src/store/store.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import { termsOf } from "../approve/fixture.ts";
import { newRevision, proposeChange } from "../store/proposals.ts";
import { addFiles, authorOf, givenStore, putFiles, type StoreUnderTest } from "./store_contract.ts";

const FOLDER = "/srv/project";
const TIME = "2026-01-02T03:04:05.000Z";
const LATER = new Date("2026-01-03T03:04:05Z");

const side = (text: string) => ({ mode: "100644" as const, size: text.length, sha256: sha256(text) });
const before = (text: string) => ({ ...side(text), permissions: 0o640, uid: 1000, gid: 100 });

/** A folder as version 1 of artifact `a`, and what applying P1.1 is to make of it; everything is in the store. */
async function asked(store: Store, over: Partial<OperationAsked["operation"]> = {}): Promise<OperationAsked> {
  if (store.records.read((rows) => rows.lastProposal()) === 0) {
    const revision = await newRevision(store);
    store.records.write((rows) =>
      addProposal(rows, authorOf(store, "maker"), { artifact: "a", title: "t", revision })
    );
  }
  const { root, trees, manifest, files, bytes } = putFiles(store, { f: "2\n", base: "base\n", n: "new" });
  store.records.write((rows) => trees.forEach(([digest, body]) => rows.insertTree(digest, body)));
  const staging = sha256(String(store.records.read((rows) => rows.lastOperation()))).slice(0, 16);
  return {
    operation: {
      ...{ kind: "apply", folder: FOLDER, staging, artifact: "a", beforeManifest: sha256("before") },
      ...{ afterManifest: manifest(), afterRoot: root, afterFiles: files, afterBytes: bytes },
      ...{ directories: "[]", backupsUntil: null },
      ...over,
    },
    paths: [
      { position: 0, path: "f", stageIn: "", before: before("1\n"), after: side("2\n") },
      { position: 1, path: "n", stageIn: "", before: null, after: side("new") },
      { position: 2, path: "gone", stageIn: "", before: before("gone"), after: null },
    ],
    revisions: [{ position: 0, proposal: 1, revision: 1, evidence: sha256("e"), from: "approved" }],
    targets: [],
  };
}

const conflict = (path: string, ours = "ours", over: Partial<NewConflict> = {}): NewConflict => ({
  ...{ proposal: 1, revision: 1, path, base: side("base"), ours: side(ours), theirs: side("theirs") },
  regions: [{ line: 3, reason: "both_changed", detail: "both" }],
  ...over,
});
const REVISIONS = [{ proposal: 1, revision: 1 }];

/** Rows that say something else than they have. */
function edited(rows: Rows, change: Readonly<Record<string, unknown>>): Rows {
  return new Proxy(rows, {
    get: (of, key) => {
      if (key in change) return change[key as string];
      const value = of[key as keyof Rows] as unknown;
      return typeof value === "function" ? value.bind(of) : value;
    },
  });
}

/** Registers the cases of operations and conflicts every adapter of a store must pass. */
export function operationContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const given = givenStore(name, make);
  const problems = (store: Store, change: Readonly<Record<string, unknown>> = {}) =>
    store.records.read((rows) => [
      ...new Set(verifyLog(edited(rows, change), store.records.storeId).problems.map(({ code }) => code)),
    ]);
  const begin = (store: Store, what: OperationAsked) =>
    store.records.write((rows) => beginOperation(rows, authorOf(store), what));
  const end = (store: Store, number: number, to: Parameters<typeof endOperation>[3]) =>
    store.records.write((rows) => endOperation(rows, authorOf(store, "tester", LATER), number, to));
  const found = (store: Store, place: string | number, ...conflicts: NewConflict[]) => {
    const target = typeof place === "number" ? { folder: null, onto: place } : { folder: place, onto: null };
    store.records.write((rows) => findConflicts(rows, authorOf(store), target, REVISIONS, conflicts));
  };
  const conflicts = (store: Store, filter?: Parameters<Rows["conflicts"]>[0]) =>
    store.records.read((rows) => rows.conflicts(filter));
  const refused = (store: Store, what: string, work: (rows: WritableRows) => unknown) => {
    const all = (rows: Rows) => JSON.stringify([rows.operations(), rows.conflicts()]);
    const was = store.records.read(all);
    assert.throws(() => store.records.write(work), what);
    assert.equal(store.records.read(all), was, what);
  };

  given("an operation, its paths, revisions and targets come back as they were put", async (store) => {
    const what = await asked(store, { backupsUntil: "2026-02-01T00:00:00.000Z" });
    store.records.read((rows) => {
      assert.deepEqual([rows.lastOperation(), rows.operations(), rows.operation(1)], [0, [], null]);
    });
    begin(store, what);
    const one: Operation = {
      ...what.operation,
      ...{ number: 1, state: "applying", reason: "", actor: "tester", createdAt: TIME, finishedAt: null },
      ...{ files: 3, version: null, backups: "kept" },
    };
    store.records.read((rows) => {
      assert.deepEqual([rows.operation(1), rows.operations()], [one, [one]]);
      assert.deepEqual(rows.operationPaths(1), what.paths.map((path) => ({ operation: 1, ...path })));
      assert.deepEqual(rows.operationRevisions(1), [{ operation: 1, ...what.revisions[0]! }]);
      assert.deepEqual([rows.operationTargets(1), rows.pathHistory(FOLDER, "f")], [[], []]);
    });
    const done = end(store, 1, { state: "done", message: "m" });
    assert.deepEqual(done, { ...one, state: "done", version: 2, finishedAt: LATER.toISOString() });
    assert.equal(store.records.read((rows) => rows.latest("a"))!.root, what.operation.afterRoot);
    begin(store, { ...await asked(store, { kind: "rollback" }), revisions: [], targets: [1] });
    assert.equal(end(store, 2, { state: "done", message: "m" })?.version, 2, "an equal folder is no version");
    store.records.read((rows) => {
      assert.deepEqual([rows.operationTargets(2), rows.lastOperation()], [[1], 2]);
      assert.deepEqual(rows.pathHistory(FOLDER, "gone"), [
        { operation: 1, kind: "apply", targets: [] },
        { operation: 2, kind: "rollback", targets: [1] },
      ]);
      assert.deepEqual([rows.pathHistory(FOLDER, "x"), rows.pathHistory("/other", "f")], [[], []]);
    });
    assert.deepEqual(problems(store), []);
  });

  given("a list of operations is newest first, narrowed as asked", async (store) => {
    for (const folder of ["/1", "/2", "/1"]) {
      const { number } = begin(store, await asked(store, { folder }));
      if (number === 1) end(store, 1, { state: "undone", reason: "r", stuck: [] });
    }
    const { paths } = await asked(store);
    begin(store, { ...await asked(store, { folder: "/3" }), paths, revisions: [], targets: [] });
    const numbers = (filter?: Parameters<Rows["operations"]>[0]) =>
      store.records.read((rows) => rows.operations(filter)).map(({ number }) => number);
    assert.deepEqual(numbers(), [4, 3, 2, 1]);
    assert.deepEqual(numbers({ folder: "/1" }), [3, 1]);
    assert.deepEqual(numbers({ state: "applying" }), [4, 3, 2]);
    assert.deepEqual(numbers({ folder: "/1", state: "undone" }), [1]);
    assert.deepEqual(numbers({ proposal: 1 }), [3, 2, 1]);
    assert.deepEqual(numbers({ proposal: 2 }), []);
    assert.deepEqual(numbers({ after: 4, limit: 2 }), [3, 2]);
  });

  given("one operation at a time on a folder, and each ends once", async (store) => {
    begin(store, await asked(store));
    const second = await asked(store);
    assert.throws(() => begin(store, second), (error: Failure) => error.code === "folder_busy");
    assert.equal(begin(store, { ...second, operation: { ...second.operation, folder: "/other" } }).number, 2);
    const failed = { state: "failed" as const, reason: "why", stuck: ["f"] };
    assert.equal(end(store, 1, failed)?.state, "failed");
    assert.equal(end(store, 1, { state: "done", message: "" }), null);
    assert.equal(end(store, 3, failed), null);
    const given = { state: "failed", abandoned: true, reason: "the disk is gone", stuck: [] } as const;
    assert.deepEqual([end(store, 2, given)?.state, end(store, 2, given)], ["failed", null]);
    const kinds = store.records.read((rows) => rows.events(0, 100)).map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(-4), [
      ...["operation_started", "operation_started", "operation_failed", "operation_abandoned"],
    ]);
    assert.deepEqual(problems(store), []);
  });

  given("rows of operations that refer to nothing, come twice or out of order are refused", async (store) => {
    const { operation: about, ...rest } = await asked(store);
    const operation: Operation = {
      ...about,
      ...{ number: 1, state: "applying", reason: "", actor: "me", createdAt: TIME, finishedAt: null },
      ...{ files: 3, version: null, backups: "kept" },
    };
    const whole: NewOperation = { operation, ...rest };
    const insert = (over: Partial<NewOperation>) => (rows: WritableRows) =>
      rows.insertOperation({ ...whole, ...over });
    const of = (over: Partial<Operation>) => insert({ operation: { ...operation, ...over } });
    refused(store, "a gap", of({ number: 2 }));
    refused(store, "done already", of({ state: "done", finishedAt: TIME }));
    refused(store, "unknown artifact", of({ artifact: "nobody" }));
    refused(store, "unknown tree", of({ afterRoot: "0".repeat(64) }));
    const [path] = whole.paths;
    refused(store, "one path twice", insert({ paths: [path!, { ...path!, position: 1 }] }));
    refused(store, "a path that stays", insert({ paths: [{ ...path!, after: side("1\n") }] }));
    refused(store, "unknown revision", insert({ revisions: [{ ...whole.revisions[0]!, revision: 2 }] }));
    refused(store, "no target", insert({ targets: [7] }));
    refused(store, "itself", insert({ targets: [1] }));
    store.records.write(insert({}));
    refused(store, "the same staging", of({ number: 2, folder: "/other" }));
    refused(store, "backups of one under way", (rows) => rows.dropBackups(1));
    const to = { state: "undone", reason: "", finishedAt: TIME, version: null } as const;
    const set = () => store.records.write((rows) => rows.setOperationState(1, to));
    assert.deepEqual([set(), set()], [true, false]);
    refused(store, "its tree", (rows) => {
      rows.insertOperation({ ...whole, operation: { ...operation, number: 3 } });
    });
  });

  given("backups go when their time is over, or are asked to, and free their blobs", async (store) => {
    const [now, soon] = [LATER.toISOString(), new Date(LATER.getTime() + 1000).toISOString()];
    for (const [folder, until] of [["/1", now], ["/2", soon], ["/3", null]] as const) {
      begin(store, await asked(store, { folder, backupsUntil: until }));
    }
    const blobs = () =>
      store.records.read((rows) => [...rows.operationBlobs()]).map(({ operation, path }) =>
        `${operation} ${path}`
      );
    const each = (number: number) => ["f", "f", "n", "gone"].map((path) => `${number} ${path}`);
    assert.deepEqual(blobs(), [1, 2, 3].flatMap(each));
    const by = authorOf(store, "tester", LATER);
    const drop = (old: Date | null, dryRun = false) =>
      store.records.write((rows) => dropOldBackups(rows, by, old, dryRun));
    assert.deepEqual(drop(null), [], "under way");
    for (const number of [1, 2, 3]) end(store, number, { state: "undone", reason: "", stuck: [] });
    assert.deepEqual([drop(null, true), drop(null), drop(null)], [[1], [1], []]);
    assert.deepEqual(blobs(), [2, 3].flatMap(each));
    assert.deepEqual([drop(new Date(TIME)), drop(LATER)], [[], [2, 3]]);
    assert.deepEqual(blobs(), []);
    const dropped = store.records.read((rows) => rows.operations()).map(({ backups }) => backups);
    assert.deepEqual(dropped, ["dropped", "dropped", "dropped"]);
    assert.deepEqual(problems(store), []);
  });

  given("what an operation replaced outlives versions and garbage collection", async (store) => {
    const writer = store.blobs.writer();
    for (const text of ["1\n", "2\n", "new", "gone"]) {
      writer.put(new TextEncoder().encode(text), sha256(text));
    }
    writer.flush();
    begin(store, await asked(store));
    end(store, 1, { state: "done", message: "m" });
    const by = authorOf(store);
    await addFiles(store, "a", { other: "x" });
    pruneVersions(store, by, "a", { kind: "keep", newest: 1 }, false);
    await collectGarbage(store, by, false, {});
    assert.equal(store.blobs.has(sha256("gone")), true);
    store.blobs.remove(sha256("gone"));
    assert.deepEqual((await examine(store, {})).damages.map(({ digest }) => digest), [sha256("gone")]);
    store.records.write((rows) => dropOldBackups(rows, authorOf(store, "tester", LATER), LATER));
    await collectGarbage(store, by, false, {});
    assert.deepEqual([(await examine(store, {})).damages, store.blobs.has(sha256("new"))], [[], false]);
  });

  given("conflicts come back as they were put, of a folder and of a rebase", async (store) => {
    await asked(store);
    assert.deepEqual(store.records.read((rows) => [rows.lastConflict(), rows.conflict(1)]), [0, null]);
    found(store, FOLDER, conflict("x"), conflict("y", "ours", { base: null, theirs: null }));
    found(store, 2, conflict("x"));
    const row: StoredConflict = {
      ...{ id: 1, proposal: 1, revision: 1, folder: FOLDER, onto: null, path: "x" },
      ...{ base: side("base"), ours: side("ours"), theirs: side("theirs") },
      regions: '[{"detail":"both","line":3,"reason":"both_changed"}]',
      ...{ createdAt: TIME, state: "open", resolution: null, result: null },
      ...{ resolvedAt: null, resolvedBy: null },
    };
    assert.deepEqual(store.records.read((rows) => rows.conflict(1)), row);
    assert.deepEqual(conflicts(store)[1], { ...row, id: 2, path: "y", base: null, theirs: null });
    assert.deepEqual(conflicts(store, { folder: null }), [{ ...row, id: 3, folder: null, onto: 2 }]);
    const ids = (filter: Parameters<Rows["conflicts"]>[0]) => conflicts(store, filter).map(({ id }) => id);
    assert.deepEqual(ids({ folder: FOLDER }), [1, 2]);
    assert.deepEqual([ids({ proposal: 1, revision: 1 }), ids({ revision: 2 }), ids({ state: "resolved" })], [
      ...[[1, 2, 3], [], []],
    ]);
    assert.deepEqual(problems(store), []);
  });

  given("a conflict is kept once, resolved once, and obsolete when a side is another", async (store) => {
    await asked(store);
    const states = () => conflicts(store).map(({ path, state, ours }) => [path, state, ours?.sha256]);
    const [one, two] = [sha256("ours"), sha256("two")];
    found(store, FOLDER, conflict("x"), conflict("y"));
    found(store, FOLDER, conflict("x"), conflict("y"));
    assert.deepEqual(states(), [["x", "open", one], ["y", "open", one]]);
    const resolve = (place: string | null, id: number) =>
      store.records.write((rows) =>
        resolveFound(rows, authorOf(store, "ann", LATER), place, "edited", [{ id, result: side("r") }])
      );
    const [resolved] = resolve(FOLDER, 1);
    assert.deepEqual(
      [resolved?.state, resolved?.resolution, resolved?.result, resolved?.resolvedBy, resolved?.resolvedAt],
      ["resolved", "edited", side("r"), "ann", LATER.toISOString()],
    );
    assert.throws(() => resolve(FOLDER, 1), (error: Failure) => error.code === "conflict_moved");
    found(store, FOLDER, conflict("y"));
    assert.deepEqual(states(), [["x", "resolved", one], ["y", "open", one]]);
    found(store, FOLDER, conflict("x", "two"));
    assert.deepEqual(states(), [["x", "obsolete", one], ["y", "obsolete", one], ["x", "open", two]]);
    assert.throws(() => resolve(FOLDER, 2), (error: Failure) => error.code === "conflict_moved");
    found(store, 2, conflict("x"));
    found(store, FOLDER);
    assert.deepEqual(conflicts(store).map(({ state }) => state), [
      "obsolete",
      "obsolete",
      "obsolete",
      "open",
    ]);
    refused(store, "a gap", (rows) => rows.insertConflict({ ...conflicts(store)[3]!, id: 9 }));
    refused(store, "no revision", (rows) => {
      rows.insertConflict({ ...conflicts(store)[3]!, id: 5, revision: 2 });
    });
    refused(store, "in no place", (rows) => {
      rows.insertConflict({ ...conflicts(store)[3]!, id: 5, onto: null });
    });
    refused(store, "in two places", (rows) => {
      rows.insertConflict({ ...conflicts(store)[3]!, id: 5, folder: FOLDER });
    });
    refused(store, "not open", (rows) => {
      rows.insertConflict({ ...conflicts(store)[3]!, id: 5, state: "obsolete" });
    });
    const to = { state: "open", resolution: null, result: null, resolvedAt: null, resolvedBy: null } as const;
    resolve(null, 4);
    assert.equal(store.records.write((rows) => rows.setConflict(4, to)), false);
    assert.equal(store.records.write((rows) => rows.setConflict(1, { ...to, state: "resolved" })), false);
    assert.deepEqual(problems(store), []);
  });

  given("a conflict of a rebase is one with a version, and another with the next", async (store) => {
    await asked(store);
    const open = () => conflicts(store, { state: "open" }).map(({ id, onto }) => [id, onto]);
    found(store, 2, conflict("x"));
    found(store, 2, conflict("x"));
    assert.deepEqual(open(), [[1, 2]]);
    found(store, 3, conflict("x"));
    assert.deepEqual(open(), [[2, 3]]);
    assert.deepEqual(problems(store), []);
  });

  given(
    "what is open of a revision closes when another takes its place, and the log tells it",
    async (store) => {
      await asked(store);
      found(store, FOLDER, conflict("x"), conflict("y"), conflict("z"));
      found(store, "/other", conflict("x"));
      found(store, 2, conflict("x"));
      store.records.write((rows) =>
        resolveFound(rows, authorOf(store), FOLDER, "ours", [{ id: 2, result: side("ours") }])
      );
      const revision = await newRevision(store);
      store.records.write((rows) => {
        assert.ok(addRevision(rows, authorOf(store, "maker"), 1, revision).ok);
      });
      assert.deepEqual(conflicts(store).map(({ id, state }) => `${id} ${state}`), [
        ...["1 obsolete", "2 resolved", "3 obsolete", "4 obsolete", "5 obsolete"],
      ]);
      const told = store.records.read((rows) => rows.events(0, 100)).slice(-5).map(({ kind, payload }) => [
        ...[kind, kind === "conflicts_obsolete" ? JSON.parse(payload!) : null],
      ]);
      const reason = "P1.2 takes its place";
      assert.deepEqual(told, [
        ["proposal_superseded", null],
        ["conflicts_obsolete", { folder: FOLDER, conflicts: [1, 3], reason }],
        ["conflicts_obsolete", { folder: "/other", conflicts: [4], reason }],
        ["conflicts_obsolete", { folder: null, conflicts: [5], reason }],
        ["revision_created", null],
      ]);
      assert.deepEqual(problems(store), []);
    },
  );

  given(
    "what is open of a revision closes when it is rejected, and none opens after",
    async (store) => {
      const by = authorOf(store, "maker");
      const states = () => conflicts(store).map(({ id, state }) => `${id} ${state}`);
      const target = await proposeChange(store, by, termsOf());
      found(store, FOLDER, conflict("x"));
      const move = (to: "stale" | "rejected") =>
        store.records.write((rows) => assert.ok(transition(rows, by, target, to, "no good").ok));
      move("stale");
      assert.deepEqual(states(), ["1 open"], "a stale one may be rebased");
      move("rejected");
      assert.deepEqual(states(), ["1 obsolete"]);
      const last = store.records.read((rows) => rows.lastEvent())!;
      assert.deepEqual(JSON.parse(last.payload!), { folder: FOLDER, conflicts: [1], reason: "no good" });
      found(store, FOLDER, conflict("x"), conflict("y"));
      assert.deepEqual(states(), ["1 obsolete"], "somebody who planned before it was rejected opens none");
      assert.deepEqual(problems(store), []);
    },
  );

  given("what is open of a withdrawn revision closes", async (store) => {
    await asked(store);
    found(store, FOLDER, conflict("x"));
    const draft = { proposal: 1, revision: 1, evidence: null };
    store.records.write((rows) => {
      assert.ok(withdraw(rows, authorOf(store, "maker"), draft, "mistaken").ok);
    });
    assert.deepEqual(conflicts(store).map(({ state }) => state), ["obsolete"]);
    assert.deepEqual(problems(store), []);
  });

  given("more conflicts than an event names are all told of", async (store) => {
    await asked(store);
    const many = Array.from({ length: 450 }, (_, i) => conflict(`p${i}`));
    found(store, 2, ...many);
    const kinds = store.records.read((rows) => rows.events(0, 100)).map(({ kind }) => kind);
    assert.deepEqual(kinds.filter((kind) => kind === "conflicts_found").length, 3);
    const results = conflicts(store).map(({ id }) => ({ id, result: null }));
    store.records.write((rows) => resolveFound(rows, authorOf(store), null, "ours", results));
    found(store, 2, ...many.map((one) => ({ ...one, ours: side("other") })));
    assert.deepEqual([problems(store), conflicts(store, { state: "open" }).length], [[], 450]);
    const first = conflicts(store)[449]!;
    const all = conflicts(store);
    const other = (id: number) => id === 450 ? { ...first, path: "q" } : all[id - 1]!;
    assert.deepEqual(problems(store, { conflict: other }), ["conflict_edited"]);
  });

  given("whatever is edited in the tables of operations and conflicts shows", async (store) => {
    begin(store, await asked(store, { backupsUntil: "2026-02-01T00:00:00.000Z" }));
    end(store, 1, { state: "done", message: "m" });
    begin(store, { ...await asked(store, { kind: "rollback" }), revisions: [], targets: [1] });
    found(store, FOLDER, conflict("x"));
    store.records.write((rows) =>
      resolveFound(rows, authorOf(store, "ann", LATER), FOLDER, "ours", [{ id: 1, result: side("r") }])
    );
    assert.deepEqual(problems(store), []);
    const { operations, paths, revisions, one } = store.records.read((rows) => ({
      operations: [rows.operation(1)!, rows.operation(2)!],
      paths: rows.operationPaths(1),
      revisions: rows.operationRevisions(1),
      one: rows.conflict(1)!,
    }));
    for (const [field, value] of Object.entries(operations[0]!)) {
      if (field === "number") continue;
      const other = typeof value === "number" ? value + 1 : field === "state" ? "failed" : `${value}x`;
      const backups = field === "backups" ? "dropped" : other;
      const operation = (n: number) =>
        n === 1 ? { ...operations[0]!, [field]: backups } : operations[n - 1] ?? null;
      assert.deepEqual(problems(store, { operation }), ["operation_edited"], field);
    }
    const ended = (n: number) => ({ ...operations[n - 1]!, state: "done", finishedAt: TIME, version: 2 });
    assert.deepEqual(problems(store, { operation: ended }), ["operation_edited"], "an end nobody told of");
    for (const field of Object.keys(paths[0]!)) {
      if (field === "operation") continue;
      const changed = [{ ...paths[0]!, [field]: field === "position" ? 9 : null }, ...paths.slice(1)];
      assert.deepEqual(problems(store, { operationPaths: () => changed }), ["operation_edited"], field);
    }
    for (const field of ["permissions", "uid", "gid", "mode", "size", "sha256"]) {
      const was = { ...paths[0]!.before!, [field]: 1 };
      const changed = [{ ...paths[0]!, before: was }, ...paths.slice(1)];
      assert.deepEqual(problems(store, { operationPaths: () => changed }), ["operation_edited"], field);
    }
    for (const field of ["proposal", "revision", "evidence", "from"]) {
      const changed = [{ ...revisions[0]!, [field]: 7 }];
      const operationRevisions = (n: number) => n === 1 ? changed : [];
      assert.deepEqual(problems(store, { operationRevisions }), ["operation_edited"], field);
    }
    assert.deepEqual(problems(store, { operationTargets: () => [] }), ["operation_edited"]);
    assert.deepEqual(problems(store, { operation: () => null }), ["operation_gone"]);
    assert.deepEqual(problems(store, { lastOperation: () => 1 }), ["operation_gone"]);
    const third = (n: number) => n === 3 ? { ...operations[1]!, number: 3 } : operations[n - 1]!;
    assert.deepEqual(problems(store, { lastOperation: () => 3, operation: third }), ["operation_unknown"]);
    for (const [field, value] of Object.entries(one)) {
      if (field === "id") continue;
      const other = typeof value === "number"
        ? value + 1
        : field === "regions"
        ? "[]"
        : typeof value === "string"
        ? `${value}x`
        : side("another");
      const changed = () => ({ ...one, [field]: other });
      assert.deepEqual(problems(store, { conflict: changed }), ["conflict_edited"], field);
    }
    const open = { resolution: null, result: null, resolvedAt: null, resolvedBy: null };
    for (const state of ["open", "obsolete"]) {
      assert.deepEqual(problems(store, { conflict: () => ({ ...one, ...open, state }) }), [
        "conflict_edited",
      ]);
    }
    assert.deepEqual(problems(store, { conflict: () => null }), ["conflict_gone"]);
    assert.deepEqual(problems(store, { lastConflict: () => 0 }), ["conflict_gone"]);
    assert.deepEqual(problems(store, { lastConflict: () => 2, conflict: () => one }), ["conflict_unknown"]);
    // Once retention took payloads away, what is left of the log still counts.
    const { sequence } = store.records.read((rows) => rows.lastEvent())!;
    store.records.write((rows) => dropPayloads(rows, authorOf(store), sequence));
    end(store, 2, { state: "undone", reason: "why", stuck: [] });
    const undone = (n: number) => ({ ...operations[n - 1]!, state: "failed", reason: "why" });
    assert.deepEqual(problems(store), []);
    assert.deepEqual(problems(store, { operation: undone }), ["operation_edited"]);
  });
}
