import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { sha256, SHA256_BYTES } from "../../src/vocabulary/digest.ts";
import { type Hashing, startHashing } from "../../src/workspace/hashing.ts";

/** Ten chunks; each ends a file, holds three and begins one, so digests run across chunks. */
async function digestsBy(hashing: Hashing): Promise<string[]> {
  const want: string[] = [];
  let begun = new Uint8Array(0);
  const ends = (piece: Uint8Array) => want.push(sha256(piece)) - 1;
  for (let i = 0; i < 10; i++) {
    const chunk = new Uint8Array(1_000).map((_, at) => (at * 31 + i) % 256);
    hashing.piece(0, 100, ends(new Uint8Array([...begun, ...chunk.subarray(0, 100)])));
    for (const at of [100, 250, 400]) hashing.piece(at, 150, ends(chunk.subarray(at, at + 150)));
    hashing.piece(600, 400, null);
    begun = chunk.slice(600);
    await hashing.turn(chunk);
    chunk.fill(0);
  }
  await hashing.finish();
  hashing.close();
  return want;
}

Deno.test("startHashing: a small workspace is hashed in place, a large one on a thread, both right", async () => {
  const digests = [new Uint8Array(40 * SHA256_BYTES), new Uint8Array(40 * SHA256_BYTES)] as const;
  const here = await startHashing(1_000, 1_000, digests[0]);
  const there = await startHashing(1 << 30, 1_000, digests[1]);
  assert.notEqual(here.constructor, there.constructor);
  for (const [i, hashing] of [here, there].entries()) {
    const want = await digestsBy(hashing);
    assert.equal(want.length, 40);
    assert.equal(Buffer.from(digests[i]!).toString("hex"), want.join(""));
  }
});
