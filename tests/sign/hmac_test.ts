import assert from "node:assert/strict";
import { hmacTag, hmacVerify } from "../../src/sign/hmac.ts";

const text = (s: string) => new TextEncoder().encode(s);
const of = (byte: number, length: number) => new Uint8Array(length).fill(byte);

/** RFC 4231, HMAC-SHA-256. Test case 5 gives only the first 128 bits of the tag. */
const CASES: readonly [number, Uint8Array, Uint8Array, string][] = [
  [1, of(0x0b, 20), text("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  [
    2,
    text("Jefe"),
    text("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [3, of(0xaa, 20), of(0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  [
    4,
    Uint8Array.from({ length: 25 }, (_, i) => i + 1),
    of(0xcd, 50),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  ],
  [5, of(0x0c, 20), text("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"],
  [
    6,
    of(0xaa, 131),
    text("Test Using Larger Than Block-Size Key - Hash Key First"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
  [
    7,
    of(0xaa, 131),
    text(
      "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
    ),
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  ],
];

for (const [number, key, data, tag] of CASES) {
  Deno.test(`hmac: RFC 4231 test case ${number}`, () => {
    assert.equal(hmacTag(data, key).toHex().slice(0, tag.length), tag);
    assert.equal(hmacVerify(hmacTag(data, key), data, key), true);
  });
}

Deno.test("hmacVerify: takes no shortened, lengthened or changed tag", () => {
  const [, key, data] = CASES[0]!;
  const tag = hmacTag(data, key);
  for (let length = 0; length < 32; length++) {
    assert.equal(hmacVerify(tag.slice(0, length), data, key), false);
  }
  assert.equal(hmacVerify(Uint8Array.from([...tag, 0]), data, key), false);
  for (let bit = 0; bit < 256; bit++) {
    const changed = Uint8Array.from(tag);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(hmacVerify(changed, data, key), false);
  }
});
