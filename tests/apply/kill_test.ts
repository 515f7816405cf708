import assert from "node:assert/strict";
import { collectGarbage, examine } from "../../src/store/artifact/upkeep.ts";
import type { FolderStore } from "../../src/store/folder/open.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { ROOT } from "../../tools/pp.ts";
import { authorOf } from "../contract/store_contract.ts";
import { createFrom, openAt, withStoreFolder } from "../store/fixture.ts";
import { remove, snapshot, write, writeFiles } from "../workspace/trees.ts";
import { apply, portsOf, proposeChanges, recover, stateOf } from "./fixture.ts";

const CHILD = new URL("./kill_child.ts", import.meta.url).pathname;

/** Every kind of step: a file changed, created in new directories, deleted with its directories; file and directory change places. */
const FILES = {
  ...{ changed: "1\n", mode: "m\n", "dir/one": "1\n", "dir/two/three": "3\n", file: "f\n", kept: "k\n" },
  ...{ "gone/deep/only": "only\n" },
};
const FIRST: readonly FileChange[] = [
  ...[write("changed", "2\n"), write("mode", "m\n", "100755"), remove("gone/deep/only")],
  ...[remove("dir/one"), remove("dir/two/three"), write("dir", "a file now\n")],
  ...[remove("file"), write("file/inside", "a directory now\n"), write("new/deep/file", "n\n")],
];
const SECOND: readonly FileChange[] = [write("kept", "kk\n"), write("also", "also\n")];

function child(...args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", `${ROOT}/deno.json`, CHILD, ...args],
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
}

async function ended(process: Deno.ChildProcess) {
  const { signal, success, stdout, stderr } = await process.output();
  const text = new TextDecoder();
  assert.ok(success || signal === "SIGKILL", text.decode(stderr));
  return { killed: signal === "SIGKILL", steps: Number(text.decode(stdout)) };
}

interface Prepared {
  readonly store: FolderStore;
  readonly place: string;
  readonly root: string;
  readonly proposals: readonly number[];
  readonly before: Record<string, string>;
}

async function prepared(use: (what: Prepared) => Promise<void>): Promise<void> {
  await withStoreFolder(async (store, root, place) => {
    writeFiles(root, FILES);
    Deno.chmodSync(`${root}/gone/deep/only`, 0o640);
    Deno.chmodSync(`${root}/gone/deep`, 0o750);
    Deno.chmodSync(`${root}/changed`, 0o600);
    const { version } = await createFrom(store, root);
    const proposals = [
      await proposeChanges(store, version, FIRST),
      await proposeChanges(store, version, SECOND),
    ];
    await use({ store, place, root, proposals, before: snapshot(root) });
  });
}

/** The store holds together, nothing is under way and no temporary name is left. */
async function assertWhole({ store, root }: Prepared, what: string): Promise<void> {
  const health = await examine(store, {});
  const problems = [health.damages, health.database, health.strangers, health.log.problems];
  assert.deepEqual(problems, [[], [], [], []], what);
  assert.deepEqual(store.records.read((rows) => rows.operations({ state: "applying" })), [], what);
  assert.ok(!Object.keys(snapshot(root)).some((path) => path.includes(".veripatch-apply-")), what);
}

/** The last operation, the revisions and the newest version say what the folder says. */
function assertAgreement(
  given: Prepared,
  outcome: "done" | "undone" | "never",
  after: Record<string, string>,
  what: string,
) {
  const { store, root, proposals, before } = given;
  assert.deepEqual(snapshot(root), outcome === "done" ? after : before, what);
  const last = store.records.read((rows) => rows.operation(rows.lastOperation()));
  if (outcome !== "never") assert.equal(last?.state, outcome, what);
  const states = proposals.map((proposal) => stateOf(store, proposal));
  const expected = outcome === "done" ? "applied" : "approved";
  assert.deepEqual(states, [expected, expected], what);
  const versions = store.records.read((rows) => rows.versions("a").length);
  assert.equal(versions, outcome === "done" ? 2 : 1, what);
}

Deno.test("applying: killed after every single step, the next start finds all-before or all-after", async () => {
  let after: Record<string, string> = {}, steps = 0;
  await prepared(async (given) => {
    await apply(await portsOf(given.store, given.root), given.proposals);
    after = snapshot(given.root);
    assert.equal(after.dir?.split(" ")[0], "file");
  });
  let forward = 0, back = 0;
  for (let at = 1;; at++) {
    let killed = true;
    await prepared(async (given) => {
      const { store, root, place, proposals } = given;
      ({ killed, steps } = await ended(child(place, root, "apply", String(at), ...proposals.map(String))));
      const under = store.records.read((rows) => rows.operations({ state: "applying" }));
      assert.equal(under.length, killed && at > 1 ? 1 : 0, `step ${at}`);
      // Nobody takes away meanwhile what the recovery needs.
      await collectGarbage(store, authorOf(store), false, {});
      const [recovered] = await recover(store);
      const what = `step ${at}: ${recovered?.outcome}`;
      await assertWhole(given, what);
      const outcome = !killed || recovered?.outcome === "after" ? "done" : at === 1 ? "never" : "undone";
      if (killed) outcome === "done" ? forward++ : back++;
      assertAgreement(given, outcome, after, what);
      // And whatever came of it, it can be done, or taken back, after all.
      if (outcome !== "done") {
        await apply(await portsOf(store, root), proposals);
        assert.deepEqual(snapshot(root), after, what);
      }
    });
    if (!killed) break;
  }
  assert.ok(
    steps > 30 && back > 20 && forward > 5,
    `${steps} steps, ${back} taken back, ${forward} finished`,
  );
});

Deno.test("recovery: killed after every single step of itself, the next one comes to the same end", async () => {
  let after: Record<string, string> = {}, total = 0;
  await prepared(async ({ store, root, place, proposals }) => {
    ({ steps: total } = await ended(child(place, root, "apply", "0", ...proposals.map(String))));
    after = snapshot(root);
    store.close();
  });
  // In the middle of placing, where most has to be put back, and at the end, where it is finished.
  for (const [kill, outcome] of [[Math.floor(total * 0.7), "undone"], [total - 1, "done"]] as const) {
    for (let at = 1;; at++) {
      let killed = true;
      await prepared(async (given) => {
        const { store, root, place, proposals } = given;
        await ended(child(place, root, "apply", String(kill), ...proposals.map(String)));
        ({ killed } = await ended(child(place, root, "recover", String(at))));
        await recover(store);
        await assertWhole(given, `kill ${kill}, recovery ${at}`);
        assertAgreement(given, outcome, after, `kill ${kill}, recovery ${at}`);
      });
      if (!killed) break;
      assert.ok(at < 100);
    }
  }
});

Deno.test("rollback and redo: killed at random times, again and again, the folder is always one of two", async () => {
  await prepared(async (given) => {
    const { root, place, proposals, before } = given;
    await apply(await portsOf(given.store, root), proposals);
    const after = snapshot(root);
    given.store.close();
    let killed = 0, isAfter = true;
    for (let round = 0; round < 30; round++) {
      const process = child(place, root, isAfter ? "rollback" : "redo", "0");
      const timer = setTimeout(() => {
        try {
          process.kill("SIGKILL");
        } catch {
          // It was done already.
        }
      }, 150 + Math.random() * 250);
      const ends = await process.output();
      clearTimeout(timer);
      if (ends.signal === "SIGKILL") killed++;
      else assert.ok(ends.success, new TextDecoder().decode(ends.stderr));
      const store = openAt(place);
      try {
        await recover(store);
        await assertWhole({ ...given, store }, `round ${round}`);
        const now = snapshot(root);
        isAfter = JSON.stringify(now) === JSON.stringify(after);
        if (!isAfter) assert.deepEqual(now, before, `round ${round}`);
        const done = store.records.read((rows) => rows.operations({ folder: root, state: "done" }))[0]!;
        assert.equal(done.kind === "rollback", !isAfter, `round ${round}`);
        const latest = store.records.read((rows) => rows.latest("a"))!;
        assert.equal(latest.manifest, done.afterManifest, `round ${round}`);
      } finally {
        store.close();
      }
    }
    assert.ok(killed > 5, `killed ${killed} times`);
  });
});
