import assert from "node:assert/strict";
import { collectGarbage, examine } from "../../src/store/artifact/upkeep.ts";
import type { FolderStore } from "../../src/store/folder/open.ts";
import type { OperationSide } from "../../src/store/operations.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { ROOT } from "../../tools/pp.ts";
import { authorOf } from "../contract/store_contract.ts";
import { createFrom, withStoreFolder } from "../store/fixture.ts";
import { toldStates } from "../store/proposals.ts";
import { writeFiles } from "../workspace/trees.ts";
import { filesOf, recover } from "./fixture.ts";

const CHILD = new URL("./interleave_child.ts", import.meta.url).pathname;
const FILES = { a: "1\n2\n3\n", b: "b\n", "d/c": "c\n" };
const ROUNDS = 60;
/** No child begins anything later; what it then does takes a moment. */
const TIME_MS = 12_000;

interface Said {
  readonly did: "proposed" | "approved" | "applied" | "rollback" | "redo" | "recovered";
  readonly operation?: number;
  readonly numbers?: readonly number[];
}

async function child(...args: readonly string[]): Promise<{ said: Said[]; killed: boolean }> {
  const { success, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", `${ROOT}/deno.json`, CHILD, ...args],
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  assert.ok(success || signal === "SIGKILL", text.decode(stderr));
  const said = text.decode(stdout).split("\n").slice(0, -1).map((line): Said => JSON.parse(line));
  return { said, killed: signal === "SIGKILL" };
}

/** What is in a folder, as `filesOf` has it. */
function filesIn(root: string, below = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { name, isDirectory } of Deno.readDirSync(`${root}/${below}`)) {
    const path = `${below}${name}`;
    if (isDirectory) Object.assign(found, filesIn(root, `${path}/`));
    else found[path] = `100644 ${sha256(Deno.readFileSync(`${root}/${path}`))}`;
  }
  return found;
}

const text = (side: OperationSide | null) => side === null ? undefined : `${side.mode} ${side.sha256}`;

/** Every operation began where the one before it ended, and the last one ended where the folder is. */
function assertFolder(store: FolderStore, folder: string): number {
  const files = new Map(Object.entries(FILES).map(([path, text]) => [path, `100644 ${sha256(text)}`]));
  const { operations, pathsOf } = store.records.read((rows) => {
    const operations = rows.operations({ folder }).toReversed();
    return {
      operations,
      pathsOf: new Map(operations.map(({ number }) => [number, rows.operationPaths(number)])),
    };
  });
  for (const { number, state, afterRoot, artifact, version } of operations) {
    for (const { path, before, after } of pathsOf.get(number)!) {
      assert.equal(files.get(path), text(before), `O${number} found ${path}`);
      if (state !== "done") continue;
      if (after === null) files.delete(path);
      else files.set(path, text(after)!);
    }
    if (state !== "done") {
      assert.equal(state, "undone", `O${number}`);
      continue;
    }
    assert.deepEqual(filesOf(store, afterRoot), Object.fromEntries(files), `O${number}`);
    assert.equal(store.records.read((rows) => rows.version(artifact, version!))?.root, afterRoot);
  }
  assert.deepEqual(filesIn(folder), Object.fromEntries(files), folder);
  return operations.length;
}

Deno.test("propose, approve, apply, rollback, redo and gc by several processes on several folders, some killed: every invariant holds", async () => {
  await withStoreFolder(async (store, workspace, place) => {
    const folders = ["one", "two", "three"].map((name) => `${workspace}/${name}`);
    for (const folder of folders) {
      Deno.mkdirSync(folder);
      writeFiles(folder, FILES);
    }
    await createFrom(store, folders[0]!);
    const people = ["ann", "bob", "maker"];
    const ends = await Promise.all(Array.from({ length: 6 }, (_, i) => {
      const dieAfter = ["6", "0", "17"][i] ?? "0";
      const [who, seed] = [people[i % 3]!, String(i + 1)];
      return child(place, folders.join(), who, seed, String(ROUNDS), dieAfter, String(TIME_MS));
    }));
    await recover(store);
    const said = ends.flatMap(({ said }) => said);
    const operations = store.records.read((rows) => rows.operations());
    assert.deepEqual(operations.filter(({ state }) => state === "applying"), []);
    const done = operations.filter(({ state }) => state === "done");

    const count = folders.reduce((sum, folder) => sum + assertFolder(store, folder), 0);
    assert.equal(count, operations.length);
    // Each operation was told to one alone, and is done.
    const told = said.filter(({ did }) => ["applied", "rollback", "redo"].includes(did))
      .map(({ operation }) => operation!);
    assert.equal(new Set(told).size, told.length, "an operation told twice");
    assert.deepEqual(told.filter((number) => !done.some((one) => one.number === number)), []);

    const states = toldStates(store);
    const applied = new Map<string, number>();
    for (const { number, state, kind, beforeManifest } of operations) {
      const revisions = store.records.read((rows) => rows.operationRevisions(number));
      assert.equal(kind === "apply", revisions.length > 0);
      for (const { proposal, revision, from } of revisions) {
        const name = `${proposal}.${revision}`;
        if (state !== "done") continue;
        assert.ok(!applied.has(name), `P${name} is applied by O${applied.get(name)} and O${number}`);
        applied.set(name, number);
        const row = store.records.read((rows) => rows.revision(proposal, revision))!;
        assert.equal(row.state, "applied", name);
        // What somebody had to approve was approved, and went into exactly its base.
        if (from === "approved") assert.equal(beforeManifest, row.baseManifest, name);
      }
    }
    for (const { proposal, number, state } of store.records.read((rows) => [...rows.allRevisions()])) {
      const name = `${proposal}.${number}`, path = states.get(name)!;
      assert.equal(path.at(-1), state, name);
      assert.ok(["proposed", "approved", "stale", "applied"].includes(state), `P${name} is ${state}`);
      assert.equal(state === "applied", applied.has(name), name);
      assert.ok(path.filter((one) => one === "applied").length <= 1, path.join(" "));
      for (const [i, one] of path.entries()) {
        if (one === "applied") assert.equal(path[i - 1], "applying", path.join(" "));
        if (one === "applying") assert.match(path[i - 1]!, /^(approved|proposed)$/);
      }
    }
    await collectGarbage(store, authorOf(store), false, {});
    const health = await examine(store, {});
    const problems = [health.damages, health.database, health.strangers, health.log.problems];
    assert.deepEqual(problems, [[], [], [], []]);
    const kinds = new Set(done.map(({ kind }) => kind));
    const enough = `${done.length} of ${operations.length} done, ${said.length} said, ${[...kinds]}`;
    assert.ok(done.length > 5 && kinds.has("apply") && kinds.has("rollback"), enough);
    assert.ok(ends.some(({ killed }) => killed), enough);
  });
});
