import assert from "node:assert/strict";
import { abandonOperation } from "../../src/apply/recover.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import { targetFolder } from "../../src/workspace/target_folder.ts";
import { ROOT } from "../../tools/pp.ts";
import { pp } from "../cli/process.ts";
import { createFrom, withStoreFolder } from "../store/fixture.ts";
import { write, writeFiles } from "../workspace/trees.ts";
import { author, logProblems, proposeChanges, recover, stateOf } from "./fixture.ts";
import type { Job } from "./kill_child.ts";

/** Applies in a process that is killed in the middle. */
async function cutOff(job: Omit<Job, "what" | "after">): Promise<void> {
  const child = new URL("./kill_child.ts", import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", `${ROOT}/deno.json`, child],
    ...{ stdin: "piped", stdout: "null", stderr: "null" },
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify({ ...job, what: "apply", after: 4 })));
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
    assert.match(done.stdout, /^O1 {2}given up: /);
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
