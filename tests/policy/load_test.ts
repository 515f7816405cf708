import assert from "node:assert/strict";
import { join } from "node:path";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { policyDigest } from "../../src/policy/digest.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { Failure } from "../../src/vocabulary/failure.ts";

async function inDirectory(
  files: Record<string, string | Uint8Array>,
  test: (root: string) => Promise<void>,
) {
  const root = await Deno.makeTempDir({ prefix: "pp-policy-" });
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(root, name), bytes);
    }
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function failure(root: string, path?: string): Promise<Failure> {
  try {
    await loadPolicy(root, path);
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error;
  }
  assert.fail("it loaded");
}

Deno.test("loadPolicy: the built-in default where there is no file", async () => {
  await inDirectory({}, async (root) => {
    const config = defaultPolicy();
    assert.deepEqual(await loadPolicy(root), { config, source: null, digest: policyDigest(config) });
  });
});

Deno.test("loadPolicy: finds pp.yaml, pp.yml or pp.json", async () => {
  for (const name of ["pp.yaml", "pp.yml", "pp.json"]) {
    await inDirectory({ [name]: '\ufeff{"policy": {"minimize": false}}' }, async (root) => {
      const loaded = await loadPolicy(root);
      assert.equal(loaded.source, join(root, name));
      assert.equal(loaded.config.policy.minimize, false);
      assert.equal(loaded.digest, policyDigest(loaded.config));
    });
  }
});

Deno.test("loadPolicy: two policy files are an error, unless one is named", async () => {
  await inDirectory(
    { "pp.yaml": "policy: {}", "pp.json": '{"policy": {"network": "allow"}}' },
    async (root) => {
      const error = await failure(root);
      assert.deepEqual([error.kind, error.code], ["malformed", "policy_ambiguous"]);
      assert.match(error.message, /pp\.yaml, pp\.json/);
      assert.match(error.hint!, /--policy FILE, or pp policy check FILE/);
      assert.equal((await loadPolicy(root, join(root, "pp.json"))).config.policy.network, "allow");
    },
  );
});

Deno.test("loadPolicy: all problems are in the details, with file, line and column", async () => {
  await inDirectory(
    { "pp.yaml": "policy:\n  limits: {max_attempts: 0}\n  netwrok: deny\n" },
    async (root) => {
      const error = await failure(root);
      assert.deepEqual([error.kind, error.code], ["malformed", "policy_malformed"]);
      assert.deepEqual(error.details.map((line) => line.replace(/^.*pp\.yaml/, "pp.yaml")), [
        "pp.yaml:2:26 policy.limits.max_attempts: must be at least 1, not 0",
        "pp.yaml:3:3 policy.netwrok: unknown key; did you mean network?",
      ]);
      assert.ok(error.hint);
    },
  );
});

Deno.test("loadPolicy: a named file that is not there is wrong usage", async () => {
  await inDirectory({}, async (root) => {
    const error = await failure(root, join(root, "other.yaml"));
    assert.deepEqual([error.kind, error.code], ["usage", "policy_missing"]);
    assert.ok(error.hint);
  });
});

Deno.test("loadPolicy: what cannot be a policy file is refused without reading on", async () => {
  await inDirectory({
    "latin1.yaml": new Uint8Array([0x61, 0x3a, 0x20, 0xe9]),
    "large.yaml": new Uint8Array(1_048_577).fill(0x20),
  }, async (root) => {
    assert.match((await failure(root, join(root, "latin1.yaml"))).details[0]!, /not valid UTF-8/);
    assert.match((await failure(root, join(root, "large.yaml"))).details[0]!, /larger than/);
    await Deno.mkdir(join(root, "pp.yaml"));
    assert.equal((await failure(root)).code, "policy_unreadable");
    await Deno.remove(join(root, "pp.yaml"));
    await Deno.symlink("nowhere", join(root, "pp.yaml"));
    assert.equal((await failure(root)).code, "policy_missing");
    const fifo = await new Deno.Command("mkfifo", { args: [join(root, "fifo.yaml")] }).output();
    assert.ok(fifo.success);
    assert.equal((await failure(root, join(root, "fifo.yaml"))).code, "policy_unreadable");
  });
});
