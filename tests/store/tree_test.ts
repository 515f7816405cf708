import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { buildTrees, changedEntries, flatten, readTree, treeSource } from "../../src/store/artifact/tree.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import { makeManifest, type ManifestEntry } from "../../src/vocabulary/manifest.ts";
import { parentsOf } from "../../src/vocabulary/path.ts";

const segment = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "a.b",
    "a-b",
    "ab",
    "é",
    "\u{1f600}",
    "\uffee",
    "with space",
    "new\nline",
    "-",
    "~",
  ),
  fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" }).filter((name) =>
    !/[/\0]/.test(name) && name !== "." && name !== ".." && name !== ".git" && name.isWellFormed()
  ),
);
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const leaf = fc.oneof(
  fc.record({
    mode: fc.constantFrom("100644" as const, "100755" as const),
    text: fc.constantFrom("", "x", "y"),
  }),
  fc.record({ mode: fc.constant("120000" as const), text: fc.constantFrom("..", "x", "é/\n") }),
);

/** A manifest of random leaves; of names that are also directories the directory wins. */
const manifest = fc.dictionary(path, leaf, { maxKeys: 20 }).map((leaves) => {
  const directories = new Set(parentsOf(Object.keys(leaves)));
  const entries: ManifestEntry[] = [...directories].map((path) => ({
    ...{ path, mode: "040000" as const, size: 0, sha256: sha256("") },
  }));
  for (const [path, { mode, text }] of Object.entries(leaves)) {
    if (directories.has(path)) continue;
    const size = new TextEncoder().encode(text).length;
    const target = mode === "120000" ? { target: text } : {};
    entries.push({ path, mode, size, sha256: sha256(text), ...target });
  }
  return makeManifest(entries);
});

const sourceOf = (...built: readonly ReturnType<typeof buildTrees>[]) =>
  treeSource((digest) =>
    built.map(({ trees }) => trees.get(digest)?.body).find((body) => body !== undefined) ?? null
  );

Deno.test("buildTrees: flatten gives the same entries back, whatever the names", () => {
  fc.assert(fc.property(manifest, ({ entries }) => {
    const built = buildTrees(entries);
    assert.deepEqual(flatten(built.root, sourceOf(built)), entries);
  }));
});

Deno.test("buildTrees: equal roots are equal manifests", () => {
  fc.assert(fc.property(manifest, manifest, (a, b) => {
    assert.equal(buildTrees(a.entries).root === buildTrees(b.entries).root, a.digest === b.digest);
  }));
});

Deno.test("changedEntries: names exactly the paths that differ", () => {
  fc.assert(fc.property(manifest, manifest, (a, b) => {
    const [x, y] = [buildTrees(a.entries), buildTrees(b.entries)];
    const keyOf = ({ mode, sha256 }: { mode: string; sha256: string }) =>
      `${mode} ${mode === "040000" ? "" : sha256}`;
    const before = new Map(a.entries.map((e) => [e.path, keyOf(e)]));
    const after = new Map(b.entries.map((e) => [e.path, keyOf(e)]));
    const expected = [...new Set([...before.keys(), ...after.keys()])]
      .filter((path) => before.get(path) !== after.get(path));
    const found = changedEntries(x.root, y.root, sourceOf(x, y)).map(({ path }) => path);
    assert.deepEqual(new Set(found), new Set(expected));
    assert.equal(found.length, expected.length);
  }));
});

Deno.test("buildTrees: a tree object is these literal bytes", () => {
  const { root, trees } = buildTrees(
    makeManifest([
      { path: "b", mode: "100755", size: 1, sha256: sha256("x") },
      { path: "a", mode: "120000", size: 1, sha256: sha256("b"), target: "b" },
    ]).entries,
  );
  const body = `120000 1 ${sha256("b")} a\0b\u{0}100755 1 ${sha256("x")} b\0`;
  assert.equal(new TextDecoder().decode(trees.get(root)!.body), body);
  assert.equal(root, sha256(body));
});

Deno.test("buildTrees: one changed file in fifty thousand adds the trees on the way to it", () => {
  const entries = (changed: string) => {
    const all: ManifestEntry[] = [];
    for (let d = 0; d < 500; d++) {
      all.push({ path: `d${d}`, mode: "040000", size: 0, sha256: sha256("") });
      for (let f = 0; f < 100; f++) {
        all.push({ path: `d${d}/f${f}`, mode: "100644", size: 1, sha256: sha256(`${d} ${f}`) });
      }
    }
    return makeManifest(all.map((e) => e.path === changed ? { ...e, sha256: sha256("new") } : e)).entries;
  };
  const first = buildTrees(entries("")), second = buildTrees(entries("d7/f7"));
  const fresh = [...second.trees].filter(([digest]) => !first.trees.has(digest));
  assert.deepEqual(fresh.map(([, { path }]) => path).sort(), ["", "d7"]);
  assert.ok(fresh.reduce((sum, [, { body }]) => sum + body.length, 0) < 60_000);
});

const digestOf = (body: string) => createHash("sha256").update(body, "latin1").digest("hex");

Deno.test("readTree: whatever is not spelled as buildTrees spells it is refused", () => {
  const x = sha256("x"), empty = sha256("");
  const hostile: Record<string, string> = {
    "leads up": `100644 1 ${x} ..\0`,
    "here": `100644 1 ${x} .\0`,
    "empty name": `100644 1 ${x} \0`,
    "a path": `100644 1 ${x} a/b\0`,
    "absolute": `100644 1 ${x} /etc\0`,
    "git's own": `040000 0 ${empty} .git\0`,
    "not sorted": `100644 1 ${x} b\0` + `100644 1 ${x} a\0`,
    "twice": `100644 1 ${x} a\0` + `100644 1 ${x} a\0`,
    "device": `020000 1 ${x} a\0`,
    "setuid": `104755 1 ${x} a\0`,
    "submodule": `160000 1 ${x} a\0`,
    "sign": `100644 -1 ${x} a\0`,
    "zeros": `100644 01 ${x} a\0`,
    "huge": `100644 9999999999999999 ${x} a\0`,
    "upper case": `100644 1 ${x.toUpperCase()} a\0`,
    "short digest": `100644 1 ${x.slice(1)} a\0`,
    "cut": `100644 1 ${x} a`,
    "directory with a size": `040000 1 ${empty} a\0`,
    "link without target": `120000 1 ${x} a\0`,
    "link with another target": `120000 1 ${x} a\0y\0`,
    "link of another size": `120000 2 ${x} a\0x\0`,
    "empty link": `120000 0 ${empty} a\0\0`,
    "not UTF-8": `100644 1 ${x} \xff\0`,
    "long name": `100644 1 ${x} ${"n".repeat(256)}\0`,
    "nothing between": `100644 1 ${x} a\0\0`,
  };
  for (const [what, body] of Object.entries(hostile)) {
    const bytes = Uint8Array.from(body, (c) => c.charCodeAt(0));
    const code = (work: () => unknown) => {
      try {
        work();
      } catch (error) {
        return (error as Failure).code;
      }
    };
    assert.equal(code(() => readTree(digestOf(body), bytes)), "tree_corrupt", what);
  }
  const good = `100644 1 ${x} a\0`;
  assert.equal(readTree(digestOf(good), new TextEncoder().encode(good)).length, 1);
});

Deno.test("flatten: directories nested deeper than any workspace are refused", () => {
  const trees = new Map<string, Uint8Array>();
  let body = "";
  for (let depth = 0; depth < 400; depth++) {
    trees.set(digestOf(body), new TextEncoder().encode(body));
    body = `040000 0 ${digestOf(body)} d\0`;
  }
  trees.set(digestOf(body), new TextEncoder().encode(body));
  const source = treeSource((digest) => trees.get(digest) ?? null);
  assert.throws(() => flatten(digestOf(body), source), (error: Failure) => error.code === "tree_corrupt");
});
