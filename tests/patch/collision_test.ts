import assert from "node:assert/strict";
import { collisionOf } from "../../src/patch/collision.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import type { ManifestEntry } from "../../src/vocabulary/manifest.ts";
import { parseRelativePath } from "../../src/vocabulary/path.ts";

const entry = (
  path: string,
): [string, ManifestEntry] => [path, { path, mode: "100644", size: 0, sha256: "" }];
const BASE = new Map(["calc.py", "src/a.py", "x/\u00e9.txt", "Same.txt", "same.txt"].map(entry));

function change(text: string): FileChange {
  const parsed = parseRelativePath(text.replace(/^-/, ""));
  assert.ok(parsed.ok);
  return text.startsWith("-")
    ? { kind: "delete", path: parsed.path }
    : { kind: "write", path: parsed.path, mode: "100644", bytes: new Uint8Array() };
}

Deno.test("collisionOf: a file that would take another's place where case or composition does not count", () => {
  const cases: [changes: string[], path: string | null][] = [
    [["CALC.py"], "CALC.py"],
    [["x/e\u0301.txt"], "x/e\u0301.txt"],
    [["SRC"], "SRC"],
    [["Calc.py/inner.py"], "Calc.py/inner.py"],
    [["new.py", "NEW.py"], "NEW.py"],
    [["new/a", "NEW"], "NEW"],
    [["Stra\u00dfe", "strasse"], "strasse"],
    [["-calc.py", "Calc.py"], null],
    [["Src/b.py"], null],
    [["same.txt", "calc.py"], null],
    [["-calc.py"], null],
  ];
  for (const [changes, path] of cases) {
    assert.equal(collisionOf(changes.map(change), BASE)?.path ?? null, path, changes.join(" "));
  }
});
