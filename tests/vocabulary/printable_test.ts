import assert from "node:assert/strict";
import fc from "fast-check";
import {
  printable,
  printableLine,
  printablePath,
  quoted,
  refusalText,
} from "../../src/vocabulary/printable.ts";

/** What a terminal obeys or hides, by another way than the code under test takes. */
function harmless(text: string): boolean {
  return [...text].every((c) => {
    const code = c.codePointAt(0)!;
    return code >= 0x20 && !(code >= 0x7f && code < 0xa0) && !(code >= 0x2028 && code <= 0x202e) &&
      !(code >= 0x2060 && code <= 0x206f) && !(code >= 0x200b && code <= 0x200f) &&
      !(code >= 0xe0000 && code <= 0xe007f) && !(code >= 0xd800 && code <= 0xdfff);
  });
}

const anyText = fc.string({
  unit: fc.oneof(fc.nat(0x10ffff), fc.nat(0xa0), fc.integer({ min: 0x2000, max: 0x206f }))
    .map((code) => String.fromCodePoint(code)),
});

Deno.test("printable: what is obeyed, hidden or reorders becomes an escape; all else stays", () => {
  const escaped = [
    ...[0x00, 0x07, 0x0d, 0x1b, 0x7f, 0x80, 0x9b, 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x180e, 0x200b, 0x200d],
    ...[
      0x200e,
      0x200f,
      0x2028,
      0x2029,
      0x202a,
      0x202e,
      0x2060,
      0x2065,
      0x2066,
      0x2069,
      0x206f,
      0x2800,
      0x3164,
    ],
    ...[0xfeff, 0xffa0, 0xfff9, 0xfffb, 0xd800, 0xdfff, 0xe0000, 0xe0001, 0xe0020, 0xe0041, 0xe007f],
  ];
  for (const code of escaped) {
    assert.equal(printable(`a${String.fromCodePoint(code)}b`), `a\\u{${code.toString(16)}}b`);
  }
  const kept = "a\tb\n ~ é ß 漢字 עברית العربية 한글 e\u0301 \u{1f600}\u2764\ufe0f …“”\u00a0\u{10ffff}\ufffd";
  assert.equal(printable(kept), kept);
});

Deno.test("printable: plain text, which is not looked at closely, is what it would be beside a letter that makes it", () => {
  const plain = fc.string({ unit: fc.nat(0x9f).map((code) => String.fromCharCode(code)) });
  fc.assert(fc.property(fc.oneof(plain, fc.string(), anyText), (text) => {
    assert.equal(`${printable(text)}é`, printable(`${text}é`));
  }));
  for (let code = 0; code < 0xa0; code++) {
    const text = String.fromCharCode(code);
    assert.equal(`${printable(text)}é`, printable(`${text}é`), code.toString(16));
  }
});

Deno.test("printableLine: one line, whatever it is given", () => {
  assert.equal(printableLine("a\n\tb\r\n\u2028c"), "a\\n\\tb\\u{d}\\n\\u{2028}c");
  fc.assert(fc.property(anyText, (text) => assert.ok(harmless(printableLine(text)))));
});

Deno.test("printable: a megabyte of escapes takes no time to speak of", () => {
  const start = performance.now();
  assert.equal(printable("\u001b".repeat(1 << 20)).length, 6 << 20);
  printable("\n\t".repeat(1 << 20));
  assert.ok(performance.now() - start < 2_000);
});

Deno.test("printablePath: backslashes are told from escapes, a long path loses its middle", () => {
  assert.equal(printablePath("a b/ü.ts"), "a b/ü.ts");
  assert.equal(printablePath("a\\u{1b}\u001b\n"), "a\\\\u{1b}\\u{1b}\\n");
  const name = "x".repeat(400);
  assert.equal(printablePath(`${name}/${name}`), `${name}/${name}`);
  const long = printablePath(`first/${name.repeat(10)}/last`);
  assert.match(long, /^first\/x+…x+\/last$/);
  assert.equal(long.length, 1_001);
  assert.match(printablePath(`${"x".repeat(499)}\u{1f600}${"y".repeat(600)}`), /^x{499}\ufffd…y{500}$/);
  fc.assert(fc.property(anyText, (text) => {
    const shown = printablePath(text.repeat(50));
    assert.ok(harmless(shown) && shown.length <= 10_100);
  }));
});

Deno.test("quoted: in quotes, cut at characters, with nothing hidden", () => {
  assert.equal(quoted('say "hi"\\\n', 20), '"say \\"hi\\"\\\\\\n"');
  assert.equal(quoted("abc", 3), '"abc"');
  assert.equal(quoted("abcd", 3), '"ab…"');
  assert.equal(quoted("\u{1f600}".repeat(3), 3), `"${"\u{1f600}".repeat(3)}"`);
  assert.equal(quoted("\u{1f600}".repeat(4), 3), `"${"\u{1f600}".repeat(2)}…"`);
  assert.equal(quoted("x".repeat(1_000_000), 10), `"${"x".repeat(9)}…"`);
  assert.equal(quoted("\u202eevil\u001b[0m", 20), '"\\u{202e}evil\\u001b[0m"');
  fc.assert(fc.property(anyText, fc.integer({ min: 1, max: 30 }), (text, max) => {
    const shown = quoted(text, max);
    assert.ok(harmless(shown) && shown.length <= 10 * max + 2);
    if ([...text].length <= max && harmless(text)) assert.equal(JSON.parse(shown), text);
  }));
});

Deno.test("refusalText: names the path once, and never leaves it out", () => {
  const cases = [
    ["src/a.py", "src/a.py exists already", "src/a.py exists already"],
    [
      "src/a.py",
      "it is in several places of src/a.py: lines 1 and 2",
      "it is in several places of src/a.py: lines 1 and 2",
    ],
    ["src/a.py", "it fits no place of src/a.py", "it fits no place of src/a.py"],
    ["src/a.py", "src/a.pyc exists already", "src/a.py: src/a.pyc exists already"],
    ["a", "there is a template", "a: there is a template"],
    ["src/\x1b.py", "no place", "src/\\u{1b}.py: no place"],
  ] as const;
  for (const [path, detail, shown] of cases) assert.equal(refusalText({ path, detail }), shown);
  assert.equal(refusalText({ detail: "no place" }), "no place");
  fc.assert(fc.property(anyText, anyText, (path, detail) => {
    const shown = refusalText({ path, detail });
    assert.ok(shown.includes(printablePath(path)) && shown.endsWith(printableLine(detail)));
  }));
});
