import assert from "node:assert/strict";
import {
  atLeast,
  checked,
  count,
  exactly,
  flag,
  listOf,
  matching,
  nullable,
  oneOf,
  text,
  where,
} from "../../src/vocabulary/shape.ts";

const shape = exactly({
  name: text(5),
  sizes: listOf(count, 1, 2),
  inner: nullable(atLeast({ on: flag })),
  word: oneOf("a", "b"),
  hex: matching(/^[0-9a-f]+$/, "no hex"),
});
const FITS = { name: "x", sizes: [1], inner: { on: true, more: 1 }, word: "b", hex: "0f" };

Deno.test("checked: hands back what the shape names and nothing else", () => {
  const result = checked(shape, FITS);
  assert.deepEqual(result, { ok: true, value: { ...FITS, inner: { on: true } } });
  assert.ok(checked(shape, { ...FITS, inner: null }).ok);
});

Deno.test("checked: says where and what is wrong", () => {
  const cases: [unknown, string][] = [
    [null, ": no object"],
    [[], ": no object"],
    [{ ...FITS, name: 1 }, "name: no text"],
    [{ ...FITS, name: "longer" }, "name: longer than 5 characters"],
    [{ ...FITS, name: "\ud800" }, "name: half a character"],
    [{ ...FITS, sizes: [] }, "sizes: empty"],
    [{ ...FITS, sizes: [1, 2, 3] }, "sizes: more than 2 items"],
    [{ ...FITS, sizes: [1, -1] }, "sizes.1: no count"],
    [{ ...FITS, sizes: [2 ** 53] }, "sizes.0: no count"],
    [{ ...FITS, sizes: "1" }, "sizes: no list"],
    [{ ...FITS, inner: {} }, "inner.on: missing"],
    [{ ...FITS, inner: { on: 1 } }, "inner.on: no boolean"],
    [{ ...FITS, word: "c" }, 'word: not "a" or "b"'],
    [{ ...FITS, hex: "xyz" }, "hex: no hex"],
    [{ ...FITS, more: 1 }, ": a member that does not belong there"],
    [Object.create(FITS), "name: missing"],
  ];
  for (const [value, expected] of cases) {
    const result = checked(shape, value);
    assert.ok(!result.ok, expected);
    assert.equal(`${result.at}: ${result.what}`, expected);
  }
});

Deno.test("where: the condition sees only what has the shape", () => {
  const even = where(count, (n) => n % 2 === 0, "odd");
  assert.ok(checked(even, 2).ok);
  assert.ok(!checked(even, 3).ok);
  assert.deepEqual(checked(even, "x"), { ok: false, at: "", what: "no count" });
});
