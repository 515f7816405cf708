import assert from "node:assert/strict";
import { TEST_IMAGE } from "./engine.ts";
import { pp, withProject } from "./pp.ts";
import { withFolder } from "../cli/process.ts";

const MIB = 1024 ** 2;
const FIX = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1 @@\n-wrong\n+right\n";
/** Passes or fails also by a limit that is not in the tree: the verifier's own policy decides it. */
const LARGE = 'test "$(ulimit -f)" -gt 100000';
const policy = (fileBytes: number) =>
  JSON.stringify({
    policy: {
      minimize: false,
      limits: { file_bytes: fileBytes },
      sandbox: { backend: "container", container_image: TEST_IMAGE },
    },
  });

/** Proves under one file limit, replays under another. */
async function replayedUnder(check: string, proved: number, verifier: number) {
  const policies = { "proved.json": policy(proved), "verifier.json": policy(verifier) };
  return await withFolder(
    policies,
    (folder) =>
      withProject({ "check.sh": check, "value.txt": "wrong\n" }, async (directory) => {
        const args = [
          "run",
          "sh check.sh",
          "--patch",
          "-",
          "--policy",
          `${folder}/proved.json`,
          "--json",
        ];
        const run = await pp(args, { cwd: directory, stdin: FIX });
        assert.equal(run.code, 0, run.stdout + run.stderr);
        const bundle = JSON.parse(run.stdout).proof_bundle as string;
        const replayed = await pp(["replay", bundle, "--policy", `${folder}/verifier.json`, "--json"], {
          cwd: directory,
        });
        return { code: replayed.code, document: JSON.parse(replayed.stdout) };
      }),
  );
}

Deno.test("pp replay: a base that passes under the verifier's limits contradicts the bundle, exit 2", async () => {
  const { code, document } = await replayedUnder(`${LARGE} || grep -q right value.txt\n`, 8 * MIB, 900 * MIB);
  assert.equal(code, 2);
  assert.equal(document.verdict, "contradicted");
  assert.equal(document.reason, "base_passes");
  assert.equal(document.success, false);
  assert.deepEqual(document.base.map((v: { outcome: string }) => v.outcome), ["passed"]);
});

Deno.test("pp replay: a patched tree that fails under the verifier's limits contradicts the bundle, exit 2", async () => {
  const { code, document } = await replayedUnder(`${LARGE} && grep -q right value.txt\n`, 900 * MIB, 8 * MIB);
  assert.equal(code, 2);
  assert.equal(document.reason, "patched_fails");
  assert.equal(document.patched[0].targets[0].exit_code, 1);
});

Deno.test("pp run --artifacts: a folder inside the workspace is no part of it, not even in a replay", async () => {
  const files = {
    "check.sh": "grep -q right value.txt\n",
    "value.txt": "wrong\n",
    "build/x": "",
    "-": FIX,
  };
  await withProject(files, async (directory) => {
    const args = ["run", "sh check.sh", "--patch", "-", "--artifacts", "build/proofs", "--json"];
    const first = JSON.parse((await pp(args, { cwd: directory, stdin: FIX })).stdout);
    assert.ok(first.proof_bundle.startsWith(`${directory}/build/proofs/`));
    const second = JSON.parse((await pp(args, { cwd: directory, stdin: FIX })).stdout);
    assert.equal(second.base_tree, first.base_tree, "an earlier bundle does not change the base");
    for (const { proof_bundle: bundle } of [first, second]) {
      const replayed = await pp(["replay", bundle, "--json"], { cwd: directory });
      assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
      assert.equal(JSON.parse(replayed.stdout).verdict, "confirmed");
    }
    // Relative, from elsewhere, and by the session's folder.
    const session = first.proof_bundle.replace(/\/proof_bundle$/, "");
    const elsewhere = await pp(["replay", session, "--cwd", directory, "--repeat", "2", "--json"], {
      cwd: "/",
    });
    assert.equal(elsewhere.code, 0, elsewhere.stdout + elsewhere.stderr);
    assert.equal(JSON.parse(elsewhere.stdout).patched.length, 2);
  });
});

Deno.test("pp run then the replay it names: a patch file lying in the project is no part of the base", async () => {
  const files = { "check.sh": "grep -q right value.txt\n", "value.txt": "wrong\n" };
  const patch = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1 @@\n-wrong\n+right\n";
  await withProject({ ...files, "fix.diff": patch }, async (directory) => {
    const run = await pp(["run", "sh check.sh", "--patch", "fix.diff"], { cwd: directory });
    assert.equal(run.code, 0, run.stderr);
    const next = /^next +pp (replay .*)$/m.exec(run.stdout)![1]!.split(" ");
    assert.ok(next.includes("--leave-out"), run.stdout);
    const replayed = await pp(next, { cwd: directory });
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  });
});
