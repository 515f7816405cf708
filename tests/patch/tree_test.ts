import assert from "node:assert/strict";
import fc from "fast-check";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { makeManifest, type ManifestEntry } from "../../src/vocabulary/manifest.ts";
import { patchStats } from "../../src/patch/stats.ts";
import { applyPatch } from "../../src/patch/apply.ts";
import { diffFiles } from "../../src/patch/diff.ts";
import { diffLines } from "../../src/patch/line_diff.ts";
import { resultKey, resultManifest } from "../../src/patch/tree.ts";
import { after, before, lookup, pairs, path, text, type Tree } from "./trees.ts";

function manifestOf(tree: Tree, directories: readonly string[] | null) {
  const entries: ManifestEntry[] = [...tree].map(([p, f]) => ({
    path: p,
    mode: f.mode,
    size: f.bytes.length,
    sha256: sha256(f.bytes),
  }));
  for (const d of directories ?? []) entries.push({ path: d, mode: "040000", size: 0, sha256: sha256("") });
  return makeManifest(entries);
}

function directoriesOf(...trees: Tree[]): string[] {
  const found = new Set<string>();
  for (const tree of trees) {
    for (const p of tree.keys()) {
      const parts = p.split("/");
      for (let i = 1; i < parts.length; i++) found.add(parts.slice(0, i).join("/"));
    }
  }
  return [...found];
}

Deno.test("resultManifest: is the manifest of the patched tree", () => {
  fc.assert(
    fc.property(pairs, (of) => {
      const base = before(of), applied = applyPatch(diffFiles(of), lookup(base));
      assert.ok(applied.ok);
      // Emptied directories stay, so the listing is that of both trees.
      assert.deepEqual(
        resultManifest(manifestOf(base, directoriesOf(base)), applied.changes),
        manifestOf(after(of), directoriesOf(base, after(of))),
      );
    }),
    { numRuns: 200 },
  );
});

Deno.test("resultManifest: lists no directories where the base lists none", () => {
  const base: Tree = new Map([["d/a", text("a\n")]]);
  const change: FileChange = {
    kind: "write",
    path: path("e/f/b"),
    mode: "100644",
    bytes: new Uint8Array([1]),
  };
  const bare = resultManifest(manifestOf(base, null), [change]);
  assert.deepEqual(bare.entries.map((e) => e.path), ["d/a", "e/f/b"]);
  const listed = resultManifest(manifestOf(base, ["d"]), [change]);
  assert.deepEqual(listed.entries.map((e) => e.path), ["d", "d/a", "e", "e/f", "e/f/b"]);
});

Deno.test("resultKey: tells apart path, mode, content and deletion, and knows no order", () => {
  const write = (p: string, mode: "100644" | "100755", byte: number): FileChange => ({
    kind: "write",
    path: path(p),
    mode,
    bytes: new Uint8Array([byte]),
  });
  const sets: FileChange[][] = [
    [],
    [write("a", "100644", 1)],
    [write("a", "100755", 1)],
    [write("a", "100644", 2)],
    [write("b", "100644", 1)],
    [{ kind: "delete", path: path("a") }],
    [write("a", "100644", 1), write("b", "100644", 1)],
  ];
  assert.equal(new Set(sets.map(resultKey)).size, sets.length);
  assert.equal(resultKey([...sets[6]!].reverse()), resultKey(sets[6]!));
});

Deno.test("patchStats: counts lines by file and names the kind of change", () => {
  const patch = diffFiles([
    { oldPath: null, old: null, newPath: path("a"), new: text("1\n2\n") },
    { oldPath: path("b"), old: text("1\n"), newPath: null, new: null },
    { oldPath: path("c"), old: text("1\n2\n"), newPath: path("c"), new: text("1\n3\n") },
    { oldPath: path("d"), old: text("1\n"), newPath: path("e"), new: text("1\n") },
  ]);
  assert.deepEqual(patchStats(patch), {
    files: 4,
    additions: 3,
    deletions: 2,
    perFile: [
      { path: "a", change: "created", additions: 2, deletions: 0 },
      { path: "b", change: "deleted", additions: 0, deletions: 1 },
      { path: "c", change: "modified", additions: 1, deletions: 1 },
      { path: "e", change: "renamed", additions: 0, deletions: 0 },
    ],
  });
});

Deno.test("diffLines: large and unlike files end in time and still describe the change", () => {
  const line = (n: number) => `line ${n}`;
  const old = Array.from({ length: 60_000 }, (_, i) => line(i));
  const scattered = old.map((l, i) => i % 13 === 0 ? `${l} changed` : l);
  const unlike = Array.from({ length: 60_000 }, (_, i) => line(i % 7));
  for (const next of [scattered, unlike, [...old].reverse()]) {
    const start = performance.now(), edits = diffLines(old, next);
    assert.ok(performance.now() - start < 8_000);
    const rebuilt: string[] = [];
    let at = 0;
    for (const e of edits) {
      rebuilt.push(...old.slice(at, e.oldStart), ...next.slice(e.newStart, e.newEnd));
      at = e.oldEnd;
    }
    assert.deepEqual([...rebuilt, ...old.slice(at)], next);
  }
  assert.equal(diffLines(old, scattered).length, Math.ceil(60_000 / 13));
});
