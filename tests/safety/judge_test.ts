import assert from "node:assert/strict";
import { CAPABILITIES } from "../../src/safety/capability.ts";
import type { SafetyDelta } from "../../src/safety/delta.ts";
import { judgeSafety } from "../../src/safety/judge.ts";
import { MENTIONED } from "../../src/safety/shape.ts";
import type { Site } from "../../src/safety/site.ts";
import { type Policy, SAFETY_TERMS } from "../../src/policy/policy.ts";

const NONE: SafetyDelta = { added: [], removed: [], widened: [], narrowed: [], moved: [], unanalyzed: [] };
const site: Site = {
  ...{ file: "a.py", line: 3, function: "f", capability: "exec", rule: "run-program", symbol: "os.system" },
  ...{ shape: MENTIONED, code: "os.system" },
};
const policy = (safety: Partial<Policy["safety"]>): Policy["safety"] => ({
  ...{ deny: [], require_approval: [], max_diff_lines: 100 },
  ...safety,
});
const judge = (delta: Partial<SafetyDelta>, safety: Partial<Policy["safety"]>, diffLines = 1) => {
  const { outcome, reasons } = judgeSafety(
    { delta: { ...NONE, ...delta }, missingImports: [], diffLines },
    policy(safety),
  );
  return [outcome, ...reasons.map(({ code }) => code)];
};

Deno.test("judgeSafety: what no list names is allowed; deny wins over require_approval", () => {
  assert.deepEqual(judge({ added: [site] }, {}), ["allowed"]);
  assert.deepEqual(judge({ added: [site] }, { require_approval: ["exec"] }), [
    "needs_approval",
    "capability_needs_approval",
  ]);
  assert.deepEqual(judge({ added: [site] }, { deny: ["exec"], require_approval: ["exec"] }), [
    "denied",
    "capability_denied",
  ]);
  assert.deepEqual(judge({ added: [site] }, { deny: ["network"] }), ["allowed"]);
});

Deno.test("judgeSafety: widened counts like added; removed, narrowed and moved do not", () => {
  const pair = { before: site, after: site };
  assert.deepEqual(judge({ widened: [pair] }, { deny: ["exec"] }), ["denied", "capability_denied"]);
  assert.deepEqual(judge({ removed: [site], narrowed: [pair], moved: [pair] }, { deny: ["exec"] }), [
    "allowed",
  ]);
});

Deno.test("judgeSafety: what could not be analyzed is never allowed", () => {
  const unanalyzed = [{ path: "a.zig", reason: "unknown_language" as const, line: null }];
  assert.deepEqual(judge({ unanalyzed }, {}), ["needs_approval", "unanalyzed"]);
  assert.deepEqual(judge({ unanalyzed }, { deny: ["unanalyzed"] }), ["denied", "unanalyzed"]);
});

Deno.test("judgeSafety: missing imports count where the policy names them, too many lines always", () => {
  const missingImports = [{ file: "a.py", line: 1, specifier: "x", verdict: "missing" as const, why: "" }];
  const of = (safety: Partial<Policy["safety"]>) =>
    judgeSafety({ delta: NONE, missingImports, diffLines: 0 }, policy(safety)).outcome;
  assert.equal(of({}), "allowed");
  assert.equal(of({ require_approval: ["missing_import"] }), "needs_approval");
  assert.equal(of({ deny: ["missing_import"] }), "denied");
  assert.deepEqual(judge({}, {}, 100), ["allowed"]);
  assert.deepEqual(judge({}, {}, 101), ["denied", "diff_too_large"]);
});

Deno.test("judgeSafety: every reason says where, what and by which key", () => {
  const { reasons } = judgeSafety(
    { delta: { ...NONE, added: [site] }, missingImports: [], diffLines: 0 },
    policy({ deny: ["exec"] }),
  );
  assert.deepEqual(reasons, [{
    outcome: "denied",
    code: "capability_denied",
    path: "a.py",
    line: 3,
    rule: "policy.safety.deny",
    detail: "exec is added: os.system in f",
  }]);
});

Deno.test("SAFETY_TERMS: are the capabilities and what else is judged", () => {
  assert.deepEqual([...SAFETY_TERMS], [...CAPABILITIES, "unanalyzed", "missing_import"]);
});
