import assert from "node:assert/strict";
import fc from "fast-check";
import { assertions, locations } from "../../src/prove/evidence.ts";

const vectors = new URL("../vectors/evidence/", import.meta.url);
const workdir = "/workspace";
const at = (output: string) =>
  locations(output, { workdir }).map(({ path, line, column }) =>
    `${path}:${line}${column === undefined ? "" : `:${column}`}`
  );

const names = [...Deno.readDirSync(vectors)].map(({ name }) => name).filter((name) => name.endsWith(".txt"))
  .sort();

Deno.test("locations: there are outputs of many tools to read", () => assert.ok(names.length >= 20));

for (const name of names) {
  Deno.test(`locations, assertions: output of ${name.replace(".txt", "")}`, async () => {
    const output = await Deno.readTextFile(new URL(name, vectors));
    const expected = JSON.parse(await Deno.readTextFile(new URL(name.replace(".txt", ".json"), vectors)));
    const found = locations(output, { workdir });
    const shown = found.map(({ path, line, column, message }) =>
      `${path}:${line}${column === undefined ? "" : `:${column}`}${
        message === undefined ? "" : ` ${message}`
      }`
    );
    assert.deepEqual({ locations: shown, assertions: assertions(output) }, expected);
  });
}

Deno.test("locations: what lies outside the workspace is dropped", () => {
  const output = `
  File "/usr/lib/python3.11/json/decoder.py", line 3, in decode
  File "/workspace/.venv/lib/python3.11/site-packages/x.py", line 3, in f
  File "<string>", line 1, in <module>
    at node:internal/modules/cjs/loader:1080:15
    at file:///usr/lib/node_modules/npm/x.js:1:2
    at Object.f (/workspace/node_modules/a/b.js:1:2)
    at ext:core/01_core.js:1:2
../../etc/passwd.py:3: error
/workspace/../etc/a.py:3: error
/workspacer/a.py:3: error
http://localhost:8080/x
listening on example.org:443 at 12:30:45
a\u0000b.py:3: error
`;
  assert.deepEqual(at(output), []);
});

Deno.test("locations: paths are made relative and normal", () => {
  assert.deepEqual(
    at("file:///workspace/a%20b.js:1:2\n./x/../y.c:3: error: z\n/workspace//q.go:4:1: bad\n"),
    [
      "y.c:3",
      "q.go:4:1",
      "a b.js:1:2",
    ],
  );
  assert.deepEqual(locations("/a/b.py:3: error", { workdir: "/a/" }), [{
    path: "b.py",
    line: 3,
    message: "error",
  }]);
  assert.deepEqual(locations("/b.py:3: error", { workdir: "/" }), []);
});

Deno.test("locations: the best mention of a place wins, once", () => {
  const output = "see a.c:3 there\na.c:3:9: error: broken\na.c:3:9: warning: again\n";
  assert.deepEqual(locations(output, { workdir }), [{
    path: "a.c",
    line: 3,
    column: 9,
    message: "error: broken",
  }]);
});

Deno.test("locations: colours and overwritten progress do not hide a place", () => {
  assert.deepEqual(at("\x1b[1m\x1b[31ma.c\x1b[0m:\x1b[33m3\x1b[0m:9: error: x\n"), ["a.c:3:9"]);
  assert.deepEqual(at("10%\r50%\ra.c:3:9: error: x\r\n"), ["a.c:3:9"]);
  assert.deepEqual(at("\x1b]8;;file:///workspace/b.c\x07a.c\x1b]8;;\x07:3:9: error: x\n"), ["a.c:3:9"]);
});

Deno.test("locations: other interpreters", () => {
  assert.deepEqual(at("PHP Fatal error:  Uncaught Error: x in /workspace/a.php on line 3\n"), ["a.php:3"]);
  assert.deepEqual(at("   at Shop.Cart.Total() in /workspace/src/Cart.cs:line 12\n"), ["src/Cart.cs:12"]);
  assert.deepEqual(at("lib/a.rb:3:in `f': x (RuntimeError)\n\tfrom test/a_test.rb:9:in `<main>'\n"), [
    "lib/a.rb:3",
    "test/a_test.rb:9",
  ]);
  assert.deepEqual(
    at('E     File "/workspace/src/a.py", line 3\nE       x = (\nE   SyntaxError: never closed\n'),
    [
      "src/a.py:3",
    ],
  );
});

Deno.test("locations: bounded for any output", () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `src/f${i}.c:${i + 1}:1: error: x`).join("\n");
  const found = locations(many, { workdir });
  assert.equal(found.length, 200);
  assert.equal(found[0]!.path, "src/f0.c");
  assert.deepEqual(at("a.c:99999999999: error: x"), []);
  assert.ok(locations(`a.c:1: error: ${"x".repeat(10_000)}`, { workdir })[0]!.message!.length <= 300);
  assert.equal(
    assertions(Array.from({ length: 500 }, (_, i) => `E   assert ${i} == 0`).join("\n")).length,
    60,
  );
  assert.ok(assertions(`AssertionError: ${"x".repeat(10_000)}`)[0]!.length <= 400);
});

Deno.test("locations, assertions: two megabytes of hostile output take seconds at most", () => {
  const size = 2 << 20;
  const units = [
    "\n",
    "a",
    "a:",
    ":1",
    "a.b:1:1 ",
    "(",
    "at ",
    "at a.b.c",
    "  at a.",
    "a.a.a.",
    " at x(y.java:1)\n",
    "../",
    "/workspace/",
    'File "',
    'File "a.py", line 1\n',
    "E   ",
    "expected ",
    "got want ",
    "expected: ",
    "\x1b[",
    "\x1b]",
    "\x1b[0;",
    "\r",
    "_____ ",
    "error",
    "errorerror:",
    "Error: ",
    "panicked at ",
    "x.py:1: \n",
    "--> a.rs:1:1\n",
    "file a, line ",
    " in a:line 1",
    "( ",
    "file://",
    "not ok 1 - ",
    "FAIL ",
    "%",
    "❯ ",
    "\u0000",
    "🦕",
  ];
  for (const unit of units) {
    const output = unit.repeat(Math.ceil(size / unit.length));
    const started = performance.now();
    locations(output, { workdir });
    assertions(output);
    const took = performance.now() - started;
    assert.ok(took < 15_000, `${JSON.stringify(unit)} took ${Math.round(took)} ms`);
  }
});

Deno.test("locations: for any text the paths are normal and relative, the lines positive", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "/workspace/",
      "../",
      "a.py",
      ":",
      "12",
      ":3:",
      'File "',
      '", line ',
      "\n",
      " at (",
      ")",
      "file://",
      "%2e%2e/",
    ),
    fc.string({ unit: "binary", maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      for (const { path, line } of locations(pieces.join(""), { workdir })) {
        assert.ok(!path.startsWith("/") && !path.split("/").some((s) => s === "" || s === "." || s === ".."));
        assert.ok(Number.isInteger(line) && line >= 1);
      }
    }),
    { numRuns: 2000 },
  );
});
