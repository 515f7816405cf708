import assert from "node:assert/strict";
import { chooseHunks } from "../../src/cli/hunk_choice.ts";
import { editableHunk, readEdit } from "../../src/cli/hunk_edit.ts";
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

async function chosen(answers: readonly string[], edited = "", said: string[] = []) {
  const parsed = parsePatch(byteString(new TextEncoder().encode(TEXT)));
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const left = [...answers];
  const patch = await chooseHunks(parsed.patch, {
    ask: () => Promise.resolve(left.shift() ?? null),
    say: (text) => void said.push(text),
    edit: () => Promise.resolve({ ok: true, value: new TextEncoder().encode(edited) }),
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
  for (
    const [text, why] of [
      ["-21\n+twenty\n", "the edit does not apply: lines with a space or - are those of the file, and stay"],
      [
        "-20\n+twenty\n 21\n",
        "the edit does not apply: lines with a space or - are those of the file, and stay",
      ],
      ["", "the edit is empty"],
      ["# a remark\n\n", "the edit is empty"],
      [" 20\n", "the edit changes nothing"],
      ["-20\n+20\n", "the edit changes nothing"],
      ["-20\ntwenty\n", "the edit has a line that begins with neither a space, - nor +"],
      [
        "-20\n+twenty\n\\ No newline at end of file\n+more\n",
        "the edit does not apply: only the last line of a file has no newline",
      ],
    ]
  ) {
    const said: string[] = [];
    await chosen(["n", "n", "e", "q"], text, said);
    assert.ok(said.includes(`${why}; the hunk is as it was`), JSON.stringify([text, said]));
  }
  assert.equal(await chosen(["n", "n", "e", "n", "n"], " 20\n"), "", "nothing is left to change");
});

Deno.test("editableHunk, readEdit: any bytes come back as they were, but for what was edited", () => {
  const bytes = new TextEncoder().encode(
    "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n ?\r\n-1\n+2\n\\ No newline at end of file\n",
  );
  bytes[bytes.indexOf(63)] = 0xff;
  const parsed = parsePatch(byteString(bytes));
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const [file] = parsed.patch.files, [hunk] = file!.hunks;
  const text = editableHunk(file!, hunk!);
  const same = readEdit(hunk!, text);
  assert.deepEqual(same, { ok: true, value: hunk });
  text[text.lastIndexOf(50)] = 51;
  const edited = readEdit(hunk!, text);
  assert.ok(edited.ok, JSON.stringify(edited));
  assert.equal(
    renderPatch({ files: [{ ...file!, hunks: [edited.value] }] }),
    renderPatch(parsed.patch).replace("+2", "+3"),
  );
});
