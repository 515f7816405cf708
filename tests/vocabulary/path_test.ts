import assert from "node:assert/strict";
import { parentsOf } from "../../src/vocabulary/path.ts";

Deno.test("parentsOf: every directory above, each once, parents before children", () => {
  assert.deepEqual(parentsOf(["a/b/c.txt", "a/d.txt", "e.txt", "a/b/f.txt"]), ["a", "a/b"]);
  assert.deepEqual(parentsOf(["x/y/z/f"]), ["x", "x/y", "x/y/z"]);
  assert.deepEqual(parentsOf(["f"]), []);
});
