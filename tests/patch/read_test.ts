import assert from "node:assert/strict";
import fc from "fast-check";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { ManifestEntry } from "../../src/vocabulary/manifest.ts";
import type { ByteString } from "../../src/vocabulary/patch.ts";
import { applyPatch } from "../../src/patch/apply.ts";
import { byteString, byteStringOfText } from "../../src/patch/bytes.ts";
import { diffFiles } from "../../src/patch/diff.ts";
import { pathsNeeded, readProposal, resolveProposal } from "../../src/patch/read.ts";
import { renderPatch } from "../../src/patch/render.ts";
import { after, before, changed, lookup, pairs, plain, text, type Tree } from "./trees.ts";

function entriesOf(tree: Tree): Map<string, ManifestEntry> {
  return new Map(
    [...tree].map((
      [path, f],
    ) => [path, { path, mode: f.mode, size: f.bytes.length, sha256: sha256(f.bytes) }]),
  );
}

function resolve(proposal: ByteString, tree: Tree) {
  const read = readProposal(proposal);
  if (!read.ok) return read;
  const needed = pathsNeeded(read.proposal, entriesOf(tree));
  if (!needed.ok) return needed;
  return resolveProposal(read.proposal, entriesOf(tree), (p) => tree.get(p)?.bytes);
}

/** Pairs whose patch is text without NUL and changes something. */
const proposable = pairs.filter((of) => {
  const text = renderPatch(diffFiles(of));
  return text !== "" && !text.includes("\0") &&
    !of.some((p) => p.old?.bytes.includes(0) || p.new?.bytes.includes(0));
});

Deno.test("resolveProposal: a canonical patch comes back as it is, noted as exact", () => {
  fc.assert(
    fc.property(proposable, (of) => {
      const patch = diffFiles(of);
      assert.deepEqual(resolve(renderPatch(patch), before(of)), { ok: true, patch, notes: ["exact"] });
    }),
    { numRuns: 200 },
  );
});

Deno.test("resolveProposal: wrong line numbers lead to the same result or to a refusal", () => {
  let taken = 0;
  fc.assert(
    fc.property(proposable, fc.integer({ min: 1, max: 50 }), (of, by) => {
      const shifted = renderPatch(diffFiles(of)).replace(
        /^@@ -([1-9]\d*)(,\d+)? \+([1-9]\d*)/gm,
        (_, a, n, b) => `@@ -${Number(a) + by}${n ?? ""} +${Number(b) + by}`,
      ) as ByteString;
      const resolved = resolve(shifted, before(of));
      if (!resolved.ok) return;
      const applied = applyPatch(resolved.patch, lookup(before(of)));
      assert.ok(applied.ok);
      // A hunk that also stands where the wrong number says is taken there: only unique ones must come out alike.
      if (resolved.notes.includes("line_numbers_corrected") && resolved.patch.files.length === 1) taken++;
    }),
    { numRuns: 150 },
  );
  assert.ok(taken > 5, `only ${taken} were corrected`);
});

Deno.test("resolveProposal: a fence and prose around a patch change nothing about its result", () => {
  fc.assert(
    fc.property(proposable, (of) => {
      const patch = diffFiles(of), canonical = renderPatch(patch);
      if (/^(```|<<<<<<<)/m.test(canonical)) return;
      const wrapped = `I found it.\n\n\`\`\`diff\n${canonical}\`\`\`\n\nDone.\n` as ByteString;
      const resolved = resolve(wrapped, before(of));
      assert.ok(resolved.ok, JSON.stringify(resolved) + wrapped);
      assert.deepEqual(resolved.patch, patch);
      assert.deepEqual(resolved.notes, ["fence_removed", "prose_ignored"]);
    }),
    { numRuns: 200 },
  );
});

const BASE: Tree = new Map([
  ["a.py", text("def f():\n    return 1\n\n\ndef g():\n    return 1\n")],
  ["src/b.py", text("x = 1\r\ny = 2\r\n")],
  ["c", text("one\ntwo")],
]);

const FRAGMENTS = [
  "diff --git a/a.py b/a.py",
  "diff --git a/src/b.py b/src/c.py",
  "--- a/a.py",
  "+++ b/a.py",
  "--- /dev/null",
  "+++ /dev/null",
  "--- a/../x",
  "@@ -1,2 +1,2 @@",
  "@@ -0,0 +1 @@",
  "@@ @@",
  "@@ -999999999,999999999 +1,1 @@",
  " def f():",
  "-    return 1",
  "+    return 2",
  "-one",
  "\\ No newline at end of file",
  "new file mode 100755",
  "deleted file mode 100644",
  "old mode 100644",
  "new mode 120000",
  "rename from a.py",
  "rename to ü",
  "similarity index 50%",
  "index 1..2 160000",
  "```diff",
  "```python a.py",
  "```",
  "~~~",
  "a.py:",
  "File: src/b.py",
  "<<<<<<< SEARCH",
  "=======",
  ">>>>>>> REPLACE",
  "*** Begin Patch",
  "*** Update File: a.py",
  "*** Add File: n",
  "*** Move to: ../z",
  "*** Delete File: c",
  "Binary files a/a and b/a differ",
  "",
  "\r",
  '"a\\',
];

Deno.test("resolveProposal: never throws, and what it takes is canonical and applies", () => {
  const garbage = fc.oneof(
    fc.array(fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ maxLength: 20 })), { maxLength: 30 })
      .map((l) => byteStringOfText(l.join("\n"))),
    fc.uint8Array({ maxLength: 200 }).map(byteString),
  );
  let taken = 0;
  fc.assert(
    fc.property(garbage, (input) => {
      const resolved = resolve(input, BASE);
      if (!resolved.ok) {
        assert.match(resolved.refusal.reason, /^[a-z_]+$/);
        return;
      }
      taken++;
      const applied = applyPatch(resolved.patch, lookup(BASE));
      assert.ok(applied.ok, JSON.stringify(applied));
      assert.notDeepEqual(plain(changed(BASE, applied.changes)), plain(BASE));
    }),
    { numRuns: 1500 },
  );
  assert.ok(taken > 0, "no garbage was ever taken, so nothing of the rest was tried");
});

Deno.test("resolveProposal: never throws on damaged patches", () => {
  const damaged = fc.tuple(
    proposable,
    fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.string({ maxLength: 3 })), {
      minLength: 1,
      maxLength: 3,
    }),
  );
  fc.assert(
    fc.property(damaged, ([of, cuts]) => {
      let proposal: string = renderPatch(diffFiles(of));
      for (const [at, remove, add] of cuts) {
        const i = at % (proposal.length + 1);
        proposal = proposal.slice(0, i) + byteStringOfText(add) + proposal.slice(i + remove);
      }
      const resolved = resolve(proposal as ByteString, before(of));
      if (!resolved.ok) return;
      assert.ok(applyPatch(resolved.patch, lookup(before(of))).ok);
    }),
    { numRuns: 500 },
  );
});

Deno.test("resolveProposal: hostile sizes end in time", () => {
  const tree: Tree = new Map([["a", text(("x\n".repeat(299) + "y\n").repeat(1000))]]);
  const hunk = "@@ @@\n" + " x\n".repeat(5_000) + "-z\n+w\n";
  const cases: [string, string][] = [
    ["hunk_not_found", "--- a/a\n+++ b/a\n" + hunk],
    ["too_large", "--- a/a\n+++ b/a\n" + ("@@ @@\n" + " x\n".repeat(300) + "+w\n").repeat(3)],
    ["garbage", "`".repeat(1_000_000)],
    ["garbage", "a/".repeat(500_000)],
    ["garbage", "File: " + " ".repeat(1_000_000)],
    ["garbage", ("#".repeat(200) + " ".repeat(90) + "x\n").repeat(3_000)],
    ["too_large", "\n".repeat(250_000) + "x"],
    ["empty_patch", "diff --git " + " b/".repeat(300_000) + "\n"],
    ["empty_patch", "@@ -1 +1 @@\n".repeat(80_000)],
    ["proposal_truncated", "<<<<<<< SEARCH\n".repeat(60_000)],
    ["file_missing", "--- " + " ".repeat(1_000_000) + "x\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"],
    ["path_too_long", "--- a/f\n+++ " + "b 2026-01-01 00:00".repeat(60_000) + "x\n@@ -1 +1 @@\n-a\n+b\n"],
    [
      "path_too_long",
      "*** Begin Patch\n*** Update File: x" + " ".repeat(1_000_000) + "x\n-a\n+b\n*** End Patch\n",
    ],
    ["garbage", "```" + " ".repeat(1_000_000) + "x\n"],
    ["garbage", (".".repeat(2_900) + "x\n").repeat(300)],
  ];
  for (const [reason, proposal] of cases) {
    const start = performance.now();
    const resolved = resolve(byteStringOfText(proposal), tree);
    const ms = performance.now() - start;
    assert.ok(!resolved.ok);
    assert.equal(resolved.refusal.reason, reason, resolved.refusal.detail);
    assert.ok(ms < 5_000, `${reason} took ${ms} ms`);
  }
});

Deno.test("resolveProposal: context that lost its trailing spaces gives the same result", () => {
  fc.assert(
    fc.property(proposable, (of) => {
      // Trailing spaces in context are what models lose first.
      const canonical = renderPatch(diffFiles(of));
      if (canonical.includes("\r")) return;
      const loose = canonical.replace(/^( .*?)[ \t]+$/gm, "$1") as ByteString;
      const resolved = resolve(loose, before(of));
      if (!resolved.ok) return;
      const applied = applyPatch(resolved.patch, lookup(before(of)));
      assert.ok(applied.ok);
      if (!resolved.notes.includes("line_numbers_corrected")) {
        assert.deepEqual(plain(changed(before(of), applied.changes)), plain(after(of)));
      }
    }),
    { numRuns: 200 },
  );
});
