import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { record, redact, SESSION } from "../bundle/fixture.ts";
import { pp, withFolder } from "./process.ts";

const FILES = await bundleFiles(record(), redact);
const HERE = Object.fromEntries([...FILES].map(([name, bytes]) => [`proof_bundle/${name}`, bytes]));

Deno.test("pp report: writes one page of a folder or a .ppb, the same each time", async () => {
  await withFolder(HERE, async (cwd) => {
    const written = await pp(["report", "proof_bundle"], { cwd });
    assert.equal(written.code, 0, written.stderr);
    assert.match(written.stdout, new RegExp(`^report   ${SESSION}\\.html \\(`));
    await pp(["bundle", "pack", "proof_bundle", "-o", "b.ppb"], { cwd });
    const packed = await pp(["report", "b.ppb", "-o", "packed.html", "--json"], { cwd });
    const document = JSON.parse(packed.stdout);
    assert.equal(document.format, "veripatch-report/v1");
    const page = await Deno.readTextFile(`${cwd}/packed.html`);
    assert.equal(document.size, new TextEncoder().encode(page).length);
    assert.equal(page, await Deno.readTextFile(`${cwd}/${SESSION}.html`));
    assert.match(page, /^<!doctype html>/);
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
