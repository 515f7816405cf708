import assert from "node:assert/strict";
import { keptOwners, ownerIn, ownerLines, restoredOwners } from "../../src/cli/owner_lines.ts";
import type { OperationBefore, OperationSide } from "../../src/store/operations.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { withFolder } from "./process.ts";

const AFTER: OperationSide = { mode: "100644", size: 1, sha256: sha256("x") };
const before = (uid: number, gid: number): OperationBefore => ({ ...AFTER, permissions: 0o644, uid, gid });

Deno.test("ownerLines: names files whose owner or group changed, and none that came or went", () => {
  const paths = [
    { path: "mine", before: before(5, 6), after: AFTER },
    { path: "theirs\n", before: before(0, 6), after: AFTER },
    { path: "group", before: before(5, 0), after: AFTER },
    { path: "new", before: null, after: AFTER },
    { path: "gone", before: before(0, 0), after: null },
  ];
  assert.deepEqual(ownerLines(keptOwners(paths), () => ({ uid: 5, gid: 6 })), [
    "owner    not kept, as only root can: theirs\\n (was 0:6), group (was 5:0)",
  ]);
  assert.deepEqual(ownerLines(keptOwners(paths.slice(0, 1)), () => ({ uid: 5, gid: 6 })), []);
  const many = Array.from({ length: 7 }, (_, i) => ({ path: `f${i}`, before: before(0, 0), after: AFTER }));
  assert.match(
    ownerLines(keptOwners(many), () => ({ uid: 5, gid: 6 }))[0]!,
    /f4 \(was 0:0\) and 2 more files$/,
  );
});

Deno.test("restoredOwners: of what a rollback brings back, whose it was before it was applied, also of what was gone", () => {
  const of = (uid: number) => ({ permissions: 0o644, uid, gid: 7 });
  const plan = {
    paths: [
      { path: "changed", before: AFTER, after: AFTER },
      { path: "gone", before: null, after: AFTER },
      { path: "came", before: AFTER, after: null },
    ],
    options: { attributes: new Map([["changed", of(1)], ["gone", of(2)], ["directory", of(3)]]) },
  };
  const owned = restoredOwners(plan);
  assert.deepEqual(owned, [{ path: "changed", uid: 1, gid: 7 }, { path: "gone", uid: 2, gid: 7 }]);
  assert.deepEqual(ownerLines(owned, (path) => ({ uid: path === "gone" ? 2 : 9, gid: 7 })), [
    "owner    not kept, as only root can: changed (was 1:7)",
  ]);
});

Deno.test("ownerIn: who has a file now; null where none is", async () => {
  await withFolder({ a: "a" }, (folder) => {
    assert.deepEqual(ownerIn(folder)("a"), { uid: Deno.uid(), gid: Deno.lstatSync(`${folder}/a`).gid });
    assert.equal(ownerIn(folder)("b"), null);
    return Promise.resolve();
  });
});
