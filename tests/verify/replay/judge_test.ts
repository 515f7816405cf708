import assert from "node:assert/strict";
import { CHECK_NAMES, checkList, judge, type RecordedBase } from "../../../src/verify/replay/judge.ts";
import type { TargetOutcome, VerificationResult } from "../../../src/vocabulary/verification.ts";

const brief = ({ verdict, reason }: { verdict: string; reason: string }) => `${verdict} ${reason}`;

Deno.test("judge: red and green, all the same and mixed", () => {
  const of = (outcomes: string): VerificationResult[] =>
    [...outcomes].map((letter) => ({
      outcome: letter === "p" ? "passed" : letter === "t" ? "timed_out" : "failed",
      targets: [],
    }));
  /** Base and patched runs, p passed, f failed, t timed out. */
  const expected: Readonly<Record<string, string>> = {
    "f p": "confirmed confirmed",
    "ff pp": "confirmed confirmed",
    "t p": "confirmed confirmed",
    "tf pp": "confirmed confirmed",
    "p p": "contradicted base_passes",
    "pp ff": "contradicted base_passes",
    "f f": "contradicted patched_fails",
    "ff ff": "contradicted patched_fails",
    "f t": "inconclusive timed_out",
    "ff ft": "inconclusive timed_out",
    "pf pp": "inconclusive flaky",
    "ff pt": "inconclusive flaky",
    "pp pf": "inconclusive flaky",
    "pt pp": "inconclusive flaky",
    " ": "inconclusive nothing_run",
    "f ": "inconclusive nothing_run",
    "ff p": "inconclusive nothing_run",
  };
  for (const [runs, verdict] of Object.entries(expected)) {
    const [base, patched] = runs.split(" ");
    assert.equal(brief(judge(of(base!), of(patched!), new Map())), verdict, runs);
  }
});

/** One run with an outcome for each target, p passed, f failed, t timed out, n not run. */
function run(letters: string): VerificationResult {
  const of = { p: "passed", f: "failed", t: "timed_out", n: "not_run" } as const;
  const targets = [...letters].map((letter, i) => ({
    ...{ target: `t${i}`, outcome: of[letter as keyof typeof of], result: null },
  }));
  const outcomes = targets.map((t) => t.outcome);
  const outcome = outcomes.includes("timed_out")
    ? "timed_out"
    : outcomes.every((o) => o === "passed")
    ? "passed"
    : "failed";
  return { outcome, targets };
}

function recordedAs(...runs: string[]): RecordedBase {
  const all = new Map<string, Set<TargetOutcome>>();
  for (const { targets } of runs.map(run)) {
    for (const { target, outcome } of targets) all.set(target, (all.get(target) ?? new Set()).add(outcome));
  }
  return all;
}

/** Recorded runs, runs here, verdict; patched runs are green. */
const BASES: readonly [string[], string[], string, string][] = [
  [["f"], ["f"], "confirmed confirmed", "passed"],
  [["t"], ["t", "t"], "confirmed confirmed", "passed"],
  [["f", "t"], ["t", "f"], "confirmed confirmed", "passed"],
  [["pf"], ["pf"], "confirmed confirmed", "passed"],
  [["tn"], ["tn"], "confirmed confirmed", "passed"],
  [["f"], ["t"], "inconclusive base_cut_off", "unclear"],
  [["t"], ["f"], "inconclusive base_cut_off", "unclear"],
  [["ff"], ["tn"], "inconclusive base_cut_off", "unclear"],
  [["tn"], ["fp"], "inconclusive base_cut_off", "unclear"],
  [["fp"], ["pf"], "contradicted base_fails_otherwise", "failed"],
  [["fp"], ["ff"], "contradicted base_fails_otherwise", "failed"],
  [["ff"], ["pf", "pf"], "contradicted base_fails_otherwise", "failed"],
  [["ff"], ["pf", "ff"], "inconclusive flaky", "unclear"],
  [["ff"], ["pf", "ft"], "inconclusive base_cut_off", "unclear"],
  [[], ["f"], "inconclusive base_cut_off", "unclear"],
  [["pf", "fp"], ["pf", "fp"], "inconclusive flaky", "passed"],
  [["pf", "fp"], ["pf", "pf"], "confirmed confirmed", "passed"],
];

Deno.test("judge: a red base must be red as recorded; cut off and failed are told apart", () => {
  for (const [recorded, here, verdict, check] of BASES) {
    const patched = here.map((letters) => run("p".repeat(letters.length)));
    const judged = judge(here.map(run), patched, recordedAs(...recorded));
    const what = `${recorded} against ${here}`;
    assert.equal(brief(judged), verdict, what);
    assert.equal(judged.checks.base_as_recorded, check, what);
    assert.equal(judged.checks.base_red, "passed", what);
  }
});

Deno.test("judge: a hostile target's name is printed harmlessly", () => {
  const target = "x\u001b[31m\n";
  const red: VerificationResult = {
    outcome: "failed",
    targets: [{ target, outcome: "failed", result: null }],
  };
  const green: VerificationResult = { outcome: "passed", targets: [] };
  assert.doesNotMatch(judge([red], [green], new Map()).detail, /\p{Cc}/u);
});

Deno.test("checkList: every check is there, in order; what was not made is not checked", () => {
  const list = checkList({ base_red: "passed", minimal: "failed" });
  assert.deepEqual(list.map((c) => c.check), CHECK_NAMES);
  assert.deepEqual(list.filter((c) => c.verdict !== "not_checked"), [
    { check: "base_red", verdict: "passed" },
    { check: "minimal", verdict: "failed" },
  ]);
});
