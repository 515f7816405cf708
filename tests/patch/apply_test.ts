import assert from "node:assert/strict";
import { applyPatch, type FileLookup } from "../../src/patch/apply.ts";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import { parsePatch } from "../../src/patch/parse.ts";
import { text } from "./trees.ts";

const base: FileLookup = (path) =>
  ({
    "a": text("1\n2\n3\n"),
    "run": text("x\n", "100755"),
    "link": "link" as const,
    "dir": "directory" as const,
  })[path] ?? null;

function apply(patch: string) {
  const parsed = parsePatch(byteStringOfText(patch));
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return applyPatch(parsed.patch, base);
}

const modify = (path: string, hunk: string) =>
  `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n${hunk}`;
const create = (path: string) => `diff --git a/${path} b/${path}\nnew file mode 100644\n`;

const REFUSED: [what: string, reason: string, patch: string][] = [
  ["a line that differs", "hunk_mismatch", modify("a", "@@ -2 +2 @@\n-3\n+x\n")],
  ["the right lines one line off", "hunk_mismatch", modify("a", "@@ -1 +1 @@\n-2\n+x\n")],
  ["a place past the end", "hunk_mismatch", modify("a", "@@ -9,0 +10 @@\n+x\n")],
  [
    "a line feed the file does not have",
    "hunk_mismatch",
    modify("a", "@@ -3 +3 @@\n-3\n\\ No newline at end of file\n+x\n"),
  ],
  [
    "a last line in the middle",
    "hunk_mismatch",
    modify("a", "@@ -2 +2 @@\n-2\n+x\n\\ No newline at end of file\n"),
  ],
  ["a missing file", "file_missing", modify("b", "@@ -1 +1 @@\n-1\n+x\n")],
  ["a creation over a file", "file_exists", create("a")],
  ["a creation below a file", "path_through_file", create("a/b")],
  ["a creation through a link", "path_through_link", create("link/b")],
  ["a change of a link", "path_through_link", modify("link", "@@ -1 +1 @@\n-1\n+x\n")],
  ["a creation over a directory", "path_is_directory", create("dir")],
  [
    "a mode change from another mode",
    "mode_mismatch",
    "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n",
  ],
  ["a rename onto a file", "file_exists", "diff --git a/a b/run\nrename from a\nrename to run\n"],
  [
    "a deletion that leaves lines",
    "deletion_leaves_content",
    "diff --git a/a b/a\ndeleted file mode 100644\n",
  ],
];

for (const [what, reason, patch] of REFUSED) {
  Deno.test(`applyPatch: ${what} is ${reason}`, () => {
    const applied = apply(patch);
    assert.ok(!applied.ok);
    assert.equal(applied.refusal.reason, reason);
  });
}

Deno.test("applyPatch: an executable stays one where the patch says nothing of modes", () => {
  const applied = apply(modify("run", "@@ -1 +1 @@\n-x\n+y\n"));
  assert.deepEqual(applied, {
    ok: true,
    changes: [{ kind: "write", path: "run", mode: "100755", bytes: new TextEncoder().encode("y\n") }],
  });
});

Deno.test("applyPatch: a rename deletes and writes, in path order", () => {
  const applied = apply("diff --git a/run b/Run\nrename from run\nrename to Run\n");
  assert.ok(applied.ok);
  assert.deepEqual(applied.changes.map((c) => [c.kind, c.path]), [["write", "Run"], ["delete", "run"]]);
});
