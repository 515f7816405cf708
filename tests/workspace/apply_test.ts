import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import type { FileMode } from "../../src/vocabulary/manifest.ts";
import type { Workspace } from "../../src/workspace/workspace.ts";
import { asNobody, failureOf, inTempDir, remove, snapshot, write, writeFiles } from "./trees.ts";

async function sent(root: string): Promise<Workspace> {
  const workspace = await directoryWorkspace(root);
  await workspace.manifest();
  return workspace;
}

/** Checks that applying fails with a code and leaves everything as it was. */
async function refused(root: string, changes: readonly FileChange[], code: string, workspace?: Workspace) {
  const before = snapshot(root);
  const failure = await failureOf((workspace ?? await sent(root)).apply(changes));
  assert.equal(failure.code, code, failure.message);
  assert.deepEqual(snapshot(root), before);
  return failure;
}

Deno.test("apply: writes, creates with directories, deletes with directories left empty, sets executable bits", () =>
  inTempDir(async (root) => {
    writeFiles(root, {
      "a": "1\r\n",
      "tool": "x",
      "lib/only/one": "1",
      "lib/two": "2",
      "d/x": "",
      "plain": "p",
    });
    Deno.chmodSync(join(root, "a"), 0o640);
    Deno.chmodSync(join(root, "tool"), 0o710);
    Deno.chmodSync(join(root, "plain"), 0o640);
    await (await sent(root)).apply([
      write("a", "2\r\n3"),
      write("new/deep/file", "n"),
      write("run", "#!", "100755"),
      write("tool", "y"),
      write("plain", "q", "100755"),
      remove("lib/only/one"),
      remove("d/x"),
    ]);
    const uid = Deno.uid();
    assert.deepEqual(snapshot(root), {
      "a": `file 640 ${uid} 2\r\n3`,
      "lib": "directory 755",
      "lib/two": `file 644 ${uid} 2`,
      "new": "directory 755",
      "new/deep": "directory 755",
      "new/deep/file": `file 644 ${uid} n`,
      "plain": `file 750 ${uid} q`,
      "run": `file 755 ${uid} #!`,
      "tool": `file 600 ${uid} y`,
    });
  }));

Deno.test("apply: a directory may become a file and a file a directory", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "dir/sub/a": "", "dir/b": "", "file": "" });
    await (await sent(root)).apply([
      remove("dir/sub/a"),
      remove("dir/b"),
      write("dir", "now a file"),
      remove("file"),
      write("file/in", "now a directory"),
    ]);
    assert.deepEqual(Object.keys(snapshot(root)).sort(), ["dir", "file", "file/in"]);
  }));

Deno.test("apply: a directory with something ignored in it stays, as does one that was empty before", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "p/m.py": "", "p/__pycache__/m.pyc": "c", "q/x": "" });
    Deno.mkdirSync(join(root, "q/empty"));
    await (await sent(root)).apply([remove("p/m.py"), remove("q/x")]);
    assert.deepEqual(Object.keys(snapshot(root)).sort(), [
      ...["p", "p/__pycache__", "p/__pycache__/m.pyc", "q", "q/empty"],
    ]);
  }));

Deno.test("apply: whatever changed since it was sent is listed and nothing is written", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "a": "1", "b": "1", "c": "1", "d": "1", "e/f": "1", "g": "1" });
    const workspace = await sent(root);
    writeFiles(root, { "b": "2", "new": "x", "ignored.d/x": "" });
    Deno.chmodSync(join(root, "c"), 0o755);
    Deno.removeSync(join(root, "d"));
    Deno.removeSync(join(root, "e"), { recursive: true });
    Deno.removeSync(join(root, "g"));
    Deno.symlinkSync("a", join(root, "g"));
    const all = ["a", "b", "c", "d", "e/f", "g", "new", "ignored.d"];
    const failure = await refused(root, all.map((name) => write(name, "z")), "workspace_changed", workspace);
    assert.deepEqual([...failure.details].sort(), ["b", "c", "d", "e/f", "g", "ignored.d", "new"]);
    assert.equal(failure.kind, "malformed");
    await refused(root, ["a", "d"].map(remove), "workspace_changed", workspace);
  }));

Deno.test("apply: never through a link, were it there from the start or put there since", () =>
  inTempDir(async (base) => {
    const root = join(base, "in");
    writeFiles(base, { "outside/victim": "safe", "in/dir/file": "x", "in/a": "x" });
    Deno.symlinkSync("../outside", join(root, "out"));
    Deno.symlinkSync("a", join(root, "alias"));
    const workspace = await directoryWorkspace(root);
    await workspace.manifest();
    for (const name of ["out/victim", "out/new", "alias"]) {
      await refused(base, [write(name, "evil")], "link_in_the_way", workspace);
    }
    Deno.removeSync(join(root, "dir"), { recursive: true });
    Deno.symlinkSync("../outside", join(root, "dir"));
    writeFiles(base, { "outside/file": "x" });
    await refused(base, [write("dir/file", "evil")], "workspace_changed", workspace);
    await refused(base, [write("dir/other", "evil")], "workspace_changed", workspace);
    await refused(base, [remove("dir/file")], "workspace_changed", workspace);
    Deno.symlinkSync("../outside", join(root, "late"));
    await refused(base, [write("late/new", "evil")], "workspace_changed", workspace);
  }));

Deno.test("apply: a link can be deleted, its target stays", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "a": "x" });
    Deno.symlinkSync("a", join(root, "l"));
    await (await sent(root)).apply([remove("l")]);
    assert.deepEqual(Object.keys(snapshot(root)), ["a"]);
  }));

Deno.test("apply: changes that do not fit together or touch what is never written are refused", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "a": "x", "d/x": "x", "d/y": "y" });
    const odd = (path: string) => ({ ...write("z", ""), path }) as FileChange;
    const cases: [FileChange[], string][] = [
      [[write("a", "1"), remove("a")], "changes_conflict"],
      [[write("a/b", "1")], "changes_conflict"],
      [[write("n", "1"), write("n/b", "1")], "changes_conflict"],
      [[write("d", "1"), remove("d/x")], "changes_conflict"],
      [[remove("d")], "changes_conflict"],
      [[remove("none")], "changes_conflict"],
      [[odd("../x")], "path_refused"],
      [[odd("/etc/x")], "path_refused"],
      [[odd(".git/hooks/pre-commit")], "path_refused"],
      [[odd("sub/.GIT/config")], "path_refused"],
      [[odd(".pp-artifacts/x")], "path_refused"],
      [[odd(".veripatch-apply-x")], "path_refused"],
    ];
    for (const [changes, code] of cases) await refused(root, [write("ok", "1"), ...changes], code);
  }));

Deno.test("apply: an ordinary error in the middle puts everything back", () =>
  inTempDir(async (root) => {
    Deno.chmodSync(root, 0o777);
    writeFiles(root, { "a/one": "1", "gone/only": "g", "ro/file": "r", "z": "z" });
    for (const name of ["a", "gone"]) Deno.chmodSync(join(root, name), 0o777);
    Deno.chmodSync(join(root, "ro"), 0o555);
    const before = snapshot(root);
    // The root, `a` and `gone` can be written; the new file in `ro` cannot, which shows only after the deletes.
    const changes = [remove("a/one"), remove("gone/only"), write("new/x", "n"), write("ro/sub/new", "n")];
    const { failure, uid } = await asNobody(root, changes);
    assert.notEqual(uid, 0);
    assert.deepEqual([failure?.kind, failure?.code], ["denied", "workspace_not_writable"], failure?.message);
    assert.ok(!failure!.message.includes("/proc/"), failure!.message);
    assert.deepEqual(snapshot(root), before);

    Deno.chmodSync(join(root, "ro"), 0o777);
    const after = await asNobody(root, changes);
    assert.equal(after.failure, null);
    assert.deepEqual(Object.keys(snapshot(root)).sort(), [
      ...["new", "new/x", "ro", "ro/file", "ro/sub", "ro/sub/new", "z"],
    ]);
  }));

Deno.test("apply: a directory that keeps something ignored cannot become a file, and all is put back", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "d/sub/a": "a", "d/sub/__pycache__/x": "", "d/b": "b", "e/f": "f", "k": "k" });
    const changes = [write("k", "2"), remove("d/sub/a"), remove("d/b"), remove("e/f"), write("d", "file")];
    const failure = await refused(root, changes, "apply_failed");
    assert.equal(failure.kind, "unavailable");
  }));

Deno.test(
  "apply: a file stays its owner's, also when root applies",
  () =>
    inTempDir(async (root) => {
      writeFiles(root, { "a": "1" });
      const owner = Deno.uid() === 0 ? [1234, 2345] as const : [Deno.uid()!, Deno.gid()!] as const;
      Deno.chownSync(join(root, "a"), ...owner);
      await (await sent(root)).apply([write("a", "2")]);
      const { uid, gid } = Deno.statSync(join(root, "a"));
      assert.deepEqual([uid, gid], owner);
    }),
);

Deno.test("apply: any mix of changes gives exactly the files expected, and its inverse gives the first tree back", async () => {
  const names = ["a", "b", "d/a", "d/b", "d/e/a", "d/e/b", "f/a"];
  const text = fc.string({ maxLength: 5, unit: "binary-ascii" });
  const file = fc.option(fc.tuple(text, fc.constantFrom<FileMode>("100644", "100755")));
  const tree = fc.array(file, { minLength: names.length, maxLength: names.length });
  type Tree = ([string, FileMode] | null)[];
  const changesTo = (from: Tree, to: Tree) =>
    names.flatMap((name, i): FileChange[] => {
      const target = to[i]!;
      if (target !== null) return [write(name, target[0], target[1])];
      return (from[i] ?? null) === null ? [] : [remove(name)];
    });
  const filesOf = (root: string) =>
    Object.fromEntries(Object.entries(snapshot(root)).filter(([, what]) => what.startsWith("file")));
  await fc.assert(
    fc.asyncProperty(tree, tree, (from, to) =>
      inTempDir(async (root) => {
        await (await sent(root)).apply(changesTo([], from));
        const first = snapshot(root);
        await (await sent(root)).apply(changesTo(from, to));
        const want = to.flatMap((target, i) => {
          if (target === null) return [];
          const mode = target[1] === "100755" ? "755" : "644";
          return [[names[i]!, `file ${mode} ${Deno.uid()} ${target[0]}`]];
        });
        assert.deepEqual(filesOf(root), Object.fromEntries(want));
        await (await sent(root)).apply(changesTo(to, from));
        assert.deepEqual(snapshot(root), first);
      })),
    { numRuns: 25 },
  );
});
