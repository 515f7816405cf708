import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import { gitProvenance, MAX_DIFF_BYTES } from "../../src/workspace/git.ts";
import { withoutCredentials } from "../../src/workspace/git_remote.ts";
import { commitAll, git, hostileRepository } from "./repositories.ts";
import { inTempDir, snapshot, untar, writeFiles } from "./trees.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const NOTHING = { commit: null, tree: null, branch: null, remote: null, dirty: null, diff: new Uint8Array() };

Deno.test("provenance: a clean repository, through the workspace", () =>
  inTempDir(async (root) => {
    const commit = commitAll(root, { "a": "1\n", "d/b": "2\n" });
    git(root, "remote", "add", "origin", "https://joe:hunter2@example.org/x.git?token=abc#f");
    const before = snapshot(root);
    assert.deepEqual(await (await directoryWorkspace(root)).provenance(), {
      commit,
      tree: git(root, "rev-parse", "HEAD^{tree}"),
      branch: "main",
      remote: "https://example.org/x.git",
      dirty: false,
      diff: new Uint8Array(),
    });
    assert.deepEqual(snapshot(root), before);
  }));

Deno.test("provenance: tracked changes are dirty; the diff turns the commit into the working tree", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    commitAll(root, {
      "a": "1\n",
      "gone": "x\n",
      "bin": "\0\u0001",
      "touched": "same\n",
      ".gitattributes": "",
    });
    writeFiles(root, { "a": "2\r\n", "bin": "\0\u0002", "staged": "s", "untracked": "u" });
    Deno.removeSync(join(root, "gone"));
    Deno.utimeSync(join(root, "touched"), 1, 1);
    git(root, "add", "staged");
    const before = snapshot(root);
    const { dirty, diff } = await gitProvenance(root);
    assert.equal(dirty, true);
    assert.deepEqual(snapshot(root), before);
    assert.ok(!text(diff).includes("touched") && !text(diff).includes("untracked"));

    const copy = join(base, "copy");
    untar(execFileSync("git", ["archive", "HEAD"], { cwd: root }), copy);
    Deno.writeFileSync(join(base, "diff"), diff);
    git(copy, "apply", "--binary", join(base, "diff"));
    const files = (of: string) => Object.keys(snapshot(of)).filter((name) => !name.startsWith(".git/"));
    assert.deepEqual(files(copy).sort(), [".gitattributes", "a", "bin", "staged", "touched"]);
    for (const name of files(copy)) {
      assert.deepEqual(Deno.readFileSync(join(copy, name)), Deno.readFileSync(join(root, name)), name);
    }
  }));

Deno.test("provenance: an edit of the same size right after the commit is seen", () =>
  inTempDir(async (root) => {
    for (let i = 0; i < 8; i++) {
      commitAll(join(root, `${i}`), { "a": "1\n" });
      writeFiles(root, { [`${i}/a`]: "2\n" });
      // Same second, size and file as what the index knows.
      const { mtime } = Deno.statSync(join(root, `${i}/.git/index`));
      Deno.utimeSync(join(root, `${i}/a`), mtime!, mtime!);
      assert.equal((await gitProvenance(join(root, `${i}`))).dirty, true);
    }
  }));

Deno.test("provenance: in a subdirectory, tree and diff are of that subdirectory", () =>
  inTempDir(async (root) => {
    commitAll(root, { "top": "1\n", "sub/[x]/a": "1\n", "sub/x/a": "1\n" });
    writeFiles(root, { "top": "2\n", "sub/[x]/a": "2\n", "sub/x/a": "2\n" });
    const { tree, dirty, diff } = await gitProvenance(join(root, "sub/[x]"));
    assert.equal(tree, git(root, "rev-parse", "HEAD:sub/[x]"));
    assert.equal(dirty, true);
    assert.deepEqual(text(diff).split("\n").filter((line) => line.startsWith("diff ")), [
      "diff --git a/a b/a",
    ]);
    git(root, "checkout", "-q", "HEAD", "--", "sub");
    assert.equal((await gitProvenance(join(root, "sub/x"))).dirty, false);
  }));

Deno.test("provenance: detached head, no commit yet, linked worktree, submodule", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    const commit = commitAll(root, { "a": "1\n" });
    git(root, "worktree", "add", "-q", "-b", "side", join(base, "linked"));
    writeFiles(base, { "linked/a": "2\n" });
    const linked = await gitProvenance(join(base, "linked"));
    assert.deepEqual([linked.commit, linked.branch, linked.dirty], [commit, "side", true]);

    const above = join(base, "above");
    commitAll(above, { "x": "1\n" });
    git(above, "submodule", "add", "-q", root, "libs/inner");
    const inner = await gitProvenance(join(above, "libs/inner"));
    assert.deepEqual([inner.commit, inner.dirty, inner.remote], [commit, false, root]);

    git(root, "checkout", "-q", "--detach");
    const detached = await gitProvenance(root);
    assert.deepEqual([detached.commit, detached.branch, detached.dirty], [commit, null, false]);

    Deno.mkdirSync(join(base, "unborn"));
    git(join(base, "unborn"), "init", "-q", "-b", "trunk");
    assert.deepEqual(await gitProvenance(join(base, "unborn")), { ...NOTHING, branch: "trunk" });
  }));

Deno.test("provenance: no repository, a broken one, or one that is only pointed to, is nothing", () =>
  inTempDir(async (base) => {
    commitAll(join(base, "private"), { "secret": "s\n" });
    for (const name of ["plain", "broken", "file", "link"]) Deno.mkdirSync(join(base, name));
    writeFiles(base, {
      "broken/.git/HEAD": "garbage",
      "broken/.git/config": "[[[",
      "file/.git": `gitdir: ${join(base, "private/.git")}\n`,
    });
    Deno.symlinkSync(join(base, "private/.git"), join(base, "link/.git"));
    for (const name of ["plain", "broken", "file", "link"]) {
      assert.deepEqual(await gitProvenance(join(base, name)), NOTHING, name);
    }
  }));

Deno.test("provenance: without git in PATH, nothing; a git in a relative PATH entry is not run", () =>
  inTempDir(async (root) => {
    commitAll(root, { "a": "1\n" });
    writeFiles(root, { "git": `#!/bin/sh\ntouch ${root}/ran\n` });
    Deno.chmodSync(join(root, "git"), 0o755);
    const script = `import { gitProvenance } from ${
      JSON.stringify(import.meta.resolve("../../src/workspace/git.ts"))
    };
      console.log((await gitProvenance(Deno.cwd())).commit);`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "-q", script],
      cwd: root,
      env: { PATH: ".:" },
    }).output();
    assert.equal(text(stdout).trim(), "null");
    assert.ok(!Object.keys(snapshot(root)).includes("ran"));
  }));

Deno.test("provenance: nothing a hostile repository configures is executed", () =>
  inTempDir(async (base) => {
    const { root, marker, first } = hostileRepository(base);
    const seen = await gitProvenance(root);
    assert.throws(() => Deno.lstatSync(marker), Deno.errors.NotFound);
    assert.notEqual(seen.commit, first);
    assert.equal(seen.dirty, true);
    assert.equal(seen.remote, "ext::[redacted]");
    assert.deepEqual(
      text(seen.diff).split("\n").filter((line) => line.startsWith("diff ")),
      ["diff --git a/a b/a", "diff --git a/sub/c b/sub/c"],
    );

    // A missing object must not be fetched through the hostile transport either.
    Deno.removeSync(join(root, ".git/objects"), { recursive: true });
    Deno.mkdirSync(join(root, ".git/objects"));
    assert.equal((await gitProvenance(root)).commit, null);
    assert.throws(() => Deno.lstatSync(marker), Deno.errors.NotFound);
  }));

Deno.test("provenance: a diff past the bound is cut and says so", () =>
  inTempDir(async (root) => {
    commitAll(root, { "a": "1\n" });
    writeFiles(root, { "a": "0123456789\n".repeat(MAX_DIFF_BYTES / 10) });
    const { dirty, diff } = await gitProvenance(root);
    assert.equal(dirty, true);
    assert.ok(diff.length < MAX_DIFF_BYTES + 200);
    assert.match(text(diff.subarray(-100)), /\n\+0123456789\n# cut: .* larger than 10000000 bytes\n$/);
  }));

Deno.test("provenance: leaves no private directory behind", () =>
  inTempDir(async (root) => {
    commitAll(join(root, "repo"), { "a": "1\n" });
    Deno.mkdirSync(join(root, "tmp"));
    const script = `import { gitProvenance } from ${
      JSON.stringify(import.meta.resolve("../../src/workspace/git.ts"))
    };
      console.log((await gitProvenance("${root}/repo")).dirty);`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "-q", script],
      env: { TMPDIR: join(root, "tmp") },
    }).output();
    assert.equal(text(stdout).trim(), "false");
    assert.deepEqual([...Deno.readDirSync(join(root, "tmp"))], []);
  }));

Deno.test("withoutCredentials: what goes and what stays", () => {
  const cases: Record<string, string | null> = {
    "https://example.org/a/b.git": "https://example.org/a/b.git",
    "https://user:secret@example.org:8443/a": "https://example.org:8443/a",
    "https://ghp_secret@example.org/a": "https://example.org/a",
    "https://user:sec@ret@example.org/a": "https://example.org/a",
    "https://example.org/a?private_token=secret": "https://example.org/a",
    "https://example.org/@scope/a#secret": "https://example.org/@scope/a",
    "https://user:sec/ret@example.org/a": "https://[redacted]",
    "HTTP://u:secret@[::1]:80/a": "HTTP://[::1]:80/a",
    "ssh://git@example.org:22/a.git": "ssh://git@example.org:22/a.git",
    "ssh://git:secret@example.org/a.git": "ssh://git@example.org/a.git",
    "git@example.org:a/b.git": "git@example.org:a/b.git",
    "user:secret@example.org:a": "[redacted]",
    "/srv/git/a.git": "/srv/git/a.git",
    "../a": "../a",
    "file:///srv/a": "file:///srv/a",
    "foo::https://u:secret@example.org/a": "foo::https://example.org/a",
    "ext::sh -c secret": "ext::[redacted]",
    "https://example.org/a\nsecret": null,
    "": null,
  };
  for (const [remote, want] of Object.entries(cases)) assert.equal(withoutCredentials(remote), want, remote);
});

Deno.test("withoutCredentials: a password never gets through", () => {
  const part = fc.string({ minLength: 1, maxLength: 8 }).map((s) => s.replace(/[/?#]/g, "_"));
  fc.assert(
    fc.property(fc.constantFrom("https", "http", "ssh", "git+ssh"), part, part, (scheme, user, tail) => {
      const shown = withoutCredentials(`${scheme}://${user}:S3CRET${tail}@example.org/path`);
      assert.ok(shown === null || !shown.includes("S3CRET"), shown ?? "");
    }),
  );
});
