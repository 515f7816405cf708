import assert from "node:assert/strict";
import fc from "fast-check";
import { baselineOf, changeOf, compareTests, findingsOf } from "../../src/testreport/compare.ts";
import { judgeReport } from "../../src/testreport/judge.ts";
import { TEST_FINDINGS, type TestCase, type TestOutcome } from "../../src/vocabulary/test_report.ts";

const cases = (of: Record<string, TestOutcome>): TestCase[] =>
  Object.entries(of).map(([id, outcome]) => ({ id, outcome }));
const changes = (before: Record<string, TestOutcome>, after: Record<string, TestOutcome>) =>
  Object.fromEntries(compareTests(cases(before), cases(after)).map(({ id, change }) => [id, change]));
const read = (of: Record<string, TestOutcome>, incomplete: string | null = null) =>
  ({ ok: true, report: { cases: cases(of), incomplete } }) as const;

Deno.test("compareTests: names what became of each test", () => {
  const before: Record<string, TestOutcome> = {
    ...{
      a: "failed",
      b: "error",
      c: "passed",
      d: "failed",
      e: "passed",
      f: "passed",
      g: "passed",
      h: "failed",
    },
    ...{ i: "skipped", j: "xfailed", k: "skipped", l: "xfailed", m: "skipped" },
  };
  const after: Record<string, TestOutcome> = {
    ...{ a: "passed", b: "xpassed", c: "passed", d: "error", e: "failed", g: "skipped", h: "xfailed" },
    ...{ i: "skipped", j: "xfailed", k: "passed", l: "skipped", m: "xfailed", n: "passed" },
  };
  assert.deepEqual(changes(before, after), {
    ...{ a: "fixed", b: "fixed", c: "still_passing", d: "still_failing", e: "newly_failing", f: "vanished" },
    ...{ g: "newly_skipped", h: "newly_xfailed", i: "still_skipped", j: "still_xfailed", k: "newly_running" },
    ...{ l: "newly_skipped", m: "newly_running", n: "added" },
  });
});

Deno.test("compareTests: a file that could not be collected is replaced by its tests, a test is not", () => {
  assert.equal(changes({ "p > m": "error" }, { "p > m > t": "passed" })["p > m"], "replaced");
  assert.equal(changes({ "p > m": "error" }, { "p > m.Class > t": "passed" })["p > m"], "replaced");
  assert.equal(changes({ "p > m": "skipped" }, { "p > m > t": "passed" })["p > m"], "replaced");
  assert.equal(changes({ "p > m": "error" }, { "p > m2 > t": "passed" })["p > m"], "vanished");
  assert.equal(changes({ "p > m": "passed" }, { "p > m > t": "passed" })["p > m"], "vanished");
  // Tests that were there before replace nothing.
  const both = changes({ "p > m": "error", "p > m > t": "passed" }, { "p > m > t": "passed" });
  assert.equal(both["p > m"], "vanished");
});

Deno.test("compareTests: an entry for a file that is still there is replaced when tests were added", () => {
  const [before, after] = [cases({ "/w/x.mjs": "failed", t: "passed" }), cases({ t: "passed" })];
  const change = (rows: ReturnType<typeof compareTests>) => rows[0]!.change;
  assert.equal(change(compareTests(before, after, () => true)), "vanished");
  assert.equal(
    change(compareTests(before, [...after, { id: "n", outcome: "passed" }], () => true)),
    "replaced",
  );
  assert.equal(
    change(compareTests(before, [...after, { id: "n", outcome: "passed" }], () => false)),
    "vanished",
  );
});

const outcome = fc.constantFrom<TestOutcome>("passed", "failed", "error", "skipped", "xfailed", "xpassed");
const suite = fc.dictionary(fc.constantFrom(..."abcdefgh"), outcome).map(cases);

Deno.test("findingsOf: a report held against itself has none, and a passing test lost is always one", () => {
  fc.assert(fc.property(suite, (tests) => {
    assert.deepEqual(findingsOf(compareTests(tests, tests)), []);
    const passing = tests.filter((t) => t.outcome === "passed");
    for (const { id } of passing) {
      for (const lost of ["gone", "skipped", "xfailed", "failed", "error"] as const) {
        const after = tests.flatMap((t) =>
          t.id !== id ? [t] : lost === "gone" ? [] : [{ id, outcome: lost as TestOutcome }]
        );
        assert.deepEqual(findingsOf(compareTests(tests, after)).map((f) => f.id), [id]);
      }
    }
  }));
});

Deno.test("baselineOf: more runs of the base never make it demand more of a report without failures", () => {
  fc.assert(
    fc.property(fc.array(suite, { minLength: 1, maxLength: 4 }), suite, (runs, all) => {
      const after = all.filter((t) => t.outcome !== "failed" && t.outcome !== "error");
      const few = findingsOf(compareTests(baselineOf(runs.slice(0, -1)) ?? [], after)).length;
      if (runs.length > 1) {
        assert.ok(findingsOf(compareTests(baselineOf(runs)!, after)).length <= few);
      }
      for (const { id } of baselineOf(runs)!) assert.ok(runs.every((run) => run.some((t) => t.id === id)));
    }),
    { numRuns: 3_000 },
  );
  assert.equal(baselineOf([]), null);
  const flaky = baselineOf([
    cases({ a: "passed", b: "passed", c: "failed" }),
    cases({ a: "skipped", b: "failed" }),
  ]);
  assert.deepEqual(flaky, cases({ a: "skipped", b: "failed" }));
});

Deno.test("changeOf: is a finding exactly for a test that lost its say", () => {
  fc.assert(fc.property(outcome, outcome, (before, after) => {
    const lost = (after === "skipped" && before !== "skipped") ||
      (after === "xfailed" && !["skipped", "xfailed"].includes(before)) ||
      (["failed", "error"].includes(after) && !["failed", "error"].includes(before));
    assert.equal((TEST_FINDINGS as readonly string[]).includes(changeOf(before, after)), lost);
  }));
});

Deno.test("judgeReport: only a whole report with a test that ran, no failure and nothing lost is good", () => {
  const verdict = (r: Parameters<typeof judgeReport>[0], before: Record<string, TestOutcome> | null = null) =>
    judgeReport(r, before === null ? null : cases(before)).verdict;
  assert.equal(verdict(read({ a: "passed", b: "skipped" })), "good");
  assert.equal(verdict(read({ a: "passed" }), { a: "failed" }), "good");
  assert.equal(verdict({ ok: false, detail: "x" }), "report_malformed");
  assert.equal(verdict(read({ a: "passed" }, "cut off")), "report_malformed");
  assert.equal(verdict(read({})), "no_tests_ran");
  assert.equal(verdict(read({ a: "skipped", b: "skipped" })), "no_tests_ran");
  assert.equal(verdict(read({ a: "passed", b: "failed" })), "tests_failed");
  assert.equal(verdict(read({ a: "passed" }), { a: "failed", b: "failed" }), "tests_weakened");
  assert.equal(verdict(read({ a: "passed", b: "xfailed" }), { a: "passed", b: "failed" }), "tests_weakened");
});

Deno.test("judgeReport: names at most three findings, escaped", () => {
  const before = Object.fromEntries(["a\u202e", "b", "c", "d", "e"].map((id) => [id, "passed" as const]));
  const { detail, findings } = judgeReport(read({ z: "passed" }), cases(before));
  assert.equal(detail, "vanished: a\\u{202e}; vanished: b; vanished: c; and 2 more");
  assert.equal(findings.length, 5);
});
