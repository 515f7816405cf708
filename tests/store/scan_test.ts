import assert from "node:assert/strict";
import fc from "fast-check";
import { buildTrees } from "../../src/store/artifact/tree.ts";
import {
  manifestEntry,
  opened,
  type Scan,
  type ScannedEntry,
  scanWorkspace,
} from "../../src/store/folder/scan.ts";
import { loadStatCache, saveStatCache, type StatCache } from "../../src/store/folder/stat_cache.ts";
import { type Sha256, sha256 } from "../../src/vocabulary/digest.ts";
import { manifestDigest } from "../../src/vocabulary/manifest.ts";

/** Names of which one is often the beginning of another, with what sorts before and after a slash. */
const name = fc.constantFrom("a", "a!", "a-b", "a.b", "a0", "b", "é");
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const step = fc.record({
  what: fc.constantFrom("write", "write", "write", "link", "make", "remove", "move", "mode"),
  path,
  other: path,
  text: fc.string({ maxLength: 5 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Does what can be done; what is in the way of a step makes it nothing. */
function change(root: string, { what, path, other, text }: Step): void {
  const at = `${root}/${path}`;
  try {
    if (what === "remove") return Deno.removeSync(at, { recursive: true });
    if (what === "move") return Deno.renameSync(at, `${root}/${other}`);
    if (what === "mode") return Deno.chmodSync(at, Deno.lstatSync(at).isDirectory ? 0o700 : 0o755);
    Deno.mkdirSync(at.slice(0, at.lastIndexOf("/")), { recursive: true });
    if (what === "link") Deno.symlinkSync(text === "" ? "nowhere" : text.replaceAll("\0", "0"), at);
    else if (what === "make") Deno.mkdirSync(at);
    else Deno.writeTextFileSync(at, text);
  } catch {
    // Another name, the other kind, or nothing at all is there.
  }
}

function entriesOf(root: string, scan: Scan) {
  return (opened(scan).pieces as readonly ScannedEntry[]).map((entry) => {
    if (entry.kind !== "file") return manifestEntry(entry, "");
    const digest = sha256(Deno.readFileSync(`${root}/${entry.path}`));
    if (entry.known !== null) assert.equal(entry.known, digest, entry.path);
    return manifestEntry(entry, digest);
  });
}

/** Digests and trees as a snapshot has them. The time that things must have rested is taken to have passed. */
function remembered(root: string, folder: string, scan: Scan): StatCache {
  const digests = scan.pieces.map((piece): Sha256 | null =>
    piece.kind === "file" ? piece.known ?? sha256(Deno.readFileSync(`${root}/${piece.path}`)) : null
  );
  saveStatCache(
    folder,
    root,
    scan,
    digests,
    buildTrees(entriesOf(root, scan)).digests,
    Number.MAX_SAFE_INTEGER,
  );
  return loadStatCache(folder, root)!;
}

Deno.test("scanWorkspace: with what was seen before, and without, it finds the same, and what is settled is known rightly", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "veripatch-test-" }));
  Deno.mkdirSync(`${folder}/cache`);
  let count = 0, settled = 0;
  try {
    const rounds = fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), rounds, async (first, rounds) => {
        const root = `${folder}/${count++}`;
        Deno.mkdirSync(root);
        let cache: StatCache | null = null;
        for (const steps of [first, ...rounds]) {
          for (const one of steps) change(root, one);
          const fresh = await scanWorkspace(root, new Set());
          const scan: Scan = await scanWorkspace(root, new Set(), cache);
          const want = entriesOf(root, fresh), trees = buildTrees(want).digests;
          assert.deepEqual(entriesOf(root, scan), want);
          for (const piece of scan.pieces) {
            if (piece.kind !== "settled") continue;
            settled++;
            assert.equal(piece.tree, trees.get(piece.path), piece.path);
            const lines = manifestDigest(want.filter((entry) => entry.path.startsWith(`${piece.path}/`)));
            assert.equal(sha256(scan.cache!.lines(piece.from, piece.to)), lines, piece.path);
          }
          cache = remembered(root, folder, scan);
          // The clock that files are stamped with goes in steps of some milliseconds.
          await new Promise((resolve) => setTimeout(resolve, 12));
        }
      }),
      { numRuns: 60 },
    );
    assert.ok(settled > 100, `settled ${settled} times`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
