import assert from "node:assert/strict";
import fc from "fast-check";
import { hasExpired, mayBecome, stateAt } from "../../src/approve/states.ts";
import { REVISION_STATES } from "../../src/vocabulary/proposal.ts";

const state = fc.constantFrom(...REVISION_STATES);

Deno.test("mayBecome: a state never becomes itself, and never a draft again", () => {
  for (const from of REVISION_STATES) {
    assert.equal(mayBecome(from, from), false);
    assert.equal(mayBecome(from, "draft"), false);
  }
});

Deno.test("mayBecome: what is rejected, superseded, applied or failed stays so", () => {
  fc.assert(fc.property(fc.constantFrom("rejected", "superseded", "applied", "failed"), state, (from, to) => {
    assert.equal(mayBecome(from as "failed", to), false);
  }));
});

Deno.test("mayBecome: every walk that reaches applied went through applying, and through proposed before", () => {
  fc.assert(
    fc.property(fc.array(state, { maxLength: 40 }), (wishes) => {
      const walk: string[] = ["draft"];
      for (const to of wishes) if (mayBecome(walk.at(-1) as "draft", to)) walk.push(to);
      const applied = walk.indexOf("applied");
      if (applied < 0) return;
      assert.equal(walk[applied - 1], "applying");
      assert.ok(walk.indexOf("proposed") > 0 && walk.indexOf("proposed") < applied);
      // What was rejected, expired, stale or superseded on the way was never applied afterwards.
      for (const end of ["rejected", "expired", "stale", "superseded"]) {
        assert.ok(!walk.slice(0, applied).includes(end));
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("mayBecome: every state but draft is reached from draft", () => {
  const seen = new Set(["draft"]);
  const todo: (typeof REVISION_STATES)[number][] = ["draft"];
  for (let from = todo.pop(); from !== undefined; from = todo.pop()) {
    for (const to of REVISION_STATES) {
      if (!mayBecome(from, to) || seen.has(to)) continue;
      seen.add(to);
      todo.push(to);
    }
  }
  assert.equal(seen.size, REVISION_STATES.length);
});

Deno.test("hasExpired: only what waits, from the very moment on", () => {
  const at = "2026-01-02T03:04:05.000Z";
  const now = new Date(at);
  for (const state of REVISION_STATES) {
    const waits = state === "proposed" || state === "approved";
    assert.equal(hasExpired({ state, expiresAt: at }, now), waits, state);
    assert.equal(stateAt({ state, expiresAt: at }, now), waits ? "expired" : state);
    assert.equal(hasExpired({ state, expiresAt: at }, new Date(now.getTime() - 1)), false);
    assert.equal(hasExpired({ state, expiresAt: null }, now), false);
  }
});
