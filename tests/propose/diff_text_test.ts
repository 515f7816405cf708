import assert from "node:assert/strict";
import fc from "fast-check";
import { type Fault, faultOf, looksLikeChange, startsAsChange } from "../../src/propose/diff_text.ts";
import { DIFF } from "./requests.ts";

const HEAD = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n";

Deno.test("faultOf: empty, without change, repeated, fine", () => {
  const cases: [string, string[], Fault | null][] = [
    [" \n", [], "empty"],
    ["--- a/x\n+++ b/x\n", [], "no_change"],
    [HEAD + " a\n b\n", [], "no_change"],
    [HEAD + "-a\n+a\n b\n", [], "no_change"],
    [HEAD + " a\n--- b\n+-- b\n", [], "no_change"],
    ["<<<<<<< SEARCH\na\n=======\na\n>>>>>>> REPLACE\n", [], "no_change"],
    [DIFF, [DIFF], "repeated"],
    [
      "```diff\n" + DIFF.replace("-1,2", "-7,2") + "```\n",
      ["diff --git a/calc.py b/calc.py\n" + DIFF],
      "repeated",
    ],
    [DIFF, [], null],
    [DIFF, [DIFF.replace("+ b", "+ c")], null],
    [HEAD + "-a\n+b\n@@ -9 +9 @@\n-b\n+a\n", [], null],
    [HEAD + "-a\n+a \n", [], null],
    [HEAD + "-a\r\n+a\n", [], null],
    [HEAD + "-a\n\\ No newline at end of file\n+a\n", [], null],
    ["diff --git a/x b/y\nrename from x\nrename to y\n", [], null],
    ["diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", [], null],
    ["<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n", [], null],
    ["File: x\n```\na\n```\n", [], null],
    ["prose the patch reader may judge", [], null],
  ];
  for (const [diff, previous, fault] of cases) assert.equal(faultOf(diff, previous), fault, diff);
});

Deno.test("faultOf: a diff that replaces a line by another is never without change", () => {
  const line = fc.string({ unit: "grapheme", maxLength: 20 }).filter((s) => !s.includes("\n"));
  fc.assert(
    fc.property(line, line, fc.array(line), (from, to, context) => {
      const diff = `${HEAD}${context.map((l) => ` ${l}\n`).join("")}-x${from}\n+x${to}\n`;
      assert.equal(faultOf(diff, []), from === to ? "no_change" : null);
      assert.equal(faultOf(diff, [diff]), from === to ? "no_change" : "repeated");
    }),
    { numRuns: 500 },
  );
});

Deno.test("looksLikeChange and startsAsChange: tell changes from prose and JSON", () => {
  for (const text of [DIFF, `\n\n${DIFF}`, "```diff\n" + DIFF, "diff --git a/x b/x\n", "<<<<<<< SEARCH\n"]) {
    assert.ok(looksLikeChange(text) && startsAsChange(text), text);
  }
  for (
    const text of [
      "I changed it.",
      '{"diff": "--- a/x\\n+++ b/x"}',
      "- a list\n- of things",
      "---\ntitle: x\n---",
    ]
  ) {
    assert.ok(!looksLikeChange(text) && !startsAsChange(text), text);
  }
  assert.ok(looksLikeChange(`Look:\n${DIFF}`) && !startsAsChange(`Look:\n${DIFF}`));
});

Deno.test("faultOf: 1 MB of anything is judged in a few passes", () => {
  const size = 1 << 20;
  for (
    const unit of [
      "-",
      "+\n",
      "--- \n",
      "@@ ",
      "@@ @@\n",
      "<<<<<<< SEARCH\n",
      "=======\n",
      " \n",
      "= ",
      "`",
      "\\\n",
    ]
  ) {
    const text = HEAD + unit.repeat(size / unit.length);
    const start = performance.now();
    faultOf(text, [text]);
    looksLikeChange(text);
    startsAsChange(text);
    assert.ok(performance.now() - start < 3000, JSON.stringify(unit));
  }
});
