import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attest } from "../../src/bundle/attest.ts";
import { inventoryOf } from "../../src/bundle/inventory.ts";
import { packBundle } from "../../src/bundle/pack.ts";
import { replaceEnvelopes } from "../../src/bundle/replace_envelopes.ts";
import { claimTemporary } from "../../src/bundle/temporary.ts";
import { unpackBundle } from "../../src/bundle/unpack.ts";
import { writeBundle } from "../../src/bundle/write.ts";
import { ISSUED_AT, PROVED_FILES, testKey } from "./attested.ts";
import { SESSION } from "./fixture.ts";

/** A folder with the fixture's bundle in it, removed afterwards. */
async function withBundle(work: (bundle: string, home: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "veripatch-test-left-"));
  try {
    await work(await writeBundle(dir, SESSION, PROVED_FILES), join(dir, SESSION));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Lets a process write a file into `home` as `pp bundle pack` does, and kills it in the middle. */
async function killedWhileWriting(home: string): Promise<void> {
  const module = new URL("../../src/bundle/pack.ts", import.meta.url).href;
  const script = `import { writeWhole } from ${JSON.stringify(module)};
    async function* chunks() {
      yield new Uint8Array(10);
      console.log("half");
      await new Promise((done) => setTimeout(done, 60_000));
    }
    await writeWhole(Deno.args[0], chunks());`;
  const path = join(home, "writer.ts");
  await writeFile(path, script);
  const writer = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", "--config", "deno.json", path, join(home, "half.ppb")],
    cwd: new URL("../..", import.meta.url),
    stdout: "piped",
  }).spawn();
  const reader = writer.stdout.getReader();
  await reader.read();
  writer.kill("SIGKILL");
  await writer.status;
  await reader.cancel();
  await rm(path);
}

const temporaries = async (home: string) => (await readdir(home)).filter((name) => name.startsWith("."));

Deno.test("attest, pack, unpack: what a killed one left beside the bundle goes with the next write there", () =>
  withBundle(async (bundle, home) => {
    const envelopes = await attest(await inventoryOf(PROVED_FILES), [testKey(1)], {
      issuedAt: ISSUED_AT,
      nonce: null,
    });
    const ppb = join(home, "b.ppb");
    const writes: readonly (() => Promise<unknown>)[] = [
      () => replaceEnvelopes(bundle, envelopes),
      () => packBundle(bundle, () => ppb),
      () => unpackBundle(ppb, join(home, "again")),
    ];
    for (const write of writes) {
      await killedWhileWriting(home);
      assert.equal((await temporaries(home)).length, 1, "the killed one left something");
      assert.ok(!(await readdir(home)).includes("half.ppb"));
      await write();
      assert.deepEqual(await temporaries(home), [], write.toString());
    }
    assert.deepEqual((await readdir(home)).sort(), ["again", "b.ppb", "proof_bundle"]);
  }));

Deno.test("pack: what one alive holds, what is somebody else's and links stay", () =>
  withBundle(async (bundle, home) => {
    const { path, lock } = await claimTemporary(home);
    await mkdir(join(home, ".tmp-notes"));
    await mkdir(join(home, ".tmp-1-elsewhere"));
    await mkdir(join(home, "kept"));
    await symlink(join(home, "kept"), join(home, ".tmp-1-0123abcd"));
    await packBundle(bundle, () => join(home, "b.ppb"));
    assert.deepEqual(
      await temporaries(home),
      [".tmp-1-0123abcd", ".tmp-1-elsewhere", ".tmp-notes", path.slice(home.length + 1)].sort(),
    );
    lock.close();
    await packBundle(bundle, () => join(home, "c.ppb"));
    assert.ok(!(await readdir(home)).includes(path.slice(home.length + 1)));
    await assert.rejects(packBundle(bundle, () => join(home, "missing", "b.ppb")), {
      code: "pack_not_written",
    });
  }));
