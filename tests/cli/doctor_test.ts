import assert from "node:assert/strict";
import { withoutLimits } from "../../src/cli/doctor.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { withFakeEngine } from "./fake_engine.ts";
import { pp, withFolder } from "./process.ts";

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly needed: boolean;
  readonly found: string;
  readonly hint: string;
}

const CONTAINER = { sandbox: { backend: "container", container_image: "here:1" } };
const NO_ENGINE = "unix:///nonexistent/docker.sock";

/** Runs `pp doctor --json` in a folder with a policy, as on a machine where only `env` is set. */
async function doctor(policy: unknown, env: Record<string, string>, ...args: string[]) {
  const files: Record<string, string> = policy === null
    ? {}
    : { "pp.json": typeof policy === "string" ? policy : JSON.stringify({ policy }) };
  return await withFolder(files, async (cwd) => {
    const all = { PATH: Deno.env.get("PATH")!, HOME: cwd, TMPDIR: cwd, ...env };
    const { code, stdout, stderr } = await pp(["doctor", "--json", ...args], {
      cwd,
      env: all,
      clearEnv: true,
    });
    const document = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
    const check = (name: string) => document.checks?.find((c) => c.name === name);
    return { code, stderr, ok: document.ok, document, check };
  });
}

Deno.test("pp doctor: an engine with the image is all that is needed", async () => {
  await withFakeEngine("here:1", async (host) => {
    const { code, ok, check } = await doctor(CONTAINER, { DOCKER_HOST: host });
    assert.equal(code, 0);
    assert.ok(ok);
    assert.match(check("engine")!.found, /^99\.1 \(API 1\.41, linux\/amd64\) at tcp:/);
    assert.equal(check("image")!.found, "here:1");
    assert.equal(check("leftovers")!.ok, true);
    assert.equal(check("provider")!.found, "stub");
  });
});

Deno.test("pp doctor: no engine is exit 69, with the address and how to get one", async () => {
  const { code, ok, check } = await doctor(CONTAINER, { DOCKER_HOST: NO_ENGINE });
  assert.equal(code, 69);
  assert.equal(ok, false);
  assert.ok(!check("engine")!.ok && check("engine")!.needed);
  assert.match(check("engine")!.found, /\/nonexistent\/docker\.sock/);
  assert.match(check("engine")!.hint, /apt-get install/);
});

Deno.test("pp doctor: of several addresses each is on a line of its own", async () => {
  const { check } = await doctor(CONTAINER, { XDG_RUNTIME_DIR: "/nonexistent" });
  const { ok, found } = check("engine")!;
  // A machine with an engine of its own has one to name.
  const lines = found.split("\n");
  if (!ok) assert.ok(lines.length >= 4 && lines.every((line) => line.startsWith("unix://")), found);
  else assert.equal(lines.length, 1);
});

Deno.test("pp doctor: an engine without the image is exit 69, and says how to get the image", async () => {
  await withFakeEngine("other:1", async (host) => {
    const { code, check } = await doctor(CONTAINER, { DOCKER_HOST: host });
    assert.equal(code, 69);
    assert.ok(check("engine")!.ok);
    assert.ok(!check("image")!.ok);
    assert.match(check("image")!.found, /here:1 is not in the engine/);
    assert.match(check("image")!.hint, /docker pull here:1.*--pull/);
  });
});

Deno.test("pp doctor: a malformed policy is exit 65, before what else is missing, with every problem", async () => {
  const malformed = '{"policy": {"networc": "deny",\n "limits": {"max_attempts": 0}}}';
  const { code, check } = await doctor(malformed, { DOCKER_HOST: NO_ENGINE });
  assert.equal(code, 65);
  assert.match(check("policy")!.found, /networc[^]*max_attempts/);
});

Deno.test("pp doctor: --command says whether the policy admits it", async () => {
  await withFakeEngine("here:1", async (host) => {
    const policy = { ...CONTAINER, allowed_commands: ["make test"] };
    const admitted = await doctor(policy, { DOCKER_HOST: host }, "--command", "make test");
    assert.equal(admitted.code, 0);
    assert.ok(admitted.check("command")!.ok);
    const denied = await doctor(policy, { DOCKER_HOST: host }, "--command", "make install");
    assert.notEqual(denied.code, 0);
    assert.match(denied.check("command")!.hint, /allowed_commands/);
  });
});

Deno.test("pp doctor: a provider without its settings is a note, one that does not exist wrong usage", async () => {
  await withFakeEngine("here:1", async (host) => {
    const key = ["sk", "not", "a", "key"].join("-");
    const without = await doctor(CONTAINER, { DOCKER_HOST: host, PP_PROVIDER: "openai" });
    assert.equal(without.code, 0);
    assert.equal(without.check("provider")!.ok, false);
    assert.match(without.check("provider")!.hint, /PP_OPENAI_API_KEY/);
    const env = { DOCKER_HOST: host, PP_OPENAI_API_KEY: key };
    const set = await doctor(CONTAINER, env, "--provider", "openai");
    assert.equal(set.check("provider")!.found, "openai");
    assert.ok(!JSON.stringify(set.document).includes(key) && !set.stderr.includes(key));
    assert.equal((await doctor(CONTAINER, { DOCKER_HOST: host }, "--provider", "nobody")).code, 64);
  });
});

Deno.test("pp doctor: a provider named by --provider is needed, and so is its program", async () => {
  await withFakeEngine("here:1", async (host) => {
    const named = await doctor(CONTAINER, { DOCKER_HOST: host }, "--provider", "openai");
    assert.deepEqual([named.code, named.check("provider")!.needed], [69, true]);
    const env = { DOCKER_HOST: host, PP_COMMAND: "pp-no-such-program --fast" };
    const gone = await doctor(CONTAINER, env, "--provider", "command");
    assert.equal(gone.code, 69);
    assert.match(gone.check("provider")!.found, /"pp-no-such-program" was not found/);
    assert.match(gone.check("provider")!.hint, /PP_COMMAND/);
    const there = await doctor(CONTAINER, { ...env, PP_COMMAND: "sh agent.sh" }, "--provider", "command");
    assert.equal(there.code, 0);
  });
});

Deno.test("pp doctor: says what commands would run in, and what a named host backend cannot hold", async () => {
  await withFakeEngine("here:1", async (host) => {
    const inside = await doctor(CONTAINER, { DOCKER_HOST: host });
    assert.equal(inside.check("sandbox")!.found, "a container of here:1");
    const limited = { sandbox: { backend: "copy", memory_limit: "1g" }, limits: { pids: 64 } };
    const refused = await doctor(limited, { DOCKER_HOST: host });
    assert.equal(refused.code, 69);
    assert.match(refused.check("sandbox")!.found, /the backend copy cannot enforce memory_limit, pids/);
    assert.match(refused.check("sandbox")!.hint, /sandbox\.backend container/);
    assert.equal(refused.check("image"), undefined, "no image is needed");
    const bare = await doctor({ sandbox: { backend: "git_worktree" } }, { DOCKER_HOST: host });
    assert.equal(bare.code, 69);
    assert.match(bare.check("sandbox")!.found, /not a git checkout/);
    const copied = await doctor({ sandbox: { backend: "copy" } }, { DOCKER_HOST: host });
    assert.equal(copied.code, 0);
    assert.match(copied.check("sandbox")!.found, /bubblewrap on this host, in a copy without network/);
  });
});

Deno.test("pp doctor: what a killed session left is named as the engine's client names it", async () => {
  const labels = { "veripatch.session": "20261120T120000Z-0123abcd", "veripatch.deadline": "1" };
  const left = { Id: "0123456789ab".padEnd(64, "c"), Created: 1, Names: ["/x"], Labels: labels };
  await withFakeEngine("here:1", async (host) => {
    const { code, check } = await doctor(CONTAINER, { DOCKER_HOST: host });
    assert.equal(code, 0);
    assert.equal(check("leftovers")!.found, "container 0123456789ab of 20261120T120000Z-0123abcd");
    assert.match(check("leftovers")!.hint, /the next pp run in a container removes them/);
  }, [left]);
});

Deno.test("withoutLimits: names the limits that keep auto from bubblewrap, where that would work", () => {
  const { policy } = defaultPolicy();
  const limited: Policy = {
    ...policy,
    sandbox: { ...policy.sandbox, cpu_limit: 2 },
    limits: { ...policy.limits, pids: 64 },
  };
  assert.match(withoutLimits(limited, true), /without cpu_limit, pids, which only a container can hold/);
  assert.equal(withoutLimits(limited, false), "");
  assert.equal(withoutLimits(policy, true), "");
  const named: Policy = { ...limited, sandbox: { ...limited.sandbox, backend: "container" } };
  assert.equal(withoutLimits(named, true), "");
});

Deno.test("pp doctor: without git it goes on, with a note", async () => {
  await withFakeEngine("here:1", async (host) => {
    const { code, check } = await doctor(CONTAINER, { DOCKER_HOST: host, PATH: "/nonexistent" });
    assert.equal(code, 0);
    assert.equal(check("git")!.found, "not found");
    assert.equal(check("git")!.needed, false);
  });
});

Deno.test("pp doctor: without a policy file the built-in one holds", async () => {
  const { check } = await doctor(null, { DOCKER_HOST: NO_ENGINE });
  assert.match(check("policy")!.found, /built-in/);
  assert.match(check("policy")!.hint, /pp init/);
});

Deno.test("pp doctor: for people, a line for each thing and the verdict last", async () => {
  await withFolder({ "pp.json": JSON.stringify({ policy: CONTAINER }) }, async (cwd) => {
    const { code, stdout } = await pp(["doctor"], { cwd, env: { DOCKER_HOST: NO_ENGINE } });
    assert.equal(code, 69);
    assert.match(stdout, /^missing {2}engine {6}/m);
    assert.match(stdout, /^ok {7}policy {6}/m);
    assert.match(stdout.trimEnd().split("\n").at(-1)!, /cannot work here yet/);
  });
});
