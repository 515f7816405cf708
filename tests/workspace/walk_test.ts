import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { Failure } from "../../src/vocabulary/failure.ts";
import { comparePaths, parentsOf } from "../../src/vocabulary/path.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import { asNobody, concat, failureOf, inTempDir, PLACEMENT, write, writeFiles } from "./trees.ts";

async function pathsOf(root: string): Promise<{ sent: string[]; skipped: string[] }> {
  const workspace = await directoryWorkspace(root);
  const { entries } = await workspace.manifest();
  return {
    sent: Array.from(entries, ({ path }) => path),
    skipped: workspace.skipped().map(({ path, reason }) => `${path} ${reason}`),
  };
}

Deno.test("walk: git, artifacts and caches stay out as one entry each; node_modules stays in", () =>
  inTempDir(async (root) => {
    writeFiles(root, {
      ".git/config": "",
      "sub/.git": "gitdir: ../x",
      "sub/inner/.git/HEAD": "",
      ".pp-artifacts/s/x": "",
      "a/__pycache__/m.pyc": "",
      ".DS_Store": "",
      "__pycache__2/kept": "",
      "node_modules/p/.cache/x": "",
      "node_modules/p/index.js": "",
      ".venv/bin/python": "",
    });
    assert.deepEqual(await pathsOf(root), {
      sent: [
        ...[".venv", ".venv/bin", ".venv/bin/python", "__pycache__2", "__pycache__2/kept", "a"],
        ...["node_modules", "node_modules/p", "node_modules/p/index.js", "sub", "sub/inner"],
      ],
      skipped: [
        ...[".DS_Store", ".git", ".pp-artifacts", "a/__pycache__", "node_modules/p/.cache"],
        ...["sub/.git", "sub/inner/.git"],
      ].map((path) => `${path} ignored`),
    });
  }));

Deno.test("walk: .ppignore has gitignore's syntax, re-includes caches and never git or artifacts", () =>
  inTempDir(async (root) => {
    writeFiles(root, {
      ".ppignore": "# data\n/data/\n*.log\n!keep.log\n!__pycache__/\n!.git\n!.git/\n!.pp-artifacts/\nCase\n",
      "data/x": "",
      "src/data/x": "",
      "a.log": "",
      "keep.log": "",
      "__pycache__/m.pyc": "",
      ".git/HEAD": "",
      ".pp-artifacts/x": "",
      "case": "",
      "d/Case/x": "",
    });
    assert.deepEqual(await pathsOf(root), {
      sent: [
        ...[".ppignore", "__pycache__", "__pycache__/m.pyc", "case", "d", "keep.log", "src", "src/data"],
        "src/data/x",
      ],
      skipped: [".git", ".pp-artifacts", "a.log", "d/Case", "data"].map((path) => `${path} ignored`),
    });
  }));

Deno.test("walk: entries come in the order of their paths, where names continue that of a directory too", () =>
  inTempDir(async (root) => {
    const names = ["a", "a-", "a--", "a-b", "a.b", "a0", "a\u0001", "b", "\ufeffa", "\u{1f600}", "\uffee"];
    const files = names.flatMap((name, i) =>
      i % 3 === 2 ? [name] : [`${name}/x`, `${name}/a/y`, `${name}/a!`, `${name}/a0`]
    );
    writeFiles(root, Object.fromEntries(files.map((path) => [path, ""])));
    const want = [...files, ...parentsOf(files)].sort(comparePaths);
    assert.deepEqual((await pathsOf(root)).sent, want);
  }));

Deno.test("walk: rules that would take too long to match are refused with their lines", () =>
  inTempDir(async (root) => {
    writeFiles(root, { ".ppignore": `ok\n${"*a".repeat(30)}\n#${"*".repeat(50)}\n${"x".repeat(2000)}\n` });
    const failure = await failureOf(pathsOf(root));
    assert.equal(failure.code, "ignore_file_malformed");
    assert.deepEqual(failure.details.map((line) => line.slice(0, 7)), ["line 2:", "line 4:"]);
  }));

Deno.test("walk: a .ppignore that is a link is refused, not followed", () =>
  inTempDir(async (root) => {
    Deno.symlinkSync("/etc/passwd", join(root, ".ppignore"));
    assert.equal((await failureOf(pathsOf(root))).code, "ignore_file_malformed");
  }));

Deno.test("walk: an artifacts directory inside the workspace stays out", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "out/proofs/x": "", "out/y": "", "proofs/z": "" });
    const workspace = await directoryWorkspace(root, { artifactsDir: "out/proofs" });
    const { entries } = await workspace.manifest();
    assert.deepEqual(Array.from(entries, ({ path }) => path), ["out", "out/y", "proofs", "proofs/z"]);
    assert.deepEqual(workspace.skipped(), [{ path: "out/proofs", reason: "ignored" }]);
    assert.equal(
      (await failureOf(directoryWorkspace(root, { artifactsDir: root }))).code,
      "artifacts_dir_malformed",
    );
  }));

Deno.test("walk: pipes and sockets are skipped and recorded, without waiting on them", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "file": "" });
    execFileSync("mkfifo", [join(root, "pipe")]);
    const server = createServer();
    await new Promise<void>((listening) => server.listen(join(root, "socket"), listening));
    try {
      assert.deepEqual(await pathsOf(root), { sent: ["file"], skipped: ["pipe fifo", "socket socket"] });
    } finally {
      await new Promise((closed) => server.close(closed));
    }
  }));

Deno.test("walk: links are sent as links, loops and links out of the workspace too, and never followed", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "secret": "outside", "in/dir/file": "inside" });
    const links = {
      "loop": "loop",
      "dir/up": "..",
      "etc": "/etc",
      "passwd": "/etc/passwd",
      "sibling": "../secret",
      "gone": "nowhere",
    };
    for (const [name, target] of Object.entries(links)) Deno.symlinkSync(target, join(root, "in", name));
    const workspace = await directoryWorkspace(join(root, "in"));
    const tar = new TextDecoder().decode(concat(await Array.fromAsync(workspace.tar(PLACEMENT))));
    assert.ok(!tar.includes("outside") && !tar.includes("root:x:0"));
    const { entries } = await workspace.manifest();
    assert.deepEqual(
      Object.fromEntries([...entries].filter((e) => e.mode === "120000").map((e) => [e.path, e.target])),
      links,
    );
    assert.equal(entries.length, Object.keys(links).length + 2);
  }));

Deno.test("walk: a root that is reached through a link is the real directory; what is none is refused", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "real/file": "x" });
    Deno.symlinkSync("real", join(root, "alias"));
    assert.equal((await directoryWorkspace(join(root, "alias"))).root, join(root, "real"));
    for (const bad of ["real/file", "none"]) {
      const failure = await failureOf(directoryWorkspace(join(root, bad)));
      assert.deepEqual([failure.kind, failure.code], ["usage", "workspace_missing"]);
    }
  }));

Deno.test("walk: names and link targets that are not UTF-8 are all named, byte for byte", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "ok\ufffd": "a real replacement character", "d/x": "", "e/f\ufffd": "" });
    const make = `cd "$1" && : > "$(printf 'b\\377.txt')" && : > "$(printf 'd/\\303(')" &&
      mkdir "$(printf 'dir\\376')" && ln -s "$(printf 't\\377')" link && : > "$(printf 'e/f\\377')"`;
    execFileSync("sh", ["-c", make, "sh", root]);
    const failure = await failureOf(pathsOf(root));
    assert.deepEqual([failure.kind, failure.code], ["malformed", "name_not_utf8"]);
    assert.match(failure.hint!, /rename.*\.ppignore/);
    assert.deepEqual([...failure.details].sort(), [
      "b\\xff.txt",
      "d/\\xc3(",
      "dir\\xfe",
      "e/f\\xff",
      "link (the target of this link)",
    ]);
  }));

Deno.test("walk: a replacement character alone is a good name", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "ok\ufffd": "x", "dir\ufffd/y": "" });
    assert.deepEqual((await pathsOf(root)).sent, ["dir\ufffd", "dir\ufffd/y", "ok\ufffd"]);
  }));

Deno.test("walk: everything this user may not read is listed at once, with what to do", () =>
  inTempDir(async (root) => {
    Deno.chmodSync(root, 0o755);
    writeFiles(root, { "a/closed": "x", "b/open": "x", "locked/in": "x", "listed/in": "x", "z": "x" });
    for (const [name, mode] of [["a/closed", 0], ["z", 0o200], ["locked", 0], ["listed", 0o744]] as const) {
      Deno.chmodSync(join(root, name), mode);
    }
    const directories = await asNobody(root, "tar");
    assert.notEqual(directories.uid, 0);
    assert.deepEqual([directories.failure?.kind, directories.failure?.code], ["denied", "unreadable"]);
    const expected = Deno.uid() === 0
      ? ["a/closed", "listed/in", "locked", "z"]
      : ["a/closed", "locked", "z"];
    assert.deepEqual(directories.failure?.details, expected);

    Deno.writeTextFileSync(join(root, ".ppignore"), "locked\nlisted\n");
    assert.deepEqual((await asNobody(root, "tar")).failure?.details, ["a/closed", "z"]);
    Deno.writeTextFileSync(join(root, ".ppignore"), "locked\nlisted\nclosed\nz\n");
    assert.deepEqual((await asNobody(root, "tar")).failure, null);
  }));

Deno.test("walk: too deep is an error that names the path", () =>
  inTempDir(async (root) => {
    Deno.mkdirSync(join(root, "d/".repeat(300)), { recursive: true });
    const failure = await failureOf(pathsOf(root));
    assert.equal(failure.code, "workspace_too_large");
    assert.equal(failure.details.length, 1);
    assert.ok(failure.details[0]!.startsWith("d/d/d/"));
  }));

for (
  const [how, change] of [
    ["grows", (file: string) => Deno.writeTextFileSync(file, "more", { append: true })],
    ["is truncated", (file: string) => Deno.truncateSync(file, 3 << 20)],
    ["vanishes", (file: string) => Deno.removeSync(file)],
    ["becomes a link", (file: string) => {
      Deno.removeSync(file);
      Deno.symlinkSync("/etc/passwd", file);
    }],
    ["is another file of the same size", (file: string) => {
      Deno.renameSync(file, `${file}.old`);
      Deno.writeFileSync(file, new Uint8Array(5 << 20));
    }],
  ] as const
) {
  Deno.test(`tar: a file that ${how} while the workspace is read is named`, () =>
    inTempDir(async (root) => {
      Deno.writeFileSync(join(root, "a"), new Uint8Array(5 << 20));
      Deno.writeFileSync(join(root, "b"), new Uint8Array(5 << 20));
      const workspace = await directoryWorkspace(root);
      const read = async () => {
        let first = true;
        for await (const _ of workspace.tar(PLACEMENT)) {
          if (first) change(join(root, "b"));
          first = false;
        }
      };
      const failure = await failureOf(read());
      assert.deepEqual([failure.kind, failure.code, failure.details], ["malformed", "workspace_changed", [
        "b",
      ]]);
    }));
}

Deno.test("tar: sent again, the workspace must be what was sent first", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "same": "x", "edited": "x", "gone": "x" });
    const workspace = await directoryWorkspace(root);
    const { digest } = await workspace.manifest();
    await Array.fromAsync(workspace.tar(PLACEMENT));
    writeFiles(root, { "edited": "y", "new": "" });
    Deno.removeSync(join(root, "gone"));
    const failure = await failureOf(Array.fromAsync(workspace.tar(PLACEMENT)));
    assert.equal(failure.code, "workspace_changed");
    assert.deepEqual([...failure.details].sort(), ["edited", "gone", "new"]);
    assert.equal((await workspace.manifest()).digest, digest);
  }));

Deno.test("read: bytes as sent; a limit; a change, a link in place and a path outside are refused", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "a": "hello\r\n", "b": "x", "c": "same", "other": "same" });
    const workspace = await directoryWorkspace(root);
    const at = (name: string) => write(name, "").path;
    assert.equal(new TextDecoder().decode(await workspace.read(at("a"), 7)), "hello\r\n");
    await assert.rejects(workspace.read(at("a"), 6), RangeError);
    writeFiles(root, { "b": "y" });
    assert.equal((await failureOf(workspace.read(at("b"), 10))).code, "workspace_changed");
    Deno.removeSync(join(root, "c"));
    Deno.symlinkSync("other", join(root, "c"));
    assert.equal((await failureOf(workspace.read(at("c"), 10))).code, "workspace_changed");
    assert.equal((await failureOf(workspace.read(at("none"), 10))).code, "not_a_workspace_file");
  }));

Deno.test("entry: asking before the manifest is known is a bug", () =>
  inTempDir(async (root) => {
    const workspace = await directoryWorkspace(root);
    assert.throws(() => workspace.entry("a"), { code: "manifest_unknown" });
    assert.throws(() => workspace.skipped(), { code: "manifest_unknown" });
  }));

Deno.test("walk: a directory exchanged for a link again and again never leads outside", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "outside/deep/secret": "S3CRET", "in/d/deep/secret": "inside", "in/z": "z" });
    const swap = `cd "$1" && while :; do
      mv d ../away && ln -s ../outside d && rm d && mkdir d && rmdir d && mv ../away d; done`;
    const swapper = new Deno.Command("sh", { args: ["-c", swap, "sh", join(root, "in")] }).spawn();
    const outcomes = new Set<string>();
    try {
      for (const end = Date.now() + 1_500; Date.now() < end;) {
        const workspace = await directoryWorkspace(join(root, "in"));
        try {
          const tar = new TextDecoder().decode(concat(await Array.fromAsync(workspace.tar(PLACEMENT))));
          assert.ok(!tar.includes("S3CRET"));
          outcomes.add("read");
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          outcomes.add(error.code);
        }
      }
    } finally {
      swapper.kill("SIGKILL");
      await swapper.status;
    }
    assert.deepEqual([...outcomes].filter((outcome) => !["read", "workspace_changed"].includes(outcome)), []);
  }));

Deno.test("walk: strangers are left out unless git tracks them", async () => {
  await inTempDir(async (root) => {
    for (const name of ["kept.txt", "tracked.diff", "stranger.diff"]) {
      await Deno.writeTextFile(`${root}/${name}`, "x\n");
    }
    const git = (...args: string[]) => new Deno.Command("git", { args, cwd: root }).output();
    await git("init", "-q");
    await git("add", "tracked.diff");
    const strangers = ["tracked.diff", `${root}/stranger.diff`, "../elsewhere.diff"];
    const workspace = await directoryWorkspace(root, { strangers });
    const { entries } = await workspace.manifest();
    assert.deepEqual(Array.from(entries, (e) => e.path), ["kept.txt", "tracked.diff"]);
    assert.ok(workspace.skipped().some((s) => s.path === "stranger.diff"));
  });
});
