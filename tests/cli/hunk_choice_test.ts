import assert from "node:assert/strict";
import { chooseHunks } from "../../src/cli/hunk_choice.ts";
import { byteString } from "../../src/patch/bytes.ts";
import { parsePatch } from "../../src/patch/parse.ts";
import { renderPatch } from "../../src/patch/render.ts";

const TEXT = `diff --git a/a b/a
--- a/a
+++ b/a
@@ -1,2 +1,3 @@
 1
+one
 2
@@ -8,2 +9,1 @@
-8
 9
@@ -20,1 +20,1 @@
-20
+twenty
diff --git a/new b/new
new file mode 100644
--- /dev/null
+++ b/new
@@ -0,0 +1,1 @@
+n
`;

async function chosen(answers: readonly string[], edited = "") {
  const parsed = parsePatch(byteString(new TextEncoder().encode(TEXT)));
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const left = [...answers];
  const patch = await chooseHunks(parsed.patch, {
    ask: () => left.shift() ?? null,
    say: () => {},
    edit: () => Promise.resolve(edited),
  });
  assert.deepEqual(left, []);
  return patch === null ? null : renderPatch(patch);
}

Deno.test("chooseHunks: takes what is said, counts starts anew, and stops when told to", async () => {
  const whole = await chosen(["a"]);
  assert.equal(whole, await chosen(["y", "?", "y", "y", "y"]));
  assert.equal(await chosen(["y", "q"]), null);
  assert.equal(await chosen(["y"]), null, "the end of the input stops");
  assert.equal(await chosen(["d"]), "");
  const last = await chosen(["n", "n", "y", "n"]);
  assert.match(last!, /@@ -20 \+20 @@/);
  const second = await chosen(["n", "y", "d"]);
  assert.match(second!, /@@ -8,2 \+8 @@/);
  const first = await chosen(["y", "n", "y", "n"]);
  assert.match(first!, /@@ -20 \+21 @@/);
  assert.match((await chosen(["n", "n", "n", "y"]))!, /^diff --git a\/new b\/new\n/);
});

Deno.test("chooseHunks: an edited hunk keeps the file's own lines, or is asked for again", async () => {
  const edited = await chosen(["n", "n", "e", "n"], "# a remark\n-20\n+twenty\n+and more\n");
  assert.match(edited!, /@@ -20 \+20,2 @@\n-20\n\+twenty\n\+and more\n$/);
  assert.equal(
    await chosen(["n", "n", "e", "n", "n"], "-21\n+twenty\n"),
    "",
    "another line than the file has",
  );
  assert.equal(await chosen(["n", "n", "e", "n", "n"], " 20\n"), "", "nothing is left to change");
});
