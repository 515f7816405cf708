import assert from "node:assert/strict";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { byteStringOfText, displayText } from "../../src/patch/bytes.ts";
import type { FakeProgram } from "../../src/sandbox/fake/fake.ts";
import { replay, type ReplayResult } from "../../src/verify/replay.ts";
import type { ReplayClaim } from "../../src/verify/replay/claim.ts";
import type { ReplayPlan, ReplayPorts } from "../../src/verify/replay/rerun.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import type { SessionEvent } from "../../src/vocabulary/session.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import { fakeSession, fakeSpec, inFakeWorld } from "../prove/session_fixture.ts";

const FILES = { "a.txt": "one\nwrong\nthree\n", "b.txt": "b\n" };
const FIX = "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-wrong\n+right\n three\n";
const isFixed = (files: Parameters<FakeProgram>[1]) => files.readText("a.txt") === "one\nright\nthree\n";
const wantsRight: FakeProgram = (_argv, files) => ({ exitCode: isFixed(files) ? 0 : 1 });

/** What a bundle of a real session over FILES claims. */
const CLAIM: ReplayClaim = await claimed();

async function claimed(): Promise<ReplayClaim> {
  const { record } = (await fakeSession({ files: FILES, check: wantsRight, proposals: [FIX] })).outcome;
  assert.equal(record.status, "proved");
  return {
    targets: record.targets,
    finalPatch: record.final!.patch,
    baseEntries: record.manifest.entries,
    baseTree: record.manifest.digest,
    resultTree: record.final!.resultTree,
    base: new Map([["check", new Set(["failed"] as const)]]),
    fixed: new Map(),
    minimization: { certified: true, end: "one_minimal" },
    sandbox: { backend: record.environment.backend, imageId: null },
  };
}

interface Again {
  readonly claim?: Partial<ReplayClaim>;
  readonly files?: Readonly<Record<string, string>>;
  readonly check?: FakeProgram;
  readonly repeat?: number;
  readonly policy?: (policy: Policy) => Policy;
  readonly minimal?: ReplayPlan["minimal"];
  readonly spec?: ReplayPlan["spec"];
  readonly ports?: Partial<ReplayPorts>;
}

/** Replays the claim in a world of its own, which fails when anything is left in its sandbox. */
async function again(how: Again = {}) {
  return await inFakeWorld(
    { files: how.files ?? FILES, check: how.check ?? wantsRight },
    async (root, sandbox) => {
      const events: SessionEvent[] = [];
      const { policy } = defaultPolicy();
      const plan = {
        policy: how.policy?.(policy) ?? policy,
        spec: how.spec ?? fakeSpec("20261120T120000Z-0123abcd"),
        repeat: how.repeat ?? 1,
        minimal: how.minimal ?? null,
      };
      const result = await replay({ ...CLAIM, ...how.claim }, plan, {
        sandbox,
        workspace: await directoryWorkspace(root),
        syntax: {
          check: () => Promise.resolve("unknown"),
          enclosing: () => Promise.resolve(null),
          imports: () => Promise.resolve([]),
        },
        findSecrets: () => Promise.resolve([]),
        gitAgrees: () => Promise.resolve({ verdict: "no_git" }),
        now: Date.now,
        emit: (event) => events.push(event),
        signal: new AbortController().signal,
        ...how.ports,
      });
      return { result, sandbox, events };
    },
  );
}

const brief = ({ verdict, reason }: Pick<ReplayResult, "verdict" | "reason">) => `${verdict} ${reason}`;

Deno.test("replay: red without and green with the patch, each in a new copy, is confirmed", async () => {
  const { result, sandbox, events } = await again({ repeat: 3 });
  assert.equal(brief(result), "confirmed confirmed");
  assert.deepEqual(result.base.map((v) => v.outcome), ["failed", "failed", "failed"]);
  assert.deepEqual(result.patched.map((v) => v.outcome), ["passed", "passed", "passed"]);
  assert.equal(sandbox.freshCheckouts, 6);
  assert.equal(sandbox.checkouts, 6);
  assert.equal(result.environment!.backend, "fake");
  assert.deepEqual(events.at(-1), { kind: "phase", phase: "clean_up" });
});

Deno.test("replay: the claim's own targets are run, in order", async () => {
  const second = { name: "second", command: "test -e b.txt", argv: ["test", "-e", "b.txt"], shell: false };
  const recorded = new Map([...CLAIM.base, ["second", new Set(["passed"] as const)]]);
  const { result, sandbox } = await again({ claim: { targets: [...CLAIM.targets, second], base: recorded } });
  assert.equal(brief(result), "confirmed confirmed");
  assert.deepEqual(sandbox.argvs, [["check"], second.argv, ["check"], second.argv]);
  const red = { ...second, argv: ["false"] };
  const contradicted = await again({ claim: { targets: [...CLAIM.targets, red] } });
  assert.equal(brief(contradicted.result), "contradicted patched_fails");
});

Deno.test("replay: a base that differs names what was added, is missing and was changed, and runs nothing", async () => {
  const { result, sandbox } = await again({ files: { "a.txt": "one\nother\n", "new.txt": "n\n" } });
  assert.equal(brief(result), "inconclusive base_differs");
  assert.match(result.detail, /differs: a\.txt/);
  assert.match(result.detail, /not in the bundle: new\.txt/);
  assert.match(result.detail, /missing here: b\.txt/);
  assert.equal(sandbox.runs, 0);
  assert.equal(result.environment, null);
});

Deno.test("replay: a folder that is no part of the base is named once, without what lies in it", async () => {
  const { result } = await again({
    files: { "proof/a/b.txt": "n\n", "proof/c.txt": "n\n", "proof.ppb": "n\n" },
  });
  assert.match(result.detail, /not in the bundle: proof; not in the bundle: proof\.ppb/);
  assert.doesNotMatch(result.detail, /proof\//);
});

Deno.test("replay: a changed mode is a base that differs", async () => {
  const { result } = await again({
    claim: {
      baseTree: "0".repeat(64),
      baseEntries: Array.from(CLAIM.baseEntries, (e) => e.path === "b.txt" ? { ...e, mode: "100755" } : e),
    },
  });
  assert.match(result.detail, /base: differs: b\.txt$/);
});

Deno.test("replay: of many differences ten are named and the rest is counted", async () => {
  const many = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`extra-${i}.txt`, "x"]));
  const { result } = await again({ files: { ...FILES, ...many } });
  assert.equal(result.detail.match(/not in the bundle/g)!.length, 10);
  assert.match(result.detail, /and 15 more$/);
});

Deno.test("replay: a base that passes here is contradicted", async () => {
  const { result } = await again({ check: () => ({ exitCode: 0 }) });
  assert.equal(brief(result), "contradicted base_passes");
});

Deno.test("replay: a patched tree that fails here is contradicted", async () => {
  const { result } = await again({ check: () => ({ exitCode: 1 }), repeat: 2 });
  assert.equal(brief(result), "contradicted patched_fails");
});

Deno.test("replay: in another sandbox a proof may hold, which is said, but nothing is contradicted", async () => {
  const elsewhere = { sandbox: { backend: "container", imageId: "sha256:abc" } };
  const held = await again({ claim: elsewhere });
  assert.equal(brief(held.result), "confirmed confirmed");
  assert.match(
    held.result.detail,
    /another sandbox \(fake\) than the recorded one \(container of image sha256:abc\)/,
  );
  const failed = await again({ claim: elsewhere, check: () => ({ exitCode: 1 }) });
  assert.equal(brief(failed.result), "inconclusive sandbox_differs");
  assert.match(failed.result.detail, /^the patched tree fails here, but /);
  const passes = await again({ claim: elsewhere, check: () => ({ exitCode: 0 }) });
  assert.equal(brief(passes.result), "inconclusive sandbox_differs");
  const image = await again({
    claim: { sandbox: { backend: "fake", imageId: "sha256:abc" } },
    check: () => ({ exitCode: 1 }),
  });
  assert.equal(brief(image.result), "inconclusive sandbox_differs", "the same backend with another image");
});

Deno.test("replay: a patched tree that passes only sometimes is inconclusive", async () => {
  let runs = 0;
  const { result } = await again({
    check: (_argv, files) => ({ exitCode: isFixed(files) && runs++ === 0 ? 0 : 1 }),
    repeat: 2,
  });
  assert.equal(brief(result), "inconclusive flaky");
  assert.match(result.detail, /base passed 0 of 2 times, the patched tree 1 of 2/);
});

Deno.test("replay: a base that passes only sometimes is inconclusive", async () => {
  let runs = 0;
  const { result } = await again({
    check: (_argv, files) => ({ exitCode: isFixed(files) || runs++ === 0 ? 0 : 1 }),
    repeat: 2,
  });
  assert.equal(brief(result), "inconclusive flaky");
});

Deno.test("replay: a patched tree that runs into the verifier's time limit is inconclusive", async () => {
  const { result } = await again({
    check: (_argv, files, _env, signal) =>
      isFixed(files)
        ? new Promise((resolve) => signal.addEventListener("abort", () => resolve({ exitCode: 0 })))
        : { exitCode: 1 },
    policy: (p) => ({ ...p, limits: { ...p.limits, per_command_timeout_sec: 0.05 } }),
  });
  assert.equal(brief(result), "inconclusive timed_out");
  assert.equal(result.patched[0]!.targets[0]!.result!.end, "timed_out");
});

Deno.test("replay: another result tree than the recorded one is contradicted before anything runs", async () => {
  const { result, sandbox } = await again({ claim: { resultTree: CLAIM.baseTree } });
  assert.equal(brief(result), "contradicted result_tree_differs");
  assert.equal(sandbox.runs, 0);
});

Deno.test("replay: a patch that does not apply to the recorded base is contradicted", async () => {
  const finalPatch = byteStringOfText(displayText(CLAIM.finalPatch).replace("-wrong", "-strong"));
  const { result, sandbox } = await again({ claim: { finalPatch } });
  assert.equal(result.verdict, "contradicted");
  assert.match(result.detail, /^a\.txt: /);
  assert.equal(sandbox.runs, 0);
});

for (
  const text of [
    "no patch at all\n",
    "diff --git a/a.txt b/a.txt\n--- a/a.txt\n",
    FIX.replace("a/a.txt", "a/../x"),
  ]
) {
  Deno.test(`replay: ${JSON.stringify(text.slice(0, 20))} is a malformed patch`, async () => {
    const { result, sandbox } = await again({ claim: { finalPatch: byteStringOfText(text) } });
    assert.equal(brief(result), "contradicted patch_malformed");
    assert.equal(sandbox.runs, 0);
  });
}

Deno.test("replay: an empty patch proves nothing, whatever result tree is claimed", async () => {
  const finalPatch = byteStringOfText("");
  assert.equal(brief((await again({ claim: { finalPatch } })).result), "contradicted result_tree_differs");
  const claim = { finalPatch, resultTree: CLAIM.baseTree };
  assert.equal(brief((await again({ claim })).result), "contradicted patched_fails");
});

Deno.test("replay: a patch that the verifier's policy does not admit is denied, not judged", async () => {
  const denied = (how: Again, code: string) =>
    assert.rejects(again(how), (error: unknown) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.kind, "denied");
      assert.equal(error.code, code);
      assert.ok(error.details.length > 0);
      assert.match(error.hint!, /says nothing about the proof/);
      return true;
    });
  await denied({ policy: (p) => ({ ...p, deny_write: ["*.txt"] }) }, "path_denied");
  await denied(
    { policy: (p) => ({ ...p, limits: { ...p.limits, max_patch_bytes: 10 } }) },
    "patch_too_large",
  );
  const findSecrets = () => Promise.resolve([{ rule: "test", count: 1 }]);
  await denied({ ports: { findSecrets } }, "secret_in_patch");
});

Deno.test("replay: a secret that the verifier's policy allows does not stop it", async () => {
  const { result } = await again({
    ports: { findSecrets: () => Promise.resolve([{ rule: "test", count: 1 }]) },
    policy: (p) => ({ ...p, secrets: { allow_in_patch: true } }),
  });
  assert.equal(result.verdict, "confirmed");
});

Deno.test("replay: git that reads the patch differently, or does not answer, leaves it open", async () => {
  for (const verdict of [{ verdict: "disagrees", detail: "line 1" }, { verdict: "timed_out" }] as const) {
    const { result } = await again({ ports: { gitAgrees: () => Promise.resolve(verdict) } });
    assert.equal(result.verdict, "inconclusive");
    assert.equal(result.reason, `git_${verdict.verdict}`);
  }
});

Deno.test("replay: an interrupt throws interrupted and leaves nothing", async () => {
  for (const during of ["base", "patched"] as const) {
    const controller = new AbortController();
    const check: FakeProgram = (_argv, files, _env, signal) => {
      if (during === "patched" && !isFixed(files)) return { exitCode: 1 };
      const ended = new Promise<{ exitCode: number }>((resolve) => {
        signal.addEventListener("abort", () => resolve({ exitCode: 0 }));
      });
      controller.abort(new Failure("interrupted", "interrupted", "stopped by a test"));
      return ended;
    };
    await assert.rejects(
      again({ check, ports: { signal: controller.signal } }),
      (error: unknown) => error instanceof Failure && error.message === "stopped by a test",
      during,
    );
  }
});

Deno.test("replay: a signal that was aborted before opens nothing", async () => {
  const signal = AbortSignal.abort(new Failure("interrupted", "interrupted", "too late"));
  await assert.rejects(
    again({ ports: { signal } }),
    (error: unknown) => error instanceof Failure && error.kind === "interrupted",
  );
});

Deno.test("replay: a base that is red in another way than recorded is told apart", async () => {
  const cutOff = new Map([["check", new Set(["timed_out"] as const)]]);
  assert.equal(brief((await again({ claim: { base: cutOff } })).result), "inconclusive base_cut_off");
  const second = { name: "second", command: "test -e b.txt", argv: ["test", "-e", "b.txt"], shell: false };
  const red = new Map([...CLAIM.base, ["second", new Set(["failed"] as const)]]);
  const { result } = await again({ claim: { targets: [...CLAIM.targets, second], base: red }, repeat: 2 });
  assert.equal(brief(result), "contradicted base_fails_otherwise");
  assert.equal(result.detail, "without the patch second passes; in the bundle it failed");
  assert.equal(result.checks.base_as_recorded, "failed");
  assert.equal(result.checks.patched_green, "passed");
});

Deno.test("replay: the session's time limit ends it inconclusive, with everything closed", async () => {
  const spec = { ...fakeSpec("20261120T120000Z-0123abcd"), deadline: Date.now() + 150 };
  const hangs: FakeProgram = (_argv, _files, _env, signal) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve({ exitCode: 1 })));
  const { result } = await again({ check: hangs, spec });
  assert.equal(brief(result), "inconclusive budget_exhausted");
  assert.deepEqual(result.patched, []);
});

/** A base whose patch does two things; each test says which of them is needed. */
const TWO = { "a.txt": "one\nwrong\nthree\n" };
const TWICE = "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,4 @@\n one\n-wrong\n+right\n three\n+needless\n";

async function twice(certified = true): Promise<ReplayClaim> {
  const check: FakeProgram = (_argv, files) => ({
    exitCode: files.readText("a.txt")!.includes("right") ? 0 : 1,
  });
  const session = {
    files: TWO,
    check,
    proposals: [TWICE],
    policy: (p: Policy) => ({ ...p, minimize: false }),
  };
  const { record } = (await fakeSession(session)).outcome;
  return {
    ...CLAIM,
    finalPatch: record.final!.patch,
    baseEntries: record.manifest.entries,
    baseTree: record.manifest.digest,
    resultTree: record.final!.resultTree,
    minimization: { certified, end: certified ? "one_minimal" : "runs_exhausted" },
  };
}
const ALL = { count: 1000, seed: null };
const wants = (...lines: string[]): FakeProgram => (_argv, files) => ({
  exitCode: lines.every((line) => files.readText("a.txt")!.split("\n").includes(line)) ? 0 : 1,
});

Deno.test("replay --check-minimal: with every line needed each removal fails", async () => {
  const fixed: FakeProgram = (_argv, files) => ({
    exitCode: files.readText("a.txt") === "one\nright\nthree\nneedless\n" ? 0 : 1,
  });
  const { result } = await again({ claim: await twice(), files: TWO, check: fixed, minimal: ALL, repeat: 2 });
  assert.equal(brief(result), "confirmed confirmed");
  assert.deepEqual(result.minimal, {
    ...{ units: 3, tried: 3, unparsable: 0, timedOut: 0, seed: null, needless: [], unsteady: [] },
  });
  assert.match(result.detail, /green with it; no part of it can be left out$/);
  assert.equal(result.checks.minimal, "passed");
});

Deno.test("replay --check-minimal: a line that is not needed contradicts the certificate and is named", async () => {
  const check = wants("right", "three");
  const { result } = await again({ claim: await twice(), files: TWO, check, minimal: ALL });
  assert.equal(brief(result), "contradicted not_minimal");
  assert.match(result.detail, /a\.txt: `\+needless`/);
  assert.equal(result.checks.minimal, "failed");
  // Without "-wrong" it passes too: the wrong line may stay.
  assert.deepEqual(result.minimal!.needless.map((atoms) => atoms.map((a) => a.what)), [["-wrong"], [
    "+needless",
  ]]);
});

Deno.test("replay --check-minimal: what passes once and not again is inconclusive", async () => {
  let passed = 0;
  const check: FakeProgram = (argv, files, env, signal) => {
    const text = files.readText("a.txt")!;
    if (text === "one\nright\nthree\nneedless\n") return { exitCode: 0 };
    if (text.includes("needless") || !text.includes("right")) return { exitCode: 1 };
    return passed++ === 0 ? { exitCode: 0 } : wants("never")(argv, files, env, signal);
  };
  const { result } = await again({ claim: await twice(), files: TWO, check, minimal: ALL });
  assert.equal(brief(result), "inconclusive flaky");
  assert.equal(result.minimal!.unsteady.length, 1);
});

Deno.test("replay --check-minimal: removals that do not parse or are cut off do not pass", async () => {
  const check: FakeProgram = (_argv, files, _env, signal) => {
    const text = files.readText("a.txt")!;
    if (text === "one\nright\nthree\nneedless\n") return { exitCode: 0 };
    if (text === "one\nright\nthree\n") {
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve({ exitCode: 0 })));
    }
    return { exitCode: text === "one\nwrong\nthree\n" ? 1 : 0 };
  };
  const syntax = {
    check: (_path: string, bytes: Uint8Array) => {
      const text = new TextDecoder().decode(bytes);
      return Promise.resolve(text.includes("wrong\nright") || !text.includes("right") ? "broken" : "valid");
    },
  } as ReplayPorts["syntax"];
  const policy = (p: Policy) => ({ ...p, limits: { ...p.limits, per_command_timeout_sec: 0.2 } });
  const { result } = await again({
    ...{ claim: await twice(), files: TWO, check, minimal: ALL, policy, ports: { syntax } },
  });
  assert.equal(brief(result), "confirmed confirmed");
  assert.equal(result.minimal!.unparsable, 2);
  assert.equal(result.minimal!.timedOut, 1);
});

Deno.test("replay --check-minimal: without a certificate nothing is tried and the answer is open", async () => {
  const check = wants("right");
  const open = await again({ claim: await twice(false), files: TWO, check, minimal: ALL });
  assert.equal(brief(open.result), "inconclusive no_certificate");
  assert.match(open.result.detail, /its minimization ended runs_exhausted$/);
  assert.equal(open.result.minimal, null);
  assert.equal(open.sandbox.checkouts, 2);
  const none = await again({
    claim: { ...await twice(), minimization: null },
    files: TWO,
    check,
    minimal: ALL,
  });
  assert.match(none.result.detail, /it was not minimized$/);
});

Deno.test("replay --check-minimal: a proof that is not confirmed is not looked at further", async () => {
  const { result } = await again({ claim: await twice(), files: TWO, check: wants("never"), minimal: ALL });
  assert.equal(brief(result), "contradicted patched_fails");
  assert.equal(result.minimal, null);
});

const HOOK =
  "diff --git a/conftest.py b/conftest.py\nnew file mode 100644\n--- /dev/null\n+++ b/conftest.py\n" +
  "@@ -0,0 +1 @@\n+cheat\n";
const cheated: FakeProgram = (_argv, files) => ({
  exitCode: files.readText("conftest.py") === "cheat\n" ? 0 : 1,
});
const allowing = (policy: Policy): Policy => ({
  ...policy,
  protect: { ...policy.protect, allow: ["conftest.py"] },
});

Deno.test("replay: a patch that creates what no workspace holds is no proof", async () => {
  const hidden = HOOK.replaceAll("conftest.py", ".cache/late.py");
  const finalPatch = byteStringOfText(`${hidden}`);
  const { result, sandbox } = await again({ claim: { finalPatch } });
  assert.equal(brief(result), "contradicted path_ignored");
  assert.equal(sandbox.runs, 0);
});

Deno.test("replay: a patch that touches protected files is denied, or flagged where the verifier allows it", async () => {
  const made = await fakeSession({ files: FILES, check: cheated, proposals: [HOOK], policy: allowing });
  const { record } = made.outcome;
  assert.equal(record.status, "proved");
  const claim = { finalPatch: record.final!.patch, resultTree: record.final!.resultTree };
  await assert.rejects(
    again({ claim, check: cheated }),
    (error: Failure) => error.kind === "denied" && error.code === "path_protected",
  );
  const { result } = await again({ claim, check: cheated, policy: allowing });
  assert.equal(brief(result), "confirmed confirmed");
  assert.deepEqual(result.findings, record.findings);
});

const controlledBy = (files: Record<string, string>) => (policy: Policy): Policy => ({
  ...policy,
  verify: { ...policy.verify, negative_control: { files, targets: [] } },
});

Deno.test("replay: the verifier's own negative control has to fail beside the patch", async () => {
  const control = { "tests/control.txt": "fails" };
  const seeing: FakeProgram = (_argv, files) => ({
    exitCode: isFixed(files) && files.readText("tests/control.txt") === undefined ? 0 : 1,
  });
  const good = await again({ check: seeing, policy: controlledBy(control), repeat: 2 });
  assert.equal(brief(good.result), "confirmed confirmed");
  assert.deepEqual(good.result.control.map((v) => v.outcome), ["failed", "failed"]);
  assert.equal(good.result.checks.negative_control, "passed");
  const blind = await again({ policy: controlledBy(control) });
  assert.equal(brief(blind.result), "contradicted negative_control_passed");
  assert.equal(blind.result.checks.negative_control, "failed");
  let run = 0;
  const mixed = await again({
    check: (_argv, files) => {
      const fails = files.readText("tests/control.txt") !== undefined && run++ % 2 === 0;
      return { exitCode: isFixed(files) && !fails ? 0 : 1 };
    },
    policy: controlledBy(control),
    repeat: 2,
  });
  assert.equal(brief(mixed.result), "inconclusive flaky");
  await assert.rejects(
    again({ policy: controlledBy({ "b.txt": "x" }) }),
    (error: Failure) => error.code === "negative_control_exists",
  );
  await assert.rejects(
    again({ policy: controlledBy({ "a.txt": "x" }) }),
    (error: Failure) => error.code === "path_negative_control",
    "the patch is where the control would be",
  );
});

const TAP = { targets: [{ ...CLAIM.targets[0]!, report: { format: "tap", path: "-" } as const }] };
const tapOf = (lines: string) => `1..${lines.split("\n").length}\n${lines}\n`;

Deno.test("replay: the recorded tests must be fixed again, and none may get lost", async () => {
  const told = (green: string): FakeProgram => (_argv, files) => ({
    exitCode: isFixed(files) ? 0 : 1,
    stdout: tapOf(isFixed(files) ? green : "not ok 1 - a\nok 2 - b"),
  });
  const claim = { ...TAP, fixed: new Map([["check", ["a"]]]) };
  const of = async (green: string) => {
    const { result } = await again({ claim, check: told(green) });
    return [result.verdict, result.reason, result.checks.tests_fixed];
  };
  assert.deepEqual(await of("ok 1 - a\nok 2 - b"), ["confirmed", "confirmed", "passed"]);
  assert.deepEqual(await of("ok 2 - b"), ["contradicted", "patched_fails", undefined]);
  assert.deepEqual(await of("ok 1 - a # SKIP\nok 2 - b"), ["contradicted", "patched_fails", undefined]);
  const other = { ...claim, fixed: new Map([["check", ["b"]]]) };
  const { result } = await again({ claim: other, check: told("ok 1 - a\nok 2 - b") });
  assert.deepEqual([result.verdict, result.reason], ["contradicted", "tests_not_fixed"]);
});

Deno.test("replay: exit 0 without the report that the target names is not green", async () => {
  const { result } = await again({ claim: TAP });
  assert.deepEqual([result.verdict, result.reason], ["contradicted", "patched_fails"]);
  assert.equal(result.patched[0]!.targets[0]!.tests!.verdict, "no_report");
});

Deno.test("replay: a patch that brings the report is not admitted", async () => {
  const claim = { targets: [{ ...CLAIM.targets[0]!, report: { format: "junit", path: "a.txt" } as const }] };
  await assert.rejects(
    () => again({ claim }),
    (error) => error instanceof Failure && error.code === "path_kept_out",
  );
});
