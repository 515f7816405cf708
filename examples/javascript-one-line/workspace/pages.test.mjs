import assert from "node:assert/strict";
import { test } from "node:test";
import { label, page, pageCount } from "./pages.mjs";

test("pageCount counts the last, partial page", () => {
  assert.equal(pageCount(21, 10), 3);
  assert.equal(pageCount(20, 10), 2);
});

test("page gives the items of one page", () => {
  assert.deepEqual(page([1, 2, 3, 4, 5], 2, 3), [5]);
});

test("label", () => {
  assert.equal(label(1, 3), "page 1 of 3");
});
