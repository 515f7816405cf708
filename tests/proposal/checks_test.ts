import assert from "node:assert/strict";
import type { Policy } from "../../src/policy/policy.ts";
import { type ChangePorts, checkProposal, type SyntaxFinding } from "../../src/proposal/checks.ts";
import { makeChange } from "../../src/proposal/steps.ts";
import { storeResult } from "../../src/proposal/store_tree.ts";
import { storedWorkspace } from "../../src/proposal/version_workspace.ts";
import { changePorts, lineDiff, patchOf, planOf, stepPorts, storedTree } from "./fixture.ts";

const FILES = {
  "app.py": "import os\n\n\ndef run():\n    return 1\n",
  "broken.py": "def f(:\n    pass\n",
  "tests/test_app.py": "def test():\n    assert True\n",
  "notes.txt": "one\n",
};

async function checked(
  diff: string,
  policy: (policy: Policy) => Policy = (p) => p,
  ports: Partial<ChangePorts> = {},
) {
  const { base, store } = storedTree(FILES);
  const plan = planOf(policy);
  const made = await makeChange([patchOf(diff)], base, plan, stepPorts());
  assert.ok(made.ok, JSON.stringify(made));
  const stored = storeResult(store, made.change);
  store.records.write((rows) => {
    for (const [digest, body] of stored.trees) rows.insertTree(digest, body);
  });
  const result = storedWorkspace(store, stored.root, "P1.1");
  const found = await checkProposal({ base, result, change: made.change }, plan, await changePorts(ports));
  const outcomes = Object.fromEntries(found.checks.map(({ kind, outcome }) => [kind, outcome]));
  const of = (kind: string) => found.checks.find((check) => check.kind === kind)!;
  const document = (kind: string) => of(kind).details;
  const codes = (kind: string) => of(kind).findings.map(({ code }) => code);
  return { outcomes, document, codes, found };
}

Deno.test("checkProposal: a change that only computes differently passes everything", async () => {
  const { outcomes, document } = await checked(lineDiff("app.py", "    return 1", "    return 2", 5));
  assert.deepEqual(outcomes, {
    ...{ patch: "passed", git: "passed", syntax: "passed", imports: "passed", safety: "passed" },
  });
  assert.deepEqual(document("syntax").files, [
    { path: "app.py", verdict: "valid", line: null, reason: null, broken_before: false },
  ]);
});

Deno.test("checkProposal: what no longer parses fails with its line, and nobody knows what it can do", async () => {
  const { outcomes, document, found } = await checked(lineDiff("app.py", "    return 1", "    return (1", 5));
  assert.equal(outcomes.syntax, "failed");
  const [file] = document("syntax").files as SyntaxFinding[];
  assert.deepEqual([file!.verdict, file!.line, file!.broken_before], ["broken", 5, false]);
  assert.equal(found.judgement.outcome, "needs_approval");
});

Deno.test("checkProposal: what never parsed is for a person to judge", async () => {
  const { outcomes } = await checked(lineDiff("broken.py", "    pass", "    return", 2));
  assert.equal(outcomes.syntax, "needs_approval");
});

Deno.test("checkProposal: text of no language is not said to be valid", async () => {
  const { outcomes, document } = await checked(lineDiff("notes.txt", "one", "two"));
  assert.equal(outcomes.syntax, "not_run");
  assert.equal((document("syntax").files as SyntaxFinding[])[0]!.reason, "unknown_language");
});

Deno.test("checkProposal: an import that leads nowhere fails", async () => {
  const { outcomes, document } = await checked(lineDiff("app.py", "import os", "from .gone import os"));
  assert.equal(outcomes.imports, "failed");
  const [missing] = document("imports").missing as { file: string; specifier: string; line: number }[];
  assert.deepEqual([missing!.file, missing!.line], ["app.py", 1]);
  assert.match(missing!.specifier, /gone/);
});

Deno.test("checkProposal: what code newly does is judged by the policy", async () => {
  const diff = lineDiff("app.py", "    return 1", "    return os.system('ls')", 5);
  const asks = await checked(diff, (p) => ({ ...p, safety: { ...p.safety, require_approval: ["exec"] } }));
  assert.equal(asks.outcomes.safety, "needs_approval");
  assert.equal(asks.found.safety.delta.added[0]!.capability, "exec");
  const denied = await checked(diff, (p) => ({ ...p, safety: { ...p.safety, deny: ["exec"] } }));
  assert.equal(denied.outcomes.safety, "failed");
});

Deno.test("checkProposal: write rules refuse as a session does, each path once", async () => {
  const { outcomes, codes } = await checked(
    lineDiff("tests/test_app.py", "    assert True", "    assert 1", 2),
    (p) => ({ ...p, deny_write: ["tests/**"] }),
  );
  assert.equal(outcomes.patch, "failed");
  assert.deepEqual(codes("patch"), ["path_denied"]);
});

Deno.test("checkProposal: protected files fail, and need approval where the policy lets a patch touch them", async () => {
  const diff = lineDiff("tests/test_app.py", "    assert True", "    assert 1", 2);
  const kept = await checked(diff);
  assert.equal(kept.outcomes.patch, "failed");
  assert.deepEqual(kept.codes("patch"), ["path_protected"]);
  const allowed = await checked(diff, (p) => ({ ...p, protect: { ...p.protect, allow: ["tests/**"] } }));
  assert.equal(allowed.outcomes.patch, "needs_approval");
  assert.deepEqual(allowed.codes("patch"), ["protected_touched"]);
});

Deno.test("checkProposal: a policy file and a secret are refused, limits hold", async () => {
  const policy = await checked("--- /dev/null\n+++ b/pp.yaml\n@@ -0,0 +1 @@\n+policy: {}\n");
  assert.equal(policy.outcomes.patch, "failed");
  const diff = lineDiff("notes.txt", "one", "two");
  const secret = await checked(diff, undefined, {
    findSecrets: () => Promise.resolve([{ rule: "test", count: 1 }]),
  });
  assert.deepEqual(secret.codes("patch"), ["secret_in_patch"]);
  const limit = await checked(diff, (p) => ({ ...p, limits: { ...p.limits, max_patch_bytes: 10 } }));
  assert.deepEqual(limit.codes("patch"), ["patch_too_large"]);
});

Deno.test("checkProposal: git that reads it differently fails, no git is said", async () => {
  const diff = lineDiff("notes.txt", "one", "two");
  const disagrees = await checked(diff, undefined, {
    gitAgrees: () => Promise.resolve({ verdict: "disagrees", detail: "other bytes" }),
  });
  assert.equal(disagrees.outcomes.git, "failed");
  const none = await checked(diff, undefined, { gitAgrees: () => Promise.resolve({ verdict: "no_git" }) });
  assert.equal(none.outcomes.git, "not_run");
});
