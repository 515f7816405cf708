import assert from "node:assert/strict";
import { Failure } from "../../src/vocabulary/failure.ts";
import { minimize, type Probe, type Wave } from "../../src/minimize/minimize.ts";
import { even, needs, problemOf, unitsOf } from "./fixture.ts";

const TWENTY = unitsOf(even(5, 2, 2));

Deno.test("minimize: neither the empty set nor the full one is ever run", async () => {
  const seen: number[] = [];
  await minimize(problemOf(TWENTY, (kept) => {
    seen.push(kept.length);
    return needs([3])(kept);
  }));
  assert.ok(seen.length > 0 && !seen.includes(0) && !seen.includes(20), seen.join());
});

Deno.test("minimize: waves go from coarse to fine and tell what was removed", async () => {
  const live: Wave[] = [];
  const result = await minimize(problemOf(TWENTY, needs([6, 7]), { onWave: (wave) => live.push(wave) }));
  assert.deepEqual(live, result.waves);
  assert.deepEqual(result.waves.map((w) => w.wave), result.waves.map((_, i) => i + 1));
  const order = ["file", "hunk", "group", "line"];
  const levels = result.waves.map((w) => order.indexOf(w.level));
  assert.deepEqual(levels, [...levels].sort());
  let left = 20;
  for (const wave of result.waves) {
    left -= wave.removed.length;
    assert.equal(wave.remaining, left);
  }
  assert.equal(result.waves.at(-1)!.runs, result.runs);
});

Deno.test("minimize: all successes of a wave go together in one more run", async () => {
  const units = unitsOf(even(1, 1, 4));
  const result = await minimize(problemOf(units, needs([2])));
  assert.deepEqual(result.waves[0]!.tried.map((t) => [t.removed.join(), t.probe]), [
    ["0", "passes"],
    ["1", "passes"],
    ["2", "fails"],
    ["3", "passes"],
    ["0,1,3", "passes"],
  ]);
  assert.deepEqual(result.waves[0]!.removed, [0, 1, 3]);
});

Deno.test("minimize: when successes do not go together the longest passing prefix goes", async () => {
  const units = unitsOf(even(1, 1, 4));
  // 1 and 3 stand in for each other.
  const result = await minimize(problemOf(units, (kept) => kept.includes(1) || kept.includes(3)));
  assert.deepEqual(result.waves[0]!.removed, [0, 1, 2]);
  assert.deepEqual(result.kept, [3]);
});

Deno.test("minimize: what needs a removed atom goes with it", async () => {
  // Everything in the file needs its first line, as the hunks of a created file need its creation.
  const units = unitsOf([[[1, 3]], [[2]]], { 1: [0], 2: [0], 3: [2] });
  const asked: (readonly number[])[] = [];
  const result = await minimize(problemOf(units, (kept) => {
    asked.push(kept);
    return needs([3])(kept);
  }));
  assert.deepEqual(result.kept, [0, 2, 3]);
  for (const kept of asked) {
    for (const atom of kept) assert.ok(units.requires[atom]!.every((n) => kept.includes(n)), kept.join());
  }
  assert.deepEqual(result.waves.at(-1)!.tried.map((t) => t.removed.join()), ["0,2,3", "2,3", "3"]);
});

Deno.test("minimize: results of equal trees share one run", async () => {
  const units = unitsOf(even(1, 1, 4));
  // Atoms 0 and 1 do the same to the tree, 2 and 3 as well.
  const key = (kept: readonly number[]) =>
    [kept.filter((a) => a < 2).length, kept.filter((a) => a >= 2).length].join();
  const runs: string[] = [];
  const result = await minimize(problemOf(units, (kept) => {
    runs.push(key(kept));
    return kept.some((a) => a < 2);
  }, { key }));
  assert.equal(new Set(runs).size, runs.length);
  assert.equal(result.kept.length, 1);
  assert.ok(result.waves.some((w) => w.tried.some((t) => t.cached)));
});

Deno.test("minimize: atoms without any effect on the tree go without a run", async () => {
  const units = unitsOf(even(1, 2, 1));
  const result = await minimize(problemOf(units, () => assert.fail("nothing to run"), {
    key: (kept) => kept.includes(1) ? "fixed" : "broken",
  }));
  assert.deepEqual([result.kept, result.runs, result.end], [[1], 0, "one_minimal"]);
});

Deno.test("minimize: a candidate that cannot be parsed costs no run and stays", async () => {
  const units = unitsOf(even(1, 1, 4));
  const test = (kept: readonly number[]): Promise<Probe> =>
    Promise.resolve(
      kept.includes(1) !== kept.includes(2) ? "unparsable" : needs([1])(kept) ? "passes" : "fails",
    );
  const result = await minimize(problemOf(units, () => false, { test }));
  assert.deepEqual(result.kept, [1, 2]);
  assert.equal(result.runs, 3);
  assert.equal(result.end, "one_minimal");
  assert.ok(result.waves.at(-1)!.tried.every((t) => t.probe === "unparsable"));
});

Deno.test("minimize: what timed out is tried once more, alone, and counts as not passing", async () => {
  const units = unitsOf(even(1, 4, 1));
  const times = new Map<string, number>();
  let inFlight = 0;
  const beside: number[] = [];
  const test = async (kept: readonly number[]): Promise<Probe> => {
    const key = kept.join();
    const time = (times.get(key) ?? 0) + 1;
    times.set(key, time);
    inFlight++;
    if (time === 2) beside.push(inFlight);
    await new Promise((done) => setTimeout(done, 1));
    inFlight--;
    if (!kept.includes(3)) return "fails";
    // Slow only the first time when 0 and 1 are gone, always when 2 is gone.
    if (!kept.includes(2)) return "timed_out";
    return !kept.includes(0) && time === 1 ? "timed_out" : "passes";
  };
  const result = await minimize(problemOf(units, () => false, { test, parallel: 4 }));
  assert.deepEqual(result.kept, [2, 3]);
  assert.deepEqual(beside, [1, 1]);
  const tried = result.waves.flatMap((w) => w.tried);
  assert.deepEqual(tried.filter((t) => t.retried).map((t) => t.probe), ["passes", "timed_out"]);
  assert.equal([...times.values()].reduce((a, b) => a + b), result.runs);
});

Deno.test("minimize: no more runs than the budget allows, and it says so", async () => {
  const free = (await minimize(problemOf(TWENTY, needs([3, 17])))).runs;
  for (let maxRuns = 0; maxRuns <= free; maxRuns++) {
    let made = 0;
    const result = await minimize(problemOf(TWENTY, (kept) => {
      made++;
      return needs([3, 17])(kept);
    }, { maxRuns }));
    assert.equal(made, result.runs);
    assert.ok(made <= maxRuns);
    assert.ok(needs([3, 17])(result.kept));
    assert.equal(result.end, maxRuns < free ? "runs_exhausted" : "one_minimal");
  }
});

Deno.test("minimize: no run starts after the time is up, on a simulated clock", async () => {
  let clock = 5_000;
  const test = (kept: readonly number[]): Promise<Probe> => {
    clock += 100;
    return Promise.resolve(needs([3])(kept) ? "passes" : "fails");
  };
  const result = await minimize(problemOf(TWENTY, () => false, { test, now: () => clock, maxMs: 450 }));
  assert.equal(result.end, "time_exhausted");
  assert.equal(result.runs, 5);
  assert.ok(result.kept.length < 20 && result.kept.includes(3));
});

for (const parallel of [1, 2, 4, 8]) {
  Deno.test(`minimize: ${parallel} candidates run at once when there are as many`, async () => {
    let inFlight = 0, most = 0;
    const needed = [3, 20, 37, 55, 71, 90];
    const test = async (kept: readonly number[]): Promise<Probe> => {
      most = Math.max(most, ++inFlight);
      await new Promise((done) => setTimeout(done, 0));
      inFlight--;
      return needs(needed)(kept) ? "passes" : "fails";
    };
    const result = await minimize(problemOf(unitsOf(even(1, 100, 1)), () => false, { test, parallel }));
    assert.deepEqual(result.kept, needed);
    assert.equal(most, parallel);
    assert.equal(inFlight, 0);
  });
}

Deno.test("minimize: an abort throws interrupted once every run under way has ended", async () => {
  const controller = new AbortController();
  let inFlight = 0, started = 0;
  const test = async (_kept: readonly number[], signal: AbortSignal): Promise<Probe> => {
    inFlight++;
    if (++started === 2) controller.abort();
    await new Promise((done) => setTimeout(done, 5));
    inFlight--;
    if (signal.aborted) throw new Error("killed");
    return "fails";
  };
  const work = minimize(problemOf(TWENTY, () => false, { test, parallel: 2, signal: controller.signal }));
  await assert.rejects(work, (e) => e instanceof Failure && e.code === "interrupted");
  assert.deepEqual([inFlight, started], [0, 2]);
});

Deno.test("minimize: an abort beforehand runs nothing", async () => {
  const problem = problemOf(TWENTY, () => assert.fail("ran"), { signal: AbortSignal.abort() });
  await assert.rejects(minimize(problem), (e) => e instanceof Failure && e.code === "interrupted");
});

Deno.test("minimize: broken machinery stops the other runs and is thrown as it is", async () => {
  const broken = new Failure("unavailable", "engine_unavailable", "the engine is gone");
  let stopped = 0, started = 0;
  const test = (_kept: readonly number[], signal: AbortSignal): Promise<Probe> => {
    if (++started === 2) return Promise.reject(broken);
    return new Promise((_, no) =>
      signal.addEventListener("abort", () => {
        stopped++;
        no(new Error("killed"));
      })
    );
  };
  await assert.rejects(minimize(problemOf(TWENTY, () => false, { test, parallel: 2 })), broken);
  assert.deepEqual([started, stopped], [2, 1]);
});

Deno.test("minimize: malformed units are refused before anything runs", async () => {
  const line = (groups: number[][]) => ({
    atoms: 2,
    levels: [{ level: "line" as const, groups }],
    requires: [[], []],
  });
  const malformed = [
    line([[0]]),
    line([[0], [0, 1]]),
    line([[0], [2]]),
    { ...line([[0], [1]]), requires: [[]] },
    { ...line([[0], [1]]), requires: [[], [2]] },
    {
      ...line([]),
      levels: [{ level: "file" as const, groups: [[0], [1]] }, { level: "line" as const, groups: [[0, 1]] }],
    },
  ];
  for (const units of malformed) {
    await assert.rejects(minimize(problemOf(units, () => assert.fail("ran"))), RangeError);
  }
});

Deno.test("minimize: thousands of lines within a small budget do not take long", async () => {
  const units = unitsOf(even(10, 20, 30));
  const started = performance.now();
  const result = await minimize(problemOf(units, (kept) => kept.length > 5_000, { maxRuns: 100 }));
  assert.equal(result.end, "runs_exhausted");
  assert.ok(performance.now() - started < 5_000);
});
