import assert from "node:assert/strict";
import { excerpt, redactedOutput } from "../../src/prove/redact_output.ts";
import { captureBytes } from "../../src/sandbox/output_capture.ts";
import { withoutCutLines } from "../../src/vocabulary/captured_output.ts";
import { type Redact, redactStrings } from "../../src/vocabulary/redaction.ts";

const captured = (text: string, limit: number) => captureBytes(new TextEncoder().encode(text), limit);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const cut = (text: string, limit: number) => {
  const { head, tail } = withoutCutLines(captured(text, limit));
  return [decode(head), decode(tail)];
};
const hide: Redact = (text) => {
  const count = text.split("hunter22").length - 1;
  return Promise.resolve({
    text: text.replaceAll("hunter22", "[REDACTED:x]"),
    redactions: count === 0 ? [] : [{ rule: "x", count }],
  });
};

Deno.test("withoutCutLines: half lines beside the gap go, whole output and harmless rests stay", () => {
  const lines = "first line here\nsecond line here\n";
  assert.deepEqual(cut(lines, 100), [lines, ""]);
  assert.deepEqual(cut("one line here\ntwo lines here\nxxx\nthree lines here\nfour here\n", 50), [
    "one line here\n",
    "four here\n",
  ]);
  assert.deepEqual(cut(`a\n12345678${"x".repeat(20)}12345678\nb\n`, 20), [
    "a\n12345678",
    "2345678\nb\n",
  ]);
});

Deno.test("withoutCutLines: of a line without an end in sight the word at the gap goes, of a word 4 KiB", () => {
  const words = "some words ".repeat(2000);
  const [head, tail] = cut(words, 12_000);
  assert.ok(head!.endsWith(" ") && head!.length > 5970, `${head!.length}`);
  assert.ok(tail!.startsWith(" ") && tail!.length > 5970, `${tail!.length}`);
  assert.deepEqual(cut("x".repeat(20_000), 12_000).map((s) => s.length), [6000 - 4096, 6000 - 4096]);
});

Deno.test("excerpt: cuts redacted text and counts what is missing, the capture's gap included", async () => {
  const text = `hunter22 ${"x".repeat(5000)}`;
  const output = await redactedOutput(captured(text, 10_000), hide, "a");
  assert.deepEqual(output, { text: `[REDACTED:x] ${"x".repeat(5000)}`, missing: 0 });
  assert.equal(excerpt(output, 10_000), output.text);
  assert.equal(
    excerpt({ ...output, missing: 7 }, 20),
    `[REDACTED:\n[… ${5013 - 20 + 7} bytes left out …]\n${"x".repeat(10)}`,
  );
  const two = captureBytes(new TextEncoder().encode("äöü"), 6);
  const split = { ...two, head: two.head.subarray(0, 3), tail: two.head.subarray(3) };
  assert.equal((await redactedOutput(split, hide, "a")).text, "äöü");
});

Deno.test("redactStrings: every string but the kept ones, and how often; the value itself without a find", async () => {
  const value = { a: ["hunter22", { b: "x hunter22 y hunter22" }], c: 1, d: null, bytes: Uint8Array.of(1) };
  const clean = await redactStrings(value, hide, "a");
  assert.deepEqual(clean.value, { ...value, a: ["[REDACTED:x]", { b: "x [REDACTED:x] y [REDACTED:x]" }] });
  assert.equal(clean.redactions.reduce((sum, { count }) => sum + count, 0), 3);
  const kept = await redactStrings(value, hide, "a", (s) => s.includes("hunter22"));
  assert.equal(kept.value, value);
  assert.deepEqual(kept.redactions, []);
});
