import assert from "node:assert/strict";
import { treeSitterSyntax } from "../../src/syntax/tree_sitter.ts";

const syntax = treeSitterSyntax();
const bytes = (text: string) => new TextEncoder().encode(text);

/** Path, a valid text, and the same text broken. */
const SAMPLES: readonly (readonly [string, string, string])[] = [
  ["a.py", "def f(x):\n    return x\n", "def f(x:\n    return x\n"],
  ["a.js", "export const f = (x) => x ?? 1;\n", "export const f = (x => x ?? 1;\n"],
  ["a.jsx", "const A = () => <p>{1}</p>;\n", "const A = () => <p>{1}</b;\n"],
  ["a.ts", "type A<T> = { a: T };\nlet a = <A<number>>b;\n", "type A<T> = { a: T ;\n"],
  ["a.tsx", "const A = (p: {n: number}) => <b>{p.n}</b>;\n", "const A = (p: {n: number) => <b/>;\n"],
  ["a.go", "package a\n\nfunc F() int { return 1 }\n", "package a\n\nfunc F() int { return 1 \n"],
  ["a.rs", "fn f<'a>(x: &'a str) -> &'a str { x }\n", "fn f<'a>(x: &'a str -> &'a str { x }\n"],
  ["A.java", "class A { int f() { return 1; } }\n", "class A { int f() { return 1 } }\n"],
  ["a.c", "int f(int new) { return new; }\n", "int f(int new) { return new }\n"],
  ["a.cpp", "template <class T> T f(T a) { return a; }\n", "template <class T> T f(T a { return a; }\n"],
  ["a.h", "#ifndef A\n#define A\nint f(void);\n#endif\n", "int f(void;\n"],
  ["a.sh", 'if [ "$a" = 1 ]; then echo hi; fi\n', 'if [ "$a" = 1 ]; then echo hi\n'],
  ["a.rb", "class A\n  def f = 1\nend\n", "class A\n  def f(\nend\n"],
  ["a.cs", "class A { int F() => 1; }\n", "class A { int F( => 1; }\n"],
  ["a.php", "<?php\nfunction f($a) { return $a; }\n", "<?php\nfunction f($a { return $a; }\n"],
  ["a.css", "a { color: red }\n", "a { color: red \n"],
  ["a.ps1", "function F {\n  param($a)\n}\n", "function F {\n  param($a\n}\n"],
  ["script", "#!/usr/bin/env -S python3 -u\nx = [1]\n", "#!/usr/bin/env python3\nx = [1\n"],
];

for (const [path, valid, broken] of SAMPLES) {
  Deno.test(`treeSitterSyntax.check: tells valid from broken text in ${path}`, async () => {
    assert.equal(await syntax.check(path, bytes(valid)), "valid");
    assert.equal(await syntax.check(path, bytes(broken)), "broken");
  });
}

Deno.test("treeSitterSyntax.check: unknown without a grammar and past 1 MiB", async () => {
  assert.equal(await syntax.check("README.md", bytes("def f(:\n")), "unknown");
  assert.equal(await syntax.check("Makefile", bytes("a:\n")), "unknown");
  const line = "x = 1\n";
  assert.equal(await syntax.check("a.py", bytes(line.repeat(1 << 18))), "unknown");
  assert.equal(await syntax.check("a.py", bytes(line.repeat(1 << 10))), "valid");
});

Deno.test("treeSitterSyntax.check: hostile text ends soon and does not throw", async () => {
  const started = performance.now();
  for (
    const text of ["(".repeat(1 << 18), "[{(".repeat(1 << 17), "a<".repeat(1 << 18), "\u0000".repeat(1 << 19)]
  ) {
    assert.ok(["broken", "unknown"].includes(await syntax.check("a.py", bytes(text))));
    await syntax.enclosing("a.ts", bytes(text), 1);
  }
  await syntax.imports("a.py", bytes("import a.".repeat(1 << 15)));
  await syntax.imports("a.rs", bytes(`use ${"a::{".repeat(1 << 15)}`));
  assert.ok(performance.now() - started < 60_000);
});

Deno.test("treeSitterSyntax.check: bytes that are not UTF-8 are parsed all the same", async () => {
  const latin = Uint8Array.from([0x23, 0x20, 0xe9, 0x0a, 0x78, 0x3d, 0x31, 0x0a]);
  assert.equal(await syntax.check("a.py", latin), "valid");
});

/** The memory of a process is that of all its tests: this has a process of its own. */
const MANY_CHECKS = `
const { treeSitterSyntax } = await import("${new URL("../../src/syntax/tree_sitter.ts", import.meta.url)}");
const syntax = treeSitterSyntax();
const text = new TextEncoder().encode("function f(a) { return [a, { b: a }]; }\\n".repeat(40));
for (let i = 0; i < 100; i++) await syntax.check("a.js", text);
const before = Deno.memoryUsage().rss;
for (let i = 0; i < 1500; i++) await syntax.check("a.js", text);
console.log(Deno.memoryUsage().rss - before);
`;

Deno.test("treeSitterSyntax.check: memory stays level over thousands of checks", async () => {
  const script = await Deno.makeTempFile({ dir: import.meta.dirname!, suffix: ".tmp.ts" });
  try {
    await Deno.writeTextFile(script, MANY_CHECKS);
    const args = ["run", "-A", "--quiet", "--no-check", script];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    const [said, wrong] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(code, 0, wrong);
    const grown = Number(said);
    // Without freeing the trees it grows by 130 MiB.
    assert.ok(said!.trim() !== "" && grown < 60 << 20, `grew by ${said} bytes`);
  } finally {
    await Deno.remove(script);
  }
});

const PYTHON = `import os

class Cart:
    """Doc."""

    @property
    def total(self):
        rows = [
            1,
        ]
        return sum(rows)

    def other(self): pass

top = 1
`;

Deno.test("treeSitterSyntax.enclosing: the smallest definition, decorators included", async () => {
  const at = (line: number) => syntax.enclosing("cart.py", bytes(PYTHON), line);
  assert.deepEqual(await at(9), { start: 6, end: 11 });
  assert.deepEqual(await at(6), { start: 6, end: 11 });
  assert.deepEqual(await at(13), { start: 13, end: 13 });
  assert.deepEqual(await at(4), { start: 3, end: 13 });
  assert.equal(await at(1), null);
  assert.equal(await at(15), null);
  assert.equal(await at(0), null);
  assert.equal(await at(999), null);
  assert.equal(await at(1.5), null);
});

Deno.test("treeSitterSyntax.enclosing: long anonymous functions count, short ones do not", async () => {
  const text = `import { test } from "x";

test("adds", () => {
  const twice = [1].map((n) => n * 2);
  assert(twice[0] === 3);
});

export function add(a, b) {
  return a - b;
}
`;
  assert.deepEqual(await syntax.enclosing("a_test.ts", bytes(text), 4), { start: 3, end: 6 });
  assert.deepEqual(await syntax.enclosing("a_test.ts", bytes(text), 9), { start: 8, end: 10 });
});

Deno.test("treeSitterSyntax.enclosing: other languages", async () => {
  const cases: [string, string, number, number, number][] = [
    ["a.go", "package a\n\nfunc (c *C) F() int {\n\treturn 1\n}\n", 4, 3, 5],
    ["a.rs", "impl A {\n    fn f() {\n        g();\n    }\n}\n", 3, 2, 4],
    ["A.java", "class A {\n  int f() {\n    return 1;\n  }\n}\n", 3, 2, 4],
    ["a.c", "int f(void)\n{\n  return 1;\n}\n", 3, 1, 4],
    ["a.cpp", "template <class T>\nT f(T a) {\n  return a;\n}\n", 3, 1, 4],
    ["a.sh", "x=1\nf() {\n  echo 1\n}\n", 3, 2, 4],
    ["a.rb", "class A\n  def f\n    1\n  end\nend\n", 3, 2, 4],
    ["a.cs", "class A {\n  int F() {\n    return 1;\n  }\n}\n", 3, 2, 4],
    ["a.php", "<?php\nfunction f() {\n  return 1;\n}\n", 3, 2, 4],
    ["a.js", "class A {\r\n  f() {\r\n    return 1;\r\n  }\r\n}\r\n", 3, 2, 4],
  ];
  for (const [path, text, line, start, end] of cases) {
    assert.deepEqual(await syntax.enclosing(path, bytes(text), line), { start, end }, path);
  }
});

Deno.test("treeSitterSyntax.enclosing: a huge function is cut around the line", async () => {
  const text = "def f():\n" + "    x = 1\n".repeat(5000);
  const range = await syntax.enclosing("a.py", bytes(text), 2500);
  assert.ok(range !== null && range.start <= 2500 && range.end >= 2500);
  assert.equal(range.end - range.start + 1, 200);
  assert.deepEqual(await syntax.enclosing("a.py", bytes(text), 5001), { start: 4802, end: 5001 });
});

Deno.test("treeSitterSyntax.imports: specifiers as written", async () => {
  const cases: [string, string, string[]][] = [
    [
      "a.py",
      "import os, a.b as c\nfrom . import x\nfrom ..p import (y as z,)\nfrom q.r import *\n",
      ["os", "a.b", ".", ".x", "..p", "..p.y", "q.r"],
    ],
    [
      "a.ts",
      'import a, { type B } from "./a.ts";\nimport "side";\nexport * from "../c.js";\n' +
      'import d = require("d");\nconst e = await import("./e.ts");\nimport(`x${1}`);\nconst f = require("f");\nlog("g");\n',
      ["./a.ts", "side", "../c.js", "d", "./e.ts", "f"],
    ],
    ["a.go", 'package a\nimport (\n\t"fmt"\n\tb "ex.com/m/b"\n)\n', ["fmt", "ex.com/m/b"]],
    [
      "a.rs",
      "use crate::a::{b, c::{d as e, self}};\nuse std::fmt;\nuse super::*;\nmod m;\nmod n { }\n",
      ["crate::a::b", "crate::a::c::d", "crate::a::c", "std::fmt", "super::*", "self::m"],
    ],
    ["A.java", "import a.b.C;\nimport static a.D.e;\nimport a.f.*;\nclass A {}\n", [
      "a.b.C",
      "a.D.e",
      "a.f.*",
    ]],
    ["a.c", '#include "a/new.h"\n#include <stdio.h>\n', ["a/new.h", "<stdio.h>"]],
    ["a.sh", '. ./lib.sh\nsource "x/y.sh"\n. "$HOME/z"\necho . a\n', ["./lib.sh", "x/y.sh"]],
    ["a.rb", 'require "json"\nrequire_relative "lib/a"\n', ["json", "./lib/a"]],
    ["a.cs", "using System.Text;\nusing A = B.C;\n", ["System.Text", "B.C"]],
    ["a.php", "<?php\nuse A\\B;\nrequire_once 'lib/a.php';\n", ["A\\B", "lib/a.php"]],
    ["a.txt", "import a\n", []],
  ];
  for (const [path, text, expected] of cases) {
    assert.deepEqual(await syntax.imports(path, bytes(text)), expected, path);
  }
});

Deno.test("treeSitterSyntax.imports: bounded", async () => {
  const text = Array.from({ length: 5000 }, (_, i) => `import m${i}\n`).join("");
  assert.equal((await syntax.imports("a.py", bytes(text))).length, 1000);
});
