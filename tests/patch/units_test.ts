import assert from "node:assert/strict";
import fc from "fast-check";
import { applyPatch } from "../../src/patch/apply.ts";
import { diffFiles } from "../../src/patch/diff.ts";
import { parsePatch } from "../../src/patch/parse.ts";
import { renderPatch } from "../../src/patch/render.ts";
import { splitPatch } from "../../src/patch/units.ts";
import { gitApply } from "./git.ts";
import { after, before, changed, lookup, pairs, path, plain, text, type Tree } from "./trees.ts";

const withSubset = fc.tuple(pairs, fc.infiniteStream(fc.boolean()));

Deno.test("splitPatch: every subset of atoms gives a canonical patch that applies to the base", () => {
  fc.assert(
    fc.property(withSubset, ([of, coins]) => {
      const base = before(of), patch = diffFiles(of);
      const split = splitPatch(patch, lookup(base));
      const kept = split.atoms.map((_, i) => i).filter(() => coins.next().value);
      const part = split.assemble(kept);
      assert.deepEqual(parsePatch(renderPatch(part)), { ok: true, patch: part });
      const applied = applyPatch(part, lookup(base));
      assert.ok(applied.ok, JSON.stringify(applied));
    }),
    { numRuns: 300 },
  );
});

Deno.test("splitPatch: all atoms give the patch again, none the empty patch", () => {
  fc.assert(
    fc.property(pairs, (of) => {
      const base = before(of), patch = diffFiles(of);
      const split = splitPatch(patch, lookup(base));
      const all = split.assemble(split.atoms.map((_, i) => i));
      assert.deepEqual(all, patch);
      assert.deepEqual(split.assemble([]), { files: [] });
      const applied = applyPatch(all, lookup(base));
      assert.ok(applied.ok);
      assert.deepEqual(plain(changed(base, applied.changes)), plain(after(of)));
    }),
    { numRuns: 300 },
  );
});

Deno.test("splitPatch: git takes subsets and makes the same files of them", () => {
  fc.assert(
    fc.property(withSubset, ([of, coins]) => {
      const base = before(of);
      const split = splitPatch(diffFiles(of), lookup(base));
      const part = split.assemble(split.atoms.map((_, i) => i).filter(() => coins.next().value));
      if (part.files.length === 0) return;
      const git = gitApply(base, renderPatch(part));
      assert.ok(git.ok, git.stderr);
      const ours = applyPatch(part, lookup(base));
      assert.ok(ours.ok);
      assert.deepEqual(plain(git.tree), plain(changed(base, ours.changes)));
    }),
    { numRuns: 40 },
  );
});

Deno.test("splitPatch: levels partition the atoms and each refines the one before", () => {
  fc.assert(
    fc.property(pairs, (of) => {
      const { units, atoms } = splitPatch(diffFiles(of), lookup(before(of)));
      const all = atoms.map((_, i) => i);
      assert.deepEqual(units.levels.map((l) => l.level), ["file", "hunk", "group", "line"]);
      let coarser: readonly (readonly number[])[] = [all];
      for (const { groups } of units.levels) {
        assert.deepEqual(groups.flat(), all);
        for (const group of groups) assert.ok(coarser.some((g) => group.every((a) => g.includes(a))));
        assert.ok(groups.every((g) => g.length > 0));
        coarser = groups;
      }
      units.requires.forEach((needs, atom) => assert.ok(needs.every((n) => n < atom)));
    }),
    { numRuns: 200 },
  );
});

Deno.test("splitPatch: names the atoms of each kind and ties lines to what they need", () => {
  const base: Tree = new Map([
    ["gone", text("1\n2\n")],
    ["old", text("a\nb\n")],
    ["run", text("x\n")],
  ]);
  const patch = diffFiles([
    { oldPath: path("gone"), old: base.get("gone")!, newPath: null, new: null },
    { oldPath: path("old"), old: base.get("old")!, newPath: path("new"), new: text("a\nc\n", "100755") },
    { oldPath: null, old: null, newPath: path("made"), new: text("m\n") },
    { oldPath: path("run"), old: base.get("run")!, newPath: path("run"), new: text("x\n", "100755") },
  ]);
  const { atoms, units } = splitPatch(patch, lookup(base));
  assert.deepEqual(atoms.map((a) => `${a.path}: ${a.what}`), [
    "gone: delete",
    "made: create",
    "made: +m",
    "new: rename from old",
    "new: mode 100755",
    "new: -b",
    "new: +c",
    "run: mode 100755",
  ]);
  assert.deepEqual(units.requires, [[], [], [1], [], [3], [3], [3], []]);
  assert.deepEqual(units.levels[2]!.groups, [[0], [1], [2], [3], [4], [5, 6], [7]]);
});

Deno.test("splitPatch: a line kept without the end of file it stood at stays a line of its own", () => {
  const base: Tree = new Map([["f", text("a")]]);
  const patch = diffFiles([{
    oldPath: path("f"),
    old: base.get("f")!,
    newPath: path("f"),
    new: text("b\nc"),
  }]);
  const split = splitPatch(patch, lookup(base));
  assert.deepEqual(split.atoms.map((a) => a.what), ["-a", "+b", "+c"]);
  const applied = applyPatch(split.assemble([1, 2]), lookup(base));
  assert.ok(applied.ok);
  assert.deepEqual(plain(changed(base, applied.changes)), [["f", "100644", "a\nb\nc"]]);
});

Deno.test("splitPatch: throws where the patch does not apply", () => {
  const patch = diffFiles([{ oldPath: path("f"), old: text("a\n"), newPath: path("f"), new: text("b\n") }]);
  assert.throws(() => splitPatch(patch, lookup(new Map([["f", text("z\n")]]))), {
    code: "patch_does_not_apply",
  });
});
