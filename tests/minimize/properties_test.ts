import assert from "node:assert/strict";
import fc from "fast-check";
import { minimize, type MinimizeResult, type Probe, type UnitSet } from "../../src/minimize/minimize.ts";
import { dependents } from "../../src/minimize/units.ts";
import { needs, problemOf, type Shape, unitsOf } from "./fixture.ts";

const shapes: fc.Arbitrary<Shape> = fc.array(
  fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  }),
  { minLength: 1, maxLength: 4 },
);

const unitSets: fc.Arbitrary<UnitSet> = fc.tuple(
  shapes,
  fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 8 }),
).map(([shape, pairs]) => {
  const { atoms } = unitsOf(shape);
  const requires: Record<number, number[]> = {};
  for (const [a, b] of pairs) (requires[a % atoms] ??= []).push(b % atoms);
  return unitsOf(shape, requires);
});

/** Any predicate at all: a hash of the set decides, more sets pass when `ease` is high. */
function arbitrary(seed: number, ease: number, atoms: number): (kept: readonly number[]) => boolean {
  return (kept) => {
    if (kept.length === atoms) return true;
    let h = seed | 0;
    for (const atom of kept) h = Math.imul(h ^ (atom + 1), 0x9e3779b1) ^ (h >>> 13);
    return ((h >>> 8) & 0xff) < ease;
  };
}

function checkResult(
  units: UnitSet,
  passed: ReadonlySet<string>,
  asked: ReadonlyMap<string, Probe>,
  r: MinimizeResult,
) {
  const kept = new Set(r.kept);
  assert.ok(passed.has(r.kept.join()), "the result was probed and passed");
  for (const atom of r.kept) assert.ok(units.requires[atom]!.every((n) => kept.has(n)), "closed");
  if (r.end !== "one_minimal") return;
  const last = r.waves.at(-1)!;
  const close = dependents(units);
  assert.equal(last.removed.length, 0);
  for (const atom of r.kept) {
    const removed = close([atom]).filter((a) => kept.has(a));
    const entry = last.tried.find((t) => t.removed.join() === removed.join());
    assert.ok(entry !== undefined && entry.probe !== "passes", `atom ${atom} is certified`);
    const left = r.kept.filter((a) => !removed.includes(a));
    if (left.length > 0) assert.equal(asked.get(left.join()), entry.probe, "and the answer was really given");
  }
}

async function recorded(
  units: UnitSet,
  answer: (kept: readonly number[]) => Probe,
  parallel = 1,
  maxRuns = 10_000,
) {
  const everything = Array.from({ length: units.atoms }, (_, a) => a).join();
  const passed = new Set([everything]);
  const asked = new Map<string, Probe>();
  const result = await minimize(problemOf(units, () => false, {
    parallel,
    maxRuns,
    test: (kept) => {
      assert.ok(kept.length > 0 && kept.length < units.atoms);
      const probe = answer(kept);
      asked.set(kept.join(), probe);
      if (probe === "passes") passed.add(kept.join());
      return Promise.resolve(probe);
    },
  }));
  return { result, passed, asked };
}

Deno.test("minimize: of a monotone predicate with requirements exactly the needed closure is left", async () => {
  await fc.assert(
    fc.asyncProperty(unitSets, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), async (units, picks) => {
      const needed = picks.map((n) => n % units.atoms);
      const { result, passed, asked } = await recorded(units, (k) => needs(needed)(k) ? "passes" : "fails");
      checkResult(units, passed, asked, result);
      const wanted = new Set(needed);
      for (const atom of wanted) units.requires[atom]!.forEach((n) => wanted.add(n));
      assert.deepEqual(result.kept, [...wanted].sort((a, b) => a - b));
      assert.equal(result.runs, asked.size);
    }),
    { numRuns: 300 },
  );
});

Deno.test("minimize: of any predicate the result passes, is closed and carries its certificate", async () => {
  await fc.assert(
    fc.asyncProperty(
      unitSets,
      fc.integer(),
      fc.integer({ min: 1, max: 255 }),
      fc.option(fc.integer({ min: 0, max: 40 })),
      async (units, seed, ease, budget) => {
        const passes = arbitrary(seed, ease, units.atoms);
        const odd: Probe[] = ["fails", "unparsable", "timed_out"];
        const answer = (kept: readonly number[]): Probe =>
          passes(kept) ? "passes" : odd[(kept.length + kept[0]!) % 3]!;
        const { result, passed, asked } = await recorded(units, answer, 1, budget ?? 10_000);
        checkResult(units, passed, asked, result);
        assert.ok(result.runs <= (budget ?? 10_000));
        if (budget === null) assert.equal(result.end, "one_minimal");
        const again = await minimize(problemOf(units, () => false, {
          test: (kept) => Promise.resolve(answer(kept)),
          parallel: 4,
          maxRuns: budget ?? 10_000,
        }));
        assert.deepEqual(again, result);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("minimize: neither how many run at once nor how long each takes changes anything", async () => {
  await fc.assert(
    fc.asyncProperty(
      unitSets,
      fc.integer(),
      fc.integer({ min: 100, max: 250 }),
      fc.scheduler(),
      fc.constantFrom(1, 2, 4, 8),
      async (units, seed, ease, scheduler, parallel) => {
        const passes = arbitrary(seed, ease, units.atoms);
        const calm = await minimize(problemOf(units, passes, { maxRuns: 60 }));
        const shaken = scheduler.waitFor(minimize(problemOf(units, passes, {
          maxRuns: 60,
          parallel,
          test: (kept) =>
            scheduler.schedule(Promise.resolve(passes(kept) ? "passes" as const : "fails" as const)),
        })));
        assert.deepEqual(await shaken, calm);
      },
    ),
    { numRuns: 100 },
  );
});
