import { splitWords } from "../../src/policy/shell_words.ts";
import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import type { PrivateKey } from "../../src/sign/key.ts";
import { spkiOf } from "../../src/sign/pem.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { verifySummary } from "../../src/verify/verdicts/summary.ts";
import { attested, testKey, testSecret } from "../bundle/attested.ts";
import { redact } from "../bundle/fixture.ts";
import { fakeSession } from "../prove/session_fixture.ts";
import { pp, type PpResult, withFolder } from "./process.ts";

const BASE = { "a.txt": "one\nwrong\n" };
const FIX = "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-wrong\n+right\n";
const PROVED = (await fakeSession({
  files: BASE,
  check: (_argv, files) => ({ exitCode: files.readText("a.txt") === "one\nright\n" ? 0 : 1 }),
  proposals: [FIX],
})).outcome.record;
const UNSIGNED = await bundleFiles(PROVED, redact);
const HOUR_AGO = new Date(Date.now() - 3_600_000);
const SIGNED = await attested([testKey(1)], { files: UNSIGNED, issuedAt: HOUR_AGO, nonce: "n1" });

const pem = (label: string, der: Uint8Array) =>
  `-----BEGIN ${label}-----\n${der.toBase64()}\n-----END ${label}-----\n`;
const publicPem = ({ publicKey }: PrivateKey) => pem("PUBLIC KEY", spkiOf(publicKey.raw));
/** PKCS#8 of an Ed25519 seed (RFC 8410). */
const privatePem = ({ seed }: PrivateKey) =>
  pem("PRIVATE KEY", new Uint8Array([...Uint8Array.fromHex("302e020100300506032b657004220420"), ...seed]));

interface Replay extends PpResult {
  /** Requests that reached the container engine. */
  readonly asked: number;
}

/** Replays the bundle in a checkout of its base, with an engine that counts what it is asked for and does nothing. */
async function replayed(
  bundle: ReadonlyMap<string, Uint8Array>,
  args: readonly string[],
  { cwd = "base", env: own = {}, spoil = (_folder: string): Promise<void> => Promise.resolve() } = {},
  after: (folder: string, result: Replay) => Promise<void> = () => Promise.resolve(),
): Promise<Replay> {
  const files = {
    ...Object.fromEntries(Object.entries(BASE).map(([name, text]) => [`base/${name}`, text])),
    ...Object.fromEntries([...bundle].map(([name, bytes]) => [`proof_bundle/${name}`, bytes])),
    "prover.pub.pem": publicPem(testKey(1)),
    "other.pub.pem": publicPem(testKey(2)),
    "replayer.key.pem": privatePem(testKey(3)),
    "empty/x": "",
  };
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked++;
    return Response.json({ message: "no such thing" }, { status: 404 });
  });
  try {
    return await withFolder(files, async (folder) => {
      await Deno.chmod(`${folder}/replayer.key.pem`, 0o600);
      await spoil(folder);
      const env = { DOCKER_HOST: `tcp://127.0.0.1:${server.addr.port}`, ...own };
      const result = await pp(["replay", "proof_bundle", "--cwd", cwd, "--json", ...args], {
        cwd: folder,
        env,
      });
      const replay = { ...result, asked };
      await after(folder, replay);
      return replay;
    });
  } finally {
    await server.shutdown();
  }
}

/** Signed by its prover although it contradicts itself. */
const SIGNED_NONSENSE = await attested([testKey(1)], {
  files: new Map([...UNSIGNED, ["events.jsonl", new TextEncoder().encode("nonsense\n")]]),
  issuedAt: HOUR_AGO,
});
const without = (name: string, files = SIGNED) => new Map([...files].filter(([file]) => file !== name));
const changed = (name: string, files: ReadonlyMap<string, Uint8Array> = SIGNED) => {
  const bytes = Uint8Array.from(files.get(name)!);
  bytes[bytes.length >> 1]! ^= 1;
  return new Map([...files, [name, bytes]]);
};
const KEY = ["--key", "prover.pub.pem"];
/** A container is asked for, and nothing gets that far. */
const NO_ENGINE = { DOCKER_HOST: "tcp://127.0.0.1:1" };

Deno.test("pp replay: a bundle that passes every check does reach the engine", async () => {
  for (const args of [[], KEY, [...KEY, "--max-age", "2h", "--nonce", "n1"]]) {
    const { code, asked } = await replayed(SIGNED, args);
    assert.ok(asked > 0, args.join(" "));
    assert.equal(code, 69, "this engine has no image");
  }
  const unsigned = await replayed(UNSIGNED, ["--allow-unsigned"]);
  assert.ok(unsigned.asked > 0);
});

Deno.test("pp replay: an HMAC secret decides as a key does", async () => {
  const bundle = await attested([testSecret(1)], { files: UNSIGNED, issuedAt: HOUR_AGO });
  const secret = (n: number) => String.fromCharCode(n).repeat(32);
  const env = (n: number) => ({ PP_ATTEST_HMAC_KEY: secret(n) });
  const right = await replayed(bundle, ["--verify-attestation"], { env: env(1) });
  assert.ok(right.asked > 0, right.stdout);
  const wrong = await replayed(bundle, ["--verify-attestation"], { env: env(2) });
  assert.equal(JSON.parse(wrong.stdout).reason, "not_by_trusted_key");
  assert.equal(wrong.asked, 0);
});

/** Flags, bundle, reason; nothing may be run of any of them. */
const REFUSED: readonly [string, string[], ReadonlyMap<string, Uint8Array>, string][] = [
  ["an unsigned bundle", KEY, UNSIGNED, "unsigned"],
  ["a stripped signature", KEY, without("attestation.json"), "unsigned"],
  ["another signer", ["--key", "other.pub.pem"], SIGNED, "not_by_trusted_key"],
  [
    "another signer, unsigned allowed",
    ["--key", "other.pub.pem", "--allow-unsigned"],
    SIGNED,
    "not_by_trusted_key",
  ],
  ["too few signers", [...KEY, "--key", "other.pub.pem", "--threshold", "2"], SIGNED, "threshold_not_met"],
  ["a changed patch", KEY, changed("final.patch"), "changed"],
  ["a changed command", KEY, changed("repro.json"), "changed"],
  ["a changed manifest", KEY, changed("workspace_manifest.json"), "changed"],
  ["a missing file", KEY, without("events.jsonl"), "missing"],
  ["an added file", KEY, new Map([...SIGNED, ["source_git.diff", new Uint8Array()]]), "extra"],
  ["an unknown file", KEY, new Map([...SIGNED, ["run.sh", new Uint8Array()]]), "unknown_file"],
  ["a signed bundle that makes no sense", KEY, SIGNED_NONSENSE, "bundle_malformed"],
  ["an old statement", [...KEY, "--max-age", "30m"], SIGNED, "too_old"],
  ["another nonce", [...KEY, "--nonce", "n2"], SIGNED, "nonce_differs"],
  [
    "an envelope of rubbish",
    KEY,
    new Map([...SIGNED, ["attestation.json", new Uint8Array(9)]]),
    "envelope_not_json",
  ],
  [
    "an unsigned bundle that was changed",
    ["--allow-unsigned"],
    changed("final.patch", UNSIGNED),
    "bundle_inconsistent",
  ],
];
for (const [name, args, bundle, reason] of REFUSED) {
  Deno.test(`pp replay: ${name} is invalid, exit 2, and the engine is asked for nothing`, async () => {
    const sign = ["--sign", "replayer.key.pem"];
    await replayed(bundle, [...args, ...sign], {}, async (folder, { code, stdout, asked }) => {
      const document = JSON.parse(stdout);
      assert.equal(code, 2, stdout);
      assert.equal(document.verdict, "invalid");
      assert.equal(document.success, false);
      assert.equal(document.reason, reason);
      assert.equal(document.summary, null);
      assert.equal(asked, 0);
      const names = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
      assert.ok(!names.includes("proof_bundle.replay.attestation.json"), "nothing is signed of it");
    });
  });
}

Deno.test("pp replay: a file that is a link is invalid and nothing is run", async () => {
  const spoil = async (folder: string) => {
    await Deno.rename(`${folder}/proof_bundle/final.patch`, `${folder}/elsewhere`);
    await Deno.symlink("../elsewhere", `${folder}/proof_bundle/final.patch`);
  };
  const { code, stdout, asked } = await replayed(SIGNED, KEY, { spoil });
  assert.equal(code, 2);
  assert.equal(JSON.parse(stdout).reason, "link");
  assert.equal(asked, 0);
});

Deno.test("pp replay: without a key to judge by nothing is read of the bundle or run, 77", async () => {
  for (
    const [bundle, args] of [[SIGNED, ["--verify-attestation"]], [SIGNED, ["--allow-unsigned"]]] as const
  ) {
    const { code, stdout, asked } = await replayed(bundle, args);
    assert.equal(code, 77, stdout);
    assert.equal(JSON.parse(stdout).error.code, "no_trusted_key");
    assert.equal(asked, 0);
  }
});

Deno.test("pp replay: what was asked for wrongly is said before anything is read", async () => {
  const wrong: readonly [string[], string][] = [
    [["--sign", "replayer.key.pem"], "sign_unverified"],
    [["-o", "summary.json"], "output_without_sign"],
    [[...KEY, "--sign", "replayer.key.pem", "-o", "proof_bundle/summary.json"], "output_inside_bundle"],
    [[...KEY, "--sign", "replayer.key.pem", "-o", "other.pub.pem"], "file_exists"],
    [[...KEY, "--sign", "prover.pub.pem"], "key_is_public"],
    [["--seed", "s"], "seed_alone"],
    [["--check-minimal", "some"], "check_minimal_malformed"],
    [["--check-minimal", "0"], "check_minimal_malformed"],
    [["--check-minimal", "1", "--seed", ""], "seed_malformed"],
    [[...KEY, "--max-age", "soon"], "max_age_malformed"],
  ];
  for (const [args, reason] of wrong) {
    const { code, stdout, asked } = await replayed(SIGNED, args);
    assert.ok(code === 64 || code === 65, `${code}`);
    assert.equal(JSON.parse(stdout).error.code, reason, args.join(" "));
    assert.equal(asked, 0);
  }
});

Deno.test("pp replay: files that are not in the bundle are listed, and the call that leaves them out is ready", async () => {
  const strays = { "base/out/r.html": "r", "base/it's.txt": "n" };
  const files = Object.fromEntries([
    ...Object.entries(BASE).map(([name, text]) => [`base/${name}`, text]),
    ...[...UNSIGNED].map(([name, bytes]) => [`proof_bundle/${name}`, bytes]),
  ]);
  await withFolder({ ...files, ...strays }, async (cwd) => {
    await pp(["bundle", "pack", "proof_bundle", "-o", "base/mine.ppb"], { cwd });
    const options = { cwd, env: NO_ENGINE };
    const first = await pp(["replay", "base/mine.ppb", "--cwd", "base", "--allow-unsigned"], options);
    assert.equal(first.code, 3, first.stderr);
    assert.match(first.stdout, /^base {7}\? the checkout is not the recorded tree [0-9a-f]{12}:$/m);
    assert.match(
      first.stdout,
      /^ +not in the bundle: it's\.txt\n +not in the bundle: out\nverdict/m,
      "mine.ppb is none",
    );
    assert.doesNotMatch(first.stdout, /-> |mine\.ppb:/);
    const next = /^next +(pp replay .*)$/m.exec(first.stdout)![1]!;
    assert.match(next, /--cwd base --allow-unsigned --leave-out 'base\/it'/);
    const split = splitWords(next);
    assert.ok(split.kind === "words");
    const again = await pp(split.words.slice(1), options);
    assert.equal(again.code, 69, "it gets as far as the engine");
    await Deno.writeTextFile(`${cwd}/base/a.txt`, "other\n");
    const changed = await pp(["replay", "proof_bundle", "--workspace", "base"], options);
    assert.match(changed.stdout, /^ +differs: a\.txt$/m);
    assert.match(changed.stdout, /^next +check out the commit/m);
    await Deno.writeTextFile(`${cwd}/base/a.txt`, BASE["a.txt"]);
    for (let i = 0; i < 20; i++) await Deno.writeTextFile(`${cwd}/base/x${i}`, "");
    const many = await pp(["replay", "proof_bundle", "--cwd", "base"], options);
    assert.equal(many.stdout.match(/not in the bundle/g)!.length, 10);
    assert.match(many.stdout, /^ +and 13 more$/m);
    const json = JSON.parse(
      (await pp(["replay", "proof_bundle", "--cwd", "base", "--json"], options)).stdout,
    );
    assert.deepEqual([json.base_differences.count, json.base_differences.first.length], [23, 10]);
  });
});

Deno.test("pp replay --sign: what could not be confirmed is signed as FAILED, beside the bundle", async () => {
  const args = [...KEY, "--sign", "replayer.key.pem"];
  await replayed(SIGNED, args, { cwd: "empty" }, async (folder, { code, stdout }) => {
    const document = JSON.parse(stdout);
    assert.equal(code, 3, stdout);
    assert.equal(document.reason, "base_differs");
    const file = `${folder}/proof_bundle.replay.attestation.json`;
    assert.equal(document.summary.file, file);
    assert.equal(document.summary.result, "FAILED");
    const { verdict, summary } = await verifySummary(
      await Deno.readFile(file),
      { keys: [testKey(3).publicKey], threshold: 1, owners: new Map(), refused: [] },
      {
        subjects: { patch: document.attestation.statement.final_patch, tree: document.result_tree },
        attestation: sha256(await Deno.readFile(`${folder}/proof_bundle/attestation.json`)),
        now: new Date(),
        maxAgeMs: 60_000,
      },
    );
    assert.equal(verdict.code, "replay_inconclusive");
    assert.equal(summary!.replay.reason, "base_differs");
    assert.equal(summary!.policy.digest, document.policy.digest);
    assert.deepEqual(summary!.replay.signers, [testKey(1).publicKey.id]);
    assert.equal(summary!.replay.sandbox, null);
    const again = await pp(["replay", "proof_bundle", "--cwd", "empty", "--json", ...args], {
      cwd: folder,
      env: NO_ENGINE,
    });
    assert.equal(JSON.parse(again.stdout).error.code, "file_exists");
    const forced = await pp(["replay", "proof_bundle", "--cwd", "empty", "--force", ...args], {
      cwd: folder,
      env: NO_ENGINE,
    });
    assert.equal(forced.code, 3, forced.stderr);
    assert.match(
      forced.stdout,
      /^signed +proof_bundle\.replay\.attestation\.json: FAILED, by ed25519 [0-9a-f]{16}$/m,
    );
  });
});

Deno.test("pp replay: the text says what was checked, by which policy, the verdict and what to do next", async () => {
  await replayed(UNSIGNED, ["--allow-unsigned"], { cwd: "empty" }, async (folder) => {
    const args = ["replay", "proof_bundle", "--cwd", "empty"];
    const unsigned = await pp([...args, "--allow-unsigned"], { cwd: folder, env: NO_ENGINE });
    assert.match(unsigned.stdout, /^signature +! UNSIGNED, allowed: nobody vouches/m);
    assert.match(
      unsigned.stdout,
      /^policy +none of yours: the built-in one \([0-9a-f]{12}\), which let exactly the/m,
    );
    assert.match(unsigned.stdout, /^base +\? the checkout is not the recorded tree /m);
    assert.match(unsigned.stdout, /^verdict +inconclusive: the checkout is not the recorded base/m);
    assert.match(unsigned.stdout, /^next +check out the commit/m);
    const plain = await pp(args, { cwd: folder, env: NO_ENGINE });
    assert.match(plain.stdout, /^signature +- not checked; --key, --trust/m);
  });
});

Deno.test("pp replay: a policy that lies in the bundle or the embedded base is not asked; --policy decides", async () => {
  const mine = { policy: { allowed_commands: ["true"] } };
  await replayed(SIGNED, [], {}, async (folder) => {
    await Deno.writeTextFile(`${folder}/mine.json`, JSON.stringify(mine));
    const denied = await pp(["replay", "proof_bundle", "--cwd", "base", "--policy", "mine.json", "--json"], {
      cwd: folder,
      env: NO_ENGINE,
    });
    assert.equal(denied.code, 77, denied.stdout);
    assert.match(JSON.parse(denied.stdout).error.message, /does not admit the bundle's command/);
  });
});
