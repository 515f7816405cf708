import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { entriesByPath, EntryTable, modeCode, PathColumn } from "../../src/vocabulary/entry_table.ts";
import { makeManifest, manifestDigest, type ManifestEntry } from "../../src/vocabulary/manifest.ts";

/** Every plane, and a byte order mark, which decoders like to swallow; no lone surrogates, which no path has. */
const name = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
  fc.constantFrom("\ufeffa", "a", "a.b", "a-b", "\u{1f600}", "\uffee", "é\ufffd"),
).filter((text) => !/[/\0]/.test(text));
const entry = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/")),
  mode: fc.constantFrom("100644", "100755", "120000", "040000"),
  size: fc.nat(2 ** 40),
  content: fc.string(),
}).map(({ path, mode, size, content }): ManifestEntry => ({
  ...{ path, mode, size, sha256: sha256(content) },
  ...(mode === "120000" ? { target: content } : {}),
}));

function tableOf(entries: readonly ManifestEntry[]): EntryTable {
  const paths = new PathColumn();
  for (const { path } of entries) paths.push(path);
  return new EntryTable({
    paths,
    modes: Uint8Array.from(entries, ({ mode }) => modeCode(mode)),
    sizes: Float64Array.from(entries, ({ size }) => size),
    digests: Buffer.from(entries.map((one) => one.sha256).join(""), "hex"),
    targets: new Map(entries.flatMap(({ target }, i) => target === undefined ? [] : [[i, target]])),
  });
}

Deno.test("EntryTable: hands out the entries it was made of, and its map is that of a list", () => {
  fc.assert(
    fc.property(fc.uniqueArray(entry, { selector: ({ path }) => path, maxLength: 300 }), (some) => {
      const { entries, digest } = makeManifest(some);
      const table = tableOf(entries);
      assert.equal(table.length, entries.length);
      assert.deepEqual([...table], entries);
      assert.equal(manifestDigest(table), digest);
      const map = entriesByPath(table), want = entriesByPath(entries);
      assert.equal(map.size, want.size);
      assert.deepEqual([...map], [...want]);
      assert.deepEqual([...map.keys()], [...want.keys()]);
      assert.deepEqual([...map.values()], [...want.values()]);
      const told: [string, ManifestEntry][] = [];
      map.forEach((value, key) => told.push([key, value]));
      assert.deepEqual(told, [...want]);
      for (const path of [...want.keys(), "", "a", "\u{10ffff}", ...want.keys().map((key) => `${key}x`)]) {
        assert.deepEqual(map.get(path), want.get(path), path);
        assert.equal(map.has(path), want.has(path), path);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("PathColumn: grows past what it began with, long paths too", () => {
  const paths = Array.from({ length: 3_000 }, (_, i) => `${"é".repeat(i % 1_700)}${i}`);
  const column = new PathColumn();
  for (const path of paths) column.push(path);
  assert.equal(column.length, paths.length);
  assert.deepEqual(paths.map((_, i) => column.at(i)), paths);
});
