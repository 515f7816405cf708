import assert from "node:assert/strict";
import { treeSitterQueries } from "../../src/syntax/tree_sitter_queries.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const queries = treeSitterQueries();

Deno.test("treeSitterQueries.query: captures have byte offsets, past a byte order mark and characters of any length", async () => {
  const source = bytes("\ufeffé = '😀'; xx = 1\n\ndef f(): pass\n");
  const result = await queries.query(
    "a.py",
    source,
    "(assignment left: (identifier) @n) (function_definition name: (_) @f)",
  );
  assert.ok(result.ok);
  assert.equal(result.language, "python");
  const found = result.matches.flat().map(({ name, start, end, line }) => [
    name,
    new TextDecoder().decode(source.subarray(start, end)),
    line,
  ]);
  assert.deepEqual(found, [["n", "é", 1], ["n", "xx", 1], ["f", "f", 3]]);
});

Deno.test("treeSitterQueries.query: predicates choose among matches", async () => {
  const result = await queries.query(
    "a.py",
    bytes("a()\nb()\n"),
    '((call function: (identifier) @f) (#eq? @f "b"))',
  );
  assert.ok(result.ok);
  assert.deepEqual(result.matches.map(([capture]) => capture!.line), [2]);
});

Deno.test("treeSitterQueries.query: a wrong query is said to be, whatever is wrong", async () => {
  for (
    const query of [
      "(nonsense) @x",
      "((identifier) @x",
      '((identifier) @x (#match? @x "("))',
      "x".repeat(20_001),
    ]
  ) {
    const result = await queries.query("a.py", bytes("a\n"), query);
    assert.equal(result.ok ? "ok" : result.reason, "bad_query", query.slice(0, 40));
  }
});

Deno.test("treeSitterQueries.query: bounded in matches and time, and only for UTF-8 of a known language", async () => {
  const reason = async (path: string, content: Uint8Array, query: string) => {
    const result = await queries.query(path, content, query);
    return result.ok ? "ok" : result.reason;
  };
  assert.equal(await reason("a.txt", bytes("a"), "(identifier) @x"), "unknown_language");
  assert.equal(await reason("a.py", new Uint8Array([0xff]), "(identifier) @x"), "not_utf8");
  assert.equal(await reason("a.py", bytes("a\n".repeat(1 << 20)), "(identifier) @x"), "too_large");
  const many = await reason("a.py", bytes("a\n".repeat(30_000)), "(identifier) @x");
  assert.ok(["too_many_matches", "timed_out"].includes(many), many);
  const cubed = await reason("a.py", bytes(`[${"1,".repeat(20_000)}]`), "(list (_) @a (_) @b (_) @c)");
  assert.ok(["too_many_matches", "timed_out"].includes(cubed), cubed);
});
