import assert from "node:assert/strict";
import { checkDocument, type CheckFinding } from "../../src/approve/check.ts";
import { ALL_FINDINGS, checkLines, checkView, FEW_FINDINGS } from "../../src/cli/check_text.ts";
import { colours } from "../../src/cli/output.ts";

const PLAIN = colours(false);

const finding = (level: CheckFinding["level"], line: number): CheckFinding => ({
  ...{ level, line, code: "c", path: "a\u001b[2J.py", detail: "d\u202e" },
});
const check = (outcome: "passed" | "needs_approval", findings: readonly CheckFinding[]) =>
  checkView({
    ...{ kind: "safety", outcome },
    document: checkDocument({ kind: "safety", outcome, summary: "s\n", findings, details: {} }),
  });

Deno.test("checkLines: whoever decides and whoever proposed read the same line of a check", () => {
  const checks = [
    check("needs_approval", [finding("warning", 1)]),
    check("passed", []),
    checkView({ kind: "git" as const, outcome: "passed" as const, document: "{" }),
  ];
  const lines = checkLines(checks, ALL_FINDINGS, PLAIN);
  assert.deepEqual(lines, [
    "safety   needs approval  s\\n",
    "  warning  a\\u{1b}[2J.py:1  d\\u{202e}  c",
    "safety   passed          s\\n",
    "git      passed          its document cannot be read",
  ]);
  assert.deepEqual(checkLines(checks, FEW_FINDINGS, PLAIN), lines);
});

Deno.test("checkLines: findings are bounded and counted; info is for whoever decides", () => {
  const many = [
    ...Array.from({ length: 30 }, (_, i) => finding("info", i + 1)),
    ...Array.from({ length: 300 }, (_, i) => finding("error", i + 1)),
  ];
  const few = checkLines([check("passed", many)], FEW_FINDINGS, PLAIN);
  assert.deepEqual([few.length, few.at(-1)], [22, "  and 280 more (--json has all)"]);
  assert.equal(few.some((line) => line.startsWith("  info")), false);
  const all = checkLines([check("passed", many)], ALL_FINDINGS, PLAIN);
  assert.deepEqual([all.length, all.at(-1)], [202, "  and 130 more (--json has all)"]);
  assert.match(all[1]!, /^ {2}info {2}/);
});
