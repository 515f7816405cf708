import assert from "node:assert/strict";
import fc from "fast-check";
import { isSessionId, newSessionId } from "../../src/bundle/session_id.ts";

Deno.test("newSessionId: time to the second in UTC, then eight hex digits", () => {
  const id = newSessionId(new Date("2026-11-20T23:59:58.999Z"), Uint8Array.of(0, 1, 0xab, 0xff, 9));
  assert.equal(id, "20261120T235958Z-0001abff");
  assert.throws(() => newSessionId(new Date(), Uint8Array.of(1, 2, 3)), RangeError);
});

Deno.test("isSessionId: takes every id that is made", () => {
  const date = fc.date({ min: new Date("1970-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
  fc.assert(fc.property(date, fc.uint8Array({ minLength: 4, maxLength: 4 }), (now, random) => {
    assert.ok(isSessionId(newSessionId(now, random)));
  }));
});

Deno.test("isSessionId: refuses everything else", () => {
  const odd = [
    "",
    "20261120T235958Z-0001ABFF",
    "20261120T235958Z-0001abf",
    "20261120T235958Z-0001abff0",
    "20261120T235958Z-0001abff\n",
    "../20261120T235958Z-0001abff",
    "20261320T235958Z-0001abff",
    "20260230T235958Z-0001abff",
    "20261120T245958Z-0001abff",
    "20261120T236058Z-0001abff",
    "20261120T235960Z-0001abff",
  ];
  for (const id of odd) assert.ok(!isSessionId(id), JSON.stringify(id));
});
