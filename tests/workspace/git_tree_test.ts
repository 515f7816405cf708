import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import { gitHistory } from "../../src/workspace/git_history.ts";
import { parseTree } from "../../src/workspace/git_tree.ts";
import type { GitTree, Told } from "../../src/workspace/history.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { commitAll, git, hostileRepository } from "./repositories.ts";
import { inTempDir, snapshot, writeFiles } from "./trees.ts";

function must<T>(told: Told<T>): T {
  if (!told.ok) throw new Error(`${told.refusal.reason}: ${told.refusal.detail}`);
  return told.value;
}

function reasonOf(told: Told<unknown>): string {
  return told.ok ? "ok" : told.refusal.reason;
}

/** History of a directory, with scratch space beside it. */
async function historyOf(directory: string, scratch: string) {
  await Deno.mkdir(scratch, { recursive: true });
  return await gitHistory(directory, scratch);
}

const commit = (root: string, message = "more") => {
  git(root, "add", "-A");
  git(root, "commit", "-q", "-m", message);
  return git(root, "rev-parse", "HEAD");
};

const ODD: Record<string, string> = {
  "a b.txt": "blank\n",
  'quo"te': "q\n",
  "new\nline": "n\n",
  "tab\there": "t\n",
  "back\\slash": "b\n",
  "ünïcode/日本": "u\n",
  "\ufeffbom": "bom\n",
  "-dash": "d\n",
  ":(top)magic": "m\n",
  "deep/er/and/deeper/file": "x\n",
  "empty": "",
};

Deno.test("gitHistory.contents: the manifest of a tree is that of a fresh checkout, odd names, links and modes included", () =>
  inTempDir(async (base) => {
    for (const format of ["sha1", "sha256"]) {
      const root = join(base, format);
      await Deno.mkdir(root);
      git(root, "init", "-q", "-b", "main", `--object-format=${format}`);
      writeFiles(root, {
        ...ODD,
        ".ppignore": "left/*\n*.log\n",
        "left/only.txt": "x",
        "a.log": "y",
        "run.sh": "#!/bin/sh\n",
      });
      await Deno.chmod(join(root, "run.sh"), 0o755);
      await Deno.symlink("run.sh", join(root, "link"));
      await Deno.symlink("/etc/passwd", join(root, "deep/out"));
      writeFiles(root, { "pkg/__pycache__/m.pyc": "cache", ".cache/kept": "tracked and ignored" });
      const head = commit(root);
      const bare = join(base, `${format}.git`);
      execFileSync("git", ["clone", "-q", "--bare", root, bare]);
      const clone = join(base, `${format}-clone`);
      execFileSync("git", ["clone", "-q", root, clone]);
      const want = await (await directoryWorkspace(clone)).manifest();
      for (const directory of [root, bare, join(root, "deep")]) {
        const history = await historyOf(directory, join(base, "scratch"));
        const tree = must(await history.tree(must(await history.commit("HEAD"))));
        assert.equal(tree.commit, head);
        const { manifest, all } = must(await history.contents(tree));
        assert.deepEqual(
          Array.from(manifest.entries, ({ path, mode, size, sha256 }) => ({ path, mode, size, sha256 })),
          Array.from(want.entries, ({ path, mode, size, sha256 }) => ({ path, mode, size, sha256 })),
        );
        assert.equal(manifest.digest, want.digest);
        assert.ok([...manifest.entries].some((e) => e.path === "left" && e.mode === "040000"));
        const paths = new Set(all.map((e) => e.path));
        for (const path of ["a.log", "left/only.txt", ".cache/kept", "pkg/__pycache__/m.pyc"]) {
          assert.ok(paths.has(path), path);
          assert.ok(![...manifest.entries].some((e) => e.path === path), path);
        }
        const out = await Deno.makeTempDir({ dir: base });
        await history.checkOut(tree, out);
        assert.equal((await (await directoryWorkspace(out)).manifest()).digest, want.digest);
      }
    }
  }));

Deno.test("gitHistory.placesOf: a file of a working tree, a linked one, and by way of links", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    const first = commitAll(root, { "conf/trust.yaml": "1\n" });
    execFileSync("git", ["clone", "-q", root, join(base, "clone")]);
    git(root, "worktree", "add", "-q", "--detach", join(base, "linked"));
    commitAll(join(base, "other"), { "trust.yaml": "1\n" });
    await Deno.symlink(join(root, "conf/trust.yaml"), join(base, "far.yaml"));
    await Deno.symlink(join(base, "other/trust.yaml"), join(root, "near.yaml"));
    await Deno.symlink("conf", join(root, "alias"));
    await Deno.symlink("../far.yaml", join(root, "out-and-in.yaml"));
    const history = await historyOf(root, join(base, "scratch"));
    const cases: [file: string, places: string[]][] = [
      ["repo/conf/trust.yaml", ["conf/trust.yaml"]],
      ["linked/conf/trust.yaml", ["conf/trust.yaml"]],
      ["far.yaml", ["conf/trust.yaml"]],
      ["repo/near.yaml", ["near.yaml"]],
      ["repo/alias/trust.yaml", ["alias/trust.yaml", "alias", "conf/trust.yaml"]],
      ["repo/out-and-in.yaml", ["out-and-in.yaml", "conf/trust.yaml"]],
      ["clone/conf/trust.yaml", ["conf/trust.yaml"]],
      ["repo/conf/../conf/missing.yaml", ["conf/missing.yaml"]],
      ["other/trust.yaml", []],
      ["nowhere/trust.yaml", []],
    ];
    for (const [file, places] of cases) {
      assert.deepEqual(await history.placesOf(join(base, file), first), places, file);
    }
  }));

Deno.test("gitHistory.contents: a submodule is the empty directory that a plain clone has", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    commitAll(root, { "a": "1\n" });
    commitAll(join(base, "other"), { "m": "1\n" });
    git(root, "submodule", "--quiet", "add", join(base, "other"), "module");
    commit(root);
    const clone = join(base, "clone");
    execFileSync("git", ["clone", "-q", root, clone]);
    const history = await historyOf(root, join(base, "scratch"));
    const tree = must(await history.tree(must(await history.commit("main"))));
    assert.equal(tree.entries.get("module")?.mode, "160000");
    const { manifest } = must(await history.contents(tree));
    assert.equal(manifest.digest, (await (await directoryWorkspace(clone)).manifest()).digest);
  }));

Deno.test("gitHistory: nothing a repository configures runs, nothing in it changes, replacements and grafts do not count", () =>
  inTempDir(async (base) => {
    const { root, marker, first } = hostileRepository(base);
    const head = git(root, "rev-parse", "HEAD");
    const other = git(root, "commit-tree", "-m", "other", `${first}^{tree}`);
    git(root, "replace", head, other);
    writeFiles(root, { ".git/info/grafts": `${head}\n` });
    // Plain git fell into the trap just now.
    await Deno.remove(marker, { recursive: true }).catch(() => {});
    const before = snapshot(root);
    const history = await historyOf(root, join(base, "scratch"));
    const tree = must(await history.tree(must(await history.commit(head))));
    assert.ok(tree.entries.has("module"), "the replacement has no module");
    assert.equal(must(await history.mergeBase(first, head)), first, "the graft would cut history");
    await history.contents(tree);
    const out = await Deno.makeTempDir({ dir: base });
    await history.checkOut(tree, out);
    assert.deepEqual(snapshot(root), before);
    await assert.rejects(Deno.lstat(marker), Deno.errors.NotFound);
  }));

Deno.test("gitHistory.commit: what a name may be, and what it means", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    const first = commitAll(root, { "a": "1\n" });
    writeFiles(root, { "a": "2\n" });
    const second = commit(root);
    git(root, "tag", "-a", "v1", "-m", "annotated", first);
    git(root, "branch", "twice", first);
    git(root, "branch", "RELEASE", first);
    git(root, "tag", "RELEASE", second);
    git(root, "tag", "HEAD", first);
    git(root, "tag", "twice", second);
    git(root, "branch", first.slice(0, 8), second);
    git(root, "update-ref", "refs/remotes/origin/main", second);
    git(root, "tag", "origin/shadowed", first);
    git(root, "update-ref", "refs/remotes/origin/shadowed", second);
    const history = await historyOf(root, join(base, "scratch"));
    const good: Record<string, string> = {
      "main": second,
      "HEAD": second,
      "HEAD~1": first,
      "main^": first,
      "v1": first,
      "refs/heads/twice": first,
      "refs/tags/twice": second,
      "origin/main": second,
      [first]: first,
      [second.slice(0, 10)]: second,
    };
    for (const [name, want] of Object.entries(good)) {
      assert.equal(must(await history.commit(name)), want, name);
    }
    const bad: Record<string, string> = {
      "twice": "ref_ambiguous",
      "RELEASE": "ref_ambiguous",
      "origin/shadowed": "ref_ambiguous",
      [first.slice(0, 8)]: "ref_ambiguous",
      "nowhere": "ref_unknown",
      ["0".repeat(40)]: "ref_unknown",
      "--all": "ref_malformed",
      "-h": "ref_malformed",
      "": "ref_malformed",
      "main..v1": "ref_malformed",
      "^main": "ref_malformed",
      "main:a": "ref_malformed",
      ":/first": "ref_malformed",
      "main@{0}": "ref_malformed",
      "main^{/first}": "ref_malformed",
      "ma*n": "ref_malformed",
      "main\nv1": "ref_malformed",
      "main\0": "ref_malformed",
      ["x".repeat(2_000)]: "ref_malformed",
    };
    for (const [name, want] of Object.entries(bad)) {
      assert.equal(reasonOf(await history.commit(name)), want, JSON.stringify(name));
    }
  }));

Deno.test("gitHistory.mergeBase: the one there is, none, several, and what a shallow clone cannot know", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    const first = commitAll(root, { "a": "1\n" });
    writeFiles(root, { "main": "1\n" });
    const main = commit(root);
    git(root, "checkout", "-q", "-b", "side", first);
    writeFiles(root, { "side": "1\n" });
    const side = commit(root);
    const alone = git(root, "commit-tree", "-m", "alone", `${first}^{tree}`);
    const crossOne = git(root, "commit-tree", "-m", "x", "-p", main, "-p", side, `${main}^{tree}`);
    const crossTwo = git(root, "commit-tree", "-m", "y", "-p", side, "-p", main, `${main}^{tree}`);
    const history = await historyOf(root, join(base, "scratch"));
    assert.equal(must(await history.mergeBase(main, side)), first);
    assert.equal(must(await history.mergeBase(first, side)), first);
    assert.equal(reasonOf(await history.mergeBase(main, alone)), "no_merge_base");
    assert.equal(reasonOf(await history.mergeBase(crossOne, crossTwo)), "several_merge_bases");

    git(root, "update-ref", "refs/heads/main", main);
    const cut = join(base, "cut");
    execFileSync("git", ["clone", "-q", "--depth", "1", "--no-single-branch", `file://${root}`, cut]);
    const shallow = await historyOf(cut, join(base, "scratch"));
    const told = await shallow.mergeBase(must(await shallow.commit("origin/main")), side);
    assert.equal(reasonOf(told), "shallow_clone");
    assert.match(told.ok ? "" : told.refusal.detail, /fetch-depth: 0/);
    const deeper = join(base, "deeper");
    execFileSync("git", ["clone", "-q", "--depth", "2", "--branch", "side", `file://${root}`, deeper]);
    const enough = await historyOf(deeper, join(base, "scratch"));
    assert.equal(must(await enough.mergeBase(first, side)), first, "base is in the history of head");
  }));

Deno.test("gitHistory.tree: a tree that git would not write is refused", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    commitAll(root, { "a": "1\n", "d/b": "2\n" });
    const blob = git(root, "rev-parse", "HEAD:a");
    const sub = git(root, "rev-parse", "HEAD:d");
    const raw = (id: string) => Uint8Array.from(id.match(/../g)!, (pair) => parseInt(pair, 16));
    const tree = (...entries: [mode: string, name: string | Uint8Array, id: string][]) => {
      const parts = entries.map(([mode, name, id]) => {
        const bytes = typeof name === "string" ? new TextEncoder().encode(name) : name;
        return [...new TextEncoder().encode(`${mode} `), ...bytes, 0, ...raw(id)];
      });
      const input = new Uint8Array(parts.flat());
      const args = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
      const id = execFileSync("git", args, { cwd: root, input }).toString().trim();
      return git(root, "commit-tree", "-m", "odd", id);
    };
    const history = await historyOf(root, join(base, "scratch"));
    const cases: [string, string][] = [
      [tree(["100644", "a", blob], ["100644", "a", blob]), "tree_malformed"],
      [tree(["100644", "a", blob], ["40000", "a", sub]), "tree_malformed"],
      [tree(["40000", "..", sub]), "tree_malformed"],
      [tree(["40000", ".git", sub]), "tree_malformed"],
      [tree(["40000", ".GIT", sub]), "tree_malformed"],
      [tree(["100644", "x/y", blob]), "tree_malformed"],
      [tree(["100644", Uint8Array.of(0x66, 0xff), blob]), "name_not_utf8"],
    ];
    for (const [commit, want] of cases) assert.equal(reasonOf(await history.tree(commit)), want);
    // A mode of old git is what git makes of it.
    const old = must(await history.tree(tree(["100664", "a", blob], ["100775", "x", blob])));
    assert.deepEqual([...old.entries.values()].map((e) => e.mode), ["100644", "100755"]);
    const lying = must(await history.tree(tree(["100644", "a", sub])));
    await assert.rejects(history.contents(lying), (error: Failure) => error.code === "not_a_blob");
  }));

Deno.test("gitHistory.contents: an object that is not there is named, and nothing is fetched", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    commitAll(root, { "a": "1\n", "b": "2\n" });
    git(root, "config", "uploadpack.allowFilter", "true");
    const partial = join(base, "partial.git");
    execFileSync("git", ["clone", "-q", "--bare", "--filter=blob:none", `file://${root}`, partial]);
    const history = await historyOf(partial, join(base, "scratch"));
    const tree = must(await history.tree(must(await history.commit("main"))));
    await assert.rejects(
      history.contents(tree),
      (error: Failure) => error.code === "objects_missing" && error.kind === "unavailable",
    );
  }));

Deno.test("gitHistory.contents: a .ppignore that no walk takes", () =>
  inTempDir(async (base) => {
    for (const [name, text] of [["stars", "a*b*c*d*e*f\n"], ["large", "#".repeat(300_000)]] as const) {
      const root = join(base, name);
      commitAll(root, { ".ppignore": text });
      const history = await historyOf(root, join(base, "scratch"));
      const tree = must(await history.tree(must(await history.commit("main"))));
      assert.equal(reasonOf(await history.contents(tree)), "ignore_file_malformed", name);
    }
    const root = join(base, "link");
    commitAll(root, { "rules": "*.log\n" });
    await Deno.symlink("rules", join(root, ".ppignore"));
    commit(root);
    const history = await historyOf(root, join(base, "scratch"));
    const tree = must(await history.tree(must(await history.commit("main"))));
    assert.equal(reasonOf(await history.contents(tree)), "ignore_file_malformed");
  }));

Deno.test("gitHistory.blobs: a blob that is larger than wanted is not read", () =>
  inTempDir(async (base) => {
    const root = join(base, "repo");
    commitAll(root, { "small": "12345", "large": "1234567" });
    const history = await historyOf(root, join(base, "scratch"));
    const tree = must(await history.tree(must(await history.commit("main"))));
    const id = (path: string) => tree.entries.get(path)!.id;
    const found = await history.blobs(new Map([[id("large"), 6], [id("small"), 5]]));
    assert.equal(found.get(id("large")), null);
    assert.equal(new TextDecoder().decode(found.get(id("small"))!), "12345");
  }));

Deno.test("gitHistory: a directory without a repository, and an interrupt", () =>
  inTempDir(async (base) => {
    await assert.rejects(historyOf(base, join(base, "scratch")), (error: Failure) =>
      error.code === "no_repository");
    const root = join(base, "repo");
    commitAll(root, { "a": "1\n" });
    const reason = new Failure("interrupted", "interrupted", "stopped");
    const history = await gitHistory(root, join(base, "scratch"), AbortSignal.abort(reason));
    await assert.rejects(history.tree("HEAD"), (error) =>
      error === reason);
  }));

Deno.test("parseTree: what git's list cannot say is refused", () => {
  const id = "0".repeat(40);
  const read = (text: string): Told<GitTree> => parseTree(new TextEncoder().encode(text), id, id);
  assert.equal(reasonOf(read(`100644 blob ${id}\ta\0`)), "ok");
  const bad = [
    `100644 blob ${id}\ta`,
    `100644 tree ${id}\ta\0`,
    `100666 blob ${id}\ta\0`,
    `100644 blob ${id.slice(1)}\ta\0`,
    `100644 blob ${id}\t\0`,
    "\0",
  ];
  for (const text of bad) assert.equal(reasonOf(read(text)), "tree_malformed", JSON.stringify(text));
});
