import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { record, redact, SESSION } from "../bundle/fixture.ts";
import { pp, withFolder } from "./process.ts";

const FILES = await bundleFiles(record(), redact);
const HERE = Object.fromEntries([...FILES].map(([name, bytes]) => [`proof_bundle/${name}`, bytes]));

Deno.test("pp bundle pack, unpack: there and back, in text and JSON", async () => {
  await withFolder(HERE, async (cwd) => {
    const packed = await pp(["bundle", "pack", "proof_bundle"], { cwd });
    assert.equal(packed.code, 0, packed.stderr);
    assert.match(packed.stdout, new RegExp(`^packed   ${SESSION}\\.ppb\\n`));
    const again = await pp(["bundle", "pack", `${SESSION}.ppb`, "-o", "again.ppb", "--json"], { cwd });
    const document = JSON.parse(again.stdout);
    assert.equal(document.format, "veripatch-packed/v1");
    assert.equal(document.path, `${await Deno.realPath(cwd)}/again.ppb`);
    assert.match(packed.stdout, new RegExp(document.sha256));
    const unpacked = await pp(["bundle", "unpack", "again.ppb", "--json"], { cwd });
    assert.equal(unpacked.code, 0, unpacked.stderr);
    assert.equal(JSON.parse(unpacked.stdout).files, FILES.size);
    for (const [name, bytes] of FILES) {
      assert.deepEqual(await Deno.readFile(`${cwd}/again/${name}`), new Uint8Array(bytes), name);
    }
  });
});

Deno.test("pp bundle pack: nothing is written over, 77; a bundle that does not hold together is 65", async () => {
  await withFolder({ ...HERE, "there.ppb": "mine" }, async (cwd) => {
    const { code, stderr } = await pp(["bundle", "pack", "proof_bundle", "-o", "there.ppb"], { cwd });
    assert.equal(code, 77);
    assert.match(stderr, /there already[^]*hint: name another place/);
    await Deno.writeTextFile(`${cwd}/proof_bundle/final.patch`, "x");
    const broken = await pp(["bundle", "pack", "proof_bundle", "-o", "b.ppb", "--json"], { cwd });
    assert.equal(broken.code, 65);
    assert.equal(JSON.parse(broken.stdout).error.code, "bundle_inconsistent");
  });
});

Deno.test("pp bundle unpack: what is no .ppb is 65 and leaves nothing; a file without a name to make is usage", async () => {
  await withFolder({ "evil.ppb": "\x1b[2Jnot a tar", "noname": "x" }, async (cwd) => {
    const { code, stderr } = await pp(["bundle", "unpack", "evil.ppb"], { cwd });
    assert.equal(code, 65);
    assert.match(stderr, /not a bundle as pp packs it/);
    assert.equal((await pp(["bundle", "unpack", "noname"], { cwd })).code, 64);
    const names = [...Deno.readDirSync(cwd)].map((entry) => entry.name).sort();
    assert.deepEqual(names, ["evil.ppb", "noname"]);
  });
});

Deno.test("pp replay: reads a .ppb like its folder, and leaves no unpacked one", async () => {
  await withFolder(HERE, async (cwd) => {
    await Deno.mkdir(`${cwd}/tmp`);
    await pp(["bundle", "pack", "proof_bundle", "-o", "b.ppb"], { cwd });
    const env = { TMPDIR: `${cwd}/tmp` };
    const flags = ["--cwd", "tmp", "--json"];
    const folder = await pp(["replay", "proof_bundle", ...flags], { cwd, env });
    const packed = await pp(["replay", "b.ppb", ...flags], { cwd, env });
    const said = (stdout: string) => ({ ...JSON.parse(stdout), bundle: null });
    assert.deepEqual(said(packed.stdout), said(folder.stdout));
    assert.equal(packed.code, folder.code);
    assert.deepEqual([...Deno.readDirSync(`${cwd}/tmp`)], []);
  });
});
