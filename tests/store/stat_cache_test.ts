import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { StatCache } from "../../src/store/folder/stat_cache.ts";
import { STAT_WORDS } from "../../src/store/folder/stat_words.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { comparePaths } from "../../src/vocabulary/path.ts";

const ROW = STAT_WORDS + 8;

/** Names of which one is often the beginning of another, with what sorts before and after a slash. */
const name = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom("a", "b", "-", "0", "é") });
const paths = fc.uniqueArray(fc.array(name, { minLength: 1, maxLength: 4 }), { maxLength: 30 }).map((all) =>
  [...new Set(all.flatMap((parts) => parts.map((_, i) => parts.slice(0, i + 1).join("/"))))].sort(
    comparePaths,
  )
);

/** A cache of these paths, all files; the digest of each is that of its path. */
function cacheOf(paths: readonly string[]): StatCache {
  const bytes = Buffer.alloc(paths.length * ROW * 4);
  for (const [i, path] of paths.entries()) bytes.write(sha256(path), (i * ROW + STAT_WORDS) * 4, "hex");
  const words = new Uint32Array(paths.length * ROW);
  new Uint8Array(words.buffer).set(bytes);
  const kinds = new Uint8Array(paths.length).fill("f".charCodeAt(0));
  return new StatCache(sha256(""), paths, kinds, new Map(), words, bytes.toString("hex"));
}

Deno.test("StatCache.children: those whose path without its last name is the directory, in order", () => {
  fc.assert(fc.property(paths, (all) => {
    const cache = cacheOf(all);
    for (const directory of ["", ...all, "none"]) {
      const expected = [...all.keys()].filter((i) => all[i]!.replace(/(^|\/)[^/]*$/, "") === directory);
      assert.deepEqual(cache.children(directory), expected, directory);
    }
  }));
});

Deno.test("StatCache.find, digest: wherever a path is guessed to be, it is found, and has its own digest", () => {
  fc.assert(fc.property(paths, fc.integer({ min: -1, max: 40 }), (all, guess) => {
    const cache = cacheOf(all);
    assert.equal(cache.find("none", guess), -1);
    for (const [i, path] of all.entries()) {
      assert.equal(cache.find(path, guess), i);
      assert.equal(cache.digest(i), sha256(path));
    }
  }));
});
