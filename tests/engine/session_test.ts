import assert from "node:assert/strict";
import { connectEngine } from "../../src/sandbox/docker/connect.ts";
import { ENGINE_ENV, leftovers, NOTHING, TEST_IMAGE } from "./engine.ts";
import { fingerprint, pp, spawnPp, withProject } from "./pp.ts";

const FILES = { "check.sh": "grep -q right value.txt\n", "value.txt": "wrong\n" };
const RIGHT = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1 @@\n-wrong\n+right\n";

Deno.test("pp run: a command that passes already is no proof", async () => {
  await withProject(FILES, async (directory) => {
    const { code, stdout } = await pp(["run", "true", "--json"], { cwd: directory });
    const session = JSON.parse(stdout);
    assert.equal(code, 2);
    assert.equal(session.status, "already_passing");
    assert.equal(session.success, false);
    assert.equal(session.final_patch, null);
    const replayed = await pp(["replay", session.proof_bundle], { cwd: directory });
    assert.equal(replayed.code, 65);
    assert.match(replayed.stderr, /holds no proof/);
  });
});

Deno.test("pp run: without a provider it shows the failure and what to do next", async () => {
  await withProject(FILES, async (directory) => {
    const { code, stdout } = await pp(["run", "sh check.sh"], { cwd: directory });
    assert.equal(code, 2);
    assert.match(stdout, /not proved: sh check\.sh/);
    assert.match(stdout, /--patch FILE/);
  });
});

Deno.test("pp run: words after -- are an argv, one string is split", async () => {
  await withProject(FILES, async (directory) => {
    await Deno.remove(`${directory}/pp.json`);
    await Deno.writeTextFile(`${directory}/fix.diff`, RIGHT);
    for (const words of [["sh check.sh"], ["--", "sh", "check.sh"], ["sh check.sh && true"]]) {
      const args = ["run", "--patch", "fix.diff", "--json", "--image", TEST_IMAGE, ...words];
      const { code, stdout, stderr } = await pp(args, { cwd: directory });
      assert.equal(code, 0, stderr);
      const { targets } = JSON.parse(stdout);
      const expected = words[0]!.includes("&&") ? ["sh", "-c", "sh check.sh && true"] : ["sh", "check.sh"];
      assert.deepEqual(targets[0].argv, expected);
    }
  });
});

Deno.test("pp run: a command that never ends is killed at the timeout and recorded as timed out", async () => {
  const policy = { limits: { per_command_timeout_sec: 2 } };
  await withProject(FILES, async (directory) => {
    const { code, stdout } = await pp(["run", "sh -c 'sleep 1000 & sleep 1000'", "--json"], {
      cwd: directory,
    });
    const session = JSON.parse(stdout);
    assert.equal(code, 2);
    const results = JSON.parse(
      await Deno.readTextFile(`${session.proof_bundle}/attempts/0_baseline/target_results.json`),
    );
    assert.equal(results.runs[0].targets[0].outcome, "timed_out");
    assert.equal(results.runs[0].targets[0].result.exit_code, null);
    assert.deepEqual(await leftovers(session.session), NOTHING);
  }, policy);
});

Deno.test("pp run: a gigabyte of output leaves its memory flat", async () => {
  await withProject(FILES, async (directory) => {
    const flood = "head -c 1000000000 /dev/zero; exit 1";
    const child = spawnPp(["run", "--json", flood], { cwd: directory });
    const output = child.output();
    let peak = 0;
    let ended = false;
    output.then(() => ended = true);
    while (!ended) {
      const status = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => "");
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { code, stdout, stderr } = await output;
    assert.equal(code, 2, new TextDecoder().decode(stderr));
    const session = JSON.parse(new TextDecoder().decode(stdout));
    const results = JSON.parse(
      await Deno.readTextFile(`${session.proof_bundle}/attempts/0_baseline/target_results.json`),
    );
    assert.equal(results.runs[0].targets[0].result.stdout.total_bytes, 1_000_000_000);
    assert.ok(peak > 0 && peak < 400e6, `peak memory ${Math.round(peak / 1e6)} MB`);
  });
});

Deno.test("pp run: several sessions in one workspace do not disturb each other", async () => {
  await withProject({ ...FILES, "fix.diff": RIGHT }, async (directory) => {
    const before = await fingerprint(directory);
    const args = ["run", "sh check.sh", "--patch", "fix.diff", "--json"];
    const results = await Promise.all([1, 2, 3].map(() => pp(args, { cwd: directory })));
    for (const { code, stderr } of results) assert.equal(code, 0, stderr);
    const sessions = results.map((r) => JSON.parse(r.stdout));
    assert.equal(new Set(sessions.map((s) => s.session)).size, 3);
    assert.equal(new Set(sessions.map((s) => s.result_tree)).size, 1);
    assert.equal(await fingerprint(directory), before);
  });
});

Deno.test("pp run --apply: a workspace that changed meanwhile is left alone", async () => {
  const files = { ...FILES, "check.sh": "sleep 1; grep -q right value.txt\n", "fix.diff": RIGHT };
  await withProject(files, async (directory) => {
    const child = spawnPp(["run", "sh check.sh", "--patch", "fix.diff", "--apply"], { cwd: directory });
    const decoder = new TextDecoder();
    let stderr = "";
    const drain = child.stdout.cancel();
    for await (const chunk of child.stderr) {
      stderr += decoder.decode(chunk, { stream: true });
      if (/^confirm/m.test(stderr)) await Deno.writeTextFile(`${directory}/value.txt`, "mine\n");
    }
    await drain;
    assert.equal((await child.status).code, 65, stderr);
    assert.match(stderr, /value\.txt/);
    assert.match(stderr, /proof_bundle/, "it says where the proof is");
    assert.equal(await Deno.readTextFile(`${directory}/value.txt`), "mine\n");
  });
});

Deno.test("pp run: no engine, no image, a malformed policy and a command that is not allowed have their exit codes", async () => {
  await withProject(FILES, async (directory) => {
    const gone = await pp(["run", "true"], {
      cwd: directory,
      env: { DOCKER_HOST: "unix:///nonexistent.sock" },
    });
    assert.equal(gone.code, 69);
    assert.match(gone.stderr, /nonexistent\.sock[^]*hint:/);
    const image = await pp(["run", "true", "--image", "veripatch-no-such-image:9"], { cwd: directory });
    assert.equal(image.code, 69);
    assert.match(image.stderr, /veripatch-no-such-image:9[^]*hint:/);
    await Deno.writeTextFile(
      `${directory}/bad.yaml`,
      "policy:\n  networc: deny\n  limits: {max_attempts: -1}\n",
    );
    const malformed = await pp(["run", "true", "--policy", "bad.yaml"], { cwd: directory });
    assert.equal(malformed.code, 65);
    assert.match(malformed.stderr, /bad\.yaml:2[^]*bad\.yaml:3/);
    await Deno.writeTextFile(`${directory}/strict.yaml`, "policy:\n  allowed_commands: [pytest -q]\n");
    const denied = await pp(["run", "true", "--policy", "strict.yaml"], { cwd: directory });
    assert.equal(denied.code, 77);
    const mode = await pp(["run", "true", "--attestation-mode", "rot13"], { cwd: directory });
    assert.equal(mode.code, 64);
  });
});

Deno.test("pp run --attest: the bundle is signed from its first moment on, and verifies", async () => {
  const files = { ...FILES, "right.diff": RIGHT };
  await withProject(files, async (directory) => {
    const cwd = directory;
    assert.equal((await pp(["keygen", "-o", "ci"], { cwd })).code, 0);
    const run = ["run", "sh check.sh", "--patch", "right.diff", "--attestation-mode", "ed25519"];
    const args = [...run, "--attestation-key", "ci.key.pem", "--nonce", "ticket 7", "--json"];
    const { code, stdout, stderr } = await pp(args, { cwd });
    assert.equal(code, 0, stderr);
    const { attestation, proof_bundle: bundle } = JSON.parse(stdout);
    assert.equal(attestation.signed, true);
    const verify = ["verify-attestation", bundle, "--key", "ci.pub.pem", "--nonce", "ticket 7", "--json"];
    const verified = await pp([...verify, "--max-age", "1h"], { cwd });
    assert.equal(verified.code, 0, verified.stdout);
    const { signature, statement } = JSON.parse(verified.stdout);
    assert.deepEqual(attestation.key_ids, signature.signers.map((s: { key_id: string }) => s.key_id));
    assert.equal(statement.nonce, "ticket 7");
    // The private key lies in the workspace; the code under test must not have seen it.
    const manifest = JSON.parse(await Deno.readTextFile(`${bundle}/workspace_manifest.json`));
    const paths = manifest.entries.map((entry: { path: string }) => entry.path);
    assert.ok(paths.includes("ci.pub.pem") && !paths.includes("ci.key.pem"), paths.join(" "));
  });
});

Deno.test("pp run --attest: what the policy says, what cannot be read, and what is no proof", async () => {
  const policy = {
    policy: {
      sandbox: { backend: "container", container_image: TEST_IMAGE },
      attestation: { enabled: true, mode: "hmac-sha256", key_env: "MY_SECRET" },
    },
  };
  const files = { ...FILES, "right.diff": RIGHT, "pp.json": JSON.stringify(policy) };
  await withProject(files, async (directory) => {
    const cwd = directory;
    const args = ["run", "sh check.sh", "--patch", "right.diff", "--json"];
    const without = await pp(args, { cwd });
    assert.equal(without.code, 77);
    assert.equal(JSON.parse(without.stdout).error.code, "no_signing_key");
    await assert.rejects(Deno.stat(`${directory}/.pp-artifacts`), "nothing was begun");
    const short = await pp(args, { cwd, env: { MY_SECRET: "too short" } });
    assert.equal(short.code, 65);
    const env = { MY_SECRET: "0123456789abcdef0123456789abcdef" };
    const signed = await pp(args, { cwd, env });
    assert.equal(signed.code, 0, signed.stderr);
    const { proof_bundle: bundle } = JSON.parse(signed.stdout);
    const verify = ["verify-attestation", bundle, "--key-env", "MY_SECRET"];
    assert.equal((await pp(verify, { cwd, env })).code, 0);
    assert.equal((await pp(verify, { cwd, env: { MY_SECRET: env.MY_SECRET + "x" } })).code, 2);
    const nothing = await pp(["run", "true", "--json"], { cwd, env });
    assert.equal(nothing.code, 2);
    assert.equal(JSON.parse(nothing.stdout).attestation.signed, false);
    const none = await pp([...args, "--attestation-mode", "none"], { cwd });
    assert.equal(JSON.parse(none.stdout).attestation.signed, false);
    assert.equal(none.code, 0);
  });
  await withProject(FILES, async (directory) => {
    const { code, stdout } = await pp(["run", "true", "--attest", "--json"], { cwd: directory });
    assert.equal(code, 64);
    assert.equal(JSON.parse(stdout).error.code, "attestation_mode_missing");
  });
});

Deno.test("pp run: of several patches the first that passes wins", async () => {
  const files = { ...FILES, "wrong.diff": RIGHT.replace("+right", "+other"), "right.diff": RIGHT };
  await withProject(files, async (directory) => {
    const args = ["run", "sh check.sh", "--patch", "wrong.diff", "--patch", "right.diff", "--json"];
    const { code, stdout, stderr } = await pp(args, { cwd: directory });
    assert.equal(code, 0, stderr);
    const session = JSON.parse(stdout);
    assert.equal(session.attempts_used, 2);
    assert.deepEqual(session.attempts.map((a: { outcome: string }) => a.outcome), ["failed", "passed"]);
    const repro = JSON.parse(await Deno.readTextFile(`${session.proof_bundle}/repro.json`));
    assert.equal(repro.final_attempt, 2);
    assert.match(await Deno.readTextFile(`${session.proof_bundle}/attempts/1/applied.patch`), /^\+other$/m);
    assert.match(await Deno.readTextFile(session.final_patch), /^\+right$/m);
  });
});

Deno.test("pp run --repeat: both sides are run and recorded that often", async () => {
  await withProject({ ...FILES, "fix.diff": RIGHT }, async (directory) => {
    const args = ["run", "sh check.sh", "--patch", "fix.diff", "--repeat", "2", "--json"];
    const { code, stdout, stderr } = await pp(args, { cwd: directory });
    assert.equal(code, 0, stderr);
    const { proof_bundle: bundle } = JSON.parse(stdout);
    const outcomes = async (path: string) =>
      JSON.parse(await Deno.readTextFile(`${bundle}/${path}/target_results.json`)).runs.map((
        run: { targets: { outcome: string }[] },
      ) => run.targets[0]!.outcome);
    assert.deepEqual(await outcomes("confirmation"), ["passed", "passed"]);
    const base = await outcomes("attempts/0_baseline");
    assert.ok(base.length >= 2 && base.every((outcome: string) => outcome === "failed"), base.join());
    const policy = JSON.parse(await Deno.readTextFile(`${bundle}/policy.json`));
    assert.equal(policy.config.policy.verify.repeat, 2);
  });
});

Deno.test("pp run --keep-sandbox: one container is kept and named, with what it holds", async () => {
  await withProject({ ...FILES, "fix.diff": RIGHT }, async (directory) => {
    const args = ["run", "sh check.sh", "--patch", "fix.diff", "--keep-sandbox"];
    const { code, stdout, stderr } = await pp(args, { cwd: directory });
    const { docker } = await connectEngine(ENGINE_ENV, "docker");
    const name = /^kept +container (\S+)/m.exec(stdout)?.[1];
    try {
      assert.equal(code, 0, stderr);
      assert.ok(name !== undefined, stdout);
      const { State, HostConfig } = await docker.getContainer(name).inspect();
      assert.equal(State.Running, false);
      assert.equal(HostConfig.NetworkMode, "none");
      const next = await pp(["run", "true", "--json"], { cwd: directory });
      assert.equal(next.code, 2, next.stderr);
      await docker.getContainer(name).inspect();
    } finally {
      const session = /^session\s+(\S+)/m.exec(stderr)![1]!;
      const { containers, images } = await leftovers(session);
      for (const id of containers) await docker.getContainer(id).remove({ force: true });
      for (const id of images) await docker.getImage(id).remove({ force: true });
      assert.ok(containers.length <= 1, "no other container is left");
    }
  });
});

Deno.test("pp run: a machine without git in PATH proves as well, and the bundle says so", async () => {
  await withProject({ ...FILES, "fix.diff": RIGHT }, async (directory) => {
    const home = await Deno.makeTempDir({ prefix: "veripatch-test-" });
    try {
      await Deno.mkdir(`${home}/bin`);
      await Deno.symlink("/bin/rm", `${home}/bin/rm`);
      const env = { PATH: `${home}/bin`, HOME: home, DOCKER_HOST: Deno.env.get("DOCKER_HOST") ?? "" };
      const args = ["run", "sh check.sh", "--patch", "fix.diff", "--apply", "--json"];
      const { code, stdout, stderr } = await pp(args, { cwd: directory, env, clearEnv: true });
      assert.equal(code, 0, stdout + stderr);
      const session = JSON.parse(stdout);
      const repro = JSON.parse(await Deno.readTextFile(`${session.proof_bundle}/repro.json`));
      assert.equal(repro.final_git, "no_git");
      assert.equal(repro.git_commit, null);
      assert.match(await Deno.readTextFile(`${directory}/value.txt`), /^right$/m);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
});

Deno.test("pp replay: another base is inconclusive, a changed patch is contradicted or malformed", async () => {
  await withProject({ ...FILES, "fix.diff": RIGHT }, async (directory) => {
    const run = await pp(["run", "sh check.sh", "--patch", "fix.diff", "--json"], { cwd: directory });
    const { proof_bundle: bundle } = JSON.parse(run.stdout);
    await Deno.writeTextFile(`${directory}/value.txt`, "wrong again\n");
    const other = await pp(["replay", bundle, "--json"], { cwd: directory });
    assert.equal(other.code, 3);
    assert.equal(JSON.parse(other.stdout).reason, "base_differs");
    await Deno.writeTextFile(`${directory}/value.txt`, "wrong\n");
    const patch = await Deno.readTextFile(`${bundle}/final.patch`);
    await Deno.writeTextFile(`${bundle}/final.patch`, patch.replace("+right", "+bright"));
    const changed = await pp(["replay", bundle, "--json"], { cwd: directory });
    assert.equal(changed.code, 65, changed.stdout);
  });
});
