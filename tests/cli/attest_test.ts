import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { PROVED_FILES } from "../bundle/attested.ts";
import { redact, unproved } from "../bundle/fixture.ts";
import { pp, type PpResult, withFolder } from "./process.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

function inFolder(files: ReadonlyMap<string, Uint8Array>, folder = "proof_bundle") {
  return Object.fromEntries([...files].map(([name, bytes]) => [`${folder}/${name}`, bytes]));
}

// deno-lint-ignore no-explicit-any -- the document's fields are what is asserted
function json(result: PpResult): any {
  return JSON.parse(result.stdout);
}

/** A folder with the proof and two key pairs. */
async function withProof(use: (cwd: string) => Promise<void>): Promise<void> {
  await withFolder(inFolder(PROVED_FILES), async (cwd) => {
    for (const name of ["one", "two"]) {
      assert.equal((await pp(["keygen", "-o", name], { cwd })).code, 0);
    }
    await use(cwd);
  });
}

Deno.test("pp attest, pp verify-attestation: signed, verified, signed by a second", async () => {
  await withProof(async (cwd) => {
    const attested = await pp(["attest", "proof_bundle", "--key", "one.key.pem", "--json"], { cwd });
    assert.equal(attested.code, 0, attested.stderr);
    assert.deepEqual(json(attested).written, ["attestation.json", "test_result.attestation.json"]);
    assert.match(json(attested).key_ids[0], /^[0-9a-f]{64}$/);
    const one = await pp(["verify-attestation", "proof_bundle", "--key", "one.pub.pem"], { cwd });
    assert.equal(one.code, 0, one.stdout);
    assert.match(
      one.stdout,
      /signature {2}✓[^]*integrity {2}✓[^]*subject {4}✓[^]*freshness {2}✓[^]*verdict {4}valid/,
    );
    const two = await pp(["verify-attestation", "proof_bundle", "--key", "two.pub.pem"], { cwd });
    assert.equal(two.code, 2);
    assert.match(two.stdout, /signature {2}✗ no trusted key[^]*not checked[^]*next {7}compare/);
    const before = await Deno.readTextFile(`${cwd}/proof_bundle/test_result.attestation.json`);
    const added = await pp(["attest", "proof_bundle", "--key", "two.key.pem", "--add"], { cwd });
    assert.equal(added.code, 0);
    assert.doesNotMatch(added.stdout, /in place of/);
    assert.equal(await Deno.readTextFile(`${cwd}/proof_bundle/test_result.attestation.json`), before);
    const both = ["--key", "one.pub.pem", "--key", "two.pub.pem", "--threshold", "2", "--json"];
    const whole = await pp(["verify-attestation", "proof_bundle", ...both], { cwd });
    assert.equal(json(whole).verdict, "valid");
    assert.equal(json(whole).signature.signers.length, 2);
    assert.equal(json(whole).format, "veripatch-attestation-verification/v1");
    assert.equal(json(attested).replaced, false);
    const again = await pp(["attest", "proof_bundle", "--key", "two.key.pem"], { cwd });
    assert.match(again.stdout, /in place of the signatures that were there; --add keeps them/);
    const leftovers = [...Deno.readDirSync(cwd)].map((entry) => entry.name).filter((n) =>
      n.startsWith(".tmp")
    );
    assert.deepEqual(leftovers, []);
  });
});

Deno.test("pp attest --mode none: takes the signatures away, and unsigned is invalid", async () => {
  await withProof(async (cwd) => {
    await pp(["attest", "proof_bundle", "--key", "one.key.pem"], { cwd });
    const removed = await pp(["attest", "proof_bundle", "--mode", "none", "--json"], { cwd });
    assert.deepEqual(json(removed).removed, ["attestation.json", "test_result.attestation.json"]);
    const verify = ["verify-attestation", "proof_bundle", "--key", "one.pub.pem"];
    const unsigned = await pp([...verify, "--json"], { cwd });
    assert.equal(unsigned.code, 2);
    assert.equal(json(unsigned).signature.verdict, "unsigned");
    const allowed = await pp(["verify-attestation", "proof_bundle", "--allow-unsigned"], { cwd });
    assert.equal(allowed.code, 0, allowed.stderr);
    assert.match(allowed.stdout, /signature {2}! unsigned[^]*verdict {4}UNSIGNED, allowed/);
    const aged = await pp([...verify, "--allow-unsigned", "--max-age", "1d", "--json"], { cwd });
    assert.equal(aged.code, 2);
    await Deno.writeTextFile(`${cwd}/proof_bundle/final.patch`, "\n", { append: true });
    const changed = await pp([...verify, "--allow-unsigned", "--json"], { cwd });
    assert.equal(changed.code, 2);
    assert.equal(json(changed).integrity.code, "bundle_inconsistent");
    await Deno.remove(`${cwd}/proof_bundle/repro.json`);
    const missing = await pp([...verify, "--allow-unsigned", "--json"], { cwd });
    assert.equal(json(missing).integrity.code, "bundle_missing_file");
  });
});

Deno.test("pp verify-attestation: HMAC takes PP_ATTEST_HMAC_KEY, a variable or a file", async () => {
  await withProof(async (cwd) => {
    const env = { PP_ATTEST_HMAC_KEY: SECRET };
    const made = await pp(["attest", "proof_bundle", "--mode", "hmac-sha256"], { cwd, env });
    assert.equal(made.code, 0, made.stderr);
    const verify = ["verify-attestation", "proof_bundle"];
    assert.equal((await pp(verify, { cwd, env })).code, 0);
    assert.equal((await pp(verify, { cwd, env: { PP_ATTEST_HMAC_KEY: SECRET.toUpperCase() } })).code, 2);
    assert.equal((await pp([...verify, "--key-env", "OTHER"], { cwd, env: { OTHER: SECRET } })).code, 0);
    await Deno.writeTextFile(`${cwd}/secret`, `${SECRET}\n`, { mode: 0o600 });
    assert.equal((await pp([...verify, "--hmac-key", "secret"], { cwd })).code, 0);
    // Nobody named: the bundle is not asked which variable it would like.
    const nobody = await pp([...verify, "--json"], { cwd });
    assert.equal(nobody.code, 77);
    assert.equal(json(nobody).error.code, "no_trusted_key");
    assert.match(nobody.stderr, /--key[^]*--trust[^]*PP_ATTEST_HMAC_KEY/);
    assert.equal((await pp([...verify, "--allow-unsigned"], { cwd })).code, 77, "signed needs a key");
    // The public key's text is no secret.
    const text = await Deno.readTextFile(`${cwd}/one.pub.pem`);
    const swapped = await pp(verify, { cwd, env: { PP_ATTEST_HMAC_KEY: text } });
    assert.equal(swapped.code, 65);
  });
});

Deno.test("pp verify-attestation --trust: principals, roles, thresholds, revocation", async () => {
  await withProof(async (cwd) => {
    await pp(["attest", "proof_bundle", "--key", "one.key.pem"], { cwd });
    const verify = ["verify-attestation", "proof_bundle", "--trust", "trust.yaml", "--json"];
    await pp(["trust", "init", "trust.yaml"], { cwd });
    assert.equal((await pp(verify, { cwd })).code, 77, "nobody is trusted yet");
    const add = ["--file", "trust.yaml", "--role", "prover"];
    const added = await pp(["trust", "add", "ci", "one.pub.pem", ...add], { cwd });
    assert.equal(added.code, 0, added.stderr);
    const valid = await pp(verify, { cwd });
    assert.equal(valid.code, 0, valid.stdout + valid.stderr);
    assert.equal(json(valid).signature.signers[0].principal, "ci");
    assert.equal((await pp([...verify, "--role", "approver"], { cwd })).code, 77);
    assert.equal(
      json(await pp([...verify, "--threshold", "2"], { cwd })).signature.code,
      "threshold_not_met",
    );
    const id = json(valid).signature.signers[0].key_id;
    const revoked = await pp(["trust", "revoke", id, "--file", "trust.yaml", "--reason", "lost"], { cwd });
    assert.equal(revoked.code, 0, revoked.stderr);
    const after = await pp(verify, { cwd });
    assert.equal(after.code, 2);
    assert.equal(json(after).signature.code, "key_revoked");
    assert.equal(json(after).statement, null);
    assert.equal(json(after).freshness.verdict, "not_checked", "said once");
    await Deno.writeTextFile(`${cwd}/trust.yaml`, "format: veripatch-trust/v2\n");
    assert.equal((await pp(verify, { cwd })).code, 65);
  });
});

Deno.test("pp verify-attestation: a packed bundle is judged as the folder it was", async () => {
  await withProof(async (cwd) => {
    await pp(["attest", "proof_bundle", "--key", "one.key.pem"], { cwd });
    const packed = await pp(["bundle", "pack", "proof_bundle", "-o", "proof.ppb"], { cwd });
    assert.equal(packed.code, 0, packed.stderr);
    const result = await pp(["verify-attestation", "proof.ppb", "--key", "one.pub.pem"], { cwd });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const attest = await pp(["attest", "proof.ppb", "--key", "one.key.pem"], { cwd });
    assert.equal(attest.code, 64);
    assert.match(attest.stderr, /unpack/);
  });
});

Deno.test("pp verify-attestation: what is found is named, and a missing folder is 65", async () => {
  await withProof(async (cwd) => {
    await pp(["attest", "proof_bundle", "--key", "one.key.pem"], { cwd });
    await Deno.writeTextFile(`${cwd}/proof_bundle/evil\x1b[31m.txt`, "");
    await Deno.remove(`${cwd}/proof_bundle/events.jsonl`);
    await Deno.writeTextFile(`${cwd}/proof_bundle/final_summary.md`, "all good");
    const verify = ["verify-attestation", "proof_bundle", "--key", "one.pub.pem"];
    const { code, stdout } = await pp(verify, { cwd });
    assert.equal(code, 2);
    assert.ok(!stdout.includes("\x1b"), "escapes are shown, not obeyed");
    for (const line of ["unknown_file evil", "missing events.jsonl", "changed final_summary.md"]) {
      assert.ok(stdout.includes(line), `${line} in ${stdout}`);
    }
    const nowhere = await pp(["verify-attestation", "nowhere", "--key", "one.pub.pem"], { cwd });
    assert.equal(nowhere.code, 65);
  });
});

Deno.test("pp verify-attestation: freshness is asked for in words", async () => {
  await withProof(async (cwd) => {
    await pp(["attest", "proof_bundle", "--key", "one.key.pem", "--nonce", "ticket 7"], { cwd });
    const verify = ["verify-attestation", "proof_bundle", "--key", "one.pub.pem", "--json"];
    assert.equal((await pp([...verify, "--nonce", "ticket 7", "--max-age", "90s"], { cwd })).code, 0);
    const other = await pp([...verify, "--nonce", "ticket 8"], { cwd });
    assert.equal(other.code, 2);
    assert.equal(json(other).freshness.code, "nonce_differs");
    assert.equal(json(other).signature.verdict, "valid");
    for (const bad of ["1", "d", "0s", "1y", "-1d", "1.5h"]) {
      assert.equal((await pp([...verify, `--max-age=${bad}`], { cwd })).code, 64, bad);
    }
    for (const bad of ["0", "65", "x"]) {
      assert.equal((await pp([...verify, `--threshold=${bad}`], { cwd })).code, 64, bad);
    }
    assert.equal((await pp([...verify, "--threshold", "2"], { cwd })).code, 64, "two of one can never be");
  });
});

Deno.test("pp attest: nothing but a whole proof is signed, and nothing is changed otherwise", async () => {
  const files = { ...inFolder(PROVED_FILES), ...inFolder(await bundleFiles(unproved(), redact), "unproved") };
  await withFolder(files, async (cwd) => {
    await pp(["keygen", "-o", "k"], { cwd });
    const code = async (...args: string[]) => {
      const result = await pp(["attest", ...args, "--json"], { cwd });
      return `${result.code} ${json(result).error.code}`;
    };
    assert.equal(await code("unproved", "--key", "k.key.pem"), "65 not_proved");
    assert.equal(await code("proof_bundle", "--key", "k.key.pem", "--add"), "65 envelope_missing");
    assert.equal(await code("proof_bundle", "--key", "k.pub.pem"), "65 key_is_public");
    assert.equal(await code("proof_bundle", "--mode", "rot13"), "64 attestation_mode_unknown");
    assert.equal(await code("proof_bundle", "--mode", "none", "--key", "k.key.pem"), "64 attestation_flags");
    assert.equal(await code("proof_bundle", "--key", "k.key.pem", "--nonce", ""), "64 nonce_malformed");
    assert.equal(await code("proof_bundle"), "77 no_signing_key");
    const nobody = await pp(["attest", "proof_bundle"], { cwd });
    assert.match(nobody.stderr, /--sign FILE[^]*--key FILE[^]*attestation\.key_file/);
    assert.doesNotMatch(nobody.stderr, /PP_ATTEST_HMAC_KEY/);
    assert.match(
      (await pp(["attest", "proof_bundle", "--key-env", "MINE"], { cwd })).stderr,
      /MINE is not set/,
    );
    for (
      const verb of [["verify-attestation"], ["gate", "--base", "a", "--head", "b"], [
        "replay",
        "--verify-attestation",
      ]]
    ) {
      assert.equal((await pp([...verb, "nosuch"], { cwd })).code, 65, "no bundle, before no key");
    }
    await Deno.writeTextFile(`${cwd}/proof_bundle/final.patch`, "x");
    assert.equal(await code("proof_bundle", "--key", "k.key.pem"), "65 bundle_inconsistent");
    await assert.rejects(Deno.stat(`${cwd}/proof_bundle/attestation.json`));
  });
});
