import assert from "node:assert/strict";
import { minimize } from "../../src/minimize/minimize.ts";
import { even, needs, problemOf, type Shape, unitsOf } from "./fixture.ts";

const ALL = (atoms: number) => Array.from({ length: atoms }, (_, atom) => atom);

async function runsFor(shape: Shape, needed: readonly number[]): Promise<number> {
  const result = await minimize(problemOf(unitsOf(shape), needs(needed)));
  assert.deepEqual(result.kept, [...new Set(needed)].sort((a, b) => a - b));
  assert.equal(result.end, "one_minimal");
  return result.runs;
}

const TWENTY_LINES: readonly (readonly [string, Shape, number])[] = [
  ["20 hunks of 1 line in 1 file", even(1, 20, 1), 10],
  ["10 hunks of 2 lines in 1 file", even(1, 10, 2), 10],
  ["5 hunks of 4 lines in 1 file", even(1, 5, 4), 10],
  ["5 files of 2 hunks of 2 lines", even(5, 2, 2), 10],
  ["5 files of 4 lines", even(5, 1, 4), 10],
  ["4 files of 5 lines", even(4, 1, 5), 11],
  ["10 files of 2 lines", even(10, 1, 2), 10],
  ["20 files of 1 line", even(20, 1, 1), 10],
  ["2 files of 2 hunks of 5 lines", even(2, 2, 5), 11],
];

for (const [name, shape, most] of TWENTY_LINES) {
  Deno.test(`minimize: one needed hunk among ${name} takes at most ${most} runs`, async () => {
    const lines = shape[0]![0]![0]!;
    const counts: number[] = [];
    for (let first = 0; first < 20; first += lines) {
      counts.push(await runsFor(shape, ALL(lines).map((line) => first + line)));
    }
    assert.equal(Math.max(...counts), most);
    assert.ok(most <= 12);
  });

  Deno.test(`minimize: one needed line among ${name} takes at most 12 runs`, async () => {
    for (let line = 0; line < 20; line++) assert.ok(await runsFor(shape, [line]) <= 12);
  });
}

Deno.test("minimize: three needed of 100 units take at most 60 runs, however they lie", async () => {
  const shapes = [even(1, 100, 1), even(100, 1, 1), even(10, 10, 1), even(5, 5, 4), even(1, 1, 100)];
  const triples = [[0, 1, 2], [0, 50, 99], [97, 98, 99], [0, 33, 66], [24, 25, 74], [10, 11, 90], [
    12,
    37,
    62,
  ]];
  const counts = [];
  for (const shape of shapes) {
    for (const needed of triples) counts.push(await runsFor(shape, needed));
  }
  assert.equal(Math.max(...counts), 43);
  assert.equal(Math.min(...counts), 13);
});

Deno.test("minimize: a patch that is needed line for line costs less than two runs a line", async () => {
  assert.equal(await runsFor(even(1, 1, 20), ALL(20)), 34);
  assert.equal(await runsFor(even(1, 1, 4), ALL(4)), 4);
});

Deno.test("minimize: the result is found without a run when only one atom is there", async () => {
  assert.equal(await runsFor(even(1, 1, 1), [0]), 0);
});
