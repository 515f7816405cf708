import assert from "node:assert/strict";
import fc from "fast-check";
import { diffFiles } from "../../../src/patch/diff.ts";
import { splitPatch } from "../../../src/patch/units.ts";
import { smallestRemovals } from "../../../src/minimize/units.ts";
import { chosenRemovals, removalText } from "../../../src/verify/replay/removals.ts";
import { before, lookup, pairs } from "../../patch/trees.ts";

const LIST = Array.from({ length: 20 }, (_, i) => i);

Deno.test("chosenRemovals: as many as asked for, each once, in order, the same every time", () => {
  fc.assert(
    fc.property(
      fc.nat(60).map((n) => LIST.concat(LIST, LIST).slice(0, n).map((_, i) => i)),
      fc.integer({ min: 1, max: 80 }),
      fc.option(fc.string()),
      (all, count, seed) => {
        const chosen = chosenRemovals(all, { count, seed });
        assert.equal(chosen.length, Math.min(count, all.length));
        assert.deepEqual([...new Set(chosen)].sort((a, b) => a - b), chosen);
        assert.deepEqual(chosenRemovals(all, { count, seed }), chosen);
      },
    ),
  );
});

Deno.test("chosenRemovals: evenly spread without a seed, otherwise with another for another seed", () => {
  assert.deepEqual(chosenRemovals(LIST, { count: 4, seed: null }), [2, 7, 12, 17]);
  assert.deepEqual(chosenRemovals(LIST, { count: 1, seed: null }), [10]);
  const seeds = Array.from(
    { length: 20 },
    (_, i) => chosenRemovals(LIST, { count: 4, seed: `s${i}` }).join(),
  );
  assert.ok(new Set(seeds).size > 15, seeds.join(" "));
});

Deno.test("smallestRemovals: each unit goes with all that needs it, and with nothing else", () => {
  fc.assert(fc.property(pairs, (of) => {
    const split = splitPatch(diffFiles(of), lookup(before(of)));
    const removals = smallestRemovals(split.units);
    const { atoms, requires } = split.units;
    assert.deepEqual(new Set(removals.flat()).size, atoms);
    assert.equal(new Set(removals.map((r) => r.join())).size, removals.length);
    for (const removed of removals) {
      const gone = new Set(removed);
      const kept = Array.from({ length: atoms }, (_, i) => i).filter((atom) => !gone.has(atom));
      for (const atom of kept) assert.ok(requires[atom]!.every((needed) => !gone.has(needed)));
      const [first, ...more] = removed;
      assert.ok(more.every((atom) => requires[atom]!.some((needed) => needed >= first! && gone.has(needed))));
    }
  }));
});

Deno.test("removalText: names file and line, hostile ones harmlessly", () => {
  assert.equal(removalText([{ path: "a.py", what: "+  x = 1" }]), "a.py: `+  x = 1`");
  assert.equal(
    removalText([{ path: "a", what: "create" }, { path: "a", what: "+x" }]),
    "a: `create` and 1 more",
  );
  const hostile = removalText([{ path: "a\u001b[0m", what: `+\u001b[31m${"x".repeat(500)}` }]);
  assert.doesNotMatch(hostile, /\p{Cc}/u);
  assert.ok(hostile.length < 200);
});
