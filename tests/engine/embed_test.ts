import assert from "node:assert/strict";
import { withFolder } from "../cli/process.ts";
import { TEST_IMAGE } from "./engine.ts";
import { pp, spawnPp, withProject } from "./pp.ts";

const FIX = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1 @@\n-wrong\n+right\n";
const CHECK = "grep -q right value.txt && test -x run.sh && test -L link\n";

async function withEmbedded(
  use: (bundle: string, project: string) => Promise<void>,
  check = CHECK,
): Promise<void> {
  await withProject({ "check.sh": check, "value.txt": "wrong\n", "run.sh": "" }, async (project) => {
    await Deno.chmod(`${project}/run.sh`, 0o755);
    await Deno.symlink("/nowhere", `${project}/link`);
    const args = ["run", "sh check.sh", "--patch", "-", "--embed-workspace", "--json"];
    const policy = {
      policy: { minimize: false, sandbox: { container_image: TEST_IMAGE, backend: "container" } },
    };
    await Deno.writeTextFile(`${project}/pp.json`, JSON.stringify(policy));
    const run = await pp(args, { cwd: project, stdin: FIX });
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.match(run.stderr, /embed .*nothing redacted/);
    const document = JSON.parse(run.stdout);
    assert.equal(typeof document.embedded_workspace.sha256, "string");
    await use(document.proof_bundle, project);
  });
}

Deno.test("pp replay: a .ppb that embeds its base replays with no checkout at all, and leaves nothing", async () => {
  await withEmbedded((bundle) =>
    withFolder({}, async (cwd) => {
      await Deno.mkdir(`${cwd}/tmp`);
      const packed = await pp(["bundle", "pack", bundle, "-o", "b.ppb"], { cwd });
      assert.equal(packed.code, 0, packed.stderr);
      const flags = ["--image", TEST_IMAGE, "--json"];
      const replayed = await pp(["replay", "b.ppb", ...flags], { cwd, env: { TMPDIR: `${cwd}/tmp` } });
      assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
      assert.equal(JSON.parse(replayed.stdout).verdict, "confirmed");
      assert.deepEqual([...Deno.readDirSync(`${cwd}/tmp`)], []);
    })
  );
});

Deno.test("pp replay: a signed .ppb that embeds its base is verified, replayed and vouched for with no checkout", async () => {
  await withEmbedded((bundle) =>
    withFolder({}, async (cwd) => {
      for (const name of ["prover", "replayer"]) await pp(["keygen", "-o", name], { cwd });
      assert.equal((await pp(["attest", bundle, "--key", "prover.key.pem"], { cwd })).code, 0);
      assert.equal((await pp(["bundle", "pack", bundle, "-o", "b.ppb"], { cwd })).code, 0);
      const args = ["replay", "b.ppb", "--image", TEST_IMAGE, "--json", "--sign", "replayer.key.pem"];
      const replayed = await pp([...args, "--key", "prover.pub.pem"], { cwd });
      assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
      const { summary, attestation } = JSON.parse(replayed.stdout);
      assert.equal(attestation.verdict, "valid");
      assert.equal(summary.file, `${await Deno.realPath(cwd)}/b.ppb.replay.attestation.json`);
      assert.equal(summary.result, "PASSED");
      // One byte of the base that was signed for.
      await pp(["bundle", "unpack", "b.ppb", "-o", "spoiled"], { cwd });
      const tar = await Deno.readFile(`${cwd}/spoiled/workspace.tar`);
      const at = tar.findIndex((_, i) => String.fromCharCode(...tar.subarray(i, i + 6)) === "wrong\n");
      tar[at] = "W".charCodeAt(0);
      await Deno.writeFile(`${cwd}/spoiled/workspace.tar`, tar);
      const spoiled = await pp([...args, "--key", "prover.pub.pem"].with(1, "spoiled"), { cwd });
      assert.equal(spoiled.code, 2, spoiled.stdout);
      assert.equal(JSON.parse(spoiled.stdout).reason, "changed");
    })
  );
});

Deno.test("pp replay: the policy of an embedded base is not taken; --cwd still means a checkout", async () => {
  await withEmbedded((bundle, project) =>
    withFolder({
      "mine.json": JSON.stringify({
        policy: { allowed_commands: ["true"], sandbox: { container_image: TEST_IMAGE } },
      }),
    }, async (cwd) => {
      const denied = await pp(["replay", bundle, "--policy", "mine.json"], { cwd });
      assert.equal(denied.code, 77, denied.stderr);
      await Deno.writeTextFile(`${project}/value.txt`, "changed\n");
      const differs = await pp(["replay", bundle, "--cwd", project, "--json"], { cwd });
      assert.equal(JSON.parse(differs.stdout).reason, "base_differs");
    })
  );
});

Deno.test("pp replay: an interrupt removes what was unpacked", async () => {
  const slow = `${CHECK.trim()} || { sleep 30; exit 1; }\n`;
  await withEmbedded((bundle) =>
    withFolder({}, async (cwd) => {
      await Deno.mkdir(`${cwd}/tmp`);
      const child = spawnPp(["replay", bundle, "--image", TEST_IMAGE], {
        cwd,
        env: { TMPDIR: `${cwd}/tmp` },
      });
      const errors = new Response(child.stderr).text();
      const names = () => [...Deno.readDirSync(`${cwd}/tmp`)].map((entry) => entry.name);
      for (let i = 0; i < 100 && !names().some((name) => name.startsWith("veripatch-bundle-")); i++) {
        await new Promise((go) => setTimeout(go, 100));
      }
      assert.ok(names().some((name) => name.startsWith("veripatch-bundle-")), names().join());
      child.kill("SIGINT");
      await child.stdout.cancel();
      assert.equal((await child.status).code, 130, await errors);
      assert.deepEqual(names(), []);
    }), slow.replace("sleep 30", "sleep 3"));
});

Deno.test("pp run: --embed-workspace refuses secrets before anything runs, exit 77", async () => {
  const key = `aws_key = AKIA${"Z7XQPLMNTRWVKYBC"}\n`;
  await withProject({ "settings.ini": key, "value.txt": "wrong\n" }, async (cwd) => {
    const args = ["run", "grep -q right value.txt", "--patch", "-", "--embed-workspace", "--json"];
    const { code, stdout, stderr } = await pp(args, { cwd, stdin: FIX });
    assert.equal(code, 77, stderr);
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, "secrets_in_workspace");
    assert.match(error.details[0], /^settings\.ini: /);
    assert.doesNotMatch(stdout + stderr, /Z7XQPLMN/);
    assert.deepEqual([...Deno.readDirSync(`${cwd}/.pp-artifacts`)].map((e) => e.name), [".gitignore"]);
    const alone = await pp(["run", "true", "--embed-secrets"], { cwd });
    assert.equal(alone.code, 64);
  });
});
