import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonDocument, jsonLine } from "../../src/bundle/json.ts";
import { parseStrictJson } from "../../src/vocabulary/strict_json.ts";

const parse = (text: string, depth = 8) => parseStrictJson(new TextEncoder().encode(text), depth);

Deno.test("parseStrictJson: agrees with JSON.parse on text without repeated keys", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(parse(text, 64), { ok: true, value: JSON.parse(text) });
    }),
    { numRuns: 500 },
  );
});

Deno.test("parseStrictJson: takes nothing that JSON.parse does not", () => {
  const tokens = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "a",
    "1",
    "-",
    ".",
    "e",
    "null",
    " ",
    '"k"',
    '\\"',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 16 }), (parts) => {
      const text = parts.join("");
      const strict = parse(text);
      if (strict.ok) assert.deepEqual(strict.value, JSON.parse(text));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("parseStrictJson: a key that comes twice is refused, at any depth and however it is escaped", () => {
  for (const text of ['{"a":1,"a":1}', '[{"b":{"a":1,"\\u0061":2}}]', '{"":1,"":2}', '{"\\"":1,"\\"":2}']) {
    const read = parse(text);
    assert.ok(!read.ok && read.detail.includes("twice"), text);
  }
  assert.ok(parse('{"a":{"a":"a"},"b":["a","a"],"c":{"a":1}}').ok);
});

Deno.test("parseStrictJson: nesting is bounded, as deep as asked and no deeper", () => {
  assert.ok(parse("[[[]]]", 3).ok);
  assert.ok(!parse("[[[[]]]]", 3).ok);
  assert.ok(!parse("[".repeat(1_000_000), 3).ok);
  assert.ok(parse('["[[[[", "\\"[[[["]', 1).ok);
});

Deno.test("parseStrictJson: bytes that are not UTF-8 and byte order marks are refused", () => {
  assert.ok(!parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22), 8).ok);
  assert.ok(!parseStrictJson(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 8).ok);
  assert.ok(!parse("\ufeff1").ok);
});

Deno.test("parseStrictJson: a message shows no control characters of the input", () => {
  const read = parse('{"\u001b[31m\u202e":1,"\u001b[31m\u202e":1}');
  // deno-lint-ignore no-control-regex -- the escape character is what must not be there
  assert.ok(!read.ok && !/[\u001b\u202e]/.test(read.detail), JSON.stringify(read));
});

Deno.test("parseStrictJson: a megabyte of anything takes no long time", () => {
  const started = performance.now();
  for (const text of ['"\\', '{"a":', ",", '"', '{"a":1},', "\\"]) {
    parse(text.repeat(1_000_000 / text.length), 16);
  }
  assert.ok(performance.now() - started < 3_000);
});

Deno.test("jsonDocument: what is written reads back, sorted and well-formed", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const read = parseStrictJson(jsonDocument(value), 64);
      assert.deepEqual(read, { ok: true, value: JSON.parse(JSON.stringify(value)) });
    }),
    { numRuns: 300 },
  );
  assert.equal(
    new TextDecoder().decode(jsonDocument({ b: undefined, a: ["\ud800"] })),
    '{\n  "a": [\n    "\ufffd"\n  ]\n}\n',
  );
  assert.equal(jsonLine({ z: 1, a: { c: 1, b: 2 } }), '{"a":{"b":2,"c":1},"z":1}');
  assert.throws(() => jsonDocument({ n: NaN }), RangeError);
});
