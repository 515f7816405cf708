import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { pp, type PpResult, withFolder } from "./process.ts";
import { withTerminal } from "./terminal.ts";

interface Store {
  readonly cwd: string;
  pp(...args: readonly string[]): Promise<PpResult>;
  json(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>>;
}

/** A workspace `w` and a store `s` in one folder. */
async function withStore(use: (store: Store) => Promise<void>): Promise<void> {
  await withFolder({ "w/a.txt": "one\ntwo\n", "w/d/b.bin": new Uint8Array([0, 1, 2]) }, async (cwd) => {
    const env = { PP_STORE: `${cwd}/s`, PP_ACTOR: "tester" };
    const run = (...args: readonly string[]) => pp(args, { cwd, env });
    await use({
      cwd,
      pp: run,
      json: async (...args) => JSON.parse((await run(...args, "--json")).stdout),
    });
  });
}

const create = ["artifact", "create", "api", "--workspace", "w"];

Deno.test("pp artifact: create, change, diff, export and go back", async () => {
  await withStore(async ({ cwd, pp, json }) => {
    const none = await pp("artifact", "list");
    assert.equal(none.code, 69);
    assert.match(none.stderr, /there is no store.*\nhint: pp artifact create/);
    const first = await pp(...create, "-m", "first");
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^api@1 {2}2 files, 11 B, tree [0-9a-f]{12}\n/);
    assert.match((await pp(...create)).stdout, /^api@1 {2}nothing changed since /);
    await Deno.writeTextFile(`${cwd}/w/a.txt`, "one\n2\n");
    await Deno.writeFile(`${cwd}/w/d/b.bin`, new Uint8Array([0, 1, 3]));
    const second = await json(...create);
    assert.equal(second.format, "veripatch-artifact-version/v1");
    assert.equal(second.changed, true);
    const diff = await pp("artifact", "diff", "api@1", "api");
    assert.equal(
      diff.stdout,
      "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n" +
        "diff --git a/d/b.bin b/d/b.bin\nBinary files a/d/b.bin and b/d/b.bin differ\n",
    );
    assert.equal((await json("artifact", "diff", "api@1", "api@1")).same, true);
    assert.equal((await pp("artifact", "rollback", "api@1")).code, 0);
    const versions = await json("artifact", "versions", "api") as {
      versions: { number: number; restores: number }[];
    };
    assert.deepEqual(versions.versions.map(({ number, restores }) => [number, restores]), [
      [3, 1],
      [2, null],
      [1, null],
    ]);
    const exported = await pp("artifact", "export", "api", "out");
    assert.equal(exported.code, 0, exported.stderr);
    assert.equal(await Deno.readTextFile(`${cwd}/out/a.txt`), "one\ntwo\n");
    const again = await pp("artifact", "export", "api", "out");
    assert.equal(again.code, 64);
    assert.match(again.stderr, /out is there already, and not empty/);
    assert.equal((await pp("artifact", "export", "api@2", "--tar", "two.tar")).code, 0);
    assert.equal((await pp("artifact", "export", "api@2", "--tar", "two.tar")).code, 64);
    assert.equal((await pp("artifact", "export", "api@2", "--tar", "two.tar", "--force")).code, 0);
    const listed = await new Deno.Command("tar", { args: ["tf", `${cwd}/two.tar`] }).output();
    assert.equal(new TextDecoder().decode(listed.stdout), "a.txt\nd/\nd/b.bin\n");
    assert.match((await pp("artifact", "list")).stdout, /^api@3 {2}3 versions/);
    assert.equal(
      (await pp("artifact", "list", "api")).stdout,
      (await pp("artifact", "versions", "api")).stdout,
    );
    assert.match((await pp("artifact", "files", "api@2")).stdout, /^100644 6 [0-9a-f]{12} a\.txt$/m);
    assert.match((await pp("artifact", "show", "api@1")).stdout, /^message {2}first$/m);
  });
});

Deno.test("pp artifact diff -o: git takes the patch, odd names and bytes included", async () => {
  await withStore(async ({ cwd, pp }) => {
    await Deno.writeFile(`${cwd}/w/näme "q"`, new Uint8Array([0xff, 10, 0xfe, 10]));
    await pp(...create);
    await Deno.writeFile(`${cwd}/w/näme "q"`, new Uint8Array([0xff, 10, 0xfd]));
    await Deno.writeTextFile(`${cwd}/w/new`, "x\n");
    await Deno.chmod(`${cwd}/w/a.txt`, 0o755);
    await pp(...create);
    assert.equal((await pp("artifact", "diff", "api@1", "api@2", "-o", "p.diff")).code, 0);
    assert.equal((await pp("artifact", "export", "api@1", "out")).code, 0);
    const git = new Deno.Command("git", { args: ["apply", "../p.diff"], cwd: `${cwd}/out` });
    const { success, stderr } = await git.output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.deepEqual([...await Deno.readFile(`${cwd}/out/näme "q"`)], [0xff, 10, 0xfd]);
    assert.equal(await Deno.readTextFile(`${cwd}/out/new`), "x\n");
    assert.equal((await Deno.stat(`${cwd}/out/a.txt`)).mode! & 0o100, 0o100);
  });
});

Deno.test("pp artifact fsck: names what a corrupt blob hits, exits 2, and repairs from a workspace", async () => {
  await withStore(async ({ cwd, pp, json }) => {
    await pp(...create);
    assert.match((await pp("artifact", "fsck")).stdout, /^sound: 1 version, 2 blobs/);
    const files = await json("artifact", "files", "api") as { entries: { path: string; sha256: string }[] };
    const digest = files.entries.find(({ path }) => path === "a.txt")!.sha256;
    await Deno.writeTextFile(`${cwd}/s/blobs/${digest.slice(0, 2)}/${digest}`, "one\ntwx\n");
    const found = await pp("artifact", "fsck");
    assert.equal(found.code, 2);
    assert.match(found.stdout, new RegExp(`^corrupt {2}blob ${digest}\n {9}api@1 {2}a\\.txt$`, "m"));
    const exported = await pp("artifact", "export", "api", "out");
    assert.equal(exported.code, 65);
    assert.match(exported.stderr, /corrupt/);
    const left = await pp("artifact", "fsck", "--repair", "--workspace", "s/cache");
    assert.equal(left.code, 2);
    assert.match(left.stdout, /missing {2}blob/);
    const repaired = await pp("artifact", "fsck", "--repair", "--workspace", "w");
    assert.equal(repaired.code, 0, repaired.stdout);
    assert.match(repaired.stdout, new RegExp(`^restored blob ${digest}$`, "m"));
  });
});

Deno.test("pp artifact list, versions: one row of a terminal each, whatever the names are", async () => {
  await withStore(async ({ cwd, pp }) => {
    const name = "a-project-whose-name-is-rather-long-for-a-row";
    await pp("artifact", "create", name, "--workspace", "w", "-m", "a message that is long, too ".repeat(3));
    const env = { PP_STORE: `${cwd}/s`, PP_ACTOR: "tester" };
    for (const verb of [["list"], ["versions", name]]) {
      const whole = (await pp("artifact", ...verb)).stdout;
      assert.match(whole, /by tester/);
      await withTerminal({ args: ["artifact", ...verb], cwd, env, columns: 80 }, async (terminal) => {
        const rows = (await terminal.until(/EXIT:0/)).split("\n").filter((row) => row !== "");
        assert.deepEqual([rows.length, rows[0]!.length], [2, 80]);
        assert.match(rows[0]!, /^a-project-whose-name-is-rather-long-for-a-row@1 {2}.*…$/);
      });
    }
  });
});

Deno.test("pp artifact prune and gc: say first, do then", async () => {
  await withStore(async ({ cwd, pp, json }) => {
    for (const text of ["1", "2", "3"]) {
      await Deno.writeTextFile(`${cwd}/w/a.txt`, text);
      await pp(...create);
    }
    await pp("propose", "api@1", "--file", "a.txt", "--old", "1", "--new", "4");
    assert.equal((await pp("artifact", "prune")).code, 64);
    assert.match((await pp("artifact", "prune", "--keep", "1", "--dry-run")).stdout, /would remove api@1/);
    assert.deepEqual((await json("artifact", "prune", "--keep", "1", "--dry-run")).open_proposals, ["P1.1"]);
    assert.equal((await json("artifact", "versions", "api") as { versions: [] }).versions.length, 3);
    assert.match(
      (await pp("artifact", "prune", "api", "--keep", "1")).stdout,
      /removed api@2\nremoved api@1\nnote {5}P1.1 is based on api@1; pp proposal rebase P1\nnext /,
    );
    assert.equal((await json("artifact", "gc", "--dry-run")).blobs, 1);
    assert.match((await pp("artifact", "gc")).stdout, /^removed 1 blob/);
    assert.match((await pp("artifact", "gc")).stdout, /^nothing to remove/);
    assert.match(
      (await pp("artifact", "prune", "--older-than", "0s")).stdout,
      /the newest version always stays/,
    );
  });
});

Deno.test("pp artifact: wrong names, versions and calls are told with what to do", async () => {
  await withStore(async ({ pp }) => {
    await pp(...create);
    const cases: [string[], number, RegExp][] = [
      [["artifact", "create", "../x", "--workspace", "w"], 64, /no name for an artifact/],
      [["artifact", "create", "api@2", "--workspace", "w"], 64, /without @/],
      [["artifact", "create", "api", "--workspace", "nowhere"], 64, /not a directory/],
      [["artifact", "show", "api@9"], 64, /there is no api@9\nhint: .*newest is api@1/],
      [["artifact", "show", "other"], 64, /there is no artifact other/],
      [["artifact", "show", "api@x"], 64, /numbered from 1/],
      [["artifact", "rollback", "api"], 64, /say which version/],
      [["artifact", "export", "api"], 64, /say where to/],
      [["artifact", "fsck", "--workspace", "w"], 64, /--repair/],
      [["artifact", "prune", "--older-than", "soon"], 64, /takes a time/],
    ];
    for (const [args, code, message] of cases) {
      const result = await pp(...args);
      assert.equal(result.code, code, args.join(" "));
      assert.match(result.stderr, message);
    }
  });
});

Deno.test("pp artifact create: a workspace around the store does not hold it; an empty one is refused", async () => {
  await withStore(async ({ pp, json, cwd }) => {
    await pp(...create);
    assert.equal((await pp("artifact", "create", "all", "--workspace", ".")).code, 0);
    const { entries } = await json("artifact", "files", "all") as { entries: { path: string }[] };
    assert.deepEqual(entries.map(({ path }) => path), ["w", "w/a.txt", "w/d", "w/d/b.bin"]);
    await Deno.mkdir(`${cwd}/empty`);
    assert.equal((await pp("artifact", "create", "none", "--workspace", "empty")).code, 64);
    assert.match((await pp("artifact", "list")).stdout, /^all@1.*\napi@1.*\n$/);
  });
});

Deno.test("pp artifact create: files that look like secrets are named, and stored all the same", async () => {
  await withStore(async ({ cwd, pp, json }) => {
    const key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
    const files = {
      "deploy/id_ed25519": "x\n",
      ...{ "deploy/id_ed25519.pub": "x\n", ".env": "A=1\n", ".env.example": "A=\n" },
      ...{ "server.pem": key, "cert.pem": "-----BEGIN CERTIFICATE-----\nMIIB\n", "d/\nkey.txt": key },
      "doc.md": "It begins with `-----BEGIN PRIVATE KEY-----`.\n",
    };
    await Deno.mkdir(`${cwd}/w/deploy`);
    for (const [path, text] of Object.entries(files)) await Deno.writeTextFile(`${cwd}/w/${path}`, `${text}`);
    const made = await pp(...create);
    assert.equal(made.code, 0, made.stderr);
    const named = /^warning {2}the version holds files that look like a secret: (.*)$/m.exec(made.stderr)
      ?.[1];
    assert.deepEqual(named?.split(", ").sort(), [
      ...[".env (environment file)", "d/\\nkey.txt (private key)", "deploy/id_ed25519 (private key of SSH)"],
      "server.pem (private key)",
    ]);
    assert.match(made.stderr, /pp artifact prune api --keep 1/);
    const same = await json(...create);
    assert.deepEqual([same.changed, same.likely_secrets], [false, []]);
    await Deno.writeTextFile(`${cwd}/w/.netrc`, "machine example.org password x\n");
    const next = await json(...create) as unknown as { changed: boolean; likely_secrets: { path: string }[] };
    assert.ok(next.changed && next.likely_secrets.some(({ path }) => path === ".netrc"));
  });
});

Deno.test("pp artifact: hostile names and messages are shown escaped", async () => {
  await withStore(async ({ pp, cwd }) => {
    await Deno.writeTextFile(`${cwd}/w/\u202egpj.exe\u001b[2J`, "x\u001b[31m\n");
    await pp(...create, "-m", "\u001b]0;title\u0007");
    await Deno.writeTextFile(`${cwd}/w/\u202egpj.exe\u001b[2J`, "y\u001b[31m\n");
    await pp(...create);
    for (
      const args of [["files", "api"], ["show", "api@1"], ["versions", "api"], ["diff", "api@1", "api@2"]]
    ) {
      const { stdout } = await pp("artifact", ...args);
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(stdout, /[\u001b\u0007\u202e]/, args.join(" "));
    }
  });
});
