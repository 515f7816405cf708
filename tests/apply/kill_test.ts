import assert from "node:assert/strict";
import { collectGarbage, examine } from "../../src/store/artifact/upkeep.ts";
import type { FolderStore } from "../../src/store/folder/open.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { ROOT } from "../../tools/pp.ts";
import { authorOf } from "../contract/store_contract.ts";
import { createFrom, openAt, withStoreFolder } from "../store/fixture.ts";
import { remove, snapshot, write, writeFiles } from "../workspace/trees.ts";
import { apply, portsOf, proposeChanges, recover, stateOf } from "./fixture.ts";
import type { Job } from "./kill_child.ts";

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

/** Children that are started already; most of a child's time is its start. */
const waiting: Deno.ChildProcess[] = [];

function started(): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", `${ROOT}/deno.json`, CHILD],
    ...{ stdin: "piped", stdout: "null", stderr: "piped" },
  }).spawn();
}

/** Gives a job to a child that waits for one, and starts another. */
async function child(job: Job): Promise<Deno.ChildProcess> {
  const process = waiting.shift() ?? started();
  waiting.push(started());
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(job)));
  await writer.close();
  return process;
}

/** Lets those go that have nothing to do. */
async function dismissed(): Promise<void> {
  for (const process of waiting.splice(0)) {
    await process.stdin.close();
    await process.output();
  }
}

/** @returns whether it was killed */
async function ended(process: Deno.ChildProcess): Promise<boolean> {
  const { signal, success, stderr } = await process.output();
  assert.ok(success || signal === "SIGKILL", new TextDecoder().decode(stderr));
  return signal === "SIGKILL";
}

const KINDS =
  /^(made a temporary name for|wrote what becomes of|kept what was at|removed the directory|made the directory|put back|placed|removed|made) /;

/** Which steps, from 1: the first and the last of each kind. */
function endsOfKinds(steps: readonly string[]): readonly number[] {
  const kinds = steps.map((step) => KINDS.exec(step)?.[1] ?? step);
  return kinds.flatMap((kind, i) =>
    kinds.indexOf(kind) === i || kinds.lastIndexOf(kind) === i ? [i + 1] : []
  );
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

/** A test whose children are gone at its end. */
function killing(name: string, body: () => Promise<void>): void {
  Deno.test(name, async () => {
    try {
      await body();
    } finally {
      await dismissed();
    }
  });
}

killing(
  "applying: killed after every single step, the next start finds all-before or all-after",
  async () => {
    let after: Record<string, string> = {};
    const steps: string[] = [];
    await prepared(async (given) => {
      await apply(await portsOf(given.store, given.root, (step) => void steps.push(step)), given.proposals);
      after = snapshot(given.root);
      assert.equal(after.dir?.split(" ")[0], "file");
    });
    let forward = 0, back = 0;
    for (const at of steps.keys()) {
      await prepared(async (given) => {
        const { store, root, place, proposals } = given;
        assert.ok(await ended(await child({ place, root, what: "apply", after: at + 1, proposals })));
        const under = store.records.read((rows) => rows.operations({ state: "applying" }));
        assert.equal(under.length, at > 0 ? 1 : 0, steps[at]);
        // Nobody takes away meanwhile what the recovery needs.
        await collectGarbage(store, authorOf(store), false, {});
        const [recovered] = await recover(store);
        const what = `${at}, ${steps[at]}: ${recovered?.outcome}`;
        await assertWhole(given, what);
        const outcome = recovered?.outcome === "after" ? "done" : at === 0 ? "never" : "undone";
        outcome === "done" ? forward++ : back++;
        assertAgreement(given, outcome, after, what);
        // And whatever came of it, it can be done after all.
        if (outcome !== "done" && at % 5 === 0) {
          await apply(await portsOf(store, root), proposals);
          assert.deepEqual(snapshot(root), after, what);
        }
      });
    }
    assert.ok(back > 20 && forward > 5, `${steps.length} steps, ${back} taken back, ${forward} finished`);
  },
);

killing(
  "recovery: killed after the first and last step of each kind, the next one comes to the same end",
  async () => {
    let after: Record<string, string> = {}, total = 0;
    await prepared(async ({ store, root, proposals }) => {
      await apply(await portsOf(store, root, () => void total++), proposals);
      after = snapshot(root);
    });
    // In the middle of placing, where most has to be put back, and at the end, where it is finished.
    for (const [kill, outcome] of [[Math.floor(total * 0.7), "undone"], [total - 1, "done"]] as const) {
      const cutOff = async (use: (given: Prepared) => Promise<void>) =>
        await prepared(async (given) => {
          const { root, place, proposals } = given;
          assert.ok(await ended(await child({ place, root, what: "apply", after: kill, proposals })));
          await use(given);
        });
      const steps: string[] = [];
      await cutOff(async ({ store }) => void await recover(store, (step) => void steps.push(step)));
      const points = endsOfKinds(steps);
      assert.ok(points.length > (outcome === "done" ? 1 : 8), steps.join(", "));
      for (const at of points) {
        await cutOff(async (given) => {
          const { store, root, place, proposals } = given;
          assert.ok(await ended(await child({ place, root, what: "recover", after: at, proposals })));
          await recover(store);
          const what = `kill ${kill}, recovery ${at}, ${steps[at - 1]}`;
          await assertWhole(given, what);
          assertAgreement(given, outcome, after, what);
        });
      }
    }
  },
);

killing(
  "rollback and redo: killed at random times, again and again, the folder is always one of two",
  async () => {
    await prepared(async (given) => {
      const { root, place, proposals, before } = given;
      await apply(await portsOf(given.store, root), proposals);
      const after = snapshot(root);
      given.store.close();
      let killed = 0, isAfter = true, longest = 200;
      for (let round = 0; round < 24; round++) {
        const what = isAfter ? "rollback" : "redo";
        const began = performance.now();
        const process = await child({ place, root, what, after: 0, proposals });
        const timer = setTimeout(() => {
          try {
            process.kill("SIGKILL");
          } catch {
            // It was done already.
          }
        }, Math.random() * longest);
        if (await ended(process)) killed++;
        else longest = Math.max(longest, performance.now() - began);
        clearTimeout(timer);
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
  },
);
