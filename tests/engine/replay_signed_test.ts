import assert from "node:assert/strict";
import { connectEngine } from "../../src/sandbox/docker/connect.ts";
import { parseEnvelope, preAuthEncoding } from "../../src/sign/dsse.ts";
import { ENGINE_ENV, TEST_IMAGE } from "./engine.ts";
import { pp, spawnPp, withProject } from "./pp.ts";

const MIB = 1024 ** 2;
const FILES = { "check.sh": "grep -q right value.txt\n", "value.txt": "wrong\n" };
const FIX = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1,2 @@\n-wrong\n+right\n+needless\n";
const PADDED = { minimize: false };
/** Behaves in one way where files may be large and in another where not: the verifier's own limit decides. */
const LARGE = 'test "$(ulimit -f)" -gt 100000';

interface Proof {
  readonly directory: string;
  readonly bundle: string;
  /** `pp replay` of the bundle as JSON, under the policy of this name. */
  readonly replay: (
    args: readonly string[],
    policy?: string,
  ) => Promise<{ code: number; document: Document }>;
}
// deno-lint-ignore no-explicit-any -- the document's own test is what it holds
type Document = any;

/** Proves FIX and signs the bundle as its prover. */
async function withProof(
  use: (proof: Proof) => Promise<void>,
  { files = FILES as Readonly<Record<string, string>>, policy = {}, limits = {} } = {},
): Promise<void> {
  const config = (file_bytes: number) =>
    JSON.stringify({
      policy: {
        allowed_commands: ["sh check.sh"],
        limits: { file_bytes, ...limits },
        sandbox: { backend: "container", container_image: TEST_IMAGE },
        ...policy,
      },
    });
  // Policies lie in the project, so that they are part of base and checkout alike.
  const policies = { "pp.json": config(8 * MIB), "large.json": config(900 * MIB) };
  await withProject({ ...files, ...policies }, async (directory) => {
    const keys = await Deno.makeTempDir({ prefix: "veripatch-test-" });
    try {
      for (const name of ["prover", "replayer"]) {
        assert.equal((await pp(["keygen", "-o", `${keys}/${name}`], { cwd: directory })).code, 0);
      }
      const run = await pp(["run", "sh check.sh", "--patch", "-", "--json"], { cwd: directory, stdin: FIX });
      assert.equal(run.code, 0, run.stdout + run.stderr);
      const bundle = JSON.parse(run.stdout).proof_bundle as string;
      await Deno.symlink(keys, `${directory}/.pp-artifacts/keys`);
      await attest(bundle, directory);
      await use({
        directory,
        bundle,
        replay: async (args, name = "pp.json") => {
          const all = ["replay", bundle, "--policy", name, "--json", ...args];
          const { code, stdout, stderr } = await pp(all, { cwd: directory });
          assert.notEqual(stdout, "", stderr);
          return { code, document: JSON.parse(stdout) };
        },
      });
    } finally {
      await Deno.remove(keys, { recursive: true });
    }
  });
}

async function attest(bundle: string, cwd: string): Promise<void> {
  const attested = await pp(["attest", bundle, "--key", ".pp-artifacts/keys/prover.key.pem"], { cwd });
  assert.equal(attested.code, 0, attested.stderr);
}
const TRUSTED = ["--key", ".pp-artifacts/keys/prover.pub.pem"];
const SIGNING = ["--sign", ".pp-artifacts/keys/replayer.key.pem"];

async function openssl(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("openssl", { args: [...args] }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test("pp replay --sign: a confirmed replay of a signed bundle, whose summary openssl verifies", async () => {
  await withProof(async ({ directory, bundle, replay }) => {
    const asked = [...TRUSTED, "--max-age", "1h", "--repeat", "2", "--check-minimal", "all", ...SIGNING];
    const { code, document } = await replay(asked);
    assert.equal(code, 0, JSON.stringify(document));
    assert.equal(document.verdict, "confirmed");
    assert.deepEqual(
      document.checks.map((c: { check: string; verdict: string }) => `${c.check} ${c.verdict}`),
      [
        "signature passed",
        "integrity passed",
        "subject passed",
        "freshness passed",
        "base_tree passed",
        "patch passed",
        "base_red passed",
        "base_as_recorded passed",
        "patched_green passed",
        "tests_fixed not_checked",
        "negative_control not_checked",
        "minimal passed",
      ],
    );
    assert.equal(document.minimal.tried, document.minimal.units);
    const file = `${bundle}.replay.attestation.json`;
    assert.equal(document.summary.file, file);
    const parsed = parseEnvelope(await Deno.readFile(file));
    assert.ok(parsed.ok);
    const { payloadType, payload, signatures } = parsed.envelope;
    const statement = JSON.parse(new TextDecoder().decode(payload));
    assert.equal(statement.predicateType, "https://slsa.dev/verification_summary/v1");
    assert.equal(statement.predicate.verificationResult, "PASSED");
    const message = `${directory}/.pp-artifacts/message`, sig = `${directory}/.pp-artifacts/sig`;
    await Deno.writeFile(message, preAuthEncoding(payloadType, payload));
    await Deno.writeFile(sig, signatures[0]!.sig);
    const verify = (key: string) =>
      openssl([
        ...[
          "pkeyutl",
          "-verify",
          "-rawin",
          "-pubin",
          "-inkey",
          `${directory}/.pp-artifacts/keys/${key}.pub.pem`,
        ],
        ...["-in", message, "-sigfile", sig],
      ]);
    assert.match(await verify("replayer"), /Signature Verified Successfully/);
    assert.doesNotMatch(await verify("prover"), /Successfully/);
    // The summary lies beside the bundle, so the bundle is as whole as before, and so is the checkout.
    assert.equal((await replay([...TRUSTED, ...SIGNING, "--force"])).code, 0);
  });
});

Deno.test("pp replay --check-minimal: a padded patch signed by its own prover is contradicted, the line named", async () => {
  await withProof(async ({ directory, bundle, replay }) => {
    assert.equal((await replay([...TRUSTED, "--check-minimal", "all"])).document.reason, "no_certificate");
    await Deno.writeTextFile(
      `${bundle}/minimization.json`,
      JSON.stringify(falseCertificate(), null, 2) + "\n",
    );
    await attest(bundle, directory);
    assert.equal((await replay(TRUSTED)).code, 0, "the claim itself is true, and signed");
    const { code, document } = await replay([...TRUSTED, ...SIGNING, "--check-minimal", "all"]);
    assert.equal(code, 2, JSON.stringify(document));
    assert.equal(document.reason, "not_minimal");
    assert.ok(document.minimal.needless.includes("value.txt: `+needless`"), document.minimal.needless.join());
    assert.match(document.detail, /value\.txt: `\+needless`/);
    assert.equal(document.summary.result, "FAILED");
  }, { policy: PADDED });
});

/** What a prover writes who never tried. */
function falseCertificate() {
  const lines = ["-wrong", "+right", "+needless"];
  const removals = lines.map((_, i) => ({ removed: `${i}`, probe: "fails" }));
  return {
    after: { additions: 2, deletions: 1, files: 1 },
    atoms: lines.map((what) => ({ path: "value.txt", what })),
    before: { additions: 2, deletions: 1, files: 1 },
    certificate: { removals, wave: 1 },
    end: "one_minimal",
    format: "veripatch-minimization/v1",
    kept: "0-2",
    reason: null,
    runs: 3,
    used: true,
    waves: [{
      level: "line",
      remaining: 3,
      removed: "",
      runs: 3,
      tried: removals.map((r) => ({ ...r, cached: false })),
      wave: 1,
    }],
  };
}

Deno.test("pp replay: a target that is green only now and then under the verifier's limits is inconclusive", async () => {
  const coin = 'test "$(od -An -N1 -tu1 /dev/urandom)" -ge 128';
  const files = { ...FILES, "check.sh": `grep -q right value.txt && { ! ${LARGE} || ${coin}; }\n` };
  await withProof(async ({ replay }) => {
    const { code, document } = await replay([...TRUSTED, "--repeat", "20", ...SIGNING], "large.json");
    assert.equal(code, 3, JSON.stringify(document));
    assert.equal(document.reason, "flaky");
    assert.equal(document.summary.result, "FAILED");
    assert.equal(document.patched.length, 20);
  }, { files, policy: PADDED });
});

Deno.test("pp replay: a base that is cut off here and failed there is inconclusive", async () => {
  const files = { ...FILES, "check.sh": `grep -q right value.txt || { ${LARGE} && sleep 60; exit 1; }\n` };
  await withProof(async ({ replay }) => {
    const { code, document } = await replay(TRUSTED, "large.json");
    assert.equal(code, 3, JSON.stringify(document));
    assert.equal(document.reason, "base_cut_off");
  }, { files, policy: PADDED, limits: { per_command_timeout_sec: 3 } });
});

Deno.test("pp replay: in another image what fails refutes nothing, and what holds is said to hold elsewhere", async () => {
  const files = { ...FILES, "check.sh": "grep -q right value.txt && ! test -e /elsewhere\n" };
  const { docker } = await connectEngine(ENGINE_ENV, "docker");
  const builder = await docker.createContainer({
    Image: TEST_IMAGE,
    Cmd: ["touch", "/elsewhere"],
    User: "0",
  });
  const name = `veripatch-test-elsewhere:${crypto.randomUUID().slice(0, 8)}`;
  try {
    await builder.start();
    await builder.wait();
    const [repo, tag] = name.split(":");
    await builder.commit({ repo, tag });
    await withProof(async ({ replay }) => {
      const { code, document } = await replay([...TRUSTED, "--image", name]);
      assert.equal(code, 3, JSON.stringify(document));
      assert.equal(document.reason, "sandbox_differs");
      assert.equal(document.sandbox_as_recorded, false);
    }, { files, policy: PADDED });
  } finally {
    await builder.remove({ force: true });
    await docker.getImage(name).remove({ force: true });
  }
});

Deno.test("pp replay --sign: an interrupt signs nothing", async () => {
  const files = { ...FILES, "check.sh": `grep -q right value.txt || { ${LARGE} && sleep 60; exit 1; }\n` };
  await withProof(async ({ directory, bundle }) => {
    const child = spawnPp(["replay", bundle, "--policy", "large.json", ...TRUSTED, ...SIGNING], {
      cwd: directory,
    });
    const out = new Response(child.stdout).text();
    let errors = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      errors += text;
      if (errors.includes("baseline")) child.kill("SIGINT");
    }
    assert.equal((await child.status).code, 130, errors + await out);
    await assert.rejects(Deno.stat(`${bundle}.replay.attestation.json`));
  }, { files, policy: PADDED });
});
