import assert from "node:assert/strict";
import { TEST_IMAGE } from "./engine.ts";
import { pp, withProject } from "./pp.ts";

const config = (targets: readonly { name: string; cmd: string }[], more: Record<string, unknown> = {}) =>
  JSON.stringify({
    proof_targets: targets,
    policy: { sandbox: { backend: "container", container_image: TEST_IMAGE }, ...more },
  });

interface Run {
  readonly targets: readonly { target: string; outcome: string; result: { exit_code: number } | null }[];
}

async function runs(bundle: string, path: string): Promise<readonly Run[]> {
  return JSON.parse(await Deno.readTextFile(`${bundle}/${path}/target_results.json`)).runs;
}
const outcomes = (run: Run) => run.targets.map((t) => `${t.target} ${t.outcome}`);

Deno.test("pp prove: a later target sees what an earlier one built, and all must pass", async () => {
  const targets = [
    { name: "build", cmd: "sh build.sh" },
    { name: "test", cmd: "grep -q right built.txt" },
    { name: "style", cmd: "test -s value.txt" },
  ];
  const files = {
    "pp.json": config(targets),
    "build.sh": "mkdir -p out && cat value.txt > built.txt\n",
    "value.txt": "wrong\n",
  };
  const stdin = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1,2 @@\n-wrong\n+right\n+more\n";
  await withProject(files, async (directory) => {
    const { code, stdout, stderr } = await pp(["prove", "--patch", "-", "--json"], { cwd: directory, stdin });
    assert.equal(code, 0, stderr + stdout);
    const session = JSON.parse(stdout);
    assert.deepEqual(session.targets.map((t: { name: string }) => t.name), ["build", "test", "style"]);
    const [base] = await runs(session.proof_bundle, "attempts/0_baseline");
    assert.deepEqual(outcomes(base!), ["build passed", "test failed", "style passed"]);
    const [confirmed] = await runs(session.proof_bundle, "confirmation");
    assert.deepEqual(outcomes(confirmed!), ["build passed", "test passed", "style passed"]);
    const patch = await Deno.readTextFile(session.final_patch);
    assert.doesNotMatch(patch, /more/);
    await assert.rejects(Deno.stat(`${directory}/built.txt`), "what a target builds stays in the sandbox");
    const replayed = await pp(["replay", session.proof_bundle, "--json"], { cwd: directory });
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  });
});

Deno.test("pp prove: a patch that turns one target green and another red proves nothing", async () => {
  const targets = [{ name: "old", cmd: "grep -q wrong value.txt" }, {
    name: "new",
    cmd: "grep -q right value.txt",
  }];
  const files = {
    "pp.json": config(targets, { limits: { max_attempts: 2 } }),
    "value.txt": "wrong\n",
    "swap.diff": "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1 @@\n-wrong\n+right\n",
    "both.diff": "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1,2 @@\n wrong\n+right\n",
  };
  await withProject(files, async (directory) => {
    const one = await pp(["prove", "--patch", "swap.diff", "--json"], { cwd: directory });
    assert.equal(one.code, 2, one.stderr);
    assert.equal(JSON.parse(one.stdout).status, "not_proved");
    const both = await pp(["prove", "--patch", "swap.diff", "--patch", "both.diff", "--json"], {
      cwd: directory,
    });
    assert.equal(both.code, 0, both.stderr);
    const session = JSON.parse(both.stdout);
    assert.deepEqual(session.attempts.map((a: { outcome: string }) => a.outcome), ["failed", "passed"]);
    assert.match(await Deno.readTextFile(session.final_patch), /^ wrong\n\+right$/m);
    const proposed = `${session.proof_bundle}/attempts/1/applied.patch`;
    assert.match(await Deno.readTextFile(proposed), /^-wrong$/m, "the first is recorded as it was tried");
  });
});
