import assert from "node:assert/strict";
import { forcedOf } from "../../src/cli/approval_forced.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { ANN, BOB, NOW, termsOf } from "../approve/fixture.ts";
import { authorOf } from "../contract/store_contract.ts";
import { decideAs, proposeChange } from "../store/proposals.ts";

Deno.test("forcedOf: what waits for a review by when it is due, overdue once that is over, then what had one", async () => {
  const store = memoryStore({ actor: "tester", now: NOW });
  const terms = termsOf({ bypass: true, required: "always" });
  const at = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000);
  for (const hours of [20, 4, 8]) {
    const target = await proposeChange(store, authorOf(store, "maker"), terms);
    const bypass = { decision: "bypass", reason: "fire", review_by: at(hours).toISOString() } as const;
    assert.equal(decideAs(store, authorOf(store), target, ANN, terms, bypass).ok, true);
    if (hours === 8) assert.equal(decideAs(store, authorOf(store), target, BOB, terms).ok, true);
  }
  const seen = (hours: number) =>
    store.records.read((rows) => forcedOf(rows, at(hours))).map(({ proposal, overdue, review }) =>
      `P${proposal.number} ${overdue} ${review?.principal ?? "nobody"}`
    );
  assert.deepEqual(seen(3), ["P2 false nobody", "P1 false nobody", "P3 false bob"]);
  assert.deepEqual(seen(4), ["P2 true nobody", "P1 false nobody", "P3 false bob"]);
  assert.deepEqual(seen(24), ["P2 true nobody", "P1 true nobody", "P3 false bob"]);
});
