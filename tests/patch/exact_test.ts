import assert from "node:assert/strict";
import fc from "fast-check";
import { applyPatch } from "../../src/patch/apply.ts";
import { displayText } from "../../src/patch/bytes.ts";
import { diffFiles } from "../../src/patch/diff.ts";
import { parsePatch } from "../../src/patch/parse.ts";
import { renderPatch } from "../../src/patch/render.ts";
import { gitApply } from "./git.ts";
import { reversePatch } from "./reverse.ts";
import { after, before, changed, lookup, pairs, plain } from "./trees.ts";

Deno.test("parsePatch: what renderPatch wrote parses to the same patch", () => {
  fc.assert(
    fc.property(pairs, (of) => {
      const patch = diffFiles(of);
      assert.deepEqual(parsePatch(renderPatch(patch)), { ok: true, patch });
    }),
    { numRuns: 500 },
  );
});

Deno.test("applyPatch: the diff of two trees leads from one to the other, its reverse back", () => {
  fc.assert(
    fc.property(pairs, (of) => {
      const patch = diffFiles(of);
      const there = applyPatch(patch, lookup(before(of)));
      assert.ok(there.ok, JSON.stringify(there));
      const result = changed(before(of), there.changes);
      assert.deepEqual(plain(result), plain(after(of)));
      const back = applyPatch(reversePatch(patch), lookup(result));
      assert.ok(back.ok, JSON.stringify(back));
      assert.deepEqual(plain(changed(result, back.changes)), plain(before(of)));
    }),
    { numRuns: 500 },
  );
});

Deno.test("reversePatch: reversing twice gives the patch back, and each is canonical text", () => {
  fc.assert(
    fc.property(pairs, (of) => {
      const patch = diffFiles(of), reversed = reversePatch(patch);
      assert.deepEqual(reversePatch(reversed), patch);
      assert.deepEqual(parsePatch(renderPatch(reversed)), { ok: true, patch: reversed });
    }),
    { numRuns: 200 },
  );
});

Deno.test("renderPatch: git takes what it wrote and makes the same files of it, forwards and back", () => {
  fc.assert(
    fc.property(pairs, (of) => {
      const patch = diffFiles(of);
      if (patch.files.length === 0) return;
      const git = gitApply(before(of), renderPatch(patch));
      assert.ok(git.ok, `${git.stderr}\n${displayText(renderPatch(patch))}`);
      assert.deepEqual(plain(git.tree), plain(after(of)));
      const back = gitApply(after(of), renderPatch(reversePatch(patch)));
      assert.ok(back.ok, back.stderr);
      assert.deepEqual(plain(back.tree), plain(before(of)));
    }),
    { numRuns: 40 },
  );
});
