import assert from "node:assert/strict";
import fc from "fast-check";
import { resolveConflicts } from "../../src/apply/conflicts.ts";
import { redo, rollBack } from "../../src/apply/rollback.ts";
import { examine } from "../../src/store/artifact/upkeep.ts";
import { transition } from "../../src/store/proposal/transition.ts";
import { dropOldBackups } from "../../src/store/operation/change.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import type { FolderStore } from "../../src/store/folder/open.ts";
import type { Version } from "../../src/store/store.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { createFrom, withStoreFolder } from "../store/fixture.ts";
import { remove, snapshot, write, writeFiles } from "../workspace/trees.ts";
import {
  apply,
  APPROVED,
  author,
  filesOf,
  logProblems,
  portsOf,
  proposeChanges,
  recover,
  stateOf,
} from "./fixture.ts";

const FILES = {
  a: "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
  b: "b\n",
  "d/x": "x\n",
  "d/y": "y\n",
  "gone/only": "only\n",
};
const UNDO = { dryRun: false, backupsUntil: null };
const REDO = { ...UNDO, clear: () => APPROVED, proofHolds: () => Promise.resolve() };

/** A store and a folder that is the first version of an artifact. */
async function withBase(
  use: (store: FolderStore, root: string, base: Version) => Promise<void>,
  files: Record<string, string> = FILES,
): Promise<void> {
  await withStoreFolder(async (store, root) => {
    writeFiles(root, files);
    const { version } = await createFrom(store, root);
    await use(store, root, version);
    assert.deepEqual(logProblems(store), []);
  });
}

const lines = (change: Record<number, string>) =>
  [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${change[n] ?? n}\n`).join("");

const MIXED: readonly FileChange[] = [
  write("a", lines({ 2: "two" })),
  remove("gone/only"),
  write("new/deep/file", "n\n"),
  write("run", "#!\n", "100755"),
  write("b", "b\n", "100755"),
];

Deno.test("applyProposals: puts a revision into its base, as an operation, a version and events", async () => {
  await withBase(async (store, root, base) => {
    const number = await proposeChanges(store, base, MIXED);
    const before = snapshot(root);
    const ports = await portsOf(store, root);
    const tried = await apply(ports, [number], { dryRun: true, clear: () => APPROVED });
    assert.equal(tried.operation, null);
    assert.deepEqual(snapshot(root), before);
    const { operation, plan, drift } = await apply(ports, [number], { clear: () => APPROVED });
    assert.deepEqual([operation?.state, operation?.files, operation?.version, drift], ["done", 5, 2, []]);
    assert.deepEqual(plan!.paths.map(({ path, how }) => `${path} ${how}`), [
      ...["a taken", "b taken", "gone/only taken", "new/deep/file taken", "run taken"],
    ]);
    assert.equal(stateOf(store, number), "applied");
    const now = snapshot(root);
    assert.match(now.a!, /two/);
    assert.equal(now.gone, undefined);
    const version = store.records.read((rows) => rows.latest("a"))!;
    const revision = store.records.read((rows) => rows.revision(number, 1))!;
    assert.deepEqual(
      filesOf(store, version.root),
      filesOf(store, revision.resultRoot),
      "the folder is the result that was shown",
    );
    const { version: seen, changed } = await createFrom(store, root).then(({ version, changed }) => ({
      version,
      changed,
    }));
    assert.deepEqual([seen.number, changed], [2, false], "and the folder holds what the version says");
    const kinds = store.records.read((rows) => rows.events(0, 100)).map(({ kind }) => kind).slice(-5);
    assert.deepEqual(kinds, [
      ...["operation_started", "proposal_applying", "version_created", "operation_done", "proposal_applied"],
    ]);
    const again = await apply(ports, [number], { clear: () => APPROVED });
    assert.equal(again.refusal?.reason, "state_differs");
  });
});

Deno.test("rollBack, redo: by new operations, to the same bytes, permissions and directories", async () => {
  await withBase(async (store, root, base) => {
    Deno.chmodSync(`${root}/gone`, 0o710);
    Deno.chmodSync(`${root}/gone/only`, 0o640);
    Deno.chmodSync(`${root}/a`, 0o600);
    const number = await proposeChanges(store, base, MIXED);
    const ports = await portsOf(store, root);
    const before = snapshot(root);
    await apply(ports, [number]);
    const after = snapshot(root);
    const back = await rollBack(ports, { kind: "last", count: 1 }, UNDO);
    assert.deepEqual([back.operation?.kind, back.operation?.number, back.operation?.version], [
      "rollback",
      2,
      3,
    ]);
    assert.deepEqual(snapshot(root), before);
    await assert.rejects(rollBack(ports, { kind: "last", count: 1 }, UNDO), /nothing was applied/);
    const again = await redo(ports, null, REDO);
    assert.equal(again.operation?.kind, "redo");
    assert.deepEqual(snapshot(root), after);
    await assert.rejects(redo(ports, null, REDO), /nothing was taken back/);
    await rollBack(ports, { kind: "proposal", number }, UNDO);
    assert.deepEqual(snapshot(root), before);
    assert.equal(stateOf(store, number), "applied");
    assert.equal(store.records.read((rows) => rows.latest("a"))!.root, base.root);
  });
});

Deno.test("rollBack: refuses what others stand on, what was changed since and what is kept no longer", async () => {
  await withBase(async (store, root, base) => {
    const ports = await portsOf(store, root);
    const first = await proposeChanges(store, base, [write("a", lines({ 1: "one" })), write("b", "bb\n")]);
    await apply(ports, [first]);
    const second = await proposeChanges(store, base, [write("a", lines({ 9: "nine" }))]);
    assert.equal((await apply(ports, [second])).operation?.number, 2);
    const stood = await rollBack(ports, { kind: "proposal", number: first }, UNDO);
    assert.deepEqual(stood.plan.refusals.map(({ reason, path, operation }) => [reason, path, operation]), [
      ["later_change", "a", 2],
    ]);
    assert.equal(stood.operation, null);
    const one = await rollBack(ports, { kind: "file", path: "b" }, UNDO);
    assert.equal(one.operation?.number, 3);
    assert.equal(Deno.readTextFileSync(`${root}/b`), "b\n");
    Deno.writeTextFileSync(`${root}/a`, "mine\n");
    const changed = await rollBack(ports, { kind: "last", count: 2 }, UNDO);
    assert.deepEqual(changed.plan.refusals.map(({ reason }) => reason), ["path_changed"]);
    assert.equal(Deno.readTextFileSync(`${root}/a`), "mine\n");
    Deno.writeTextFileSync(`${root}/a`, lines({ 1: "one", 9: "nine" }));
    assert.equal((await rollBack(ports, { kind: "last", count: 2 }, UNDO)).operation?.number, 4);
    assert.equal(Deno.readTextFileSync(`${root}/a`), FILES.a);
    const third = await proposeChanges(store, base, [write("b", "c\n")]);
    await apply(ports, [third], { backupsUntil: new Date(Date.now() - 1).toISOString() });
    const expired = await rollBack(ports, { kind: "last", count: 1 }, UNDO);
    assert.deepEqual(expired.plan.refusals.map(({ reason }) => reason), ["backup_expired"]);
  });
});

Deno.test("applyProposals: a directory that keeps something left out stays, and the version says so", async () => {
  await withBase(async (store, root, base) => {
    Deno.mkdirSync(`${root}/gone/__pycache__`);
    const number = await proposeChanges(store, base, [remove("gone/only")]);
    const { operation } = await apply(await portsOf(store, root), [number]);
    assert.ok(Deno.statSync(`${root}/gone/__pycache__`).isDirectory);
    const { version, changed } = await createFrom(store, root);
    assert.deepEqual([version.number, changed, version.manifest], [2, false, operation!.afterManifest]);
  });
});

Deno.test("applyProposals: an approved change goes only into its base; drift makes it stale and names the paths", async () => {
  await withBase(async (store, root, base) => {
    const number = await proposeChanges(store, base, [write("a", lines({ 2: "two" }))]);
    const ports = await portsOf(store, root);
    Deno.writeTextFileSync(`${root}/d/x`, "mine\n");
    const before = snapshot(root);
    const tried = await apply(ports, [number], { dryRun: true, clear: () => APPROVED });
    assert.deepEqual([tried.refusal?.reason, tried.refusal?.paths], ["stale", ["d/x"]]);
    assert.equal(stateOf(store, number), "approved", "looking changes nothing");
    const { refusal } = await apply(ports, [number], { clear: () => APPROVED });
    assert.deepEqual([refusal?.reason, refusal?.paths], ["stale", ["d/x"]]);
    assert.equal(stateOf(store, number), "stale");
    assert.deepEqual(snapshot(root), before);
    const second = await proposeChanges(store, base, [write("b", "bb\n")]);
    const denied = { ok: false, reason: "missing", detail: "1 more approver" } as const;
    const uncleared = await apply(ports, [second], { clear: () => denied });
    assert.deepEqual([uncleared.refusal?.reason, uncleared.refusal?.detail], [
      "not_cleared",
      "1 more approver",
    ]);
    assert.equal(stateOf(store, second), "approved");
  });
});

Deno.test("applyProposals: what needs no approval is merged into what others changed", async () => {
  await withBase(async (store, root, base) => {
    const change = [write("a", lines({ 2: "two" })), remove("gone/only"), write("run", "#!\n", "100755")];
    const number = await proposeChanges(store, base, change, "proposed");
    const ports = await portsOf(store, root);
    writeFiles(root, { a: lines({ 8: "eight" }), mine: "mine\n" });
    Deno.removeSync(`${root}/gone`, { recursive: true });
    const { operation, plan, drift } = await apply(ports, [number]);
    assert.deepEqual(plan?.paths.map(({ path, how }) => `${path} ${how}`), [
      ...["a merged", "gone/only there_already", "run taken"],
    ]);
    assert.deepEqual([operation?.state, operation?.files, drift], ["done", 2, ["mine"]]);
    assert.equal(Deno.readTextFileSync(`${root}/a`), lines({ 2: "two", 8: "eight" }));
    await rollBack(ports, { kind: "last", count: 1 }, UNDO);
    assert.equal(Deno.readTextFileSync(`${root}/a`), lines({ 8: "eight" }));
  });
});

Deno.test("applyProposals: conflicts are kept with their lines, resolved, and then applied", async () => {
  await withBase(async (store, root, base) => {
    const change = [
      write("a", lines({ 2: "two", 8: "eight" })),
      write("b", "theirs\n"),
      write("fresh", "f\n"),
    ];
    const number = await proposeChanges(store, base, change, "proposed");
    const ports = await portsOf(store, root);
    writeFiles(root, { a: lines({ 2: "TWO" }), "fresh/mine": "m\n" });
    Deno.removeSync(`${root}/b`);
    const before = snapshot(root);
    const { refusal, plan } = await apply(ports, [number]);
    assert.equal(refusal?.reason, "conflicts");
    assert.deepEqual(
      plan!.conflicts.map((
        { path, regions },
      ) => [path, ...regions.map(({ line, reason }) => `${line} ${reason}`)]),
      [["a", "2 both_changed"], ["b", "null deleted_by_us"], ["fresh", "null type_changed"]],
    );
    assert.deepEqual(snapshot(root), before);
    const where = { proposal: number, revision: 1, folder: root };
    const kept = () => store.records.read((rows) => rows.conflicts({ ...where }));
    assert.deepEqual(kept().map(({ path, state }) => `${path} ${state}`), ["a open", "b open", "fresh open"]);
    await apply(ports, [number]);
    assert.equal(kept().length, 3, "the same conflicts are not kept twice");
    await resolveConflicts(store, author(store), where, "a", "both");
    await resolveConflicts(store, author(store), where, "b", "theirs");
    await assert.rejects(resolveConflicts(store, author(store), where, "a", "ours"), /no open conflict at a/);
    await assert.rejects(resolveConflicts(store, author(store), where, "fresh", "both"), /no lines/);
    Deno.removeSync(`${root}/fresh`, { recursive: true });
    const { operation } = await apply(ports, [number]);
    assert.equal(operation?.state, "done");
    assert.equal(Deno.readTextFileSync(`${root}/a`), lines({ 2: "TWO\ntwo", 8: "eight" }));
    assert.equal(Deno.readTextFileSync(`${root}/b`), "theirs\n");
    assert.equal(Deno.readTextFileSync(`${root}/fresh`), "f\n");
    assert.deepEqual((await examine(store, {})).damages, []);
  });
});

Deno.test("applyProposals: a resolution counts for the content it was given for, and no other", async () => {
  await withBase(async (store, root, base) => {
    const number = await proposeChanges(store, base, [write("b", "theirs\n")], "proposed");
    const ports = await portsOf(store, root);
    writeFiles(root, { b: "ours\n" });
    await apply(ports, [number]);
    const where = { proposal: number, revision: 1, folder: root };
    await resolveConflicts(store, author(store), where, null, {
      edited: new TextEncoder().encode("edited\n"),
    });
    writeFiles(root, { b: "other\n" });
    assert.equal((await apply(ports, [number])).refusal?.reason, "conflicts");
    assert.equal(Deno.readTextFileSync(`${root}/b`), "other\n");
    const theirs = await apply(ports, [number], { strategy: "theirs" });
    assert.equal(theirs.operation?.state, "done");
    assert.equal(Deno.readTextFileSync(`${root}/b`), "theirs\n");
  });
});

Deno.test("applyProposals: a batch lands whole, later ones merged onto earlier ones, or not at all", async () => {
  await withBase(async (store, root, base) => {
    const ports = await portsOf(store, root);
    const one = await proposeChanges(store, base, [write("a", lines({ 1: "one" })), write("new", "n\n")]);
    const two = await proposeChanges(store, base, [write("a", lines({ 9: "nine" }))]);
    const three = await proposeChanges(store, base, [write("a", lines({ 9: "NINE" })), remove("b")]);
    const before = snapshot(root);
    const clash = await apply(ports, [one, two, three]);
    assert.deepEqual([clash.refusal?.reason, clash.refusal?.proposal], ["conflicts", three]);
    assert.deepEqual(snapshot(root), before);
    const overlap = await apply(ports, [one, two], { clear: () => APPROVED });
    assert.equal(overlap.refusal?.reason, "overlapping");
    const { operation, plan } = await apply(ports, [one, two]);
    assert.deepEqual([operation?.number, operation?.files], [1, 2]);
    assert.deepEqual(plan!.paths.map(({ path, proposals }) => [path, ...proposals]), [["a", one, two], [
      "new",
      one,
    ]]);
    assert.equal(Deno.readTextFileSync(`${root}/a`), lines({ 1: "one", 9: "nine" }));
    assert.deepEqual([one, two, three].map((n) => stateOf(store, n)), ["applied", "applied", "approved"]);
    await rollBack(ports, { kind: "proposal", number: one }, UNDO);
    assert.deepEqual(snapshot(root), before);
  });
});

Deno.test("applyProposals: tests that fail, and somebody who is faster, leave everything as it was", async () => {
  await withBase(async (store, root, base) => {
    const ports = await portsOf(store, root);
    const number = await proposeChanges(store, base, [write("b", "bb\n")]);
    const before = snapshot(root);
    const red = await apply(ports, [number], { verify: () => Promise.resolve({ passed: false }) });
    assert.equal(red.refusal?.reason, "tests_failed");
    // Between the look and the start an approver takes it back.
    const verify = () => {
      store.records.write((rows) => {
        const { evidence } = rows.revision(number, 1)!;
        transition(rows, author(store), { proposal: number, revision: 1, evidence }, "rejected", "no");
      });
      return Promise.resolve({ passed: true });
    };
    await assert.rejects(apply(ports, [number], { verify }), /somebody was faster/);
    assert.deepEqual(snapshot(root), before);
    const other = await proposeChanges(store, base, [write("b", "bb\n")]);
    const edit = () => {
      Deno.writeTextFileSync(`${root}/b`, "edited meanwhile\n");
      return Promise.resolve({ passed: true });
    };
    await assert.rejects(apply(ports, [other], { verify: edit }), /not what was proved/);
    assert.equal(Deno.readTextFileSync(`${root}/b`), "edited meanwhile\n");
    assert.equal(stateOf(store, other), "approved");
    assert.equal(store.records.read((rows) => rows.lastOperation()), 0);
  });
});

Deno.test("operate: a folder belongs to one at a time", async () => {
  await withBase(async (store, root, base) => {
    const number = await proposeChanges(store, base, [write("b", "bb\n")]);
    const [mine, other] = [await portsOf(store, root), await portsOf(store, root)];
    const verify = async () => {
      await assert.rejects(rollBack(other, { kind: "last", count: 1 }, UNDO), /somebody else is changing/);
      return { passed: true };
    };
    assert.equal((await apply(mine, [number], { verify })).operation?.state, "done");
  });
});

Deno.test("dropOldBackups: what is let go of cannot be taken back, and gc frees it", async () => {
  await withBase(async (store, root, base) => {
    const ports = await portsOf(store, root);
    await apply(ports, [await proposeChanges(store, base, [write("b", "bb\n")])]);
    const later = { ...author(store), now: new Date(Date.now() + 1_000) };
    assert.deepEqual(store.records.write((rows) => dropOldBackups(rows, later, later.now)), [1]);
    assert.deepEqual(store.records.write((rows) => dropOldBackups(rows, later, later.now)), []);
    const { plan } = await rollBack(ports, { kind: "last", count: 1 }, UNDO);
    assert.deepEqual(plan.refusals.map(({ reason }) => reason), ["backup_expired"]);
  });
});

Deno.test("operate: what cannot be put back at once is put back by the next start", async () => {
  await withStoreFolder(async (store, root) => {
    writeFiles(root, { a: "a\n", "gone/deep": "g\n" });
    const { version } = await createFrom(store, root);
    const before = snapshot(root);
    const proposal = await proposeChanges(store, version, [write("a", "A\n"), remove("gone/deep")]);
    const step = (what: string) => {
      if (what !== "removed the directory gone") return;
      Deno.writeTextFileSync(`${root}/gone`, "in the way\n");
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    };
    await assert.rejects(apply(await portsOf(store, root, step), [proposal]), (error: Failure) => {
      assert.equal(error.code, "rollback_failed");
      assert.match(
        `${error.message} ${error.hint}`,
        /O1 is cut off .*pp history in this folder puts back the rest/,
      );
      return true;
    });
    assert.deepEqual((await recover(store)).map(({ outcome }) => outcome), ["unfinished"]);
    assert.equal(stateOf(store, proposal), "applying");
    Deno.removeSync(`${root}/gone`);
    assert.deepEqual((await recover(store)).map(({ outcome }) => outcome), ["before"]);
    assert.deepEqual(snapshot(root), before);
    assert.equal(stateOf(store, proposal), "approved");
    assert.deepEqual(logProblems(store), []);
  });
});

Deno.test("rollBack: a clock that was set forward refuses, and is forgiven when it is right again", async () => {
  await withBase(async (store, root, base) => {
    const ports = await portsOf(store, root);
    const backupsUntil = new Date(Date.now() + 86_400_000).toISOString();
    await apply(ports, [await proposeChanges(store, base, [write("b", "bb\n")])], { backupsUntil });
    const forward = { ...author(store), now: new Date("2099-01-01T00:00:00Z") };
    const { plan } = await rollBack({ ...ports, by: () => forward }, { kind: "last", count: 1 }, UNDO);
    assert.deepEqual(plan.refusals.map(({ reason }) => reason), ["backup_expired"]);
    assert.ok((await rollBack(ports, { kind: "last", count: 1 }, UNDO)).operation !== null);
  });
});

Deno.test("applying, taking back and doing again in any order: the folder is what the operations say", async () => {
  const names = ["a", "b", "d/x", "d/z", "gone/only", "n/m/o"];
  const file = fc.option(fc.constantFrom("1\n", "2\n", "3\n"));
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.array(file, { minLength: names.length, maxLength: names.length }) },
    { weight: 2, arbitrary: fc.constantFrom("last", "two", "redo") },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: names.length - 1 }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 7 }), async (actions) => {
      await withBase(async (store, root, first) => {
        const ports = await portsOf(store, root);
        const before = snapshot(root);
        let base = first, backwards = 0;
        for (const what of actions) {
          const held = snapshot(root);
          try {
            if (typeof what === "object") {
              const changes = names.flatMap((name, i): FileChange[] => {
                const now = held[name]?.replace(/^file \d+ \d+ /, "") ?? null;
                if (what[i] === now) return [];
                return what[i] === null ? now === null ? [] : [remove(name)] : [write(name, what[i]!)];
              });
              if (changes.length === 0) continue;
              const number = await proposeChanges(store, base, changes);
              const done = await apply(ports, [number], { clear: () => APPROVED });
              assert.equal(done.operation?.state, "done", done.refusal?.detail);
            } else if (what === "redo") await redo(ports, null, REDO);
            else if (typeof what === "number") {
              await rollBack(ports, { kind: "file", path: names[what]! }, UNDO);
            } else await rollBack(ports, { kind: "last", count: what === "two" ? 2 : 1 }, UNDO);
          } catch (error) {
            if ((error as Failure).kind !== "usage") throw error;
            backwards++;
            assert.deepEqual(snapshot(root), held);
          }
          const { version, changed } = await createFrom(store, root);
          assert.equal(changed, false, "the newest version is what the folder holds");
          base = version;
        }
        // Everything that stands, taken back, is where it began.
        for (;;) {
          try {
            const back = await rollBack(ports, { kind: "last", count: 1 }, UNDO);
            assert.equal(back.operation?.state, "done", JSON.stringify(back.plan.refusals));
          } catch (error) {
            assert.equal((error as Failure).code, "nothing_to_roll_back");
            break;
          }
        }
        assert.deepEqual(snapshot(root), before);
        assert.ok(backwards <= actions.length);
      });
    }),
    { numRuns: 15 },
  );
});
