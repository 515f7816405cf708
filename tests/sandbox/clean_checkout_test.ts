import assert from "node:assert/strict";
import { requireClean } from "../../src/sandbox/bubblewrap/clean_checkout.ts";
import type { CheckoutState } from "../../src/vocabulary/checkout.ts";
import { Failure } from "../../src/vocabulary/failure.ts";

function refusal(checkout: CheckoutState): Failure {
  try {
    requireClean(checkout);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("it passed");
}

Deno.test("requireClean: a clean checkout passes, the first changes of another are listed", () => {
  requireClean({ state: "clean" });
  const changes = Array.from({ length: 23 }, (_, i) => `?? ${i}`);
  const few = refusal({ state: "changed", changes: changes.slice(0, 20) });
  assert.deepEqual([few.kind, few.code, few.details], ["denied", "git_not_clean", changes.slice(0, 20)]);
  assert.deepEqual(refusal({ state: "changed", changes }).details, [...changes.slice(0, 20), "… and 3 more"]);
});

Deno.test("requireClean: what nobody can tell is no clean checkout", () => {
  const codes = (["no_git", "no_checkout", "timed_out", "too_large"] as const).map((why) => {
    const { kind, code, hint } = refusal({ state: "unknown", why });
    assert.match(hint ?? "", /use sandbox\.backend copy$/);
    return [kind, code];
  });
  assert.deepEqual(codes, [
    ["unavailable", "git_missing"],
    ["unavailable", "not_a_git_checkout"],
    ["unavailable", "git_timed_out"],
    ["unavailable", "checkout_too_large"],
  ]);
});
