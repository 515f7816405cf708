import assert from "node:assert/strict";
import { join } from "node:path";
import { init } from "../../src/cli/init.ts";
import { policyCheck } from "../../src/cli/policy.ts";
import type { PolicyConfig } from "../../src/policy/policy.ts";
import { Failure } from "../../src/vocabulary/failure.ts";

async function inDirectory(files: Record<string, string>, test: (root: string) => Promise<void>) {
  const root = await Deno.makeTempDir({ prefix: "pp-init-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(join(root, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(root, name), text);
    }
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function names(root: string): string[] {
  return [...Deno.readDirSync(root)].map((entry) => entry.name).sort();
}

const exists = (error: unknown) =>
  error instanceof Failure && error.kind === "usage" && error.code === "policy_exists" &&
  error.hint !== undefined;

Deno.test("init: writes a policy that fits the project and passes the check", async () => {
  const files = {
    "setup.cfg": "[tool:pytest]\n",
    "pkg/__init__.py": "",
    "tests/test_a.py": "",
    "docs/x.md": "",
  };
  await inDirectory(files, async (root) => {
    const result = await init({ root });
    assert.equal(result.exit, 0);
    assert.deepEqual(names(root), ["docs", "pkg", "pp.yaml", "setup.cfg", "tests"]);
    const text = await Deno.readTextFile(join(root, "pp.yaml"));
    assert.match(text, /cmd: "pytest -q"/);
    assert.match(text, /- "pkg\/\*\*"\n +- "tests\/\*\*"/);
    assert.equal((await policyCheck({ root })).exit, 0);
    const json = result.json as { text: string; detected: string[] };
    assert.equal(json.text, text);
    assert.deepEqual(json.detected, ["Python with pytest"]);
    assert.match(result.text, /^image {4}python:3\.11-slim\n {9}python:3\.11-slim has no pytest: /m);
  });
});

Deno.test("init: every shipped example is taken for what its own policy says", async () => {
  const examples = new URL("../../examples/", import.meta.url);
  let seen = 0;
  for await (const { name, isDirectory } of Deno.readDir(examples)) {
    if (!isDirectory || name === "ci") continue;
    const root = new URL(`${name}/workspace`, examples).pathname;
    const shipped = /cmd: "?([^"\n]+)/.exec(await Deno.readTextFile(join(root, "pp.yaml")))![1]!;
    const { config } = (await init({ root, print: true })).json as { config: PolicyConfig };
    // What is shipped may have more flags, or write the script's name otherwise.
    const words = (line: string) => line.replace("./", "").split(" ").slice(0, 2);
    assert.deepEqual(config.proof_targets.map(({ cmd }) => words(cmd!)), [words(shipped)], name);
    seen++;
  }
  assert.ok(seen >= 8);
});

Deno.test("init: never replaces a policy without --force, and then pp.yaml only", async () => {
  for (const name of ["pp.yaml", "pp.yml", "pp.json"]) {
    await inDirectory({ [name]: "mine" }, async (root) => {
      await assert.rejects(init({ root }), exists);
      if (name !== "pp.yaml") await assert.rejects(init({ root, force: true }), exists);
      assert.equal(await Deno.readTextFile(join(root, name)), "mine");
      assert.deepEqual(names(root), [name]);
    });
  }
  await inDirectory({ "pp.yaml": "mine" }, async (root) => {
    assert.equal((await init({ root, force: true })).exit, 0);
    assert.match(await Deno.readTextFile(join(root, "pp.yaml")), /proof_targets/);
    assert.deepEqual(names(root), ["pp.yaml"]);
  });
});

Deno.test("init: --force replaces a link, not what it points to", async () => {
  await inDirectory({ "other.txt": "mine" }, async (root) => {
    await Deno.symlink("other.txt", join(root, "pp.yaml"));
    await init({ root, force: true });
    assert.equal(await Deno.readTextFile(join(root, "other.txt")), "mine");
    assert.ok((await Deno.lstat(join(root, "pp.yaml"))).isFile);
  });
});

Deno.test("init: --print writes nothing, even beside a policy", async () => {
  await inDirectory({ "pp.yaml": "mine", "go.mod": "module x\n" }, async (root) => {
    const result = await init({ root, print: true });
    assert.match(result.text, /go test \.\/\.\.\./);
    assert.equal(await Deno.readTextFile(join(root, "pp.yaml")), "mine");
  });
});

Deno.test("init: --preset writes the shipped file as it is", async () => {
  await inDirectory({}, async (root) => {
    await init({ root, preset: "node" });
    const shipped = await Deno.readTextFile(new URL("../../policies/node.yaml", import.meta.url));
    assert.equal(await Deno.readTextFile(join(root, "pp.yaml")), shipped);
    await assert.rejects(init({ root, preset: "nodejs", force: true }), { code: "preset_unknown" });
  });
});

Deno.test("init: a directory that is not there is no success", async () => {
  await inDirectory({}, async (root) => {
    await assert.rejects(init({ root: join(root, "missing"), preset: "go" }), { code: "policy_not_written" });
    assert.deepEqual(names(root), []);
  });
});
