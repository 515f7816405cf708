import assert from "node:assert/strict";
import { join } from "node:path";
import { TEST_IMAGE } from "./engine.ts";
import { PP, pp, type PpResult } from "./pp.ts";
import { git } from "../workspace/repositories.ts";
import { inTempDir, writeFiles } from "../workspace/trees.ts";

const FIX =
  "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n";
const POLICY = `proof_targets:
  - name: tests
    cmd: python3 -m pytest -q --junit-xml=report.xml
    report: { format: junit, path: report.xml }
policy:
  sandbox:
    backend: container
    container_image: ${TEST_IMAGE}
`;
const PROJECT = {
  "calc.py": "def add(a, b):\n    return a - b\n",
  "test_calc.py":
    "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n",
  ".gitignore": ".pp-artifacts/\nreport.xml\n__pycache__/\n",
  "pp.yaml": POLICY,
};

function must(result: PpResult): string {
  assert.equal(result.code, 0, result.stdout + result.stderr);
  return result.stdout;
}

function commit(root: string, message: string): string {
  git(root, "add", "-A");
  git(root, "commit", "-q", "-m", message);
  return git(root, "rev-parse", "HEAD");
}

/** Runs examples/ci/gate.sh. */
function gateSh(cwd: string, args: string[], env: Record<string, string>) {
  const { code, stdout, stderr } = new Deno.Command("sh", {
    args: [new URL("../../examples/ci/gate.sh", import.meta.url).pathname, ...args],
    cwd,
    env: { PP: PP.join(" "), NO_COLOR: "1", ...env },
    stdin: "null",
  }).outputSync();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Names of the checks that failed. */
function failed({ stdout }: { stdout: string }): string[] {
  return [...stdout.matchAll(/^✗ (\w+)/gm)].map(([, id]) => id!);
}

Deno.test("pp prove, commit, gate.sh: open for exactly the proved change, closed for anything else", () =>
  inTempDir(async (cwd) => {
    const root = join(cwd, "repo");
    await Deno.mkdir(root);
    git(root, "init", "-q", "-b", "main");
    writeFiles(root, PROJECT);
    const main = commit(root, "red");
    for (const name of ["ci", "replayer", "stranger"]) must(await pp(["keygen", "-o", name], { cwd }));
    must(await pp(["trust", "init"], { cwd }));
    for (const [name, role] of [["ci", "prover"], ["replayer", "replayer"]] as const) {
      must(
        await pp(["trust", "add", name, `${name}.pub.pem`, "--role", role], { cwd }),
      );
    }
    const key = ["--attestation-mode", "ed25519", "--attestation-key", join(cwd, "ci.key.pem")];
    const proved = JSON.parse(
      must(await pp(["prove", "--patch", "-", ...key, "--json"], { cwd: root, stdin: FIX })),
    );
    const bundle = proved.proof_bundle as string;
    git(root, "checkout", "-q", "-b", "fix");
    git(root, "apply", "--index", join(bundle, "final.patch"));
    git(root, "commit", "-q", "-m", "fix");
    const env = { PP_TRUST: join(cwd, "trust.yaml"), PP_REPO: root, PP_REPORTS: join(cwd, "reports") };

    const open = gateSh(cwd, ["fix", "main", bundle], env);
    assert.equal(open.code, 0, open.stdout + open.stderr);
    assert.match(open.stdout, /^✓ tests .*tests fixed 1, kept 1 passing, lost none$/m);
    const replayed = gateSh(cwd, ["fix", main, bundle], { ...env, PP_REPLAY: "here" });
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
    assert.match(replayed.stdout, /^✓ replay .*replayed here: red without the patch, green with it/m);

    git(root, "checkout", "-q", "main");
    const replay = ["replay", bundle, "--cwd", root, "--trust", "trust.yaml", "-o", "replay.json", "--json"];
    must(await pp([...replay, "--sign", "replayer.key.pem"], { cwd }));
    const trusted = gateSh(cwd, ["fix", "main", bundle], { ...env, PP_REPLAY: join(cwd, "replay.json") });
    assert.equal(trusted.code, 0, trusted.stdout + trusted.stderr);
    must(await pp([...replay, "--force", "--sign", "ci.key.pem"], { cwd }));
    const own = gateSh(cwd, ["fix", "main", bundle], { ...env, PP_REPLAY: join(cwd, "replay.json") });
    assert.deepEqual([own.code, failed(own)], [2, ["replay"]], "a prover's word on its own proof");

    const attacks: [what: string, change: () => void | Promise<void>, checks: string[]][] = [
      ["one more byte", () => Deno.writeTextFileSync(join(root, "calc.py"), "\n", { append: true }), [
        "head",
      ]],
      ["a mode", () => Deno.chmodSync(join(root, "calc.py"), 0o755), ["head"]],
      ["an added file", () => writeFiles(root, { "conftest.py": "collect_ignore = ['test_calc.py']\n" }), [
        "head",
      ]],
      [
        "a looser policy",
        () => writeFiles(root, { "pp.yaml": POLICY.replace("pytest", "pytest --version") }),
        ["head"],
      ],
    ];
    for (const [what, change, checks] of attacks) {
      git(root, "checkout", "-q", "-f", "-B", "attack", "fix");
      await change();
      commit(root, what);
      const closed = gateSh(cwd, ["attack", "main", bundle], env);
      assert.deepEqual([closed.code, failed(closed)], [2, checks], what);
    }

    git(root, "checkout", "-q", "-f", "-B", "moved", "main");
    writeFiles(root, { "other.txt": "main moved on\n" });
    commit(root, "moved");
    git(root, "checkout", "-q", "-B", "rebased", "fix");
    git(root, "rebase", "-q", "moved");
    const rebased = gateSh(cwd, ["rebased", "moved", bundle], env);
    assert.deepEqual([rebased.code, failed(rebased)], [2, ["base", "head"]], "another base");

    must(await pp(["bundle", "pack", bundle, "-o", "proof.ppb"], { cwd }));
    assert.equal(gateSh(cwd, ["fix", "main", "proof.ppb"], env).code, 0);
    must(await pp(["attest", bundle, "--key", "stranger.key.pem"], { cwd }));
    const stranger = gateSh(cwd, ["fix", "main", bundle], env);
    assert.deepEqual([stranger.code, failed(stranger)], [2, ["signature"]], "an untrusted key");
    must(await pp(["attest", bundle, "--mode", "none"], { cwd }));
    const stripped = gateSh(cwd, ["fix", "main", bundle], env);
    assert.deepEqual([stripped.code, failed(stripped)], [2, ["signature"]], "a stripped signature");
  }));

Deno.test("pp gate --require-replay: a proof that was true of another image does not hold here", () =>
  inTempDir(async (cwd) => {
    const root = join(cwd, "repo");
    await Deno.mkdir(root);
    git(root, "init", "-q", "-b", "main");
    // Red and green by a limit that is not in the tree: the verifier's own policy decides it.
    const limit = (bytes: number) =>
      `proof_targets: [{name: t, cmd: sh check.sh}]
policy:
  minimize: false
  limits: {file_bytes: ${bytes}}
  sandbox: {backend: container, container_image: "${TEST_IMAGE}"}
`;
    writeFiles(root, {
      "check.sh": 'test "$(ulimit -f)" -gt 100000 && grep -q right value.txt\n',
      "value.txt": "wrong\n",
      ".gitignore": ".pp-artifacts/\n",
      "pp.yaml": limit(900 * 1024 ** 2),
    });
    commit(root, "red");
    writeFiles(cwd, { "mine.yaml": limit(8 * 1024 ** 2) });
    must(await pp(["keygen", "-o", "ci"], { cwd }));
    const key = ["--attestation-mode", "ed25519", "--attestation-key", join(cwd, "ci.key.pem")];
    const fix = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1 @@\n-wrong\n+right\n";
    const proved = must(await pp(["prove", "--patch", "-", ...key, "--json"], { cwd: root, stdin: fix }));
    const bundle = JSON.parse(proved).proof_bundle as string;
    git(root, "checkout", "-q", "-b", "fix");
    git(root, "apply", "--index", join(bundle, "final.patch"));
    git(root, "commit", "-q", "-m", "fix");
    const call = ["gate", bundle, "--repo", root, "--base", "main", "--head", "fix", "--key", "ci.pub.pem"];
    must(await pp([...call, "--require-replay"], { cwd }));
    const mine = await pp([...call, "--policy", "mine.yaml", "--require-replay", "--json"], { cwd });
    assert.equal(mine.code, 2);
    const checks = JSON.parse(mine.stdout).checks as { id: string; findings: { code: string }[] }[];
    assert.deepEqual(checks.flatMap(({ findings }) => findings.map(({ code }) => code)), ["patched_fails"]);
  }));
