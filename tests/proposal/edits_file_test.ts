import assert from "node:assert/strict";
import fc from "fast-check";
import { displayText } from "../../src/patch/bytes.ts";
import { parseEditsFile } from "../../src/proposal/edits_file.ts";

const FILE = `
title: several things
edits:
  - file: a.py
    old: one
    new: two
  - file: a.py
    at: after:symbol:Foo.bar
    code: |
      x = 1
  - file: new.py
    code: hi
  - template: add-import
    file: a.py
    params: { module: os }
    line: 3
  - patch: |
      --- a/a.py
      +++ b/a.py
      @@ -1 +1 @@
      -a
      +b
  - instruction: rename x
    files: [a.py]
  - file: a.py
    old: last
    new: ""
`;

Deno.test("parseEditsFile: edits that follow one another are one step; patches and instructions stand alone", () => {
  const parsed = parseEditsFile(FILE, "edits.yaml");
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.equal(parsed.title, "several things");
  assert.deepEqual(parsed.steps.map(({ kind }) => kind), ["edits", "patch", "instruction", "edits"]);
  const [edits, patch, instruction, last] = parsed.steps;
  assert.deepEqual(edits, {
    kind: "edits",
    edits: [
      { kind: "replace", file: "a.py", old: "one", new: "two" },
      {
        kind: "insert",
        file: "a.py",
        position: { at: "after", anchor: { kind: "symbol", name: "Foo.bar" } },
        code: "x = 1\n",
      },
      { kind: "create", file: "new.py", code: "hi" },
      { kind: "template", template: "add-import", file: "a.py", parameters: { module: "os" }, line: 3 },
    ],
  });
  assert.ok(patch!.kind === "patch");
  assert.match(displayText(patch!.text), /^--- a\/a\.py\n/);
  assert.deepEqual(instruction, { kind: "instruction", instruction: "rename x", files: ["a.py"] });
  assert.deepEqual(last, { kind: "edits", edits: [{ kind: "replace", file: "a.py", old: "last", new: "" }] });
});

Deno.test("parseEditsFile: the examples of its problems are edits", () => {
  const examples: string[] = [];
  for (const item of ["old: x", "code: x", "template: t", "{}"]) {
    const parsed = parseEditsFile(`edits:\n  - ${item}\n`, "edits.yaml");
    assert.ok(!parsed.ok);
    examples.push(...parsed.problems.flatMap(({ message }) => /\{.*\}/.exec(message) ?? []));
  }
  assert.ok(examples.length >= 4);
  for (const example of examples) {
    for (const name of ["edits.json", "edits.yaml"]) {
      const parsed = parseEditsFile(`{"edits": [${example}]}`, name);
      assert.ok(parsed.ok, JSON.stringify(parsed));
    }
  }
});

for (
  const [what, text, said] of [
    ["an unknown member", "edits:\n  - file: a\n    olt: x\n    new: y\n", /edits\[0\].olt.*old/],
    ["two kinds in one", "edits:\n  - patch: x\n    instruction: y\n", /only one of them/],
    ["nothing in it", "edits:\n  - file: a\n", /must have old and new/],
    [
      "a missing half",
      "edits:\n  - file: a\n    old: x\n",
      /edits\[0\]\.new: is missing; such an edit is \{"file": "src\/a\.py", "old": /,
    ],
    ["two missing keys", "edits:\n  - new: y\n", /\[0\]\.file: is missing[^]*\[0\]\.old: is missing/],
    [
      "a template's file",
      "edits:\n  - template: add-import\n",
      /\.file: is missing; .* \{"template": "add-import", /,
    ],
    ["no list of edits", "title: x\n", /edits: must be a list of edits, such as \[\{.*\}\], not nothing/],
    ["a list at the top", "- file: a\n", /must be a mapping that has edits, such as .*, not a list/],
    ["an edit that is none", "edits: [x]\n", /edits\[0\]: must be an edit, such as \{.*\}, not the text "x"/],
    ["a stray member", "edits:\n  - patch: x\n    line: 3\n", /line: does not go with patch/],
    ["a place that is none", "edits:\n  - file: a\n    code: x\n    at: middle\n", /at: must be start/],
    ["no edits", "edits: []\n", /edits/],
    ["an empty file", "", /empty/],
    ["too many edits", `edits:\n${"  - { patch: x }\n".repeat(201)}`, /edits/],
  ] as const
) {
  Deno.test(`parseEditsFile: says where ${what} is`, () => {
    const parsed = parseEditsFile(text, "edits.yaml");
    assert.ok(!parsed.ok);
    assert.match(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"), said);
  });
}

Deno.test("parseEditsFile: any text ends in a value", () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), fc.boolean(), (text, json) => {
    parseEditsFile(text, json ? "e.json" : "e.yaml");
  }));
});
