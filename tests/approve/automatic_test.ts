import assert from "node:assert/strict";
import { fittingRule, judgeRules, ruleHash } from "../../src/approve/automatic.ts";
import type { Evidence } from "../../src/approve/evidence.ts";
import type { FileInUse } from "../../src/approve/in_use.ts";
import type { AutomaticRule } from "../../src/policy/policy.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { evidenceOf, termsOf } from "./fixture.ts";

const RULE: AutomaticRule = { name: "small", paths: ["src/**"], max_lines: 4, max_files: 2 };
const TERMS = termsOf({ automatic: [RULE] });

const against = (over: Partial<Evidence> = {}, rule = RULE, inUse: readonly FileInUse[] = []) =>
  judgeRules(evidenceOf(TERMS, over), termsOf({ automatic: [rule] }).policy, inUse)[0]!.against;
const file = (path: string, lines = 1, old: string | null = null): Evidence["patch"]["files"][number] => ({
  ...{ path, old_path: old, additions: lines, deletions: 0 },
  change: old === null ? "modified" : "renamed",
});
const patch = (...files: Evidence["patch"]["files"]) => ({
  patch: {
    ...{ sha256: sha256("p"), bytes: 1, files, deletions: 0 },
    additions: files.reduce((sum, { additions }) => sum + additions, 0),
  },
});

Deno.test("ruleHash: is SHA-256 of the literal canonical rule", () => {
  assert.equal(
    ruleHash(RULE),
    sha256('veripatch-rule/v1 {"max_files":2,"max_lines":4,"name":"small","paths":["src/**"]}\n'),
  );
});

Deno.test("judgeRules: a small proved change in the allowed paths fits", () => {
  assert.deepEqual(against(), []);
  assert.deepEqual(against(patch(file("src/a.py", 2), file("src/deep/b.py", 2))), []);
  assert.equal(fittingRule(judgeRules(evidenceOf(TERMS), TERMS.policy, []))?.hash, ruleHash(RULE));
  assert.deepEqual(judgeRules(evidenceOf(TERMS), termsOf().policy, []), []);
});

Deno.test("judgeRules: paths, old paths, lines and files are bounded by the rule", () => {
  assert.deepEqual(against(patch(file("lib/a.py"))), ["paths outside the rule: 1"]);
  assert.deepEqual(against(patch(file("src/a.py", 1, "lib/a.py"))), ["paths outside the rule: 1"]);
  assert.deepEqual(against(patch(file("src/a.py", 5))), ["5 lines, more than 4"]);
  assert.deepEqual(against(patch(file("src/a"), file("src/b"), file("src/c"))), ["3 files, more than 2"]);
});

Deno.test("judgeRules: without a passed proof and clean checks no rule fits, however wide", () => {
  const wide = { ...RULE, paths: ["**"], max_lines: 10_000, max_files: 1_000 };
  const evidence = evidenceOf(TERMS);
  const withCheck = (kind: string, outcome: "failed" | "not_run" | "needs_approval") => ({
    checks: evidence.checks.map((check) => check.kind === kind ? { ...check, outcome } : check),
  });
  const without = (kind: string) => ({ checks: evidence.checks.filter((check) => check.kind !== kind) });
  for (
    const over of [
      { proof: null },
      { proof: { ...evidence.proof!, statement_sha256: null } },
      { proof: { ...evidence.proof!, outcome: "still_passing" } },
      withCheck("proof", "not_run"),
      withCheck("proof", "failed"),
      ...["patch", "syntax", "imports", "safety"].flatMap((kind) => [
        withCheck(kind, "failed"),
        withCheck(kind, "not_run"),
        withCheck(kind, "needs_approval"),
        without(kind),
      ]),
      without("proof"),
      withCheck("git", "failed"),
      { safety: { ...evidence.safety, outcome: "needs_approval" as const } },
      ...(["added", "widened", "unanalyzed", "missing_imports"] as const)
        .map((name) => ({ safety: { ...evidence.safety, [name]: 1 } })),
    ]
  ) assert.equal(against(over, wide).length, 1, JSON.stringify(over));
  assert.deepEqual(against({ safety: { ...evidence.safety, removed: 3 } }, wide), []);
});

Deno.test("judgeRules: tests, runners' configuration, CI and policies are never touched without a person", () => {
  const wide = { ...RULE, paths: ["**"], max_lines: 10_000, max_files: 1_000 };
  for (
    const path of [
      ...["tests/test_a.py", "src/a_test.go", "conftest.py", "pyproject.toml", "package.json", "Makefile"],
      ...[
        ".github/workflows/x.yml",
        "pp.yaml",
        "sub/pp.json",
        "PP.YML",
        ".ppignore",
        "docs/CODEOWNERS",
        "conf/trust.yaml",
        "Trust.JSON",
      ],
    ]
  ) {
    assert.deepEqual(against(patch(file(path)), wide), ["protected files are touched: 1"], path);
    assert.deepEqual(
      against(patch(file("src/a.py", 1, path)), wide),
      ["protected files are touched: 1"],
      path,
    );
  }
  // A policy that lets patches touch them does not let a rule.
  const open = termsOf({ automatic: [wide] });
  const policy = { ...open.policy, protect: { enabled: false, also: [], allow: ["**"] } };
  const [verdict] = judgeRules(evidenceOf(open, patch(file("tests/test_a.py"))), policy, []);
  assert.equal(verdict!.against.length, 1);
});

Deno.test("judgeRules: files that the call itself judges by are never touched without a person, whatever their name", () => {
  const wide = { ...RULE, paths: ["**"] };
  const inUse = [
    { path: "conf/who.yml", what: "trust file" },
    { path: "lib/who.yml", what: "trust file" },
    { path: "conf/strict\u00e9.yaml", what: "policy" },
  ] as const;
  const trust = ["the trust file in use is touched"], policy = ["the policy in use is touched"];
  assert.deepEqual(against(patch(file("conf/other.yml")), wide, inUse), []);
  assert.deepEqual(against(patch(file("conf/who.yml")), wide, inUse), trust);
  assert.deepEqual(against(patch(file("CONF/Who.yml")), wide, inUse), trust);
  assert.deepEqual(against(patch(file("src/a", 1, "lib/who.yml")), wide, inUse), trust);
  assert.deepEqual(against(patch(file("conf/stricte\u0301.yaml")), wide, inUse), policy);
  assert.deepEqual(against(patch(file("conf/who.yml"), file("lib/who.yml")), wide, inUse), trust);
});
