import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOf, byteStringOfText } from "../../src/patch/bytes.ts";
import { diffFiles } from "../../src/patch/diff.ts";
import { filesFor, headCheck } from "../../src/verify/gate/tree_checks.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { makeManifest } from "../../src/vocabulary/manifest.ts";
import { parentsOf, type RelativePath } from "../../src/vocabulary/path.ts";
import type { GitTree, History, TreeContents, TreeEntry } from "../../src/workspace/history.ts";

interface Node {
  readonly mode: "100644" | "100755" | "120000";
  readonly text: string;
}
type Files = ReadonlyMap<string, Node>;

const PATHS = ["a", "b", "d/a", "d/e/a", "é"];
const node: fc.Arbitrary<Node> = fc.record({
  mode: fc.constantFrom("100644" as const, "100755" as const),
  text: fc.constantFrom("", "x", "x\n", "x\ny\n", "y\n"),
});
const files: fc.Arbitrary<Files> = fc.dictionary(fc.constantFrom(...PATHS), node).map((record) =>
  new Map(Object.entries(record))
);

/** Stands for git: ids are digests of contents. Everything around it runs on real git in gate_test.ts. */
function historyOf(...trees: Files[]): Pick<History, "blobs"> {
  const blobs = new Map(
    trees.flatMap((tree) =>
      [...tree.values()].map(({ text }) => [sha256(text), bytesOf(byteStringOfText(text))])
    ),
  );
  return {
    blobs: (wanted) =>
      Promise.resolve(
        new Map([...wanted].map(([id, most]) => {
          const bytes = blobs.get(id)!;
          return [id, bytes.length > most ? null : bytes];
        })),
      ),
  };
}

function treeOf(files: Files): { tree: GitTree; contents: TreeContents } {
  const entries = new Map<string, TreeEntry>();
  for (const path of parentsOf([...files.keys()])) entries.set(path, { path, mode: "040000", id: "" });
  for (const [path, { mode, text }] of files) entries.set(path, { path, mode, id: sha256(text) });
  const all = [...entries.values()].map(({ path, mode }) => {
    const text = files.get(path)?.text ?? "";
    return {
      path,
      mode: mode as "100644" | "040000",
      size: bytesOf(byteStringOfText(text)).length,
      sha256: sha256(text),
    };
  });
  return {
    tree: { commit: "0".repeat(40), id: "", entries },
    contents: { manifest: makeManifest(all), all, ignores: () => false },
  };
}

async function judge(base: Files, target: Files, head: Files): Promise<boolean> {
  const state = (node: Node | undefined) =>
    node === undefined ? null : { mode: node.mode as "100644", bytes: bytesOf(byteStringOfText(node.text)) };
  const pairs = [...new Set([...base.keys(), ...target.keys()])].flatMap((path) => {
    const [old, next] = [state(base.get(path)), state(target.get(path))];
    return JSON.stringify(base.get(path)) === JSON.stringify(target.get(path)) ? [] : [{
      oldPath: old === null ? null : path as RelativePath,
      old,
      newPath: next === null ? null : path as RelativePath,
      new: next,
    }];
  });
  const patch = diffFiles(pairs);
  const history = historyOf(base, target, head) as History;
  const { tree, contents } = treeOf(base);
  const read = await filesFor(patch, tree, contents, history);
  assert.ok("files" in read);
  const check = await headCheck({
    base: tree,
    contents,
    files: read.files,
    head: treeOf(head).tree,
    patch,
    resultTree: null,
  }, history);
  return check.verdict === "pass";
}

function sameFiles(a: Files, b: Files): boolean {
  return a.size === b.size &&
    [...a].every(([path, node]) => JSON.stringify(node) === JSON.stringify(b.get(path)));
}

Deno.test("headCheck: passes for a head exactly when it is base plus patch", async () => {
  await fc.assert(
    fc.asyncProperty(files, files, files, async (base, target, head) => {
      assert.equal(await judge(base, target, target), true);
      assert.equal(await judge(base, target, head), sameFiles(target, head));
    }),
    { numRuns: 500 },
  );
});

Deno.test("headCheck: one thing done to a head closes it", async () => {
  const change = fc.record({
    path: fc.constantFrom(...PATHS, "new", "d/new"),
    to: fc.oneof(node, fc.constant({ mode: "120000" as const, text: "a" }), fc.constant(null)),
  });
  await fc.assert(
    fc.asyncProperty(files, files, change, async (base, target, { path, to }) => {
      const head = new Map(target);
      if (to === null) head.delete(path);
      else head.set(path, to);
      assert.equal(await judge(base, target, head), sameFiles(target, head));
    }),
    { numRuns: 500 },
  );
});
