import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { buildInfo } from "../src/build_info.ts";
import { VERSION } from "../src/version.ts";
import { withFolder } from "./cli/process.ts";

const folder = (path: string) => pathToFileURL(`${path}/`);

async function git(cwd: string, ...args: string[]): Promise<string> {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"];
  const { success, stdout } = await new Deno.Command("git", { args: [...identity, ...args], cwd }).output();
  assert.ok(success, `git ${args.join(" ")}`);
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("buildInfo: in a checkout, its commit, and whether tracked files differ from it", async () => {
  await withFolder({ "main.ts": "1", "deep/main.ts": "1" }, async (directory) => {
    await git(directory, "init", "--quiet");
    await git(directory, "add", ".");
    await git(directory, "commit", "--quiet", "-m", "first");
    const clean = await buildInfo(folder(directory));
    assert.equal(clean.version, VERSION);
    assert.deepEqual([clean.commit, clean.modified], [await git(directory, "rev-parse", "HEAD"), false]);
    assert.deepEqual([clean.kind, clean.embedded], ["checkout", []]);
    assert.equal(clean.runtime.version, Deno.version.deno);

    await Deno.writeTextFile(`${directory}/main.ts`, "2");
    assert.equal((await buildInfo(folder(directory))).modified, true);
    // A copy inside somebody else's repository is not at that repository's commit.
    assert.equal((await buildInfo(folder(`${directory}/deep`))).commit, null);
  });
});

Deno.test("buildInfo: in a build, what the build wrote down", async () => {
  const record = {
    commit: "c".repeat(40),
    modified: false,
    kind: "portable",
    embedded: [{ path: "main.js", sha256: "a".repeat(64) }],
  };
  await withFolder({ "build.json": JSON.stringify(record) }, async (directory) => {
    const { version: _version, runtime: _runtime, ...rest } = await buildInfo(folder(directory));
    assert.deepEqual(rest, record);
  });
});

Deno.test("buildInfo: outside a repository nobody knows the commit", async () => {
  await withFolder({}, async (directory) => {
    const { commit, modified, kind } = await buildInfo(folder(directory));
    assert.deepEqual({ commit, modified, kind }, { commit: null, modified: null, kind: "checkout" });
  });
});
