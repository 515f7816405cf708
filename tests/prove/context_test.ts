import assert from "node:assert/strict";
import fc from "fast-check";
import { buildContext, type Context } from "../../src/prove/context.ts";
import { treeSitterSyntax } from "../../src/syntax/tree_sitter.ts";
import type { EntryMode, ManifestEntry } from "../../src/vocabulary/manifest.ts";
import type { Redact } from "../../src/vocabulary/redaction.ts";
import type { TargetOutcome, TargetResult } from "../../src/vocabulary/verification.ts";

const encoder = new TextEncoder();
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const syntax = treeSitterSyntax();

function captured(text: string) {
  const head = encoder.encode(text);
  return { head, tail: new Uint8Array(), totalBytes: head.length, sha256: "" };
}

function result(
  stdout: string,
  argv: readonly string[] = ["x"],
  outcome: TargetOutcome = "failed",
): TargetResult {
  return {
    target: "t",
    outcome,
    result: {
      argv,
      end: "exited",
      exitCode: 1,
      durationMs: 1,
      stdout: captured(stdout),
      stderr: captured(""),
    },
  };
}

interface Options {
  readonly writable?: (path: string) => boolean;
  readonly budget?: number;
  readonly modes?: Readonly<Record<string, EntryMode>>;
  readonly redact?: Redact;
}

async function contextOf(
  results: readonly TargetResult[],
  tree: Readonly<Record<string, string | Uint8Array>>,
  { writable = () => true, budget, modes = {}, redact }: Options = {},
): Promise<Context & { readonly reads: string[] }> {
  const bytes = new Map(
    Object.entries(tree).map((
      [path, text],
    ) => [path, typeof text === "string" ? encoder.encode(text) : text]),
  );
  const entries = new Map<string, ManifestEntry>(
    [...bytes].map((
      [path, { length }],
    ) => [path, { path, mode: modes[path] ?? "100644", size: length, sha256: "" }]),
  );
  const reads: string[] = [];
  const context = await buildContext({
    results,
    output: results.map(({ result }) => decode(result!.stdout.head)).join("\n"),
    entries,
    read: (path) => {
      reads.push(path);
      assert.ok(entries.has(path), `read ${path}, which is not in the manifest`);
      return Promise.resolve(bytes.get(path) ?? null);
    },
    syntax,
    redact: redact ?? ((text) => Promise.resolve({ text, redactions: [] })),
    workdir: "/workspace",
    writeAllowed: writable,
    ...(budget === undefined ? {} : { budgetBytes: budget }),
  });
  return { ...context, reads };
}

const shown = ({ snippets }: Context) =>
  snippets.map(({ path, startLine, endLine, why }) => `${path}:${startLine}-${endLine} ${why}`);

const CART = `"""Carts."""
TAX = 2


def total(prices):
    subtotal = sum(prices)
    return subtotal - TAX


def other():
    return 1
`;
const TEST = `from shop.cart import total


def test_total():
    assert total([1, 2]) == 5
`;

Deno.test("buildContext: the failing test's function, then the writable file it imports", async () => {
  const context = await contextOf([result("tests/test_cart.py:5: AssertionError\n")], {
    "src/shop/cart.py": CART,
    "src/shop/__init__.py": "",
    "src/shop/unrelated.py": "x = 1\n",
    "tests/test_cart.py": TEST,
  });
  assert.deepEqual(shown(context), ["tests/test_cart.py:4-5 enclosing", "src/shop/cart.py:1-11 imported"]);
  assert.equal(context.snippets[0]!.text, "def test_total():\n    assert total([1, 2]) == 5");
  assert.deepEqual(context.assertions, ["tests/test_cart.py:5: AssertionError"]);
});

Deno.test("buildContext: a frame in a source file shows its function, not the whole file", async () => {
  const output =
    'Traceback (most recent call last):\n  File "/workspace/tests/test_cart.py", line 5, in test_total\n' +
    '  File "/workspace/src/shop/cart.py", line 6, in total\nTypeError: no\n';
  const context = await contextOf([result(output)], { "src/shop/cart.py": CART, "tests/test_cart.py": TEST });
  assert.deepEqual(shown(context), ["src/shop/cart.py:5-7 enclosing", "tests/test_cart.py:4-5 enclosing"]);
});

Deno.test("buildContext: what may not be written is left out", async () => {
  const tree = { "src/shop/cart.py": CART, "tests/test_cart.py": TEST };
  const output = "tests/test_cart.py:5: AssertionError\n";
  const denied = await contextOf([result(output)], tree, { writable: () => false });
  assert.deepEqual(shown(denied), ["tests/test_cart.py:4-5 enclosing"]);
});

Deno.test("buildContext: the whole file is redacted before a part of it is shown; lines keep their numbers", async () => {
  const seen: string[] = [];
  const redact: Redact = (text, name) => {
    seen.push(name);
    const clean = text.replace(/BEGIN[^]*?END/, (hidden) => "[REDACTED:x]" + hidden.replaceAll(/[^\n]/g, ""));
    return Promise.resolve({ text: clean, redactions: [] });
  };
  const lines = Array.from({ length: 60 }, (_, i) => `line ${i + 1}`);
  lines[4] = "BEGIN";
  lines[34] = "END";
  const context = await contextOf([result("a.c:40:1: error: x\n")], { "a.c": lines.join("\n") }, { redact });
  assert.deepEqual(shown(context), ["a.c:28-52 location"]);
  assert.deepEqual(seen, ["a.c"]);
  assert.equal(context.snippets[0]!.fileLines, 60);
  assert.equal(context.snippets[0]!.text, [...Array(8).fill(""), ...lines.slice(35, 52)].join("\n"));
});

Deno.test("buildContext: without a definition, twelve lines around, merged where they meet", async () => {
  const text = Array.from({ length: 100 }, (_, i) => `line ${i + 1}`).join("\n");
  const context = await contextOf([result("a.txt:20: error: x\na.txt:30: error: y\na.txt:90: error: z\n")], {
    "a.txt": text,
  });
  assert.deepEqual(shown(context), ["a.txt:8-42 location", "a.txt:78-100 location"]);
});

/** Output, the tree, and which files are shown as imported. */
const IMPORTS: Readonly<Record<string, readonly [string, Record<string, string>, readonly string[]]>> = {
  "python, relative": ["pkg/tests/test_a.py:1: error: x", {
    "pkg/tests/test_a.py": "from ..core import b\nfrom .. import c\n",
    "pkg/core/__init__.py": "from .b import b\n",
    "pkg/core/b.py": "b = 1\n",
    "pkg/c.py": "c = 1\n",
  }, ["pkg/core/__init__.py", "pkg/core/b.py", "pkg/c.py"]],
  "javascript": ["test/a.test.mjs:1:1: error: x", {
    "test/a.test.mjs":
      'import "../src/a.mjs";\nimport { b } from "../lib";\nconst c = require("./c");\nimport "left-pad";\n',
    "src/a.mjs": "export {}\n",
    "lib/index.js": "export const b = 1;\n",
    "test/c.js": "exports.c = 1;\n",
    "left-pad.md": "no\n",
  }, ["src/a.mjs", "lib/index.js"]],
  "typescript, .js means .ts, and through a file that passes names on": ["src/a_test.ts:1:1: error: x", {
    "src/a_test.ts": 'import { a } from "./mod.js";\n',
    "src/mod.ts": 'export * from "./deep/a.ts";\n',
    "src/deep/a.ts": "export const a = 1;\n",
  }, ["src/mod.ts", "src/deep/a.ts"]],
  "go": ["cart_test.go:1: x\n    cart_test.go:5: got 1, want 2", {
    "go.mod": "module example.com/shop\n",
    "cart/cart_test.go": 'package cart\n\nimport "example.com/shop/tax"\n\nfunc TestA(t *T) { tax.Of(1) }\n',
    "cart/cart.go": "package cart\n",
    "tax/tax.go": "package tax\n",
    "tax/tax_test.go": "package tax\n",
  }, ["tax/tax.go", "cart/cart.go"]],
  "rust": ["panicked at tests/cart.rs:1:1:", {
    "tests/cart.rs": "use shop::cart::{total};\nuse std::fmt;\n",
    "src/lib.rs": "pub mod cart;\n",
    "src/cart.rs": "use crate::tax::of;\n",
    "src/tax/mod.rs": "pub fn of() {}\n",
  }, ["src/cart.rs", "src/tax/mod.rs"]],
  "java": ["\tat com.acme.CartTest.main(CartTest.java:4)", {
    "src/test/java/com/acme/CartTest.java":
      "package com.acme;\nimport com.acme.tax.Tax;\nclass CartTest {\n  void f() {}\n}\n",
    "src/main/java/com/acme/Cart.java": "package com.acme;\nclass Cart {}\n",
    "src/main/java/com/acme/tax/Tax.java": "package com.acme.tax;\npublic class Tax {}\n",
  }, ["src/main/java/com/acme/tax/Tax.java", "src/main/java/com/acme/Cart.java"]],
  "c": ["test/test_list.c:2:1: error: x", {
    "test/test_list.c": '#include "list.h"\nint main(void) { return 0; }\n',
    "include/list.h": "int length(void);\n",
    "src/list.c": '#include "list.h"\nint length(void) { return 1; }\n',
  }, ["src/list.c", "include/list.h"]],
  "shell, by path in the text": ["tests/check.sh: line 2: x: not found", {
    "tests/check.sh": ". ./lib/greet.sh\nout=$(sh bin/run.sh)\n",
    "lib/greet.sh": "greet() { echo hi; }\n",
    "bin/run.sh": "greet\n",
  }, ["lib/greet.sh", "bin/run.sh"]],
  "ruby": ["test/cart_test.rb:1:in `f': x (RuntimeError)", {
    "test/cart_test.rb": 'require_relative "../lib/cart"\nrequire "shop/tax"\n',
    "lib/cart.rb": "X = 1\n",
    "lib/shop/tax.rb": "Y = 1\n",
  }, ["lib/cart.rb", "lib/shop/tax.rb"]],
};

for (const [name, [output, tree, expected]] of Object.entries(IMPORTS)) {
  Deno.test(`buildContext: imported files: ${name}`, async () => {
    const context = await contextOf([result(output + "\n")], tree);
    const imported = context.snippets.filter(({ why }) => why === "imported").map(({ path }) => path);
    assert.deepEqual(imported.sort(), [...expected].sort());
  });
}

Deno.test("buildContext: without anything better, writable files named like the failing test", async () => {
  const context = await contextOf([
    result("boom\n", ["python3", "-m", "pytest", "tests/test_invoice.py::test_x"]),
  ], {
    "tests/test_invoice.py": "def test_x():\n    assert run() == 1\n",
    "src/other.py": "x = 1\n",
    "src/invoice.py": "def invoice(): return 1\n",
    "secret/invoice_key.py": "k = 1\n",
    "package-lock.json": "{}\n",
  }, { writable: (path) => !path.startsWith("secret/") });
  assert.equal(shown(context)[0], "src/invoice.py:1-1 allowlisted");
  assert.ok(shown(context).some((line) => line.startsWith("tests/test_invoice.py:1-2 command")));
  assert.ok(!context.snippets.some(({ path }) => path.startsWith("secret/")));
});

Deno.test("buildContext: an empty workspace and an empty output give nothing", async () => {
  assert.deepEqual((await contextOf([result("")], {})).snippets, []);
  assert.deepEqual((await contextOf([], { "a.py": "x\n" }, { writable: () => false })).snippets, []);
});

Deno.test("buildContext: links, binary, huge, minified and foreign files are not shown", async () => {
  const context = await contextOf(
    [result(
      "bin.py:1: error: x\nhuge.py:1: error: x\nlink.py:1: error: x\nmin.js:1:1: error: x\ngone.py:1: error: x\n",
    )],
    {
      "bin.py": Uint8Array.of(0x61, 0, 0x62),
      "huge.py": "x = 1\n".repeat(100_000),
      "link.py": "/etc/passwd",
      "min.js": `x="${"y".repeat(5000)}"\n`,
    },
    { modes: { "link.py": "120000" } },
  );
  assert.deepEqual(context.snippets, []);
  assert.deepEqual(context.reads.sort(), ["bin.py", "min.js"]);
});

Deno.test("buildContext: a budget is kept and shared; the failing line stays", async () => {
  const body = (name: string) => `def ${name}():\n` + `    ${name} = "${"z".repeat(60)}"\n`.repeat(100);
  const tree = { "a.py": body("a"), "b.py": body("b"), "c.py": "def c():\n    return 1\n" };
  const output = "a.py:50: error: x\nb.py:60: error: x\nc.py:2: error: x\n";
  const context = await contextOf([result(output)], tree, { budget: 4096 });
  const size = context.snippets.reduce((sum, { text }) => sum + encoder.encode(text).length + 1, 0);
  assert.ok(size <= 4096 && size > 3500, `${size}`);
  assert.deepEqual(context.snippets.map(({ path }) => path), ["a.py", "b.py", "c.py"]);
  const [a, b, c] = context.snippets;
  assert.ok(a!.startLine <= 50 && a!.endLine >= 50);
  assert.ok(b!.startLine <= 60 && b!.endLine >= 60);
  assert.equal(c!.text, "def c():\n    return 1");
  assert.deepEqual((await contextOf([result(output)], tree, { budget: 0 })).snippets, []);
});

Deno.test("buildContext: for any output, snippets are true, disjoint and within the budget", async () => {
  const tree = { "src/shop/cart.py": CART, "tests/test_cart.py": TEST, "notes.txt": "a\n\n\nb" };
  const piece = fc.tuple(
    fc.constantFrom("src/shop/cart.py", "cart.py", "tests/test_cart.py", "notes.txt", "../x.py", "none.py"),
    fc.integer({ min: 0, max: 15 }),
  ).map(([path, line]) => `${path}:${line}: error: x\n`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 12 }),
      fc.integer({ min: 0, max: 3000 }),
      async (lines, budget) => {
        const { snippets } = await contextOf([result(lines.join(""))], tree, { budget });
        let size = 0;
        const seen = new Set<string>();
        for (const { path, startLine, endLine, text } of snippets) {
          const expected = tree[path as keyof typeof tree].split("\n").slice(startLine - 1, endLine).join(
            "\n",
          );
          assert.equal(text, expected);
          size += encoder.encode(text).length;
          for (let line = startLine; line <= endLine; line++) {
            assert.ok(!seen.has(`${path}:${line}`));
            seen.add(`${path}:${line}`);
          }
        }
        assert.ok(size <= budget);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("buildContext: a large workspace and many places stay quick", async () => {
  const tree: Record<string, string> = {};
  for (let i = 0; i < 20_000; i++) tree[`src/d${i % 100}/f${i}.py`] = "x = 1\n";
  const output = Array.from({ length: 300 }, (_, i) => `f${i}.py:1: error: x`).join("\n");
  const started = performance.now();
  const context = await contextOf([result(output)], tree);
  assert.ok(context.snippets.length > 0 && context.reads.length <= 60);
  assert.ok(performance.now() - started < 15_000);
});
