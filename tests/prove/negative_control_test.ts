import assert from "node:assert/strict";
import type { Policy } from "../../src/policy/policy.ts";
import { controlOutcome } from "../../src/prove/negative_control.ts";
import type { FakeProgram } from "../../src/sandbox/fake/fake.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import {
  disagreement,
  type TargetOutcome,
  type VerificationResult,
} from "../../src/vocabulary/verification.ts";
import { fakeSession } from "./session_fixture.ts";

const FIX = "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1,2 @@\n-bad\n+good\n+more\n";
const CONTROL = "tests/control.txt";

const controlled = (files: Record<string, string> = { [CONTROL]: "fails" }, targets: string[] = []) =>
(
  policy: Policy,
): Policy => ({ ...policy, verify: { ...policy.verify, negative_control: { files, targets } } });

/** Green with the fix, and red with the control unless `blind`. */
const runner = (blind = false): FakeProgram => (_argv, files) => {
  const fixed = files.readText("a.txt")?.startsWith("good") === true;
  const fails = files.readText(CONTROL) === "fails" && !blind;
  return { exitCode: fixed && !fails ? 0 : 1 };
};

Deno.test("prove: a negative control that fails leaves a proof, once per repeat, in new copies", async () => {
  const { outcome, events } = await fakeSession({
    files: { "a.txt": "bad\n" },
    check: runner(),
    proposals: [FIX],
    policy: controlled(),
    repeat: 2,
  });
  const { record } = outcome;
  assert.equal(record.status, "proved");
  assert.equal(record.negativeControl!.outcome, "failed");
  assert.equal(record.negativeControl!.runs.length, 2);
  assert.deepEqual(record.negativeControl!.files.map((file) => file.path), [CONTROL]);
  assert.ok(outcome.changes.every((change) => change.path !== CONTROL), "the control is no part of the fix");
  assert.deepEqual(events.flatMap((e) => e.kind === "negative_control" ? [e.outcome] : []), [
    "failed",
    "failed",
  ]);
});

Deno.test("prove: a runner that ignores failing tests proves nothing", async () => {
  const { outcome } = await fakeSession({
    files: { "a.txt": "bad\n" },
    check: runner(true),
    proposals: [FIX],
    policy: controlled(),
  });
  const { record } = outcome;
  assert.deepEqual([record.status, record.reasonCode], ["not_proved", "negative_control_passed"]);
  assert.equal(record.final, null);
  assert.deepEqual(outcome.changes, []);
  assert.equal(record.minimization!.kept, false);
  assert.equal(record.negativeControl!.outcome, "passed");
});

Deno.test("prove: a negative control that passes now and then is flaky, one that never ends no answer", async () => {
  let runs = 0;
  const mixed = await fakeSession({
    files: { "a.txt": "bad\n" },
    check: (argv, files, env, signal) =>
      runner(files.readText(CONTROL) !== undefined && runs++ % 2 === 0)(argv, files, env, signal),
    proposals: [FIX],
    policy: controlled(),
    repeat: 2,
  });
  assert.deepEqual(
    [mixed.outcome.record.status, mixed.outcome.record.reasonCode],
    ["flaky", "negative_control_disagrees"],
  );
  const endless = await fakeSession({
    files: { "a.txt": "bad\n" },
    check: (argv, files, env, signal) =>
      files.readText(CONTROL) === undefined
        ? runner()(argv, files, env, signal)
        : new Promise((resolve) => signal.addEventListener("abort", () => resolve({ exitCode: 1 }))),
    proposals: [FIX],
    policy: (p) => controlled()({ ...p, limits: { ...p.limits, per_command_timeout_sec: 1 } }),
  });
  assert.deepEqual(
    [endless.outcome.record.status, endless.outcome.record.reasonCode],
    ["timed_out", "negative_control_timed_out"],
  );
});

Deno.test("prove: a negative control needs a free place in the base and a target that is proved", async () => {
  const session = { files: { "a.txt": "bad\n", "dir/b.txt": "b\n" }, check: runner(), proposals: [FIX] };
  for (const path of ["a.txt", "dir", "a.txt/x"]) {
    await assert.rejects(
      fakeSession({ ...session, policy: controlled({ [path]: "x" }) }),
      (error: Failure) =>
        error.code === "negative_control_exists" && error.message.includes(path.split("/")[0]!),
    );
  }
  await assert.rejects(
    fakeSession({ ...session, policy: controlled({ [CONTROL]: "x" }, ["lint"]) }),
    (error: Failure) => error.code === "negative_control_target_unknown" && error.kind === "malformed",
  );
});

Deno.test("prove: no patch touches the place of a negative control", async () => {
  const at = (path: string) =>
    `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;
  for (const path of ["sentinel/control.txt", "SENTINEL/Control.txt", "sentinel", "sentinel/control.txt/x"]) {
    const { outcome } = await fakeSession({
      files: { "a.txt": "bad\n" },
      check: runner(),
      proposals: [FIX + at(path)],
      policy: controlled({ "sentinel/control.txt": "fails" }),
    });
    assert.equal(outcome.record.attempts[0]!.refusals[0]!.reason, "path_negative_control", path);
  }
});

Deno.test("prove: a target of several that the base passes now and then is flaky, though the base is always red", async () => {
  // At the baseline with two runs; with one only when the base is judged again beside the confirmation.
  for (const repeat of [2, 1]) {
    let runs = 0;
    const { outcome } = await fakeSession({
      files: { "a.txt": "bad\n" },
      check: (argv, files) => {
        if (files.readText("a.txt")!.startsWith("good")) return { exitCode: 0 };
        return { exitCode: argv[1] === "steady" || runs++ % 2 === 1 ? 1 : 0 };
      },
      targets: ["steady", "unsteady"],
      proposals: [FIX],
      repeat,
    });
    const { record } = outcome;
    assert.deepEqual([record.status, record.reasonCode], ["flaky", "base_disagrees"]);
    assert.match(record.reason, /target unsteady/);
    assert.ok([...record.baseline, ...record.baseAgain].every((v) => v.outcome === "failed"));
  }
});

Deno.test("prove: a negative control of one target leaves the others alone", async () => {
  const check: FakeProgram = (argv, files) => {
    if (!files.readText("a.txt")!.startsWith("good")) return { exitCode: 1 };
    return { exitCode: argv[1] === "unit" && files.readText(CONTROL) === "fails" ? 1 : 0 };
  };
  const session = { files: { "a.txt": "bad\n" }, check, proposals: [FIX], targets: ["lint", "unit"] };
  const unit = await fakeSession({ ...session, policy: controlled({ [CONTROL]: "fails" }, ["unit"]) });
  assert.equal(unit.outcome.record.status, "proved");
  const both = await fakeSession({ ...session, policy: controlled() });
  assert.equal(both.outcome.record.reasonCode, "negative_control_passed");
});

const run = (...outcomes: TargetOutcome[]): VerificationResult => ({
  outcome: "failed",
  targets: outcomes.map((outcome, i) => ({ target: `t${i}`, outcome, result: null })),
});

Deno.test("controlOutcome: only failing everywhere, every time, is as it should be", () => {
  const names = ["t0", "t1"];
  assert.equal(controlOutcome([run("failed", "failed"), run("failed", "failed")], names), "failed");
  assert.equal(controlOutcome([run("failed", "passed"), run("failed", "passed")], names), "passed");
  assert.equal(controlOutcome([run("failed", "passed")], ["t0"]), "failed");
  assert.equal(controlOutcome([run("failed", "passed"), run("failed", "failed")], names), "mixed");
  assert.equal(controlOutcome([run("timed_out", "not_run")], names), "timed_out");
  assert.equal(controlOutcome([run("failed", "not_run")], names), "timed_out");
  assert.equal(controlOutcome([], names), "timed_out", "nothing run shows nothing");
  assert.equal(controlOutcome([run("failed")], []), "timed_out");
  assert.equal(controlOutcome([run("failed")], ["t9"]), "timed_out");
});

Deno.test("disagreement: a target that passes in one run and not in another, whatever the others do", () => {
  assert.equal(disagreement([run("failed", "passed"), run("failed", "passed")]), null);
  assert.equal(disagreement([run("failed", "passed"), run("passed", "failed")]), "t0");
  assert.equal(disagreement([run("failed", "passed"), run("failed", "failed")]), "t1");
  assert.equal(disagreement([run("failed", "not_run"), run("timed_out", "passed")]), null);
  assert.equal(disagreement([]), null);
});
