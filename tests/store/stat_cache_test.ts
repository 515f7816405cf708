import assert from "node:assert/strict";
import fc from "fast-check";
import { loadStatCache, ROOT, saveStatCache, type StatCache } from "../../src/store/folder/stat_cache.ts";
import { manifestEntry, opened, type Scan, type ScannedEntry } from "../../src/store/folder/scan.ts";
import { STAT_WORDS } from "../../src/store/folder/stat_words.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { encodedEntry } from "../../src/vocabulary/manifest.ts";
import { comparePaths } from "../../src/vocabulary/path.ts";

/** Names of which one is often the beginning of another, with what sorts before and after a slash. */
const name = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom("a", "b", "-", "0", "é") });
const paths = fc.uniqueArray(fc.array(name, { minLength: 1, maxLength: 4 }), { maxLength: 30 }).map((all) =>
  [...new Set(all.flatMap((parts) => parts.map((_, i) => parts.slice(0, i + 1).join("/"))))].sort(
    comparePaths,
  )
);

/** What is there at these paths: those with something below are directories, others files and links by turns. */
function scanOf(paths: readonly string[]): Scan {
  const words = new Uint32Array(paths.length * STAT_WORDS).map((_, i) => i % STAT_WORDS === 0 ? 1 : i % 100);
  const pieces = paths.map((path, i): ScannedEntry => {
    if (paths.some((other) => other.startsWith(`${path}/`))) {
      return { kind: "directory", path, at: i * STAT_WORDS };
    }
    if (i % 3 === 2) return { kind: "link", path, at: -1, target: `to ${path}` };
    const size = words[i * STAT_WORDS + 3]! + words[i * STAT_WORDS + 4]! * 2 ** 32;
    return { kind: "file", path, at: i * STAT_WORDS, executable: i % 2 === 0, size, known: sha256(path) };
  });
  return { pieces, words, rules: sha256("rules"), cache: null, listed: 0 };
}

function kept(scan: Scan): StatCache {
  const folder = Deno.makeTempDirSync({ prefix: "veripatch-test-" });
  try {
    Deno.mkdirSync(`${folder}/cache`);
    const digests = scan.pieces.map((piece) => piece.kind === "file" ? piece.known : null);
    const trees = new Map(
      scan.pieces.flatMap(({ kind, path }) =>
        kind === "directory" ? [[path, sha256(`tree of ${path}`)]] : []
      ),
    );
    saveStatCache(folder, "/workspace", scan, digests, trees, Number.MAX_SAFE_INTEGER);
    const cache = loadStatCache(folder, "/workspace");
    assert.ok(cache !== null);
    return cache;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** All that a cache says of its rows. */
function told(cache: StatCache, scan: Scan): unknown {
  return scan.pieces.map((_, i) => ({
    path: cache.path(i),
    bytes: new TextDecoder().decode(cache.pathBytes(i)),
    kind: cache.isFile(i) ? cache.isExecutable(i) ? "x" : "f" : cache.isDirectory(i) ? "d" : "l",
    digest: cache.isFile(i) ? cache.digest(i) : cache.extra(i),
    line: new TextDecoder().decode(cache.lines(i, i + 1)),
    stat: [...cache.remembered.words.subarray(cache.at(i), cache.at(i) + STAT_WORDS)],
  }));
}

Deno.test("StatCache: says of every row what was seen", () => {
  fc.assert(fc.property(paths, (all) => {
    const scan = scanOf(all), cache = kept(scan);
    assert.equal(cache.rules, scan.rules);
    const want = (scan.pieces as readonly ScannedEntry[]).map((piece) => ({
      path: piece.path,
      bytes: `${piece.path}\0`,
      kind: piece.kind === "file" ? piece.executable ? "x" : "f" : piece.kind[0],
      digest: piece.kind === "file"
        ? piece.known
        : piece.kind === "link"
        ? piece.target
        : sha256(`tree of ${piece.path}`),
      line: encodedEntry(manifestEntry(piece, piece.kind === "file" ? piece.known! : "")),
      // A link is part of what its directory lists; it has no words of its own.
      stat: piece.at < 0
        ? new Array(STAT_WORDS).fill(0)
        : [...scan.words.subarray(piece.at, piece.at + STAT_WORDS)],
    }));
    assert.deepEqual(told(cache, scan), want);
  }));
});

Deno.test("StatCache.children, below, counted: those whose path without its last name is the directory, and those that begin with it", () => {
  fc.assert(fc.property(paths, (all) => {
    const scan = scanOf(all), cache = kept(scan);
    for (const row of [ROOT, ...all.keys()]) {
      const directory = row === ROOT ? "" : all[row]!;
      const expected = [...all.keys()].filter((i) => all[i]!.replace(/(^|\/)[^/]*$/, "") === directory);
      assert.deepEqual([...cache.children(row)], expected, directory);
      const { from, to } = cache.below(row);
      const below = all.filter((path) => directory === "" || path.startsWith(`${directory}/`));
      assert.deepEqual(all.slice(from, to), below, directory);
      const files = scan.pieces.slice(from, to).flatMap((piece) => piece.kind === "file" ? [piece] : []);
      assert.deepEqual(cache.counted(from, to), {
        files: files.length,
        links: scan.pieces.slice(from, to).filter(({ kind }) => kind === "link").length,
        bytes: files.reduce((sum, { size }) => sum + size, 0),
      });
    }
  }));
});

Deno.test("saveStatCache, opened: settled contents are kept, and are the entries they were", () => {
  fc.assert(fc.property(paths, fc.nat(), (all, chosen) => {
    const scan = scanOf(all), cache = kept(scan);
    const settled = scan.pieces.filter(({ kind }, i) => kind === "directory" && (chosen + i) % 2 === 0);
    const words = cache.remembered.words;
    let inside = "";
    const pieces = all.flatMap((path, row): Scan["pieces"] => {
      if (inside !== "" && path.startsWith(inside)) return [];
      const above = settled.find((one) => path.startsWith(`${one.path}/`));
      if (above !== undefined) {
        inside = `${above.path}/`;
        const { from, to } = cache.below(all.indexOf(above.path));
        return [{ kind: "settled", path: above.path, from, to, tree: sha256(`tree of ${above.path}`) }];
      }
      const piece = scan.pieces[row] as ScannedEntry;
      return [piece.kind === "link" ? piece : { ...piece, at: cache.at(row) }];
    });
    const some: Scan = { ...scan, words, cache, pieces };
    assert.deepEqual(told(kept(some), scan), told(cache, scan));
    const entries = opened(some).pieces.map((piece) => {
      const { at: _, ...rest } = piece as ScannedEntry;
      return rest;
    });
    assert.deepEqual(
      entries,
      scan.pieces.map((piece) => {
        const { at: _, ...rest } = piece as ScannedEntry;
        return rest;
      }),
    );
  }));
});
