import assert from "node:assert/strict";
import fc from "fast-check";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { bundleOf } from "../../src/bundle/read.ts";
import type { TestsDocument } from "../../src/bundle/schema.ts";
import { noReport } from "../../src/testreport/judge.ts";
import type { TestOutcome } from "../../src/vocabulary/test_report.ts";
import {
  attemptRecord,
  GREEN,
  judged,
  record,
  redact,
  reported,
  reporting,
  type Suite,
  unproved,
  verified,
} from "./fixture.ts";

const FILES = await bundleFiles(reported(), redact);
const document = (files: ReadonlyMap<string, Uint8Array>, name = "tests.json") =>
  JSON.parse(new TextDecoder().decode(files.get(name)));
const tests = (files: ReadonlyMap<string, Uint8Array>) => document(files) as TestsDocument;

/** The bundle with a document changed, as the reader sees it. */
function readChanged(name: string, change: (value: ReturnType<typeof document>) => void, files = FILES) {
  const value = document(files, name);
  change(value);
  return bundleOf(new Map([...files, [name, new TextEncoder().encode(JSON.stringify(value))]]));
}

Deno.test("testsDocument: every test before and after, and what became of it", () => {
  const [target] = tests(FILES).targets;
  assert.deepEqual(target!.tests, [
    { after: "passed", before: "failed", change: "fixed", id: "m > a" },
    { after: "passed", before: "passed", change: "still_passing", id: "m > b" },
    { after: "skipped", before: "skipped", change: "still_skipped", id: "m > s" },
    { after: "passed", before: null, change: "added", id: "m > n" },
  ]);
  assert.equal(target!.base_reports, 2);
  assert.deepEqual(target!.after, { of: "confirmation", attempt: null });
  assert.deepEqual(document(FILES, "repro.json").proof_targets[0].report, undefined);
});

Deno.test("testsDocument: no target with a report, no document", async () => {
  const files = await bundleFiles(record(), redact);
  assert.ok(!files.has("tests.json"));
  const read = bundleOf(files);
  assert.ok(read.ok && read.bundle.tests === null);
});

Deno.test("testsDocument: names with secrets are struck, marked and stay apart", async () => {
  const before: Suite = { "t[sk-one]": "failed", "t[sk-two]": "passed", "t[[redacted:key]]": "passed" };
  const after: Suite = { "t[sk-one]": "passed", "t[sk-two]": "passed", "t[[redacted:key]]": "passed" };
  const files = await bundleFiles(reported(before, after), redact);
  const rows = tests(files).targets[0]!.tests;
  assert.deepEqual(rows.map(({ id, redacted }) => [id, redacted]), [
    ["t[[redacted:key]] #2", true],
    ["t[[redacted:key]] #3", true],
    ["t[[redacted:key]]", undefined],
  ]);
  for (const [name, bytes] of files) {
    assert.ok(!/sk-(one|two)/.test(new TextDecoder().decode(bytes)), `${name} holds a secret`);
  }
});

Deno.test("testsDocument: hundred thousand names are redacted at one go", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`m > t${i}`, "passed"] as const),
  ) as Suite;
  let calls = 0;
  const counting: typeof redact = (text, name) => {
    calls++;
    return redact(text, name);
  };
  await bundleFiles(reported({ ...many, x: "failed" }, { ...many, x: "passed" }), counting);
  assert.ok(calls < 200, `${calls} calls`);
});

Deno.test("final_summary.md: counts the tests and names the fixed ones", () => {
  const page = new TextDecoder().decode(FILES.get("final_summary.md"));
  assert.match(page, /1 failing test now passes, 1 still passes, 1 was added, 1 is skipped as before\./i);
  assert.match(page, /- `m > a`/);
});

Deno.test("final_summary.md: names lost tests, escaped, and why the exit 0 was no green", async () => {
  const before: Suite = { "m > <script>`x`": "failed", b: "passed" };
  const lost = reporting(verified("passed"), judged({ b: "passed" }, before));
  const attempt = {
    ...lost,
    outcome: "failed" as const,
    targets: lost.targets.map((t) => ({ ...t, outcome: "failed" as const })),
  };
  const { targets } = reported();
  const files = await bundleFiles(
    unproved({
      targets,
      baseline: [reporting(verified("failed"), judged(before))],
      attempts: [attemptRecord({ verification: attempt })],
    }),
    redact,
  );
  const page = new TextDecoder().decode(files.get("final_summary.md"));
  assert.match(page, /1 still passes, 1 vanished\./i);
  assert.match(page, /Vanished:\n\n- `` m > <script>`x` ``\n/);
  assert.match(page, /tests_weakened/);
  assert.match(page, /exit 0 but tests weakened/);
  assert.deepEqual(tests(files).targets[0]!.findings.map((f) => f.kind), ["vanished"]);
});

Deno.test("testsDocument: without a base report, or one after it, nothing is compared and the page says so", async () => {
  const green = reporting(verified("passed"), judged(GREEN));
  const red = reporting(verified("failed"), noReport("the command left no file out/report.xml"));
  const whole = reported();
  const files = await bundleFiles({
    ...whole,
    baseline: [red],
    baseAgain: [red],
    attempts: whole.attempts.map((a) => a.verification === null ? a : { ...a, verification: green }),
    confirmation: [green],
  }, redact);
  const [target] = tests(files).targets;
  assert.deepEqual([target!.base_reports, target!.counts], [0, null]);
  assert.match(
    new TextDecoder().decode(files.get("final_summary.md")),
    /no report of the base could be read/,
  );
  const only = await bundleFiles(unproved({ targets: whole.targets, baseline: whole.baseline }), redact);
  assert.equal(tests(only).targets[0]!.after, null);
});

for (
  const [what, name, change] of [
    ["a fixed test that was passing", "tests.json", (d) => d.targets[0].tests[0].before = "passed"],
    ["a lost test called replaced", "tests.json", (d) => {
      Object.assign(d.targets[0].tests[1], { after: null, change: "replaced" });
      Object.assign(d.targets[0].counts, { still_passing: 0, replaced: 1 });
    }],
    ["a lost test in a proof", "tests.json", (d) => {
      Object.assign(d.targets[0].tests[1], { after: null, change: "vanished" });
      Object.assign(d.targets[0].counts, { still_passing: 0, vanished: 1 });
      d.targets[0].findings.push({ kind: "vanished", id: "m > b" });
    }],
    ["a finding that is left out", "tests.json", (d) => {
      Object.assign(d.targets[0].tests[1], { after: null, change: "vanished" });
      Object.assign(d.targets[0].counts, { still_passing: 0, vanished: 1 });
    }],
    ["counts that do not add up", "tests.json", (d) => d.targets[0].counts.fixed = 2],
    ["a test that comes twice", "tests.json", (d) => d.targets[0].tests.push(d.targets[0].tests[3])],
    ["a test that is left out", "tests.json", (d) => {
      d.targets[0].tests.pop();
      d.targets[0].counts.added = 0;
    }],
    ["more reports of the base than there are", "tests.json", (d) => d.targets[0].base_reports = 3],
    ["a report that is not compared", "tests.json", (d) => d.targets[0].counts = null],
    ["no report after it", "tests.json", (d) => d.targets[0].after = null],
    ["after of an attempt", "tests.json", (d) => d.targets[0].after = { of: "attempt", attempt: 2 }],
    ["another target", "tests.json", (d) => d.targets[0].target = "other"],
    ["a target twice", "tests.json", (d) => d.targets.push(d.targets[0])],
    ["a green without a good report", "confirmation/target_results.json", (d) => {
      d.runs[0].targets[0].report.verdict = "no_tests_ran";
    }],
    ["a good verdict on a failed test", "confirmation/target_results.json", (d) => {
      Object.assign(d.runs[0].targets[0].report.tests, { passed: 2, failed: 1 });
    }],
    ["a good verdict without tests", "confirmation/target_results.json", (d) => {
      d.runs[0].targets[0].report.tests = null;
    }],
    ["a good verdict with findings", "confirmation/target_results.json", (d) => {
      d.runs[0].targets[0].report.findings.vanished = 1;
    }],
    [
      "a run without its report",
      "confirmation/target_results.json",
      (d) => delete d.runs[0].targets[0].report,
    ],
    [
      "a base without its report",
      "base_again/target_results.json",
      (d) => delete d.runs[0].targets[0].report,
    ],
    ["an unknown member", "tests.json", (d) => d.targets[0].tests[0].note = "x"],
  ] as readonly (readonly [string, string, (value: ReturnType<typeof document>) => unknown])[]
) {
  Deno.test(`bundleOf: ${what} is refused`, () => {
    const read = readChanged(name, change);
    assert.ok(!read.ok, "it was taken");
    assert.ok(["bundle_inconsistent", "bundle_malformed"].includes(read.refusal.reason), read.refusal.reason);
  });
}

Deno.test("bundleOf: tests.json taken away, or put into a bundle without reports, is refused", async () => {
  const without = new Map(FILES);
  without.delete("tests.json");
  assert.ok(!bundleOf(without).ok);
  const plain = await bundleFiles(record(), redact);
  assert.ok(!bundleOf(new Map([...plain, ["tests.json", FILES.get("tests.json")!]])).ok);
});

Deno.test("bundleOf: whatever outcome is changed in tests.json, it is noticed", () => {
  const outcome = fc.constantFrom<TestOutcome>("passed", "failed", "error", "skipped", "xfailed", "xpassed");
  fc.assert(fc.property(fc.nat(3), fc.constantFrom("before", "after"), outcome, (at, side, to) => {
    const row = tests(FILES).targets[0]!.tests[at]!;
    if (row[side as "before"] === to) return;
    // Failing is failing, passing is passing: the change is the same, and before is nowhere else.
    if (
      side === "before" && at < 2 && ["failed", "error"].includes(to) === (at === 0) && to !== "xfailed" &&
      to !== "skipped"
    ) {
      return;
    }
    assert.ok(!readChanged("tests.json", (d) => d.targets[0].tests[at][side] = to).ok, `${at} ${side} ${to}`);
  }));
});
