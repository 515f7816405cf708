import assert from "node:assert/strict";
import fc from "fast-check";
import { OutputCapture } from "../../src/sandbox/output_capture.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";

Deno.test("OutputCapture: whatever the chunks, head, tail, count and digest are those of the whole", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 }),
      fc.integer({ min: 0, max: 200 }),
      (chunks, limit) => {
        const whole = new Uint8Array(chunks.flatMap((c) => [...c]));
        const capture = new OutputCapture(limit);
        for (const chunk of chunks) {
          const reused = chunk.slice();
          capture.write(reused);
          reused.fill(0xee);
        }
        const kept = capture.finish();
        assert.equal(kept.totalBytes, whole.length);
        assert.equal(kept.sha256, sha256(whole));
        if (whole.length <= limit) {
          assert.deepEqual([...kept.head], [...whole]);
          assert.equal(kept.tail.length, 0);
        } else {
          const head = Math.ceil(limit / 2), tail = limit - head;
          assert.deepEqual([...kept.head], [...whole.subarray(0, head)]);
          assert.deepEqual([...kept.tail], [...whole.subarray(whole.length - tail)]);
        }
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("OutputCapture: finish is repeatable and nothing can be written afterwards", () => {
  const capture = new OutputCapture(4);
  capture.write(new Uint8Array([1, 2]));
  assert.equal(capture.finish(), capture.finish());
  assert.throws(() => capture.write(new Uint8Array([3])));
});

Deno.test("OutputCapture: memory stays at the limit while much is written", () => {
  const capture = new OutputCapture(64 * 1024);
  const chunk = new Uint8Array(256 * 1024).fill(7);
  for (let i = 0; i < 400; i++) capture.write(chunk);
  const kept = capture.finish();
  assert.equal(kept.totalBytes, 400 * chunk.length);
  assert.equal(kept.head.buffer.byteLength + kept.tail.buffer.byteLength, 64 * 1024);
});
