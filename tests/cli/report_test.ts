import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { record, redact } from "../bundle/fixture.ts";
import { pp, withFolder } from "./process.ts";

const FILES = await bundleFiles(record(), redact);
const HERE = Object.fromEntries([...FILES].map(([name, bytes]) => [`proof_bundle/${name}`, bytes]));

Deno.test("pp report: writes one page of a folder or a .ppb, the same each time", async () => {
  await withFolder(HERE, async (cwd) => {
    const written = await pp(["report", "proof_bundle"], { cwd });
    assert.equal(written.code, 0, written.stderr);
    assert.match(written.stdout, /^report {3}report\.html \(/);
    await pp(["bundle", "pack", "proof_bundle", "-o", "b.ppb"], { cwd });
    const packed = await pp(["report", "b.ppb", "-o", "packed.html", "--json"], { cwd });
    const document = JSON.parse(packed.stdout);
    assert.equal(document.format, "veripatch-report/v1");
    const page = await Deno.readTextFile(`${cwd}/packed.html`);
    assert.equal(document.size, new TextEncoder().encode(page).length);
    assert.equal(page, await Deno.readTextFile(`${cwd}/report.html`));
    assert.match(page, /^<!doctype html>/);
  });
});

Deno.test("pp report: without -o the page lies beside the bundle, in the session's folder", async () => {
  const session = Object.fromEntries(
    [...FILES].map(([name, bytes]) => [`project/.pp-artifacts/s/proof_bundle/${name}`, bytes]),
  );
  await withFolder({ ...session, "elsewhere/x": "" }, async (folder) => {
    const cwd = `${folder}/project`;
    const written = await pp(["report", ".pp-artifacts/s"], { cwd });
    assert.match(written.stdout, /^report {3}\.pp-artifacts\/s\/report\.html \(/);
    assert.equal(
      (await pp(["report", ".pp-artifacts/s/proof_bundle"], { cwd })).code,
      64,
      "it is there already",
    );
    const packed = await pp(["bundle", "pack", ".pp-artifacts/s/proof_bundle"], { cwd });
    assert.match(packed.stdout, /^packed {3}\.pp-artifacts\/s\/proof\.ppb\n/);
    await Deno.rename(`${cwd}/.pp-artifacts/s/proof.ppb`, `${folder}/elsewhere/mine.ppb`);
    assert.equal((await pp(["report", "../elsewhere/mine.ppb"], { cwd })).code, 0);
    assert.ok((await Deno.stat(`${folder}/elsewhere/mine.html`)).isFile);
    const names = [...Deno.readDirSync(cwd)].map(({ name }) => name);
    assert.deepEqual(names, [".pp-artifacts"], "nothing lies in the project");
  });
});

Deno.test("pp report: replaces a file only with --force; what is no bundle is 65", async () => {
  await withFolder({ ...HERE, "r.html": "mine", "x/repro.json": "{}" }, async (cwd) => {
    const kept = await pp(["report", "proof_bundle", "-o", "r.html"], { cwd });
    assert.equal(kept.code, 64);
    assert.match(kept.stderr, /or --force to replace it/);
    assert.equal(await Deno.readTextFile(`${cwd}/r.html`), "mine");
    assert.equal((await pp(["report", "proof_bundle", "-o", "r.html", "--force"], { cwd })).code, 0);
    assert.match(await Deno.readTextFile(`${cwd}/r.html`), /^<!doctype html>/);
    assert.equal((await pp(["report", "x", "-o", "y.html"], { cwd })).code, 65);
    assert.equal((await pp(["report", "nothing", "-o", "y.html"], { cwd })).code, 65);
  });
});

Deno.test("pp report: says what became of verifying by the caller's key, 2 when it is invalid", async () => {
  await withFolder(HERE, async (cwd) => {
    for (const name of ["mine", "other"]) assert.equal((await pp(["keygen", "-o", name], { cwd })).code, 0);
    const attest = ["attest", "proof_bundle", "--mode", "ed25519", "--key", "mine.key.pem"];
    const attested = await pp(attest, { cwd });
    assert.equal(attested.code, 0, attested.stderr);
    const report = (key: string) =>
      pp(["report", "proof_bundle", "--key", key, "-o", "r.html", "--force", "--json"], { cwd });
    const valid = await report("mine.pub.pem");
    assert.equal(valid.code, 0, valid.stderr);
    assert.equal(JSON.parse(valid.stdout).verification, "valid");
    const page = await Deno.readTextFile(`${cwd}/r.html`);
    assert.match(page, /Verified when this page was made/);
    assert.doesNotMatch(page, /Nothing here was verified/);
    const call = ["report", "proof_bundle", "--key", "mine.pub.pem", "-o", "r.html", "--force", "--json"];
    for (
      const [flags, code] of [[["--max-age", "1h"], 0], [["--nonce", "n"], 2], [
        ["--threshold", "2"],
        64,
      ]] as const
    ) {
      assert.equal((await pp([...call, ...flags], { cwd })).code, code, flags.join(" "));
    }
    assert.equal((await pp(["report", "proof_bundle", "--nonce", "n", "-o", "n.html"], { cwd })).code, 77);
    const invalid = await report("other.pub.pem");
    assert.equal(invalid.code, 2, invalid.stderr);
    assert.equal(JSON.parse(invalid.stdout).verification, "invalid");
    assert.match(await Deno.readTextFile(`${cwd}/r.html`), /class="badge bad">invalid/);
    assert.equal(
      (await pp(["report", "proof_bundle", "--key", "none.pem", "-o", "n.html"], { cwd })).code,
      64,
    );
  });
});

Deno.test("pp report: verifies by a shared secret, from a file or a variable", async () => {
  await withFolder(HERE, async (cwd) => {
    const env = { MY_SECRET: "0123456789abcdef0123456789abcdef" };
    const attest = ["attest", "proof_bundle", "--mode", "hmac-sha256", "--key-env", "MY_SECRET"];
    assert.equal((await pp(attest, { cwd, env })).code, 0);
    const report = async (...flags: string[]) => {
      const made = await pp(["report", "proof_bundle", "-o", "r.html", "--force", "--json", ...flags], {
        cwd,
        env,
      });
      return `${made.code} ${JSON.parse(made.stdout).verification}`;
    };
    assert.equal(await report("--key-env", "MY_SECRET"), "0 valid");
    assert.equal(await report("--hmac-key", "env:MY_SECRET"), "0 valid");
    assert.equal(await report(), "0 null");
    await Deno.writeTextFile(`${cwd}/other`, "another secret of 32 bytes, or so", { mode: 0o600 });
    assert.equal(await report("--hmac-key", "other"), "2 invalid");
  });
});
