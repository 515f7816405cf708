import assert from "node:assert/strict";
import fc from "fast-check";
import { diffFiles, type FilePair } from "../../src/patch/diff.ts";
import { bytesOf } from "../../src/patch/bytes.ts";
import { renderPatch } from "../../src/patch/render.ts";
import { makeChange } from "../../src/proposal/steps.ts";
import { storeResult } from "../../src/proposal/store_tree.ts";
import { storedWorkspace } from "../../src/proposal/version_workspace.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { RelativePath } from "../../src/vocabulary/path.ts";
import type { ProposalRequest, Proposer } from "../../src/propose/proposer.ts";
import { lineDiff, patchOf, planOf, stepPorts, storedTree } from "./fixture.ts";

const FILES = { "a.txt": "one\ntwo\n", "src/b.py": "import os\n\nx = 1\n", "src/c.py": "y = 2\n" };

async function made(...steps: Parameters<typeof makeChange>[0]) {
  const { base, store } = storedTree(FILES);
  return { store, base, result: await makeChange(steps, base, planOf(), stepPorts()) };
}

Deno.test("makeChange: a tolerant patch becomes the canonical one, and the tree it makes", async () => {
  const fenced = "Here you are:\n```diff\n" + lineDiff("a.txt", "two", "2", 7) + "```\n";
  const { result } = await made(patchOf(fenced));
  assert.ok(result.ok);
  assert.equal(
    String(result.change.rendered),
    "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n",
  );
  const { path, sha256: digest } = result.change.result.entries.find(({ path }) => path === "a.txt")!;
  assert.deepEqual([path, digest], ["a.txt", sha256("one\n2\n")]);
});

Deno.test("makeChange: each step stands on what those before it left", async () => {
  const { result } = await made(
    patchOf(lineDiff("a.txt", "one", "uno")),
    patchOf(lineDiff("a.txt", "uno", "eins")),
    patchOf("--- /dev/null\n+++ b/new/d.txt\n@@ -0,0 +1 @@\n+hi\n"),
    patchOf(lineDiff("new/d.txt", "hi", "hello")),
  );
  assert.ok(result.ok, JSON.stringify(result));
  assert.deepEqual(result.change.changes.map(({ path }) => path), ["a.txt", "new/d.txt"]);
  assert.match(String(result.change.rendered), /-one\n\+eins\n/);
  assert.match(String(result.change.rendered), /\+hello\n/);
  assert.doesNotMatch(String(result.change.rendered), /uno|\+hi\n/);
  assert.deepEqual(result.steps.map(({ kind }) => kind), ["patch", "patch", "patch", "patch"]);
});

Deno.test("makeChange: steps that undo one another change nothing, and say so", async () => {
  const { result } = await made(
    patchOf(lineDiff("a.txt", "one", "uno")),
    patchOf(lineDiff("a.txt", "uno", "one")),
  );
  assert.ok(!result.ok);
  assert.deepEqual([result.step, result.refusal.reason], [null, "no_op"]);
});

Deno.test("makeChange: the first step that cannot be taken is named, with its reason", async () => {
  const { result } = await made(
    patchOf(lineDiff("a.txt", "one", "uno")),
    patchOf(lineDiff("a.txt", "one", "eins")),
  );
  assert.ok(!result.ok);
  assert.deepEqual([result.step, result.refusal.reason], [1, "hunk_not_found"]);
});

for (
  const [what, diff, reason] of [
    ["a path that leaves the tree", lineDiff("../a.txt", "one", "1"), "path_escapes"],
    ["git's own files", "--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+x\n", "path_git_directory"],
    ["what no walk would see", "--- /dev/null\n+++ b/.pp-artifacts/x\n@@ -0,0 +1 @@\n+x\n", "path_ignored"],
    ["another file's name in capitals", "--- /dev/null\n+++ b/A.TXT\n@@ -0,0 +1 @@\n+x\n", "path_collides"],
  ] as const
) {
  Deno.test(`makeChange: refuses ${what}`, async () => {
    const { result } = await made(patchOf(diff));
    assert.ok(!result.ok);
    assert.equal(result.refusal.reason, reason);
  });
}

Deno.test("makeChange: what is stored applies to the base and is exactly the result tree", async () => {
  const name = fc.constantFrom("a.txt", "src/b.py", "src/c.py", "new.txt", "src/deep/e.txt");
  const content = fc.array(fc.constantFrom("x", "y", "", "é\r", " z"), { maxLength: 6 }).chain((lines) =>
    fc.boolean().map((ends) => lines.join("\n") + (ends && lines.length > 0 ? "\n" : ""))
  );
  const edits = fc.uniqueArray(fc.tuple(name, fc.option(content)), { selector: ([n]) => n, minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 3 }), async (stages) => {
      const { base, store } = storedTree(FILES);
      const state = new Map<string, string>(Object.entries(FILES));
      const steps = [];
      for (const stage of stages) {
        const pairs: FilePair[] = stage.map(([path, now]) => {
          const of = (text: string | undefined) =>
            text === undefined ? null : { mode: "100644" as const, bytes: new TextEncoder().encode(text) };
          const [old, next] = [of(state.get(path)), of(now ?? undefined)];
          const named = path as RelativePath;
          return { oldPath: old && named, old, newPath: next && named, new: next };
        }).filter((pair) => pair.old !== null || pair.new !== null);
        const patch = diffFiles(pairs);
        if (patch.files.length === 0) continue;
        for (const [path, now] of stage) now === null ? state.delete(path) : state.set(path, now);
        steps.push(patchOf("", "x"));
        steps[steps.length - 1] = { kind: "patch" as const, text: renderPatch(patch), name: "x" };
      }
      const same = Object.entries(FILES).every(([path, text]) => state.get(path) === text) &&
        state.size === Object.keys(FILES).length;
      const result = await makeChange(steps, base, planOf(), stepPorts());
      if (!result.ok) {
        assert.ok(same || steps.length === 0, JSON.stringify(result.refusal));
        return;
      }
      const stored = storeResult(store, result.change);
      store.records.write((rows) => {
        for (const [digest, body] of stored.trees) rows.insertTree(digest, body);
      });
      const tree = storedWorkspace(store, stored.root, "result");
      assert.equal(tree.tree.digest, stored.manifest);
      const files = new Map(
        tree.tree.entries.filter(({ mode }) => mode.startsWith("100")).map(({ path, sha256, size }) =>
          [path, new TextDecoder("utf-8", { ignoreBOM: true }).decode(tree.bytes(sha256, size))] as const
        ),
      );
      assert.deepEqual([...files].sort(), [...state].sort());
      const again = await makeChange(
        [{ kind: "patch", text: result.change.rendered, name: "again" }],
        base,
        planOf(),
        stepPorts(),
      );
      assert.ok(again.ok);
      assert.equal(again.change.result.digest, result.change.result.digest);
      assert.equal(sha256(bytesOf(again.change.rendered)), stored.patch);
    }),
    { numRuns: 60 },
  );
});

function proposerOf(requests: ProposalRequest[], ...answers: string[]): Proposer {
  return {
    name: "scripted",
    supply: null,
    propose: (request) => {
      requests.push(request);
      const diff = answers[request.attempt - 1];
      return Promise.resolve(
        diff === undefined
          ? { kind: "none", reason: "nothing comes to mind" }
          : { kind: "proposal", diff, rationale: "so", riskNotes: "", confidence: 0.5, source: "script" },
      );
    },
  };
}

Deno.test("makeChange: an instruction is put with its files, and asked again when the answer is useless", async () => {
  const { base } = storedTree(FILES);
  const requests: ProposalRequest[] = [];
  const proposer = proposerOf(
    requests,
    "",
    lineDiff("src/b.py", "nope", "x = 2"),
    lineDiff("src/b.py", "x = 1", "x = 2", 3),
  );
  const asked = {
    kind: "instruction" as const,
    instruction: "make x two, see src/c.py",
    files: ["src/b.py"],
  };
  const result = await makeChange(
    [asked],
    base,
    planOf(),
    stepPorts({ proposer: () => Promise.resolve(proposer) }),
  );
  assert.ok(result.ok, JSON.stringify(result));
  assert.equal(requests.length, 3);
  assert.equal(requests[0]!.instruction, asked.instruction);
  assert.deepEqual(requests[0]!.snippets.map(({ path, why }) => [path, why]), [["src/b.py", "named"], [
    "src/c.py",
    "named",
  ]]);
  assert.deepEqual(requests[2]!.previous.map(({ outcome }) => outcome), [
    "refused: empty_patch",
    "refused: hunk_not_found",
  ]);
  assert.match(String(result.change.rendered), /-x = 1\n\+x = 2\n/);
  const { kind, provider, attempts, rationale } = result.steps[0]!;
  assert.deepEqual([kind, provider, attempts, rationale], ["instruction", "scripted", 3, "so"]);
});

Deno.test("makeChange: an instruction nobody can answer ends with what was tried", async () => {
  const { base } = storedTree(FILES);
  const proposer = proposerOf([], "garbage");
  const result = await makeChange(
    [{ kind: "instruction", instruction: "do it", files: [] }],
    base,
    planOf(),
    stepPorts({ proposer: () => Promise.resolve(proposer) }),
  );
  assert.ok(!result.ok);
  assert.equal(result.refusal.reason, "no_proposal");
  assert.match(result.refusal.detail, /nothing comes to mind; answer 1 was refused/);
});

Deno.test("makeChange: an instruction about a file that is not there is a wrong call", async () => {
  const { base } = storedTree(FILES);
  await assert.rejects(
    makeChange(
      [{ kind: "instruction", instruction: "do it", files: ["gone.py"] }],
      base,
      planOf(),
      stepPorts({ proposer: () => Promise.resolve(proposerOf([])) }),
    ),
    { code: "file_unknown" },
  );
});
