import assert from "node:assert/strict";
import { ROOT } from "../../tools/pp.ts";
import { TEST_IMAGE } from "./engine.ts";
import { PP, pp } from "./pp.ts";
import { withFolder } from "../cli/process.ts";

async function script(name: string, args: readonly string[], cwd: string) {
  const command = new Deno.Command("sh", {
    args: [`${ROOT}/.github/${name}`, ...args],
    cwd,
    env: { PP: PP.join(" "), NO_COLOR: "1" },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

const list = (version: string) => JSON.stringify({ metadata: { component: { version } } });
const BUILT = {
  "release/pp-linux-x64": "one",
  "release/pp-linux-x64.cdx.json": list("1.2.3"),
  "portable/pp-linux-x64": "two",
  "portable/pp-linux-x64.cdx.json": list("1.2.3"),
  "portable/SHA256SUMS": "of the portable ones alone\n",
};

Deno.test(".github/release_files.sh: one folder, one list; another version or a file without its list is refused", async () => {
  await withFolder(BUILT, async (cwd) => {
    const other = await script("release_files.sh", ["release", "portable", "v1.2.4"], cwd);
    assert.equal(other.code, 1);
    assert.match(other.text, /says version 1\.2\.3, the tag is v1\.2\.4/);
    assert.deepEqual(await script("release_files.sh", ["release", "portable", "v1.2.3"], cwd), {
      code: 0,
      text: "",
    });
    const sums = await Deno.readTextFile(`${cwd}/release/SHA256SUMS`);
    const names = sums.trimEnd().split("\n").map((line) => line.split("  ")[1]);
    const files = ["pp-linux-x64", "pp-linux-x64.cdx.json"];
    assert.deepEqual(names, [...files, ...files.map((name) => name.replace("pp-", "pp-portable-"))]);
  });
  await withFolder({ ...BUILT, "portable/pp-linux-arm64": "three" }, async (cwd) => {
    const missing = await script("release_files.sh", ["release", "portable", "v1.2.3"], cwd);
    assert.equal(missing.code, 1);
    assert.match(missing.text, /pp-portable-linux-arm64 or its list is not there/);
  });
});

Deno.test(".github/release_proof.sh: a signed proof of the checksums that holds for exactly these files", async () => {
  await withFolder(BUILT, async (cwd) => {
    await script("release_files.sh", ["release", "portable", "v1.2.3"], cwd);
    assert.equal((await pp(["keygen", "-o", "key"], { cwd })).code, 0);
    const args = ["release", TEST_IMAGE, "key.key.pem", "proof.ppb"];
    const made = await script("release_proof.sh", args, cwd);
    assert.equal(made.code, 0, made.text);
    const sums = await Deno.readTextFile(`${cwd}/release/SHA256SUMS`);
    assert.equal((await pp(["bundle", "unpack", "proof.ppb"], { cwd })).code, 0);
    const patch = await Deno.readTextFile(`${cwd}/proof/final.patch`);
    assert.ok(patch.endsWith(sums.replaceAll(/^(?=.)/gm, "+")), patch);

    await Deno.remove(`${cwd}/release/SHA256SUMS`);
    const replay = ["replay", "proof.ppb", "--cwd", "release", "--key", "key.pub.pem", "--image", TEST_IMAGE];
    const confirmed = await pp(replay, { cwd });
    assert.equal(confirmed.code, 0, confirmed.stdout + confirmed.stderr);
    await Deno.writeTextFile(`${cwd}/release/pp-linux-x64`, "another");
    const other = await pp(replay, { cwd });
    assert.notEqual(other.code, 0);
    assert.match(other.stdout, /differs: pp-linux-x64/);
  });
});

Deno.test(".github/release_proof.sh: checksums that do not fit, or leave a file out, are not proved", async () => {
  for (const spoil of [/^[0-9a-f]/m, /^.*\n/]) {
    await withFolder(BUILT, async (cwd) => {
      await script("release_files.sh", ["release", "portable", "v1.2.3"], cwd);
      const sums = await Deno.readTextFile(`${cwd}/release/SHA256SUMS`);
      const spoilt = sums.replace(spoil, (found) => found.length > 1 ? "" : found === "0" ? "1" : "0");
      await Deno.writeTextFile(`${cwd}/release/SHA256SUMS`, spoilt);
      await pp(["keygen", "-o", "key"], { cwd });
      const made = await script("release_proof.sh", ["release", TEST_IMAGE, "key.key.pem", "proof.ppb"], cwd);
      assert.equal(made.code, 2, made.text);
      await assert.rejects(Deno.stat(`${cwd}/proof.ppb`), Deno.errors.NotFound);
    });
  }
});
