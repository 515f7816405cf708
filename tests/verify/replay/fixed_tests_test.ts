import assert from "node:assert/strict";
import fc from "fast-check";
import { defaultPolicy } from "../../../src/policy/defaults.ts";
import type { TestCase, TestOutcome } from "../../../src/vocabulary/test_report.ts";
import type { VerificationResult } from "../../../src/vocabulary/verification.ts";
import type { RunsJudged } from "../../../src/verify/replay/judge.ts";
import { withOwnReports } from "../../../src/verify/replay/own_reports.ts";
import type { ReplayClaim } from "../../../src/verify/replay/claim.ts";
import { withTests } from "../../../src/verify/replay/fixed_tests.ts";

const CONFIRMED: RunsJudged = {
  verdict: "confirmed",
  reason: "confirmed",
  detail: "red, then green",
  checks: {},
};

/** A run whose target `unit` reported this; null: no report that could be read. */
function run(of: Readonly<Record<string, TestOutcome>> | null): VerificationResult {
  const cases = of === null ? null : Object.entries(of).map(([id, outcome]): TestCase => ({ id, outcome }));
  return {
    outcome: "failed",
    targets: [{
      target: "unit",
      outcome: "failed",
      result: null,
      tests: { verdict: "good", detail: "", cases, findings: [] },
    }],
  };
}
const fixed = (...ids: string[]) => new Map([["unit", ids]]);
const RED = run({ a: "failed", b: "error", c: "passed" });
const GREEN = run({ a: "passed", b: "passed", c: "passed" });

Deno.test("withTests: recorded fixes that are fixed here confirm", () => {
  const judged = withTests(CONFIRMED, [RED], [GREEN], fixed("a", "b"));
  assert.deepEqual([judged.verdict, judged.checks.tests_fixed], ["confirmed", "passed"]);
  assert.match(judged.detail, /all 2 recorded tests fixed/);
});

Deno.test("withTests: nothing recorded asks nothing", () => {
  assert.equal(withTests(CONFIRMED, [run(null)], [run(null)], new Map()), CONFIRMED);
  assert.equal(withTests(CONFIRMED, [run(null)], [run(null)], fixed()), CONFIRMED);
});

Deno.test("withTests: one that is missing, passes already or is fixed only sometimes contradicts", () => {
  for (
    const [base, patched, ids] of [
      [[RED], [GREEN], ["a", "z"]],
      [[RED], [GREEN], ["c"]],
      [[RED, RED], [GREEN, run({ a: "skipped", b: "passed" })], ["a"]],
      [[RED], [run({ b: "passed" })], ["a"]],
    ] as const
  ) {
    const judged = withTests(CONFIRMED, base, patched, fixed(...ids));
    assert.deepEqual([judged.verdict, judged.reason], ["contradicted", "tests_not_fixed"]);
    assert.equal(judged.checks.tests_fixed, "failed");
  }
});

Deno.test("withTests: without a report that can be read nothing is known", () => {
  for (
    const [base, patched] of [[[run(null)], [GREEN]], [[RED], [run(null)]], [[RED, RED], [GREEN, run(null)]]]
  ) {
    const judged = withTests(CONFIRMED, base!, patched!, fixed("a"));
    assert.deepEqual([judged.verdict, judged.reason], ["inconclusive", "tests_unknown"]);
  }
});

Deno.test("withTests: confirms exactly when every recorded name went from failing to passing in every run", () => {
  const outcome = fc.constantFrom<TestOutcome>("passed", "failed", "error", "skipped", "xfailed", "xpassed");
  const suite = fc.dictionary(fc.constantFrom("a", "b", "c"), outcome);
  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1 });
  fc.assert(fc.property(suite, fc.array(suite, { minLength: 1, maxLength: 3 }), names, (base, runs, ids) => {
    const all = ids.every((id) =>
      ["failed", "error"].includes(base[id] ?? "") &&
      runs.every((r) => ["passed", "xpassed"].includes(r[id] ?? ""))
    );
    const { verdict } = withTests(CONFIRMED, runs.map(() => run(base)), runs.map(run), fixed(...ids));
    assert.equal(verdict, all ? "confirmed" : "contradicted");
  }));
});

Deno.test("withOwnReports: the verifier's report for the same argv is the one that counts", () => {
  const target = { name: "unit", command: "t", argv: ["t"], shell: false };
  const theirs = { format: "tap", path: "-" } as const;
  const claim = { targets: [{ ...target, report: theirs }], fixed: fixed("a") } as unknown as ReplayClaim;
  const config = (over: object) => ({ ...defaultPolicy(), proof_targets: [{ name: "x", ...over }] });
  assert.deepEqual(withOwnReports(claim, config({ argv: ["t"] })), claim);
  assert.deepEqual(withOwnReports(claim, config({ argv: ["u"], report: theirs })), claim);
  assert.deepEqual(withOwnReports(claim, config({ argv: ["t"], report: theirs })), claim);
  const mine = { format: "junit", path: "r.xml" } as const;
  const own = withOwnReports(claim, config({ argv: ["t"], report: mine }));
  assert.deepEqual([own.targets[0]!.report, own.fixed.size], [mine, 0]);
});
