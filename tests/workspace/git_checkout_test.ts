import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import { checkoutState } from "../../src/workspace/git_checkout.ts";
import { moduleText, withFakeGit } from "./fake_git.ts";
import { commitAll, git, hostileRepository } from "./repositories.ts";
import { inTempDir, snapshot, writeFiles } from "./trees.ts";

const CLEAN = { state: "clean" };
const changed = (...changes: string[]) => ({ state: "changed", changes });
const unknown = (why: string) => ({ state: "unknown", why });

Deno.test("checkoutState: committed and ignored files are clean; the repository is only read", () =>
  inTempDir(async (root) => {
    commitAll(root, { ".gitignore": "*.log\n", "a": "1\n", "d/b": "1\n", "touched": "1\n" });
    writeFiles(root, {
      "x.log": "ignored",
      ".git/info/exclude": "mine\n",
      "mine": "ignored",
      ".pp-artifacts/s/bundle": "ours",
      "out/[x]/bundle": "ours",
    });
    Deno.utimeSync(join(root, "touched"), 1, 1);
    const before = snapshot(root);
    assert.deepEqual(await checkoutState(root, { artifacts: "out/[x]" }), CLEAN);
    assert.deepEqual(await (await directoryWorkspace(root, { artifactsDir: "out/[x]" })).checkout(), CLEAN);
    assert.deepEqual(await checkoutState(root), changed("?? out/[x]/bundle"));
    assert.deepEqual(snapshot(root), before);
    git(root, "worktree", "add", "-q", join(root, ".pp-artifacts", "linked"));
    assert.deepEqual(await checkoutState(join(root, ".pp-artifacts", "linked")), CLEAN);
  }));

Deno.test("checkoutState: every kind of change is named, on one line each", () =>
  inTempDir(async (root) => {
    commitAll(root, { "edited": "1\n", "gone": "1\n", "mode": "1\n", "moved": "1\n" });
    writeFiles(root, { "edited": "2\n", "d/new\u202e\nname": "1\n", "staged": "1\n" });
    Deno.removeSync(join(root, "gone"));
    Deno.chmodSync(join(root, "mode"), 0o755);
    git(root, "mv", "moved", "to");
    git(root, "add", "staged");
    assert.deepEqual(
      await checkoutState(root),
      changed(
        ...[" M edited", " D gone", " M mode", "D  moved", "A  staged", "A  to"],
        "?? d/new\\u{202e}\\nname",
      ),
    );
  }));

Deno.test("checkoutState: no commit yet", () =>
  inTempDir(async (root) => {
    git(root, "init", "-q");
    writeFiles(root, { "a": "1\n" });
    assert.deepEqual(await checkoutState(root), changed("?? a"));
  }));

Deno.test("checkoutState: a subdirectory is judged alone, and not at all when no commit holds it", () =>
  inTempDir(async (root) => {
    commitAll(root, { ".gitignore": "ignored/\n", "top": "1\n", "sub/a": "1\n" });
    writeFiles(root, { "top": "2\n", "ignored/a": "1\n", "new/a": "1\n", "sub/.pp-artifacts/x": "ours" });
    assert.deepEqual(await checkoutState(join(root, "sub")), CLEAN);
    writeFiles(root, { "sub/a": "2\n", "sub/b": "2\n" });
    assert.deepEqual(await checkoutState(join(root, "sub")), changed(" M a", "?? b"));
    for (const name of ["ignored", "new"]) {
      assert.deepEqual(await checkoutState(join(root, name)), unknown("no_checkout"));
    }
  }));

Deno.test("checkoutState: submodules are looked into", () =>
  inTempDir(async (base) => {
    const inner = join(base, "inner"), root = join(base, "repo");
    commitAll(inner, { "a": "1\n" });
    commitAll(root, { "x": "1\n" });
    git(root, "submodule", "add", "-q", inner, "libs/inner");
    git(root, "submodule", "add", "-q", inner, "libs/second");
    git(root, "commit", "-q", "-m", "modules");
    assert.deepEqual(await checkoutState(root), CLEAN);
    writeFiles(root, { "libs/inner/new": "1\n", "libs/inner/a": "2\n" });
    assert.deepEqual(await checkoutState(root), changed(" M libs/inner/a", "?? libs/inner/new"));
    git(join(root, "libs/inner"), "add", "-A");
    git(join(root, "libs/inner"), "commit", "-q", "-m", "more");
    assert.deepEqual(await checkoutState(root), changed(" M libs/inner"));
    git(root, "add", "-A");
    git(root, "commit", "-q", "-m", "moved on");
    git(root, "submodule", "deinit", "-q", "-f", "libs/second");
    assert.deepEqual(await checkoutState(root), CLEAN);
    writeFiles(root, { "libs/second/stray": "1\n" });
    assert.deepEqual(await checkoutState(root), changed("?? libs/second/"));
  }));

Deno.test("checkoutState: nothing a hostile repository configures is executed", () =>
  inTempDir(async (base) => {
    const { root, marker } = hostileRepository(base);
    const calm = () => assert.throws(() => Deno.lstatSync(marker), Deno.errors.NotFound);
    for (const directory of [root, join(root, "module")]) {
      assert.equal((await checkoutState(root)).state, "changed");
      calm();
      // Git would look elsewhere and never come to the filters.
      execFileSync("git", ["config", "--file", join(directory, ".git/config"), "--unset", "core.worktree"]);
    }
    assert.deepEqual(await checkoutState(root), changed(" M a", " M sub/c", "?? .gitattributes"));
    calm();
    writeFiles(root, { "a": "1\n", "sub/c": "1\n" });
    Deno.removeSync(join(root, ".gitattributes"));
    assert.deepEqual(await checkoutState(root), changed(" M module/m", "?? module/.gitattributes"));
    calm();
    writeFiles(root, { "module/m": "1\n" });
    Deno.removeSync(join(root, "module/.gitattributes"));
    assert.deepEqual(await checkoutState(root), CLEAN);
    calm();
  }));

Deno.test("checkoutState: what is no repository, a broken one or a link to one tells nothing", () =>
  inTempDir(async (base) => {
    commitAll(join(base, "private"), { "secret": "s\n" });
    for (const name of ["plain", "broken", "link"]) Deno.mkdirSync(join(base, name));
    writeFiles(base, { "broken/.git/HEAD": "garbage", "broken/.git/config": "[[[" });
    Deno.symlinkSync(join(base, "private/.git"), join(base, "link/.git"));
    for (const name of ["plain", "broken", "link"]) {
      assert.deepEqual(await checkoutState(join(base, name)), unknown("no_checkout"), name);
    }
    writeFiles(base, { "private/.git/index": "garbage" });
    assert.deepEqual(await checkoutState(join(base, "private")), unknown("no_checkout"));
  }));

Deno.test("checkoutState: git is taken from absolute directories of PATH only", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    commitAll(root, { "a": "1\n" });
    writeFiles(base, { "git": `#!/bin/sh\ntouch ${base}/ran\n` });
    Deno.chmodSync(join(base, "git"), 0o755);
    const script = `import { checkoutState } from ${moduleText("git_checkout.ts")};
      console.log(JSON.stringify(await checkoutState(${JSON.stringify(root)})));`;
    assert.deepEqual(JSON.parse(await withFakeGit(root, null, script)), unknown("no_git"));
    assert.ok(!Object.keys(snapshot(base)).includes("ran"));
  }));

Deno.test("checkoutState: leaves no private directory behind", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo"), scratch = join(base, "scratch");
    commitAll(root, { "a": "1\n" });
    Deno.mkdirSync(scratch);
    assert.deepEqual(await checkoutState(root, { scratch }), CLEAN);
    assert.deepEqual([...Deno.readDirSync(scratch)], []);
  }));
