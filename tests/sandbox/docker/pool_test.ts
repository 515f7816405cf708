import assert from "node:assert/strict";
import { type PoolOptions, ReadyPool } from "../../../src/sandbox/docker/pool.ts";
import { Failure } from "../../../src/vocabulary/failure.ts";

const tick = () => new Promise((resolve) => setTimeout(resolve, 1));

/** A pool of numbers, and what became of them. */
function numbers(changes: Partial<PoolOptions<number>> = {}) {
  const state = { made: 0, making: 0, most: 0, destroyed: [] as number[], fail: false };
  const pool = new ReadyPool<number>({
    size: 2,
    concurrency: 2,
    create: async () => {
      state.most = Math.max(state.most, ++state.making);
      await tick();
      state.making--;
      if (state.fail) throw new Failure("unavailable", "engine_lost", "lost");
      return ++state.made;
    },
    destroy: (item) => {
      state.destroyed.push(item);
      return Promise.resolve();
    },
    usable: () => Promise.resolve(true),
    ...changes,
  });
  return { pool, state };
}

Deno.test("ReadyPool: never gives an item twice, and fills up again", async () => {
  const { pool, state } = numbers();
  const taken = await Promise.all(Array.from({ length: 7 }, () => pool.take()));
  assert.equal(new Set(taken).size, 7);
  pool.fill();
  while (state.made < 9) await tick();
  await tick();
  assert.equal(state.made, 9, "two are ready again and no more");
  assert.ok(state.most <= 2, "no more are made at once than allowed");
  await pool.close();
  assert.deepEqual(state.destroyed.sort(), [8, 9]);
});

Deno.test("ReadyPool: an error in the background is told to the next who asks, once", async () => {
  const { pool, state } = numbers();
  state.fail = true;
  pool.fill();
  await tick();
  await tick();
  state.fail = false;
  await assert.rejects(pool.take(), (error) => error instanceof Failure && error.code === "engine_lost");
  assert.equal(typeof await pool.take(), "number");
  await pool.close();
});

Deno.test("ReadyPool: everyone who waits is told of an error", async () => {
  const { pool, state } = numbers();
  state.fail = true;
  const outcomes = await Promise.allSettled([pool.take(), pool.take(), pool.take()]);
  assert.ok(outcomes.every((outcome) => outcome.status === "rejected"));
  await pool.close();
});

Deno.test("ReadyPool: an abort while waiting gives its place up and loses no item", async () => {
  const { pool, state } = numbers({ size: 1, concurrency: 1 });
  const abort = new AbortController();
  const waiting = pool.take(abort.signal);
  abort.abort();
  await assert.rejects(waiting, (error) => error instanceof Failure && error.kind === "interrupted");
  await pool.close();
  assert.equal(state.destroyed.length, state.made);
});

Deno.test("ReadyPool: an item that is not usable any more is destroyed and another given", async () => {
  const { pool, state } = numbers({ usable: (item) => Promise.resolve(item > 2) });
  pool.fill();
  while (state.made < 2) await tick();
  assert.ok(await pool.take() > 2);
  await pool.close();
  assert.ok(state.destroyed.includes(1) && state.destroyed.includes(2));
});

Deno.test("ReadyPool: close waits for what is being made and destroys it, and ends waiting", async () => {
  const { pool, state } = numbers({ size: 3, concurrency: 3 });
  pool.fill();
  const waiting = pool.take();
  const rejected = assert.rejects(waiting, (error) => error instanceof Failure && error.kind === "bug");
  await pool.close();
  await rejected;
  assert.equal(state.making, 0);
  assert.equal(state.destroyed.length, state.made);
  await assert.rejects(pool.take(), (error) => error instanceof Failure && error.kind === "bug");
});
