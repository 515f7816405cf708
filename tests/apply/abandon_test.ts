import assert from "node:assert/strict";
import { abandonOperation } from "../../src/apply/recover.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import { targetFolder } from "../../src/workspace/target_folder.ts";
import { ROOT } from "../../tools/pp.ts";
import { pp } from "../cli/process.ts";
import { createFrom, withStoreFolder } from "../store/fixture.ts";
import { write, writeFiles } from "../workspace/trees.ts";
import { author, logProblems, proposeChanges, recover, stateOf } from "./fixture.ts";
import type { Job } from "./kill_child.ts";

/** Applies in a process that is killed in the middle. */
async function cutOff(job: Omit<Job, "what" | "after">, after = 4): Promise<void> {
  const child = new URL("./kill_child.ts", import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", `${ROOT}/deno.json`, child],
    ...{ stdin: "piped", stdout: "null", stderr: "null" },
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify({ ...job, what: "apply", after })));
  await writer.close();
  assert.equal((await process.status).signal, "SIGKILL");
}

Deno.test("abandonOperation: only what was cut off, in a folder that is not there; the log says so", async () => {
  await withStoreFolder(async (store, root, place) => {
    writeFiles(root, { a: "1\n" });
    const { version } = await createFrom(store, root);
    const proposal = await proposeChanges(store, version, [write("a", "2\n")]);
    await cutOff({ place, root, proposals: [proposal] });
    const ports = { store, by: () => author(store), openFolder: targetFolder };
    const code = async (number: number) =>
      await abandonOperation(ports, number, "why").then(() => "abandoned", (error: Failure) => error.code);
    assert.deepEqual([await code(1), await code(2)], ["folder_there", "operation_unknown"]);
    Deno.renameSync(root, `${root}-gone`);
    assert.deepEqual((await recover(store)).map(({ outcome }) => outcome), ["folder_gone"]);
    const run = (...args: string[]) =>
      pp(["history", "abandon", "O1", "--store", place, ...args], { cwd: place });
    assert.equal((await run()).code, 64);
    const done = await run("--reason", "the disk is gone");
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /^O1 {2}given up in /);
    assert.equal(await code(1), "operation_ended");
    const operation = store.records.read((rows) => rows.operation(1))!;
    assert.deepEqual([operation.state, operation.reason], ["failed", "given up: the disk is gone"]);
    assert.equal(stateOf(store, proposal), "failed");
    const kinds = store.records.read((rows) => rows.events(0, 100)).map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(-2), ["operation_abandoned", "proposal_failed"]);
    assert.deepEqual(logProblems(store), []);
    // A folder that comes back is left as it is.
    Deno.renameSync(`${root}-gone`, root);
    assert.deepEqual(await recover(store), []);
  });
});

Deno.test("abandonOperation: --force gives up what cannot be ended where it is, and nothing else", async () => {
  await withStoreFolder(async (store, root, place) => {
    writeFiles(root, { a: "1\n", b: "1!\n" });
    const { version } = await createFrom(store, root);
    const run = (...args: string[]) => pp(["history", ...args, "--store", place], { cwd: root });
    const state = (number: number) => store.records.read((rows) => rows.operation(number))!.state;
    const lost = `${place}/blobs/${sha256("1\n").slice(0, 2)}/${sha256("1\n")}`;
    const cutOffHalf = async (): Promise<number> => {
      const proposal = await proposeChanges(store, version, [write("a", "2\n"), write("b", "2!\n")]);
      await cutOff({ place, root, proposals: [proposal] }, 8);
      assert.equal(Deno.readTextFileSync(`${root}/a`), "2\n");
      return proposal;
    };
    await cutOffHalf();
    const early = await run("abandon", "O1", "--force", "--reason", "why");
    assert.equal(early.code, 64, early.stdout);
    assert.match(early.stderr, /it could be ended just now, and was/);
    assert.deepEqual([state(1), Deno.readTextFileSync(`${root}/a`)], ["undone", "1\n"]);

    const proposal = await cutOffHalf();
    // Neither the file as it was nor its bytes are there any more.
    for (const { name } of Deno.readDirSync(root)) {
      if (name.endsWith(".old")) Deno.removeSync(`${root}/${name}`);
    }
    Deno.removeSync(lost);
    const history = await run();
    assert.equal(history.code, 0, history.stderr);
    assert.match(
      history.stderr,
      /O2 was cut off in .* and cannot be ended now: a blob [0-9a-f]{64} is not in the store/,
    );
    assert.match(history.stderr, /pp history abandon O2 --force --reason TEXT/);
    assert.deepEqual([state(2), Deno.readTextFileSync(`${root}/a`)], ["applying", "2\n"]);
    assert.equal((await run("abandon", "O2", "--reason", "why")).code, 64);
    const done = await run("abandon", "O2", "--force", "--reason", "looked at by hand");
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual([state(2), stateOf(store, proposal)], ["failed", "failed"]);
    assert.equal(Deno.readTextFileSync(`${root}/a`), "2\n");
    const event = store.records.read((rows) => rows.events(0, 100)).find(({ kind }) =>
      kind === "operation_abandoned"
    );
    assert.match(event?.payload ?? "", /"reason":"given up: looked at by hand","stuck":\["a: blob /);
    assert.deepEqual(logProblems(store), []);
  });
});
