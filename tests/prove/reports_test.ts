import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { bundleOf } from "../../src/bundle/read.ts";
import type { SessionRecord } from "../../src/bundle/record.ts";
import { displayText } from "../../src/patch/bytes.ts";
import type { FakeProgram } from "../../src/sandbox/fake/fake.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import type { ReportSource } from "../../src/vocabulary/test_report.ts";
import { type FakeSession, fakeSession } from "./session_fixture.ts";

const JUNIT: ReportSource = { format: "junit", path: "out/report.xml" };
const TAP: ReportSource = { format: "tap", path: "-" };

/** One line of suite.txt is one test: `name ok`, `name bad`, `name skip`, `name xfail`. */
function tests(suite: string): readonly (readonly [string, string])[] {
  return suite.trim().split("\n").filter((line) => line !== "").map((line) =>
    line.split(" ") as [string, string]
  );
}

function junit(suite: string): string {
  const inner: Record<string, string> = {
    bad: "<failure/>",
    skip: "<skipped/>",
    xfail: '<skipped type="pytest.xfail"/>',
  };
  const cases = tests(suite).map(([name, how]) => `<testcase name="${name}">${inner[how] ?? ""}</testcase>`);
  return `<testsuites>${cases.join("")}</testsuites>`;
}

function tap(suite: string): string {
  const lines = tests(suite).map(([name, how], i) => {
    const ok = how === "bad" || how === "xfail" ? "not ok" : "ok";
    return `${ok} ${i + 1} - ${name}${how === "skip" ? " # SKIP" : how === "xfail" ? " # TODO" : ""}\n`;
  });
  return `TAP version 14\n1..${lines.length}\n${lines.join("")}`;
}

/** A runner that reports what suite.txt says and exits 0 unless a test is bad. */
const runner: FakeProgram = (_argv, files) => {
  const suite = files.readText("suite.txt") ?? "";
  files.write("out/report.xml", junit(suite));
  return { exitCode: tests(suite).some(([, how]) => how === "bad") ? 1 : 0, stdout: tap(suite) };
};

const BASE = "a bad\nb bad\nc ok\nd ok\n";
const patch = (to: string, from = BASE) => {
  const [old, now] = [from, to].map((text) => text.trimEnd().split("\n"));
  return `--- a/suite.txt\n+++ b/suite.txt\n@@ -1,${old!.length} +1,${now!.length} @@\n` +
    [...old!.map((l) => `-${l}\n`), ...now!.map((l) => `+${l}\n`)].join("");
};
const FIX = patch("a ok\nb ok\nc ok\nd ok\n");

const given = (over: Partial<FakeSession>) =>
  fakeSession({ files: { "suite.txt": BASE }, check: runner, proposals: [FIX], report: JUNIT, ...over });

const verdicts = (record: SessionRecord) =>
  record.attempts.map((a) => a.verification?.targets[0]?.tests?.verdict ?? a.refusals[0]?.reason);

async function testsOf(record: SessionRecord) {
  const files = await bundleFiles(record, (text) => Promise.resolve({ text, redactions: [] }));
  const read = bundleOf(files);
  assert.ok(read.ok, JSON.stringify(read));
  return read.bundle.tests!.targets[0]!;
}

for (const report of [JUNIT, TAP]) {
  Deno.test(`prove: with a ${report.format} report, tests that are fixed and nothing lost is a proof`, async () => {
    const { outcome: { record } } = await given({ report });
    assert.equal(record.status, "proved", record.reason);
    const told = await testsOf(record);
    assert.deepEqual([told.counts!.fixed, told.counts!.still_passing, told.findings], [2, 2, []]);
    assert.deepEqual(told.report, report);
  });

  for (
    const [what, to, verdict, detail] of [
      ["deletes a failing test", "b ok\nc ok\nd ok\n", "tests_weakened", /vanished: a/],
      ["skips a failing test", "a skip\nb ok\nc ok\nd ok\n", "tests_weakened", /newly skipped: a/],
      ["expects a failing test to fail", "a xfail\nb ok\nc ok\nd ok\n", "tests_weakened", /newly xfailed: a/],
      ["deletes a passing test", "a ok\nb ok\nc ok\n", "tests_weakened", /vanished: d/],
      ["renames a test", "a ok\nb ok\nc ok\nd2 ok\n", "tests_weakened", /vanished: d$/],
      ["deletes every test", "\n", "no_tests_ran", /no test/],
      ["skips every test", "a skip\nb skip\nc skip\nd skip\n", "no_tests_ran", /every test was skipped/],
    ] as const
  ) {
    Deno.test(`prove: a patch that ${what} exits 0 and is refused by its ${report.format} report`, async () => {
      const { outcome: { record }, requests } = await given({ report, proposals: [patch(to), FIX] });
      assert.equal(record.status, "proved", record.reason);
      assert.equal(record.final!.attempt, 2);
      const { result, outcome, tests } = record.attempts[0]!.verification!.targets[0]!;
      assert.deepEqual([result!.exitCode, outcome, tests!.verdict], [0, "failed", verdict]);
      assert.match(tests!.detail, detail);
      assert.match(requests[1]!.previous[0]!.detail, new RegExp(verdict));
    });
  }
}

Deno.test("prove: the last attempt's lost tests are in the bundle when nothing is proved", async () => {
  const { outcome: { record } } = await given({ proposals: [patch("b ok\nc skip\nd ok\n")] });
  assert.equal(record.status, "not_proved");
  const told = await testsOf(record);
  assert.deepEqual(told.findings, [{ kind: "vanished", id: "a" }, { kind: "newly_skipped", id: "c" }]);
  assert.deepEqual(told.after, { of: "attempt", attempt: 1 });
});

Deno.test("prove: the minimizer cannot take away what keeps a test in the report", async () => {
  // Nothing fails without `hold`, but then test d is listed no more.
  const check: FakeProgram = (argv, files, env, signal) => {
    const text = files.readText("suite.txt") ?? "";
    const lists = text.includes("hold") || text.includes("bad");
    files.write("suite.txt", (lists ? text : text.replace("d ok\n", "")).replace("hold\n", ""));
    return runner(argv, files, env, signal);
  };
  const proposals = [patch("a ok\nb ok\nc ok\nd ok\nhold\n")];
  const changed = ({ outcome }: Awaited<ReturnType<typeof given>>) =>
    displayText(outcome.record.final!.patch).split("\n").filter((l) => /^[-+][^-+]/.test(l));
  assert.deepEqual(changed(await given({ check, proposals })).slice(-1), ["+hold"]);
  const { report: _none, ...blind } = { report: JUNIT, files: { "suite.txt": BASE }, check, proposals };
  assert.ok(!changed(await fakeSession(blind)).includes("+hold"), "without a report it goes");
});

Deno.test("prove: a command that exits 0 without a report is red, and green where none is asked for", async () => {
  const check: FakeProgram = (_argv, files) => ({
    exitCode: files.readText("suite.txt")!.includes("bad") ? 1 : 0,
  });
  const without = await given({ check });
  assert.equal(without.outcome.record.status, "not_proved");
  assert.deepEqual(verdicts(without.outcome.record), ["no_report"]);
  await testsOf(without.outcome.record);
  const plain = await fakeSession({ files: { "suite.txt": BASE }, check, proposals: [FIX] });
  assert.equal(plain.outcome.record.status, "proved");
});

Deno.test("prove: a base that exits 0 having run nothing is red, one that passes with its report is not", async () => {
  const nothing = await given({ files: { "suite.txt": "\n" }, proposals: [] });
  assert.equal(nothing.outcome.record.status, "not_proved");
  assert.equal(nothing.outcome.record.baseline[0]!.targets[0]!.tests!.verdict, "no_tests_ran");
  const passing = await given({ files: { "suite.txt": "a ok\n" }, proposals: [] });
  assert.equal(passing.outcome.record.status, "already_passing");
});

Deno.test("prove: failures that a command hides behind exit 0 are seen in its report", async () => {
  const check: FakeProgram = async (...call) => ({ ...await runner(...call), exitCode: 0 });
  const { outcome: { record } } = await given({
    check,
    proposals: [patch("a ok\nb bad\nc ok\nd ok\n"), FIX],
  });
  assert.equal(record.baseline[0]!.targets[0]!.tests!.verdict, "tests_failed");
  assert.deepEqual(verdicts(record), ["tests_failed", "good"]);
  assert.equal(record.status, "proved");
});

Deno.test("prove: a good report in the base counts for nothing, and no patch brings one", async () => {
  const silent: FakeProgram = (_argv, files) => ({
    exitCode: files.readText("suite.txt")!.includes("bad") ? 1 : 0,
  });
  const stale = { "suite.txt": BASE, "out/report.xml": junit("a ok\nb ok\nc ok\nd ok\n") };
  const seen = await given({ files: stale, check: silent });
  assert.deepEqual(verdicts(seen.outcome.record), ["no_report"]);
  const honest = await given({ files: stale });
  assert.equal(honest.outcome.record.status, "proved", honest.outcome.record.reason);
  const bring = FIX + "--- /dev/null\n+++ b/out/report.xml\n@@ -0,0 +1 @@\n+<testsuites/>\n";
  const brought = await given({ check: silent, proposals: [bring] });
  assert.deepEqual(verdicts(brought.outcome.record), ["path_kept_out"]);
});

Deno.test("prove: a report behind a link, or of another target's run, is none", async () => {
  const linked: FakeProgram = async (argv, files, env, signal) => {
    const result = await runner(argv, files, env, signal);
    const tree = files as typeof files & { put(key: string, node: unknown): void };
    tree.put("real.xml", tree.node("out/report.xml"));
    tree.put("out/report.xml", { kind: "link", target: "../real.xml" });
    return result;
  };
  const { outcome } = await given({ check: linked });
  assert.deepEqual(verdicts(outcome.record), ["no_report"]);
});

Deno.test("prove: where no command could leave a report, the session says so", async () => {
  const files = { "suite.txt": BASE, "out": "a file\n" };
  await assert.rejects(
    () => given({ files }),
    (error) => error instanceof Failure && error.code === "report_path_unusable",
  );
  await assert.rejects(
    () => given({ files: { "suite.txt": BASE, "out/report.xml/inner": "x" } }),
    (error) => error instanceof Failure && error.code === "report_path_unusable",
  );
});

Deno.test("prove: a report that cannot be read, or says that it is not whole, is no green", async () => {
  for (
    const [report, text] of [
      [JUNIT, "<testsuites><testcase"],
      [JUNIT, `<!DOCTYPE x [<!ENTITY a "b">]><testsuites/>`],
      [TAP, "1..9\nok 1 - a\n"],
      [TAP, "ok 1 - a\nok 2 - b\nok 3 - c\nok 4 - d\n"],
    ] as const
  ) {
    const check: FakeProgram = async (...call) => {
      const result = await runner(...call);
      if (result.exitCode !== 0) return result;
      call[1].write("out/report.xml", text);
      return { ...result, stdout: text };
    };
    const { outcome: { record } } = await given({ check, report });
    assert.deepEqual(verdicts(record), ["report_malformed"], text);
    await testsOf(record);
  }
});

Deno.test("prove: stdout past the output limit is no report, as its middle is not known", async () => {
  const check: FakeProgram = async (...call) => {
    const result = await runner(...call);
    return { ...result, stdout: `${result.stdout}${"# noise\n".repeat(1_000)}` };
  };
  const limits = (bytes: number) => (p: Parameters<NonNullable<FakeSession["policy"]>>[0]) => ({
    ...p,
    limits: { ...p.limits, output_bytes: bytes },
  });
  const cut = await given({ check, report: TAP, policy: limits(2_048) });
  assert.deepEqual(verdicts(cut.outcome.record), ["report_malformed"]);
  // The minimizer's runs keep as much.
  const whole = await given({ check, report: TAP, policy: limits(100_000) });
  assert.equal(whole.outcome.record.status, "proved", whole.outcome.record.reason);
  assert.equal(whole.outcome.record.minimization!.result.end, "one_minimal");
});

Deno.test("prove: a base without a report is told, and the minimizer loses none of the winner's tests", async () => {
  const check: FakeProgram = (argv, files, env, signal) =>
    files.readText("suite.txt")!.includes("bad") ? { exitCode: 4 } : runner(argv, files, env, signal);
  const { outcome: { record } } = await given({ check });
  assert.equal(record.status, "proved");
  const told = await testsOf(record);
  assert.deepEqual([told.base_reports, told.counts, told.tests.length], [0, null, 4]);
});

Deno.test("prove: a test of the base that is only there sometimes is not missed, one that always is, is", async () => {
  let run = 0;
  const check: FakeProgram = (argv, files, env, signal) => {
    if (run++ % 2 === 0) files.write("suite.txt", files.readText("suite.txt")!.replace("d ok\n", ""));
    return runner(argv, files, env, signal);
  };
  const { outcome: { record } } = await given({ check, repeat: 2 });
  assert.equal(record.status, "proved", record.reason);
  assert.ok(!(await testsOf(record)).tests.some(({ id, before }) => id === "d" && before !== null));
});

Deno.test("prove: a file that could not be loaded is replaced by its tests unless it was deleted", async () => {
  const check: FakeProgram = (_argv, files) => {
    const text = files.readText("x.test.mjs") ?? "";
    const loads = !text.includes("broken");
    const lines = text === ""
      ? "ok 1 - other\nok 2 - cheap\n1..2\n"
      : loads
      ? "ok 1 - other\nok 2 - inner\n1..2\n"
      : "ok 1 - other\nnot ok 2 - /workspace/x.test.mjs\n1..2\n";
    return { exitCode: loads ? 0 : 1, stdout: lines };
  };
  const allowed = (p: Parameters<NonNullable<FakeSession["policy"]>>[0]) => ({
    ...p,
    protect: { ...p.protect, enabled: false },
  });
  const base = { check, report: TAP, policy: allowed, files: { "x.test.mjs": "broken\n" } };
  const file = "a/x.test.mjs\n";
  const repaired = await given({
    ...base,
    proposals: [`--- ${file}+++ b/x.test.mjs\n@@ -1 +1 @@\n-broken\n+fine\n`],
  });
  assert.equal(repaired.outcome.record.status, "proved", repaired.outcome.record.reason);
  assert.equal((await testsOf(repaired.outcome.record)).counts!.replaced, 1);
  const deleted = await given({ ...base, proposals: [`--- ${file}+++ /dev/null\n@@ -1 +0,0 @@\n-broken\n`] });
  assert.deepEqual(verdicts(deleted.outcome.record), ["tests_weakened"]);
  await testsOf(deleted.outcome.record);
});

Deno.test("prove: a negative control that only spoils the report was not noticed", async () => {
  const control = { files: { "fails.txt": "x bad\n" }, targets: [] };
  const policy = (p: Parameters<NonNullable<FakeSession["policy"]>>[0]) => ({
    ...p,
    verify: { ...p.verify, negative_control: control },
  });
  const of = async (spoilt: (files: Parameters<FakeProgram>[1]) => void) => {
    const check: FakeProgram = async (...call) => {
      const result = await runner(...call);
      if (call[1].readText("fails.txt") !== undefined) spoilt(call[1]);
      return result;
    };
    const { outcome: { record } } = await given({ check, policy });
    await testsOf(record);
    return [record.status, record.reasonCode];
  };
  assert.deepEqual(await of((files) => files.remove("out/report.xml")), [
    "not_proved",
    "negative_control_passed",
  ]);
  assert.deepEqual(await of(() => {}), ["not_proved", "negative_control_passed"]);
  const bad = junit("a ok\nb ok\nc ok\nd ok\nx bad\n");
  assert.deepEqual(await of((files) => files.write("out/report.xml", bad)), ["proved", null]);
});
