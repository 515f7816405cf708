import assert from "node:assert/strict";
import { displayText } from "../../src/patch/bytes.ts";
import type { FakeProgram } from "../../src/sandbox/fake/fake.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { fakeSession } from "./session_fixture.ts";

const TEN_LINES = Array.from({ length: 10 }, (_, i) => `line ${i}\n`).join("");
const read = (files: Parameters<FakeProgram>[1], path: string): string => files.readText(path) ?? "";

/** Passes when a.txt has the line `fixed`. */
const wantsFixed: FakeProgram = (_argv, files) => {
  const good = read(files, "a.txt").includes("fixed\n");
  return { exitCode: good ? 0 : 1, stdout: good ? "" : "a.txt:5: not fixed\nAssertionError: not fixed\n" };
};

/** The needed line, and three that nobody asked for. */
const BURIED = `diff --git a/a.txt b/a.txt
--- a/a.txt
+++ b/a.txt
@@ -1,10 +1,11 @@
-line 0
+LINE 0
 line 1
 line 2
 line 3
-line 4
+fixed
 line 5
 line 6
 line 7
 line 8
-line 9
+LINE 9
+more
`;

Deno.test("prove: red, green, minimized, confirmed is proved", async () => {
  const { outcome, sandbox, events } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: wantsFixed,
    proposals: [BURIED],
  });
  const { record } = outcome;
  assert.equal(record.status, "proved");
  assert.equal(record.baseline[0]!.outcome, "failed");
  assert.equal(record.confirmation.length, 1);
  assert.equal(record.minimization!.kept, true);
  assert.equal(record.minimization!.result.end, "one_minimal");
  const changed = displayText(record.final!.patch).split("\n").filter((l) => /^[-+][^-+]/.test(l));
  assert.deepEqual(changed, ["+fixed"]);
  assert.equal(outcome.changes.length, 1);
  assert.ok(sandbox.freshCheckouts >= 1, "the final patch is confirmed in a newly created copy");
  assert.deepEqual(events.at(-1), { kind: "session_finished", status: "proved" });
});

Deno.test("prove: a base that passes is already_passing and asks nobody", async () => {
  const { outcome, requests } = await fakeSession({
    files: { "a.txt": "fixed\n" },
    check: wantsFixed,
    proposals: [BURIED],
  });
  assert.equal(outcome.record.status, "already_passing");
  assert.equal(outcome.record.final, null);
  assert.equal(requests.length, 0);
});

Deno.test("prove: a second proposal is asked for with the story of the first", async () => {
  const wrong = BURIED.replace("+fixed", "+broken");
  const { outcome, requests } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: wantsFixed,
    proposals: [wrong, BURIED],
  });
  assert.equal(outcome.record.status, "proved");
  assert.equal(outcome.record.final!.attempt, 2);
  assert.equal(requests[0]!.previous.length, 0);
  assert.equal(requests[1]!.previous[0]!.outcome, "failed");
  assert.match(requests[1]!.previous[0]!.diff, /\+broken/);
  assert.match(requests[1]!.previous[0]!.detail, /AssertionError: not fixed/);
});

Deno.test("prove: refusals spend attempts and run nothing", async () => {
  const escape = BURIED.replaceAll("a/a.txt", "a/../../etc/passwd").replaceAll(
    "b/a.txt",
    "b/../../etc/passwd",
  );
  const { outcome, sandbox, events } = await fakeSession({
    files: { "a.txt": TEN_LINES, "secret/key.txt": "k\n" },
    check: wantsFixed,
    policy: (p) => ({ ...p, deny_write: ["a.txt"] }),
    proposals: ["no patch at all", escape, BURIED],
  });
  assert.equal(outcome.record.status, "not_proved");
  assert.equal(sandbox.runs, 1, "only the baseline ran");
  const reasons = outcome.record.attempts.map((a) => a.refusals[0]!.reason);
  assert.deepEqual(reasons, ["garbage", "path_escapes", "path_denied"]);
  const told = events.flatMap(({ kind, ...event }) =>
    kind === "proposal_refused" && "detail" in event ? [event.detail] : []
  );
  assert.equal(
    told[1],
    "../../etc/passwd: it leads out of the workspace",
    "the path once, and what is wrong with it",
  );
});

Deno.test("prove: a patch with a secret is refused, and allowed when the policy says so", async () => {
  const secrets = (text: string) => text.includes("LINE 9") ? [{ rule: "test", count: 1 }] : [];
  const session = { files: { "a.txt": TEN_LINES }, check: wantsFixed, proposals: [BURIED], secrets };
  const refused = await fakeSession(session);
  assert.equal(refused.outcome.record.attempts[0]!.refusals[0]!.reason, "secret_in_patch");
  const allowed = await fakeSession({
    ...session,
    policy: (p) => ({ ...p, secrets: { allow_in_patch: true } }),
  });
  assert.equal(allowed.outcome.record.status, "proved");
});

Deno.test("prove: what a proposer sees is redacted", async () => {
  const { requests } = await fakeSession({
    files: { "a.txt": TEN_LINES.replace("line 4", "password = hunter2hunter2") },
    check: () => ({ exitCode: 1, stdout: "a.txt:5: token hunter2hunter2\n", stderr: "hunter2hunter2" }),
    proposals: [],
  });
  assert.equal(requests.length, 1);
  assert.ok(!JSON.stringify(requests).includes("hunter2hunter2"));
  assert.ok(JSON.stringify(requests).includes("[REDACTED:test]"));
});

Deno.test("prove: a base that is red and green by turns is flaky", async () => {
  let run = 0;
  const { outcome, requests } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: () => ({ exitCode: run++ % 2 === 0 ? 1 : 0 }),
    proposals: [BURIED],
    repeat: 2,
  });
  assert.equal(outcome.record.status, "flaky");
  assert.equal(requests.length, 0);
});

Deno.test("prove: a minimized patch that does not pass again gives way to the whole one, with the reason", async () => {
  // Passes for the minimized tree only while minimizing, that is before its first fresh run.
  let smallRuns = 0;
  const { outcome } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: (_argv, files) => {
      const text = read(files, "a.txt");
      if (!text.includes("fixed\n")) return { exitCode: 1 };
      const whole = text.includes("LINE 0") && text.includes("LINE 9") && text.includes("more");
      return { exitCode: whole || smallRuns++ < 1 ? 0 : 1 };
    },
    proposals: [BURIED],
  });
  const { record } = outcome;
  assert.equal(record.status, "proved");
  assert.equal(record.minimization!.kept, false);
  assert.match(record.minimization!.reason!, /did not pass again/);
  assert.match(displayText(record.final!.patch), /\+LINE 9/);
});

Deno.test("prove: a patch that never passes again is flaky, not proved", async () => {
  let greens = 0;
  const { outcome } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: (_argv, files) => ({ exitCode: read(files, "a.txt").includes("fixed\n") && greens++ < 1 ? 0 : 1 }),
    policy: (p) => ({ ...p, minimize: false }),
    proposals: [BURIED],
  });
  assert.equal(outcome.record.status, "flaky");
  assert.equal(outcome.record.final, null);
});

Deno.test("prove: attempts that all time out are no answer", async () => {
  const { outcome } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: (_argv, files, _env, signal) =>
      read(files, "a.txt").includes("fixed\n")
        ? new Promise((resolve) => signal.addEventListener("abort", () => resolve({ exitCode: 0 })))
        : { exitCode: 1 },
    policy: (p) => ({ ...p, limits: { ...p.limits, per_command_timeout_sec: 0.05, max_attempts: 1 } }),
    proposals: [BURIED],
  });
  assert.equal(outcome.record.status, "timed_out");
});

Deno.test("prove: the session's own deadline is budget_exhausted, with what was learned so far", async () => {
  const { outcome } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: async (_argv, files, _env, signal) => {
      if (!read(files, "a.txt").includes("fixed\n")) return { exitCode: 1 };
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      return { exitCode: 0 };
    },
    policy: (p) => ({ ...p, limits: { ...p.limits, session_sec: 0.3 } }),
    proposals: [BURIED],
  });
  assert.equal(outcome.record.status, "budget_exhausted");
  assert.equal(outcome.record.baseline.length, 1);
});

Deno.test("prove: a result is delivered while the sandbox is removed, which is gone even if that fails", async () => {
  const session = { files: { "a.txt": TEN_LINES }, check: wantsFixed, proposals: [BURIED] };
  const statuses: string[] = [];
  const deliver = ({ record }: { readonly record: { readonly status: string } }) => {
    statuses.push(record.status);
    return Promise.reject(new Error("disk full"));
  };
  await assert.rejects(fakeSession({ ...session, deliver }), /^Error: disk full$/);
  assert.deepEqual(statuses, ["proved"]);
});

Deno.test("prove: an interrupt throws interrupted and leaves nothing", async () => {
  const controller = new AbortController();
  await assert.rejects(
    fakeSession({
      files: { "a.txt": TEN_LINES },
      check: (_argv, _files, _env, signal) => {
        controller.abort();
        return new Promise((resolve) => {
          if (signal.aborted) resolve({ exitCode: 0 });
          signal.addEventListener("abort", () => resolve({ exitCode: 0 }));
        });
      },
      proposals: [BURIED],
      signal: controller.signal,
    }),
    (error: unknown) => error instanceof Failure && error.kind === "interrupted",
  );
});

Deno.test("prove: a candidate that no longer parses is rejected without a run", async () => {
  const { outcome } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: wantsFixed,
    proposals: [BURIED],
    syntax: {
      check: (_path, bytes) => {
        const text = new TextDecoder().decode(bytes);
        return Promise.resolve(text.includes("LINE 0") === text.includes("LINE 9") ? "valid" : "broken");
      },
    },
  });
  const tried = outcome.record.minimization!.result.waves.flatMap((w) => w.tried);
  assert.equal(outcome.record.status, "proved");
  assert.ok(tried.some((t) => t.probe === "unparsable"));
});

Deno.test("prove: an invalid answer spends an attempt and says why", async () => {
  const { outcome } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: wantsFixed,
    proposals: [{ kind: "invalid", reason: "provider_timeout", detail: "no answer in 5 s" }],
  });
  assert.equal(outcome.record.status, "not_proved");
  assert.deepEqual(outcome.record.attempts[0]!.refusals, [{
    reason: "provider_timeout",
    detail: "no answer in 5 s",
  }]);
});

Deno.test("prove: a base that turns green by itself is flaky, whatever the patch", async () => {
  // Red until the first green with the patch: a clock or a counter somewhere, not a fix.
  let patched = false;
  const { outcome } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: (_argv, files) => {
      if (read(files, "a.txt") !== TEN_LINES) patched = true;
      return { exitCode: patched ? 0 : 1 };
    },
    proposals: [BURIED],
  });
  assert.equal(outcome.record.status, "flaky");
  assert.match(outcome.record.reason, /unpatched base/);
  assert.equal(outcome.record.baseAgain[0]!.outcome, "passed");
  assert.equal(outcome.record.final, null);
});

Deno.test("prove: a policy and what is kept out can never be written", async () => {
  const created = (path: string) => `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;
  const { outcome } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: wantsFixed,
    proposals: [created("pp.yaml"), created("kept/out/x.txt"), BURIED],
    keptOut: ["kept/out"],
  });
  assert.equal(outcome.record.status, "proved");
  const reasons = outcome.record.attempts.flatMap((a) => a.refusals.map((r) => r.reason));
  assert.deepEqual(reasons, ["path_policy_file", "path_kept_out"]);
});

Deno.test("prove: a patch that git reads differently is refused and the next one is tried", async () => {
  let asked = 0;
  const { outcome } = await fakeSession({
    files: { "a.txt": TEN_LINES },
    check: wantsFixed,
    proposals: [BURIED, BURIED],
    gitAgrees: () =>
      Promise.resolve(asked++ === 0 ? { verdict: "disagrees", detail: "x" } : { verdict: "agrees" }),
  });
  assert.equal(outcome.record.status, "proved");
  assert.equal(outcome.record.attempts[0]!.refusals[0]!.reason, "git_disagrees");
  assert.equal(outcome.record.final!.git, "agrees");
});

Deno.test("prove: a minimized patch that pairs repeated lines otherwise than was tried is not called minimal", async () => {
  const patch = "--- a/a.txt\n+++ b/a.txt\n@@ -1,4 +1,2 @@\n-d\n a\n-\n-a\n+d\n";
  const { outcome } = await fakeSession({
    files: { "a.txt": "d\na\n\na\n" },
    check: (_argv, files) => ({
      exitCode: ["a\n", "a\nd\n"].includes(files.readText("a.txt") ?? "") ? 0 : 1,
    }),
    proposals: [patch],
  });
  const { record } = outcome;
  assert.equal(record.status, "proved");
  const { result, atoms } = record.minimization!;
  // Tried were the lines of the first diff; git and we write the same change as another one.
  assert.deepEqual(result.kept.map((atom) => atoms[atom]!.what), ["-d", "-", "-a"]);
  const written = displayText(record.final!.patch).split("\n").filter((l) => /^[-+](?![-+])/.test(l));
  assert.deepEqual(written, ["-d", "-a", "-"]);
  assert.equal(result.end, "realigned");
});

Deno.test("prove: a patch that creates files where no workspace is looked at is refused, with the rest of it", async () => {
  const created = (path: string) =>
    `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+late\n`;
  const files = { "a.txt": TEN_LINES, ".ppignore": "/left/*\n!/left/kept/\n*.gen\n!.turbo/\n" };
  for (const path of [".cache/x", "deep/.gradle/y/x", "a/.eslintcache", "left/x", "left/y/x", "b/x.gen"]) {
    const { outcome, sandbox } = await fakeSession({
      files,
      check: wantsFixed,
      proposals: [BURIED + created(path)],
    });
    assert.equal(outcome.record.status, "not_proved", path);
    const [refusal] = outcome.record.attempts[0]!.refusals;
    assert.deepEqual([refusal?.reason, refusal?.path], ["path_ignored", path]);
    assert.equal(sandbox.runs, 1, "only the baseline ran");
  }
  for (const path of ["left/kept/x", ".turbo/x", "lefty/x"]) {
    const { outcome } = await fakeSession({ files, check: wantsFixed, proposals: [BURIED + created(path)] });
    assert.equal(outcome.record.status, "proved", path);
  }
});
