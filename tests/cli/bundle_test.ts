import assert from "node:assert/strict";
import { compareBundles } from "../../src/bundle/compare.ts";
import { type ReadBundle, readBundle } from "../../src/bundle/read.ts";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { record, redact, unminimized, unproved } from "../bundle/fixture.ts";
import { pp, withFolder } from "./process.ts";

const FILES = await bundleFiles(record(), redact);
const HERE = Object.fromEntries([...FILES].map(([name, bytes]) => [`proof_bundle/${name}`, bytes]));

Deno.test("pp bundle pack, unpack: there and back, in text and JSON", async () => {
  await withFolder(HERE, async (cwd) => {
    const packed = await pp(["bundle", "pack", "proof_bundle"], { cwd });
    assert.equal(packed.code, 0, packed.stderr);
    assert.match(packed.stdout, /^packed {3}proof\.ppb\n/);
    const again = await pp(["bundle", "pack", "proof.ppb", "-o", "again.ppb", "--json"], { cwd });
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

Deno.test("pp bundle pack: nothing is written over unless --force; a bundle that does not hold together is 65", async () => {
  await withFolder({ ...HERE, "there.ppb": "mine" }, async (cwd) => {
    const { code, stderr } = await pp(["bundle", "pack", "proof_bundle", "-o", "there.ppb"], { cwd });
    assert.equal(code, 64);
    assert.match(stderr, /a file or folder already[^]*hint: name another place with -o, or --force/);
    assert.equal(await Deno.readTextFile(`${cwd}/there.ppb`), "mine");
    const forced = await pp(["bundle", "pack", "proof_bundle", "--out", "there.ppb", "--force"], { cwd });
    assert.equal(forced.code, 0, forced.stderr);
    assert.equal((await pp(["bundle", "show", "there.ppb"], { cwd })).code, 0);
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

Deno.test("pp bundle unpack --force: replaces a bundle, and nothing that is none", async () => {
  await withFolder(
    { ...HERE, "mine/notes.txt": "mine", "both/repro.json": "{}", "both/notes.txt": "mine" },
    async (cwd) => {
      assert.equal((await pp(["bundle", "pack", "proof_bundle", "-o", "b.ppb"], { cwd })).code, 0);
      const unpack = async (...args: string[]) =>
        (await pp(["bundle", "unpack", "b.ppb", ...args], { cwd })).code;
      assert.equal(await unpack("-o", "proof_bundle"), 64);
      await Deno.writeTextFile(`${cwd}/proof_bundle/final.patch`, "spoiled");
      assert.equal(await unpack("-o", "proof_bundle", "--force"), 0);
      assert.equal((await pp(["bundle", "show", "proof_bundle"], { cwd })).code, 0);
      for (const folder of ["mine", "both", "."]) {
        assert.equal(await unpack("-o", folder, "--force"), 64, folder);
      }
      assert.equal(await Deno.readTextFile(`${cwd}/both/notes.txt`), "mine");
      const names = [...Deno.readDirSync(cwd)].map(({ name }) => name).sort();
      assert.deepEqual(names, ["b.ppb", "both", "mine", "proof_bundle"], "nothing is left over");
    },
  );
});

Deno.test("pp replay: reads a .ppb like its folder, and leaves no unpacked one", async () => {
  await withFolder(HERE, async (cwd) => {
    for (const name of ["tmp", "base"]) await Deno.mkdir(`${cwd}/${name}`);
    await pp(["bundle", "pack", "proof_bundle", "-o", "b.ppb"], { cwd });
    const env = { TMPDIR: `${cwd}/tmp` };
    const flags = ["--cwd", "base", "--json"];
    const folder = await pp(["replay", "proof_bundle", ...flags], { cwd, env });
    const packed = await pp(["replay", "b.ppb", ...flags], { cwd, env });
    const said = (stdout: string) => ({ ...JSON.parse(stdout), bundle: null });
    assert.deepEqual(said(packed.stdout), said(folder.stdout));
    assert.equal(packed.code, folder.code);
    assert.deepEqual([...Deno.readDirSync(`${cwd}/tmp`)], []);
  });
});

Deno.test("pp bundle show: status, targets, attempts, patch, sandbox and files, in text and JSON", async () => {
  await withFolder(HERE, async (cwd) => {
    const { code, stdout, stderr } = await pp(["bundle", "show", "proof_bundle"], { cwd });
    assert.equal(code, 0, stderr);
    for (
      const expected of [
        /^bundle +proved, session 20261120T120000Z-0123abcd$/m,
        /^target +tests: python3 -m pytest -q$/m,
        /^sandbox +container of python:3\.12/m,
        /^ +1 +refused +bad\.diff path_escapes: leads out/m,
        /^ +2 \(final\) +passed +\+2 -1 fix\.diff/m,
        /^ +confirmation +passed +1 of 1 run passed$/m,
        /^minimal +\+2 -1 to \+1 -1 in 3 runs, 1-minimal$/m,
        /^ +\+ +return a \+ b$/m,
        /^ +memory +2.0 GiB by cgroup/m,
        /^ +[0-9a-f]{12} .* final\.patch$/m,
      ]
    ) assert.match(stdout, expected);
    const document = JSON.parse((await pp(["bundle", "show", "proof_bundle", "--json"], { cwd })).stdout);
    assert.equal(document.format, "veripatch-bundle-show/v1");
    assert.equal(document.patch.additions, 1);
    assert.equal(document.files.length, FILES.size);
    assert.equal(document.envelope, false);
  });
});

Deno.test("pp bundle show: hostile text is harmless for a terminal", async () => {
  const evil = "\x1b[2J\u202e\x07evil";
  const { attempts } = record();
  const files = await bundleFiles(
    unproved({
      reason: evil,
      provider: evil,
      attempts: [{ ...attempts[0]!, refusals: [{ reason: evil, path: evil, detail: `${evil}\n${evil}` }] }],
    }),
    redact,
  );
  const here = Object.fromEntries([...files].map(([name, bytes]) => [`b/${name}`, bytes]));
  await withFolder(here, async (cwd) => {
    const { code, stdout } = await pp(["bundle", "show", "b"], { cwd });
    assert.equal(code, 0);
    assert.match(stdout, /\\u\{1b\}/);
    // deno-lint-ignore no-control-regex -- what a terminal might obey
    assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f\u202e]/);
  });
});

Deno.test("pp bundle diff: the same proof of another session is 0, another patch is 2 and shown", async () => {
  const folder = async (name: string, session: Parameters<typeof bundleFiles>[0]) =>
    Object.fromEntries(
      [...await bundleFiles(session, redact)].map(([file, bytes]) => [`${name}/${file}`, bytes]),
    );
  const later = record({
    session: "20261121T120000Z-0123abcd",
    startedAt: "2026-11-21T12:00:00.000Z",
    finishedAt: "2026-11-21T12:01:00.000Z",
  });
  const files = {
    ...await folder("a", record()),
    ...await folder("b", later),
    ...await folder("c", unminimized()),
    ...await folder("d", unproved()),
  };
  await withFolder(files, async (cwd) => {
    const same = await pp(["bundle", "diff", "a", "b"], { cwd });
    assert.equal(same.code, 0, same.stdout + same.stderr);
    assert.match(same.stdout, /the same proof/);
    const other = await pp(["bundle", "diff", "a", "c"], { cwd });
    assert.equal(other.code, 2);
    assert.match(
      other.stdout,
      /different proofs[^]*the patches, as texts[^]*README/,
    );
    const apart = compareBundles(
      ...await Promise.all(["a", "c"].map(async (name) => {
        const read = await readBundle(`${cwd}/${name}`);
        assert.ok(read.ok);
        const targets = name === "a" ? read.bundle.targets : [{
          ...{ name: "web", command: "x", argv: ["sh", "-c", "a b"], shell: false },
          report: { format: "tap", path: "-" },
        }];
        return { ...read.bundle, targets } as ReadBundle;
      })) as [ReadBundle, ReadBundle],
    ).parts.find(({ part }) => part === "targets")!;
    assert.match(apart.a, /^\w+: python3 -m pytest -q$/);
    assert.equal(apart.b, 'web: sh -c "a b" (report tap:-)');
    const json = await pp(["bundle", "diff", "a", "d", "--json"], { cwd });
    assert.equal(json.code, 2);
    const document = JSON.parse(json.stdout);
    assert.equal(document.same, false);
    assert.equal(document.interdiff, null);
    const differing = document.parts.filter((p: { same: boolean }) => !p.same).map((p: { part: string }) =>
      p.part
    );
    assert.deepEqual(differing, ["status", "result", "patch", "after"]);
  });
});
