import assert from "node:assert/strict";
import fc from "fast-check";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import { parsePatch } from "../../src/patch/parse.ts";
import { quotePath, unquote } from "../../src/patch/quote.ts";
import { renderPatch } from "../../src/patch/render.ts";
import type { ByteString } from "../../src/vocabulary/patch.ts";

const HEAD = "diff --git a/f b/f\n--- a/f\n+++ b/f\n";

function reasonOf(text: string): string {
  const parsed = parsePatch(byteStringOfText(text));
  return parsed.ok ? "ok" : parsed.refusal.reason;
}

const STRICT: [what: string, reason: string, text: string][] = [
  ["a plain change", "ok", `${HEAD}@@ -1 +1 @@\n-a\n+b\n`],
  ["nothing at all", "ok", ""],
  ["a section heading after a hunk header", "ok", `${HEAD}@@ -1 +1 @@ def f():\n-a\n+b\n`],
  ["prose before the patch", "garbage", `hello\n${HEAD}@@ -1 +1 @@\n-a\n+b\n`],
  ["prose after the patch", "garbage", `${HEAD}@@ -1 +1 @@\n-a\n+b\nhello\n`],
  ["no line feed at the end", "malformed_hunk", `${HEAD}@@ -1 +1 @@\n-a\n+b`],
  ["a count too large", "hunk_count_wrong", `${HEAD}@@ -1,2 +1 @@\n-a\n+b\n`],
  ["a count too small", "garbage", `${HEAD}@@ -1 +1 @@\n-a\n+b\n+c\n`],
  ["one count used up by the wrong side", "hunk_count_wrong", `${HEAD}@@ -1 +1,2 @@\n-a\n-b\n+c\n+d\n`],
  ["a new start that does not follow", "hunk_count_wrong", `${HEAD}@@ -1 +2 @@\n-a\n+b\n`],
  ["hunks in the wrong order", "hunks_overlap", `${HEAD}@@ -5 +5 @@\n-a\n+b\n@@ -1 +1 @@\n-a\n+b\n`],
  ["overlapping hunks", "hunks_overlap", `${HEAD}@@ -1,2 +1,2 @@\n-a\n+b\n c\n@@ -2 +2 @@\n-c\n+d\n`],
  ["a hunk of context alone", "malformed_hunk", `${HEAD}@@ -1 +1 @@\n a\n`],
  ["line 0 with lines", "malformed_hunk", `${HEAD}@@ -0,1 +1 @@\n-a\n+b\n`],
  ["no numbers", "malformed_hunk", `${HEAD}@@ @@\n-a\n+b\n`],
  [
    "lines after the end of the file",
    "malformed_hunk",
    `${HEAD}@@ -1,2 +1,1 @@\n-a\n\\ No newline at end of file\n b\n`,
  ],
  ["a header without hunks", "malformed_header", HEAD],
  ["a section that changes nothing", "malformed_header", "diff --git a/f b/f\n"],
  [
    "names that differ without a rename",
    "malformed_header",
    "diff --git a/f b/g\n--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n",
  ],
  [
    "labels that contradict",
    "malformed_header",
    "diff --git a/f b/f\n--- a/g\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n",
  ],
  [
    "creation without its mode",
    "malformed_header",
    "diff --git a/f b/f\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+b\n",
  ],
  ["half a rename", "malformed_header", "diff --git a/f b/g\nrename from f\n"],
  ["half a mode change", "malformed_header", "diff --git a/f b/f\nold mode 100644\n"],
  ["no prefixes", "malformed_header", "diff --git f f\n--- f\n+++ f\n@@ -1 +1 @@\n-a\n+b\n"],
  ["a path twice", "path_touched_twice", `${HEAD}@@ -1 +1 @@\n-a\n+b\n`.repeat(2)],
  [
    "a file below a file",
    "path_through_file",
    "diff --git a/f b/f\nnew file mode 100644\ndiff --git a/f/g b/f/g\nnew file mode 100644\n",
  ],
];

for (const [what, reason, text] of STRICT) {
  Deno.test(`parsePatch: ${what} is ${reason}`, () => assert.equal(reasonOf(text), reason));
}

Deno.test("parsePatch: refuses what is over its bounds", () => {
  assert.equal(parsePatch("x".repeat(64 * 1024 * 1024 + 1) as ByteString).ok, false);
  assert.equal(reasonOf("\n".repeat(1_000_001)), "too_large");
});

Deno.test("parsePatch: sorts files by path, in bytes", () => {
  const made = (name: string) => `diff --git a/${name} b/${name}\nnew file mode 100644\n`;
  const parsed = parsePatch(
    byteStringOfText(["b", "a/c", "B"].map(made).join("")),
  );
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.patch.files.map((f) => f.newPath), ["B", "a/c", "b"]);
});

Deno.test("parsePatch: never throws, and what it takes it can print again", () => {
  const line = fc.constantFrom(
    "diff --git a/f b/f",
    "--- a/f",
    "+++ b/f",
    "@@ -1 +1 @@",
    "-a",
    "+b",
    " c",
    "@@ -1,2 +1,2 @@",
    "new file mode 100644",
    "--- /dev/null",
    "@@ -0,0 +1 @@",
    "rename from f",
    "old mode 100644",
    "new mode 100755",
    "\\ No newline at end of file",
    "",
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const parsed = parsePatch(lines.map((l) => l + "\n").join("") as ByteString);
      if (parsed.ok) assert.deepEqual(parsePatch(renderPatch(parsed.patch)), parsed);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("quotePath: unquote gives back what it quoted", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'"\\a é日\n\t\x7f\x01') }), (s) => {
    const quoted = quotePath(s), raw = byteStringOfText(s);
    if (quoted.startsWith('"')) assert.deepEqual(unquote(quoted), { value: raw, rest: "" });
    else assert.equal(quoted, raw);
  }));
});

Deno.test("renderPatch: literal bytes of one patch with everything", () => {
  const text = [
    "diff --git a/bin/run b/bin/run",
    "old mode 100755",
    "new mode 100755",
    "--- a/bin/run",
    "+++ b/bin/run",
    "@@ -1 +1 @@",
    "-a",
    "+b",
    "\\ No newline at end of file",
    "diff --git a/empty b/empty",
    "deleted file mode 100644",
    "diff --git a/old name b/new name",
    "old mode 100644",
    "new mode 100755",
    "rename from old name",
    "rename to new name",
    "--- a/old name\t",
    "+++ b/new name\t",
    "@@ -2,0 +3 @@",
    "+x\r",
    'diff --git "a/\\303\\251" "b/\\303\\251"',
    "new file mode 100755",
    "--- /dev/null",
    '+++ "b/\\303\\251"',
    "@@ -0,0 +1,2 @@",
    "+1",
    "+2",
    "",
  ].join("\n");
  const parsed = parsePatch(text as ByteString);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.equal(renderPatch(parsed.patch), text);
});
