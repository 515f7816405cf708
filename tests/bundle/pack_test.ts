import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { withBundleFolder, withPrivateFolder } from "../../src/bundle/open.ts";
import { packBundle, PPB_ROOT } from "../../src/bundle/pack.ts";
import { readBundle } from "../../src/bundle/read.ts";
import { unpackBundle } from "../../src/bundle/unpack.ts";
import { writeBundle } from "../../src/bundle/write.ts";
import { padding } from "../../src/tar/canonical.ts";
import { tarHeader } from "../../src/tar/header.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { record, redact, SESSION } from "./fixture.ts";

const FILES = await bundleFiles(record(), redact);

/** A folder that holds the fixture's bundle; removed afterwards. */
async function withBundle(work: (folder: string, dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "veripatch-test-pack-"));
  try {
    await work(await writeBundle(join(dir, "artifacts"), SESSION, FILES), dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const inDir = (dir: string) => () => join(dir, "b.ppb");
const codeOf = (error: unknown) => error instanceof Failure ? error.code : `not a Failure: ${error}`;

interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A canonical tar of files. */
function ppb(members: readonly Member[]): Uint8Array {
  const parts = members.flatMap(({ name, bytes }) => [
    tarHeader({ kind: "file", name, mode: 0o644, uid: 0, gid: 0, size: bytes.length }),
    bytes,
    new Uint8Array(padding(bytes.length)),
  ]);
  return new Uint8Array(Buffer.concat([...parts, new Uint8Array(1024)]));
}

const members = (files: ReadonlyMap<string, Uint8Array> = FILES): Member[] =>
  [...files].map(([name, bytes]) => ({ name: `${PPB_ROOT}${name}`, bytes })).sort((a, b) =>
    a.name < b.name ? -1 : 1
  );

async function unpacking(bytes: Uint8Array, dir: string): Promise<string> {
  await writeFile(join(dir, "hostile.ppb"), bytes);
  const before = await readdir(dir);
  const code = await unpackBundle(join(dir, "hostile.ppb"), join(dir, "out")).then(() => "unpacked", codeOf);
  if (code !== "unpacked") assert.deepEqual(await readdir(dir), before, "something was left behind");
  await rm(join(dir, "out"), { recursive: true, force: true });
  await rm(join(dir, "hostile.ppb"));
  return code;
}

Deno.test("packBundle: the same bundle gives the same bytes, whatever times and modes its files have", async () => {
  await withBundle(async (folder, dir) => {
    const one = await packBundle(folder, () => join(dir, "one.ppb"));
    await Deno.chmod(join(folder, "repro.json"), 0o600);
    await Deno.utime(join(folder, "repro.json"), 1, 1);
    const two = await packBundle(folder, () => join(dir, "two.ppb"));
    const bytes = await readFile(one.path);
    assert.deepEqual(bytes, await readFile(two.path));
    assert.equal(one.sha256, two.sha256);
    assert.equal(one.size, bytes.length);
    assert.equal(one.files, FILES.size);
    assert.equal(one.session, SESSION);
    assert.deepEqual(new Uint8Array(bytes), ppb(members()));
  });
});

Deno.test("packBundle: unpacks to the same files, and packs to the same bytes again", async () => {
  await withBundle(async (folder, dir) => {
    const { path } = await packBundle(folder, inDir(dir));
    const bundle = await unpackBundle(path, join(dir, "out"));
    assert.equal(bundle.repro.session, SESSION);
    const read = await readBundle(join(dir, "out"));
    assert.ok(read.ok);
    assert.deepEqual([...read.bundle.hashes].sort(), [...bundle.hashes].sort());
    const again = await packBundle(join(dir, "out"), () => join(dir, "again.ppb"));
    assert.deepEqual(await readFile(again.path), await readFile(path));
    assert.equal((await stat(join(dir, "out", "repro.json"))).mode & 0o111, 0);
  });
});

Deno.test("packBundle: other tools read it", async () => {
  await withBundle(async (folder, dir) => {
    const { path } = await packBundle(folder, inDir(dir));
    const tar = await new Deno.Command("tar", { args: ["xf", path], cwd: dir }).output();
    assert.equal(new TextDecoder().decode(tar.stderr), "");
    const diff = await new Deno.Command("diff", { args: ["-r", folder, join(dir, "proof_bundle")] }).output();
    assert.equal(diff.code, 0, new TextDecoder().decode(diff.stdout));
  });
});

Deno.test("packBundle: a bundle that does not hold together is refused, and nothing is written", async () => {
  await withBundle(async (folder, dir) => {
    await writeFile(join(folder, "final.patch"), "something else\n");
    const before = await readdir(dir);
    assert.equal(await packBundle(folder, inDir(dir)).then(() => "packed", codeOf), "bundle_inconsistent");
    assert.deepEqual(await readdir(dir), before);
  });
});

Deno.test("packBundle: never writes over what is there", async () => {
  await withBundle(async (folder, dir) => {
    await writeFile(join(dir, "b.ppb"), "mine");
    assert.equal(await packBundle(folder, inDir(dir)).then(() => "packed", codeOf), "pack_exists");
    assert.equal(await readFile(join(dir, "b.ppb"), "utf8"), "mine");
  });
});

Deno.test("packBundle: a place that cannot be written is said", async () => {
  await withBundle(async (folder, dir) => {
    const code = await packBundle(folder, () => join(dir, "no", "b.ppb")).then(() => "packed", codeOf);
    assert.equal(code, "pack_not_written");
  });
});

Deno.test("unpackBundle: never writes over what is there", async () => {
  await withBundle(async (folder, dir) => {
    const { path } = await packBundle(folder, inDir(dir));
    await Deno.mkdir(join(dir, "out"));
    assert.equal(await unpackBundle(path, join(dir, "out")).then(() => "unpacked", codeOf), "pack_exists");
    assert.deepEqual(await readdir(join(dir, "out")), []);
  });
});

Deno.test("unpackBundle: a link, a folder and nothing are no .ppb", async () => {
  await withBundle(async (folder, dir) => {
    const { path } = await packBundle(folder, inDir(dir));
    await symlink(path, join(dir, "link.ppb"));
    const of = (name: string) =>
      unpackBundle(join(dir, name), join(dir, "out")).then(() => "unpacked", codeOf);
    assert.equal(await of("link.ppb"), "bundle_unreadable");
    assert.equal(await of("artifacts"), "bundle_special_file");
    assert.equal(await of("nothing.ppb"), "bundle_unreadable");
  });
});

const without = (name: string) => members().filter((m) => m.name !== `${PPB_ROOT}${name}`);
const sorted = (list: Member[]) => list.sort((a, b) => a.name < b.name ? -1 : 1);
const extra = (name: string) => ppb(sorted([...members(), { name, bytes: new Uint8Array(3) }]));

const HOSTILE: readonly [what: string, bytes: Uint8Array, code: string][] = [
  ["an absolute name", extra("/etc/passwd"), "ppb_refused"],
  ["a way out", extra(`${PPB_ROOT}../x`), "ppb_refused"],
  ["another folder", extra("other/repro.json"), "ppb_refused"],
  ["a name without the folder", extra("repro.json"), "ppb_refused"],
  ["an unknown name", extra(`${PPB_ROOT}evil.sh`), "ppb_refused"],
  ["an upper-case name", extra(`${PPB_ROOT}REPRO.json`), "ppb_refused"],
  ["an odd name", extra(`${PPB_ROOT}attempts\\1\\proposed.json`), "ppb_refused"],
  ["a name twice", ppb(sorted([...members(), members()[0]!])), "ppb_refused"],
  ["another order", ppb(members().reverse()), "ppb_refused"],
  ["a missing file", ppb(without("repro.json")), "bundle_missing_file"],
  [
    "a changed file",
    ppb(sorted([...without("final.patch"), {
      name: `${PPB_ROOT}final.patch`,
      bytes: new TextEncoder().encode("x"),
    }])),
    "bundle_inconsistent",
  ],
  ["nothing in it", new Uint8Array(1024), "bundle_missing_file"],
  ["no tar", new TextEncoder().encode("PK\u0003\u0004 this is a zip file"), "ppb_refused"],
  ["trailing data", new Uint8Array([...ppb(members()), 0]), "ppb_refused"],
  ["its last block missing", ppb(members()).slice(0, -512), "ppb_refused"],
  ["half of it", ppb(members()).slice(0, 2000), "ppb_refused"],
];

for (const [what, bytes, code] of HOSTILE) {
  Deno.test(`unpackBundle: ${what} is refused, with nothing left behind`, async () => {
    const dir = await mkdtemp(join(tmpdir(), "veripatch-test-pack-"));
    try {
      assert.equal(await unpacking(bytes, dir), code);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
}

Deno.test("unpackBundle: a size that no file of a bundle has is refused before anything of it is written", async () => {
  const bytes = ppb(members()).slice();
  const first = tarHeader({
    kind: "file",
    name: members()[0]!.name,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 2 ** 32,
  });
  bytes.set(first, 0);
  const dir = await mkdtemp(join(tmpdir(), "veripatch-test-pack-"));
  try {
    assert.equal(await unpacking(bytes, dir), "ppb_refused");
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

Deno.test("unpackBundle: no changed, missing or added byte is taken for another bundle's, nor crashes", async () => {
  const bytes = ppb(members());
  const changed = fc.oneof(
    fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
      const copy = bytes.slice();
      copy[at]! ^= by;
      return copy;
    }),
    fc.nat(bytes.length - 1).map((at) => bytes.slice(0, at)),
    fc.uint8Array({ maxLength: 3000 }),
  );
  const dir = await mkdtemp(join(tmpdir(), "veripatch-test-pack-"));
  try {
    await fc.assert(
      fc.asyncProperty(changed, async (hostile) => {
        const code = await unpacking(hostile, dir);
        // Text for people may change and still hold together; then it is another bundle, canonical in itself.
        assert.match(code, /^(ppb_refused|bundle_\w+|unpacked)$/);
      }),
      { numRuns: 150 },
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

Deno.test("withBundleFolder: a .ppb, its folder and its session's folder are the same bundle; nothing is left", async () => {
  await withBundle(async (folder, dir) => {
    const { path } = await packBundle(folder, inDir(dir));
    let private_ = "";
    const hashes = async (at: string) =>
      await withBundleFolder(at, async (inside) => {
        private_ = inside;
        const read = await readBundle(inside);
        return read.ok ? [...read.bundle.hashes].sort() : read.refusal;
      });
    const plain = await hashes(folder);
    assert.deepEqual(await hashes(join(folder, "..")), plain);
    assert.deepEqual(await hashes(path), plain);
    assert.notEqual(private_, folder);
    await assert.rejects(stat(private_), { code: "ENOENT" });
  });
});

Deno.test("withBundleFolder: a bundle inside a bundle is not the one that is judged", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/proof_bundle`);
    await withBundleFolder(
      folder,
      (inside) => Promise.resolve(assert.equal(inside, `${folder}/proof_bundle`)),
    );
    await Deno.writeTextFile(`${folder}/final.patch`, "another patch");
    await withBundleFolder(folder, (inside) => Promise.resolve(assert.equal(inside, folder)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("withBundleFolder: the unpacked folder is private, and gone after a failure too", async () => {
  await withBundle(async (folder, dir) => {
    const { path } = await packBundle(folder, inDir(dir));
    let seen = "";
    const failing = withBundleFolder(path, async (inside) => {
      seen = inside;
      assert.equal((await stat(inside)).mode & 0o777, 0o700);
      throw new Error("mine");
    });
    await assert.rejects(failing, /mine/);
    await assert.rejects(stat(seen), { code: "ENOENT" });
  });
});

Deno.test("withBundleFolder: an interrupt while it unpacks leaves nothing", async () => {
  await withBundle(async (folder, dir) => {
    const { path } = await packBundle(folder, inDir(dir));
    const signal = AbortSignal.abort(new Failure("interrupted", "interrupted", "stopped"));
    await assert.rejects(withBundleFolder(path, () => Promise.resolve(1), signal), { code: "interrupted" });
  });
});

Deno.test("withPrivateFolder: removes what a killed process left, never what one alive holds", async () => {
  const of = (name: string) => join(tmpdir(), `veripatch-bundle-0-${name}${crypto.randomUUID().slice(0, 7)}`);
  const [left, held] = [of("a"), of("b")];
  await Deno.mkdir(left);
  await writeFile(join(left, "repro.json"), "{}");
  await Deno.mkdir(held);
  using lock = await Deno.open(held);
  await lock.lock(true);
  try {
    await withPrivateFolder(() => Promise.resolve());
    await assert.rejects(stat(left), { code: "ENOENT" });
    assert.ok((await stat(held)).isDirectory());
  } finally {
    await rm(held, { recursive: true, force: true });
    await rm(left, { recursive: true, force: true });
  }
});
