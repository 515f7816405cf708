import assert from "node:assert/strict";
import { mergeEntry, type MergeStrategy, mergeTrees, type TreeEntry } from "../../../src/patch/merge.ts";
import type { RelativePath } from "../../../src/vocabulary/path.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const file = (text: string, mode: "100644" | "100755" = "100644"): TreeEntry => ({
  kind: "file",
  mode,
  bytes: utf8(text),
});
const link = (target: string): TreeEntry => ({ kind: "link", target: utf8(target) });
const directory: TreeEntry = { kind: "directory" };
const at = (path: string, base: TreeEntry, ours: TreeEntry, theirs: TreeEntry) => ({
  path: path as RelativePath,
  base,
  ours,
  theirs,
});
const merge = (base: TreeEntry, ours: TreeEntry, theirs: TreeEntry, strategy: MergeStrategy = "manual") =>
  mergeEntry(at("a", base, ours, theirs), strategy);
const reasons = (base: TreeEntry, ours: TreeEntry, theirs: TreeEntry, strategy: MergeStrategy = "manual") => {
  const outcome = merge(base, ours, theirs, strategy);
  return outcome.kind === "conflict"
    ? outcome.conflicts.map(({ reason, line }) => [reason, line])
    : outcome.kind;
};

Deno.test("mergeEntry: a side that did not change gives way to the other", () => {
  const states = [null, file("a\n"), file("a\n", "100755"), file("b\n"), link("x"), link("y"), directory];
  for (const base of states) {
    for (const other of states) {
      assert.equal(merge(base, other, base).kind, "unchanged");
      assert.equal(merge(base, other, other).kind, "unchanged");
      if (other === base) continue;
      assert.deepEqual(merge(base, base, other), { kind: "theirs", path: "a", entry: other });
    }
  }
});

Deno.test("mergeEntry: changes of lines and of the mode are put together", () => {
  assert.deepEqual(merge(file("1\n2\n3\n"), file("0\n2\n3\n"), file("1\n2\n4\n", "100755")), {
    kind: "merged",
    path: "a",
    entry: file("0\n2\n4\n", "100755"),
  });
});

Deno.test("mergeEntry: each conflict has its reason and line", () => {
  assert.deepEqual(reasons(file("1\n2\n"), file("1\nx\n"), file("1\ny\n")), [["both_changed", 2]]);
  assert.deepEqual(reasons(null, file("1\nx\n"), file("1\ny\n")), [["both_added", 2]]);
  assert.deepEqual(reasons(null, file("1\n"), file("1\n", "100755")), [["mode_changed", null]]);
  assert.deepEqual(reasons(file("1\n"), null, file("2\n")), [["deleted_by_us", null]]);
  assert.deepEqual(reasons(file("1\n"), file("2\n"), null), [["deleted_by_them", null]]);
  assert.deepEqual(reasons(file("1\n"), file("2\0"), file("3\n")), [["not_text", null]]);
  assert.deepEqual(reasons(file("1\n"), link("x"), file("2\n")), [["type_changed", null]]);
  assert.deepEqual(reasons(link("x"), link("y"), link("z")), [["link_changed", null]]);
});

Deno.test("mergeEntry: ours and theirs decide every conflict, union only those about lines", () => {
  const cases: readonly (readonly [TreeEntry, TreeEntry, TreeEntry])[] = [
    [file("1\n"), file("2\n"), file("3\n")],
    [null, file("2\n"), file("3\n", "100755")],
    [file("1\n"), null, file("3\n")],
    [file("1\n"), file("2\n"), null],
    [file("1\n"), file("\0"), file("\0\0")],
    [link("1"), link("2"), file("3\n")],
  ];
  for (const [base, ours, theirs] of cases) {
    assert.equal(merge(base, ours, theirs, "ours").kind, "unchanged");
    const taken = merge(base, ours, theirs, "theirs");
    assert.ok(taken.kind === "theirs" || taken.kind === "merged");
    assert.deepEqual(taken.entry, theirs);
  }
  assert.deepEqual(merge(...cases[0]!, "union"), { kind: "merged", path: "a", entry: file("2\n3\n") });
  for (const some of cases.slice(1)) assert.equal(merge(...some, "union").kind, "conflict");
});

Deno.test("mergeTrees: a file in the way of a directory is held back, whichever side has it", () => {
  const under = mergeTrees([at("a", null, file("1\n"), null), at("a/b", null, null, file("2\n"))], "theirs");
  assert.deepEqual(under.conflicts.map(({ path, reason }) => [path, reason]), [["a/b", "path_in_the_way"]]);
  const above = mergeTrees([at("a", null, null, file("1\n")), at("a/b", null, file("2\n"), null)], "manual");
  assert.deepEqual(above.conflicts.map(({ path, reason }) => [path, reason]), [["a", "path_in_the_way"]]);
  assert.ok(!above.clean);
  const moved = mergeTrees(
    [at("a", file("1\n"), file("1\n"), null), at("a/b", null, null, file("2\n"))],
    "manual",
  );
  assert.ok(moved.clean);
  assert.deepEqual(moved.paths.map(({ path, kind }) => [path, kind]), [["a", "theirs"], ["a/b", "theirs"]]);
});
