import assert from "node:assert/strict";
import fc from "fast-check";
import type { Edit } from "../../src/edit/edit.ts";
import { parseAnchor, parsePosition } from "../../src/edit/insert_code.ts";
import { edited } from "./fixture.ts";

type Result = Awaited<ReturnType<typeof edited>>;

const reason = (result: Result) => result.ok ? `taken: ${JSON.stringify(result.after)}` : result.reason;
const after = (result: Result, file = "a.py") =>
  result.ok ? result.after[file] : `${result.reason}: ${result.detail}`;

const replace = (old: string, next: string, file = "a.py"): Edit => ({
  kind: "replace",
  file,
  old,
  new: next,
});
const insert = (position: string, code: string, file = "a.py"): Edit => ({
  kind: "insert",
  file,
  position: parsePosition(position)!,
  code,
});
const template = (name: string, parameters: Record<string, string>, file = "a.py"): Edit => ({
  kind: "template",
  template: name,
  file,
  parameters,
});

Deno.test("replaceCode: old code in one place gives way, line endings and the last line as the file has them", async () => {
  assert.equal(after(await edited({ "a.py": "a\nb\nc" }, [replace("b", "x\ny")])), "a\nx\ny\nc");
  assert.equal(after(await edited({ "a.py": "a\r\nb\r\nc" }, [replace("b\nc", "x\ny\n")])), "a\r\nx\r\ny");
  assert.equal(after(await edited({ "a.py": "a\nb\n" }, [replace("b", "")])), "a\n");
  assert.equal(after(await edited({ "a.py": "\ufeffa\nb\n" }, [replace("a", "x")])), "\ufeffx\nb\n");
});

Deno.test("replaceCode: differences of blanks are looked past, and the file's indentation is kept", async () => {
  const result = await edited({ "a.py": "def f():\n\tx = 1\n\treturn  x\n" }, [
    replace("    x = 1\n    return x", "    x = 2\n    if x:\n        x = 3\n    return x"),
  ]);
  assert.equal(after(result), "def f():\n\tx = 2\n\tif x:\n\t\tx = 3\n\treturn  x\n");
  assert.ok(result.ok);
  assert.ok(result.notes.some(({ note, edit }) => note === "whitespace_ignored" && edit === 0));
});

Deno.test("replaceCode: part of a line, where no whole lines fit", async () => {
  assert.equal(
    after(await edited({ "a.py": "x = old(1) + 2\n" }, [replace("old(1)", "new(1)")])),
    "x = new(1) + 2\n",
  );
});

Deno.test("replaceCode: several places are refused with all of them, and so is none", async () => {
  const several = await edited({ "a.py": "x = 1\ny\nx = 1\n" }, [replace("x = 1", "x = 2")]);
  assert.ok(!several.ok);
  assert.deepEqual([several.reason, several.places, several.edit], ["old_code_ambiguous", [1, 3], 0]);
  const within = await edited({ "a.py": "f(a) + f(a)\ng(f(a))\n" }, [replace("f(a)", "h")]);
  assert.ok(!within.ok);
  assert.deepEqual([within.reason, within.places], ["old_code_ambiguous", [1, 2]]);
  assert.equal(reason(await edited({ "a.py": "a\n" }, [replace("b", "c")])), "old_code_not_found");
  assert.equal(reason(await edited({ "a.py": "a\n" }, [replace(" \n", "c")])), "old_code_empty");
  assert.equal(reason(await edited({ "a.py": "a\n" }, [replace("a", "a")])), "no_op");
});

Deno.test("insertCode: at the start, below a #! line, and at the end, as the file ends", async () => {
  assert.equal(after(await edited({ "a.py": "a\n" }, [insert("start", "x")])), "x\na\n");
  assert.equal(
    after(await edited({ "a.py": "#!/bin/sh\r\na\r\n" }, [insert("start", "x\ny\n")])),
    "#!/bin/sh\r\nx\r\ny\r\na\r\n",
  );
  assert.equal(after(await edited({ "a.py": "a" }, [insert("end", "x\n")])), "a\nx");
  assert.equal(after(await edited({ "a.py": "" }, [insert("end", "x")])), "x\n");
});

Deno.test("insertCode: beside a line, indented as it is, or as the block it opens", async () => {
  const file = { "a.py": "class A:\n\n    def f(self):\n        return 1\n" };
  assert.equal(
    after(await edited(file, [insert("before:def f(self):", "x = 1\nif x:\n  y\n")])),
    "class A:\n\n    x = 1\n    if x:\n      y\n    def f(self):\n        return 1\n",
  );
  assert.equal(
    after(await edited(file, [insert("after:line:3", "x = 1")])),
    "class A:\n\n    def f(self):\n        x = 1\n        return 1\n",
  );
  assert.equal(
    after(await edited(file, [insert("after:line:4", "    y = 2\n    z = 3")])),
    "class A:\n\n    def f(self):\n        return 1\n        y = 2\n        z = 3\n",
  );
});

Deno.test("insertCode: code in spaces goes into a file of tabs as tabs", async () => {
  assert.equal(
    after(
      await edited({ "a.py": "def f():\n\tx\n\tif x:\n\t\ty\n" }, [insert("before:line:2", "if a:\n    b")]),
    ),
    "def f():\n\tif a:\n\t\tb\n\tx\n\tif x:\n\t\ty\n",
  );
});

Deno.test("insertCode: beside a function or class, its decorators and comments are part of it", async () => {
  const source = [
    "class A:",
    "    # About f,",
    "    # and more.",
    "    @cached",
    "    def f(self):",
    "        return 'é'",
    "",
    "    def g(self):",
    "        pass",
    "",
    "class B:",
    "    def f(self): pass",
    "",
  ].join("\n");
  const lines = source.split("\n");
  const put = (at: number) => [...lines.slice(0, at), "    x = 1", ...lines.slice(at)].join("\n");
  assert.equal(after(await edited({ "a.py": source }, [insert("before:symbol:A.f", "x = 1")])), put(1));
  assert.equal(after(await edited({ "a.py": source }, [insert("after:symbol:A.f", "x = 1")])), put(6));
  assert.equal(after(await edited({ "a.py": source }, [insert("after:symbol:g", "x = 1")])), put(9));
  const twice = await edited({ "a.py": source }, [insert("after:symbol:f", "x = 1")]);
  assert.ok(!twice.ok);
  assert.deepEqual([twice.reason, twice.places], ["anchor_ambiguous", [2, 12]]);
  const typescript = "/** A. */\nexport const f = (a: number) => a;\n\nexport class C {\n  m() {}\n}\n";
  assert.equal(
    after(
      await edited({ "a.ts": typescript }, [
        insert("before:symbol:f", "x;", "a.ts"),
        insert("after:symbol:C.m", "n() {}", "a.ts"),
      ]),
      "a.ts",
    ),
    "x;\n/** A. */\nexport const f = (a: number) => a;\n\nexport class C {\n  m() {}\n  n() {}\n}\n",
  );
});

Deno.test("insertCode: an anchor that is not there, or twice, is refused", async () => {
  const file = { "a.py": "a\nb\na\n", "a.txt": "a\n" };
  assert.equal(reason(await edited(file, [insert("after:c", "x")])), "anchor_not_found");
  assert.equal(reason(await edited(file, [insert("after:line:4", "x")])), "anchor_past_end");
  assert.equal(reason(await edited(file, [insert("after:symbol:f", "x")])), "anchor_not_found");
  assert.equal(reason(await edited(file, [insert("after:symbol:f", "x", "a.txt")])), "syntax_unknown");
  const twice = await edited(file, [insert("after:a", "x")]);
  assert.ok(!twice.ok);
  assert.deepEqual([twice.reason, twice.places], ["anchor_ambiguous", [1, 3]]);
});

Deno.test("parsePosition: reads what is typed", () => {
  assert.deepEqual(parsePosition("end"), { at: "end" });
  assert.deepEqual(parsePosition("before:line:3"), { at: "before", anchor: { kind: "line", line: 3 } });
  assert.deepEqual(parsePosition("after:symbol:A.b"), {
    at: "after",
    anchor: { kind: "symbol", name: "A.b" },
  });
  assert.deepEqual(parseAnchor("text:line:3"), { kind: "text", text: "line:3" });
  assert.equal(parsePosition("inside:x"), undefined);
});

Deno.test("makePatch: edits of several files are one patch, all of them about the base", async () => {
  const result = await edited({ "a.py": "a\nb\nc\n", "b/c.ts": "f();\n" }, [
    insert("after:line:1", "first"),
    insert("after:line:1", "second"),
    replace("b", "B"),
    template("wrap-call", { function: "f", wrapper: "g" }, "b/c.ts"),
    { kind: "create", file: "new.txt", code: "new\n" },
  ]);
  assert.ok(result.ok);
  assert.deepEqual(result.after, {
    "a.py": "a\nfirst\nsecond\nB\nc\n",
    "b/c.ts": "g(f());\n",
    "new.txt": "new\n",
  });
});

Deno.test("makePatch: edits that meet are refused, and say which and where", async () => {
  const file = { "a.py": "a\nb\nc\n", "f.py": "def f(): pass\n" };
  const overlap = await edited(file, [replace("a\nb", "x"), replace("b\nc", "y")]);
  assert.ok(!overlap.ok);
  assert.deepEqual([overlap.reason, overlap.path, overlap.edit, overlap.places], [
    "edits_overlap",
    "a.py",
    1,
    [2],
  ]);
  const add = (name: string) => template("add-argument", { function: "f", name }, "f.py");
  assert.equal(reason(await edited(file, [add("x"), add("y")])), "edits_overlap");
  assert.equal(reason(await edited(file, [add("x"), add("x")])), "edit_repeated");
});

Deno.test("makePatch: what a template breaks is refused, what other edits break is noted", async () => {
  const broken = await edited({ "a.py": "f(1)\n" }, [replace("f(1)", "f(1")]);
  assert.ok(broken.ok);
  assert.deepEqual(broken.notes, [{ edit: 0, note: "result_does_not_parse", path: "a.py" }]);
  const wrapped = await edited({ "a.py": "f(1)\n" }, [
    template("wrap-call", { function: "f", wrapper: "g", arguments: "(" }),
  ]);
  assert.equal(reason(wrapped), "result_does_not_parse");
});

Deno.test("makePatch: an import that is there is left out of a list, and is a refusal alone", async () => {
  const add = (module: string) => template("add-import", { module });
  const list = await edited({ "a.py": "import os\n" }, [add("os"), add("re"), add("sys")]);
  assert.equal(after(list), "import os\nimport re\nimport sys\n");
  assert.ok(list.ok);
  assert.deepEqual(list.notes, [{ edit: 0, note: "already_there", path: "a.py" }]);
  assert.equal(reason(await edited({ "a.py": "import os\n" }, [add("os")])), "already_there");
});

Deno.test("makePatch: hostile paths, files that are no text and unknown templates are refused", async () => {
  const files = { "a.py": "a\n", "b.bin": new Uint8Array([1, 0]), "c.py": new Uint8Array([0xe9, 10]) };
  assert.equal(reason(await edited(files, [])), "no_edits");
  assert.equal(reason(await edited(files, [insert("end", "x", "../a.py")])), "path_escapes");
  assert.equal(reason(await edited(files, [insert("end", "x", ".git/config")])), "path_git_directory");
  assert.equal(reason(await edited(files, [insert("end", "x", "b.py")])), "file_missing");
  assert.equal(reason(await edited(files, [insert("end", "x", "b.bin")])), "not_text");
  assert.equal(reason(await edited(files, [insert("end", "é", "c.py")])), "encoding_unknown");
  assert.equal(reason(await edited(files, [{ kind: "create", file: "a.py", code: "" }])), "file_exists");
  assert.equal(
    reason(await edited(files, [{ kind: "create", file: "a.py/b", code: "x" }])),
    "path_through_file",
  );
  assert.equal(reason(await edited(files, [template("nope", {})])), "template_unknown");
  assert.equal(
    reason(await edited({ "a.go": "package a\n" }, [template("add-import", {}, "a.go")])),
    "template_language",
  );
  assert.equal(reason(await edited(files, [template("add-import", {})])), "parameter_missing");
  assert.equal(reason(await edited(files, [template("add-import", { modul: "x" })])), "parameter_unknown");
  const latin = await edited(files, [insert("end", "x", "c.py")]);
  assert.deepEqual(latin.ok && latin.bytes["c.py"], new Uint8Array([0xe9, 10, 0x78, 10]));
});

Deno.test("makePatch: CRLF and a byte order mark stay through templates", async () => {
  const result = await edited({ "a.py": "\ufeffimport os\r\nclass A:\r\n    pass\r\n" }, [
    template("add-import", { module: "re" }),
    template("add-field", { class: "A", name: "x", type: "int" }),
  ]);
  assert.equal(after(result), "\ufeffimport os\r\nimport re\r\nclass A:\r\n    x: int\r\n");
});

Deno.test("makePatch: a line replaced anywhere in any file is that line and no other", async () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(word, { minLength: 1, maxLength: 12 }),
      fc.nat(11),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      async (words, at, eol, bare) => {
        const lines = words.map((w) => `<${w}>`), target = at % lines.length;
        const written = (all: readonly string[]) => all.join(eol) + (bare ? "" : eol);
        const expected = lines.with(target, "new");
        const result = await edited({ "a.txt": written(lines) }, [replace(lines[target]!, "new", "a.txt")]);
        assert.equal(after(result, "a.txt"), written(expected));
      },
    ),
    { numRuns: 60 },
  );
});
