import assert from "node:assert/strict";
import type { FileMode } from "../../src/vocabulary/manifest.ts";
import { type BaseFile, gitAgrees } from "../../src/workspace/git_apply.ts";
import { moduleText, withFakeGit } from "./fake_git.ts";
import { inTempDir, remove, write } from "./trees.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function base(files: Record<string, string | [string, FileMode]>): Map<string, BaseFile> {
  return new Map(
    Object.entries(files).map(([path, file]) => {
      const [text, mode] = typeof file === "string" ? [file, "100644" as const] : file;
      return [path, { mode, bytes: bytes(text) }];
    }),
  );
}

const EDIT = bytes("--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n keep\r\n-old \n+new \r\n");
const MIXED = bytes(
  [
    "diff --git a/dir/gone b/dir/gone\ndeleted file mode 100644\n--- a/dir/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
    "diff --git a/made b/made\nnew file mode 100755\n--- /dev/null\n+++ b/made\n@@ -0,0 +1 @@\n+#!\n",
    "\\ No newline at end of file\n",
    "diff --git a/mode b/mode\nold mode 100644\nnew mode 100755\n",
    "diff --git a/old name b/new name\nsimilarity index 100%\nrename from old name\nrename to new name\n",
  ].join(""),
);
const MIXED_BASE = base({ "dir/gone": "x\n", "mode": "m\n", "old name": "r\n" });
const MIXED_RESULT = [
  remove("dir/gone"),
  write("made", "#!", "100755"),
  write("mode", "m\n", "100755"),
  remove("old name"),
  write("new name", "r\n"),
];

Deno.test("gitAgrees: carriage returns, trailing blanks, creation, deletion, mode and rename", async () => {
  assert.deepEqual(await gitAgrees(EDIT, base({ "f": "keep\r\nold \n" }), [write("f", "keep\r\nnew \r\n")]), {
    verdict: "agrees",
  });
  assert.deepEqual(await gitAgrees(MIXED, MIXED_BASE, MIXED_RESULT), { verdict: "agrees" });
});

Deno.test("gitAgrees: every kind of difference is named", async () => {
  const without = (name: string) => MIXED_RESULT.filter(({ path }) => path !== name);
  const cases: [ReturnType<typeof write>[], RegExp][] = [
    [[...without("made"), write("made", "#?", "100755")], /^made: git makes other bytes$/],
    [[...without("made"), write("made", "#!\n", "100755")], /^made: git makes 2 bytes, we 3$/],
    [[...without("made"), write("made", "#!")], /^made: git gives mode 100755, we 100644$/],
    [without("made"), /^made: git leaves a file$/],
    [without("dir/gone"), /^dir\/gone: git leaves no file$/],
    [[...MIXED_RESULT, write("more", "")], /^more: git leaves no file$/],
  ];
  for (const [expected, detail] of cases) {
    const verdict = await gitAgrees(MIXED, MIXED_BASE, expected);
    assert.equal(verdict.verdict, "disagrees");
    assert.match(verdict.verdict === "disagrees" ? verdict.detail : "", detail);
  }
});

Deno.test("gitAgrees: what git does not take is a disagreement with git's words and no private path", async () => {
  const cases: [Uint8Array, RegExp][] = [
    [EDIT, /patch (failed|does not apply)/],
    [bytes("garbage\n"), /No valid patches/],
    [bytes("--- a/../../x\n+++ b/../../x\n@@ -0,0 +1 @@\n+x\n"), /./],
    [
      bytes(
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n",
      ),
      /^l: git leaves a file$/,
    ],
  ];
  for (const [patch, detail] of cases) {
    const verdict = await gitAgrees(patch, base({ "f": "other\n" }), []);
    assert.equal(verdict.verdict, "disagrees");
    if (verdict.verdict !== "disagrees") continue;
    assert.match(verdict.detail, detail);
    assert.ok(!verdict.detail.includes("veripatch-"), verdict.detail);
  }
  assert.deepEqual(await gitAgrees(new Uint8Array(), base({}), []), { verdict: "agrees" });
  assert.equal((await gitAgrees(new Uint8Array(), base({}), [write("a", "")])).verdict, "disagrees");
});

Deno.test("gitAgrees: a base path that escapes is a bug, and nothing is written for it", async () => {
  await assert.rejects(gitAgrees(EDIT, base({ "../../veripatch-escape": "x" }), []), {
    code: "path_refused",
  });
});

Deno.test("gitAgrees: no git is an answer, user configuration has no say, nothing is left behind", () =>
  inTempDir(async (root) => {
    await Deno.writeTextFile(
      `${root}/.gitconfig`,
      "[core]\n\tautocrlf = true\n[apply]\n\twhitespace = error-all\n",
    );
    await Deno.mkdir(`${root}/tmp`);
    const script = `import { gitAgrees } from ${
      JSON.stringify(import.meta.resolve("../../src/workspace/git_apply.ts"))
    };
      const bytes = (text) => new TextEncoder().encode(text);
      const result = await gitAgrees(bytes("--- a/f\\n+++ b/f\\n@@ -1 +1 @@\\n-a\\n+b \\n"),
        new Map([["f", { mode: "100644", bytes: bytes("a\\n") }]]),
        [{ kind: "write", path: "f", mode: "100644", bytes: bytes("b \\n") }]);
      console.log(result.verdict);`;
    for (const [PATH, verdict] of [[Deno.env.get("PATH")!, "agrees"], [root, "no_git"]] as const) {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "-q", script],
        env: { HOME: root, TMPDIR: `${root}/tmp`, PATH, DENO_DIR: JSON.parse(denoInfo()).denoDir },
      }).output();
      assert.equal(new TextDecoder().decode(stdout).trim(), verdict);
    }
    assert.deepEqual([...Deno.readDirSync(`${root}/tmp`)], []);
  }));

function denoInfo(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return new TextDecoder().decode(stdout);
}

Deno.test("gitAgrees: a git that does not end or dies says nothing about the patch", () =>
  inTempDir(async (root) => {
    const script = `import { gitAgrees } from ${moduleText("git_apply.ts")};
      const patch = new TextEncoder().encode("--- a/f\\n+++ b/f\\n@@ -1 +1 @@\\n-a\\n+b\\n");
      const verdict = await gitAgrees(patch, new Map(), [], ${JSON.stringify(root)}, 500)
        .catch((error) => ({ verdict: error.code }));
      console.log(verdict.verdict);`;
    const slow = "#!/bin/sh\necho error: patch failed >&2\nexec /bin/sleep 30\n";
    assert.equal(await withFakeGit(root, slow, script), "timed_out");
    assert.equal(await withFakeGit(root, "#!/bin/sh\nkill -SEGV $$\n", script), "git_died");
    assert.equal(await withFakeGit(root, "#!/nowhere/sh\n", script), "git_not_started");
    assert.equal(await withFakeGit(root, "#!/bin/sh\nexit 1\n", script), "disagrees");
    assert.deepEqual([...Deno.readDirSync(root)].map(({ name }) => name), ["bin"]);
  }));
