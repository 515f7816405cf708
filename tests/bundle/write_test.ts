import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { readBundle } from "../../src/bundle/read.ts";
import { removeStaleBundles } from "../../src/bundle/temporary.ts";
import { writeBundle } from "../../src/bundle/write.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { record, redact, SESSION } from "./fixture.ts";

async function inTemp(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "bundle-"));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const FILES = await bundleFiles(record(), redact);

/** Breaks while its files are listed the second time, that is, in the middle of writing. */
class Breaking extends Map<string, Uint8Array> {
  constructor(readonly breakNow: () => void) {
    super(FILES);
  }
  override *[Symbol.iterator](): MapIterator<[string, Uint8Array]> {
    yield* super.entries();
  }
  written = 0;
  override *keys(): MapIterator<string> {
    yield* super.keys();
    this.written = 1;
    this.set("repro.json", this.#trap());
  }
  #trap(): Uint8Array {
    const breakNow = this.breakNow;
    return new Proxy(new Uint8Array(1), {
      get() {
        breakNow();
      },
    });
  }
}

Deno.test("writeBundle: what was written reads back, byte for byte", async () => {
  await inTemp(async (dir) => {
    const artifacts = join(dir, "w", ".pp-artifacts");
    const path = await writeBundle(artifacts, SESSION, FILES);
    assert.equal(path, join(artifacts, SESSION, "proof_bundle"));
    assert.deepEqual(await readdir(join(artifacts, SESSION)), ["proof_bundle"]);
    assert.equal(await readFile(join(artifacts, ".gitignore"), "utf8"), "*\n");
    const read = await readBundle(path);
    assert.ok(read.ok, JSON.stringify(read));
    assert.deepEqual(
      [...read.bundle.files].map(([name, bytes]) => [name, new Uint8Array(bytes)]),
      [...FILES].map(([name, bytes]) => [name, new Uint8Array(bytes)]),
    );
  });
});

Deno.test("writeBundle: an artifacts directory that was there keeps its own ignore rules", async () => {
  await inTemp(async (dir) => {
    await writeBundle(dir, SESSION, FILES);
    assert.deepEqual(await readdir(dir), [SESSION]);
  });
});

Deno.test("writeBundle: a bundle is never written twice", async () => {
  await inTemp(async (dir) => {
    const path = await writeBundle(dir, SESSION, FILES);
    await assert.rejects(
      writeBundle(dir, SESSION, FILES),
      (e) => e instanceof Failure && e.code === "bundle_exists",
    );
    assert.ok((await readBundle(path)).ok);
    assert.deepEqual(await readdir(join(dir, SESSION)), ["proof_bundle"]);
  });
});

Deno.test("writeBundle: names that no bundle has are refused before anything is written", async () => {
  await inTemp(async (dir) => {
    for (
      const name of [
        "../x",
        "/etc/x",
        "a/../repro.json",
        "extra.json",
        "REPRO.json",
        "attempts/1/x\n",
        "a\\b",
        "",
      ]
    ) {
      const files = new Map([...FILES, [name, new Uint8Array()]]);
      await assert.rejects(writeBundle(dir, SESSION, files), (e) => e instanceof Failure && e.kind === "bug");
    }
    const missing = new Map([...FILES].filter(([name]) => name !== "repro.json"));
    await assert.rejects(writeBundle(dir, SESSION, missing), (e) => e instanceof Failure && e.kind === "bug");
    await assert.rejects(writeBundle(dir, "../up", FILES), (e) => e instanceof Failure && e.kind === "bug");
    assert.deepEqual(await readdir(dir), []);
  });
});

Deno.test("writeBundle: an error in the middle leaves nothing behind", async () => {
  await inTemp(async (dir) => {
    const artifacts = join(dir, "artifacts");
    const broken = new Breaking(() => {
      throw new Error("disk on fire");
    });
    await assert.rejects(writeBundle(artifacts, SESSION, broken), /disk on fire/);
    assert.equal(broken.written, 1);
    assert.deepEqual(await readdir(artifacts), [".gitignore"]);
  });
});

Deno.test("writeBundle: a place that cannot be written is a failure with a hint", async () => {
  await inTemp(async (dir) => {
    await writeFile(join(dir, "file"), "");
    await assert.rejects(
      writeBundle(join(dir, "file", "artifacts"), SESSION, FILES),
      (e) => e instanceof Failure && e.code === "bundle_not_written" && e.hint !== undefined,
    );
    await mkdir(join(dir, "elsewhere"));
    await symlink(join(dir, "elsewhere"), join(dir, SESSION));
    await assert.rejects(
      writeBundle(dir, SESSION, FILES),
      (e) => e instanceof Failure && e.code === "bundle_not_written",
    );
    assert.deepEqual(await readdir(join(dir, "elsewhere")), []);
  });
});

Deno.test("removeStaleBundles: what a killed writer left goes, what a living one writes stays", async () => {
  await inTemp(async (dir) => {
    // A writer that dies, whole, in the middle of its work.
    const room = (name: string) => new URL(`../../src/bundle/${name}`, import.meta.url).href;
    const script = join(dir, "writer.ts");
    await writeFile(
      script,
      `import { claimTemporary } from "${room("temporary.ts")}";
      const { path } = await claimTemporary(Deno.args[0]);
      await Deno.writeTextFile(path + "/repro.json", "{");
      console.log(path);
      await new Promise((done) => setTimeout(done, 60_000));`,
    );
    const home = join(dir, SESSION);
    const writer = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", script, home],
      cwd: new URL("../..", import.meta.url),
      stdout: "piped",
    }).spawn();
    const reader = writer.stdout.getReader();
    const path = new TextDecoder().decode((await reader.read()).value).trim();
    assert.match(path, new RegExp(`/\\.tmp-${writer.pid}-`));

    assert.deepEqual(await removeStaleBundles(dir), []);
    assert.deepEqual(await readdir(path), ["repro.json"]);
    writer.kill("SIGKILL");
    await writer.status;
    await reader.cancel();
    assert.deepEqual((await readdir(home)).length, 1, "no proof_bundle, only what is left behind");
    assert.deepEqual(await removeStaleBundles(dir), [path]);
    assert.deepEqual(await readdir(dir), ["writer.ts"]);
  });
});

Deno.test("removeStaleBundles: only temporary directories of sessions are touched, links are not followed", async () => {
  await inTemp(async (dir) => {
    const path = await writeBundle(join(dir, "a"), SESSION, FILES);
    const keep = join(dir, "keep");
    await mkdir(join(keep, ".tmp-1-a"), { recursive: true });
    await mkdir(join(dir, "a", "mine", ".tmp-1-a"), { recursive: true });
    await symlink(keep, join(dir, "a", "20261120T120000Z-00000000"));
    await symlink(join(keep, ".tmp-1-a"), join(dir, "a", SESSION, ".tmp-2-b"));
    assert.deepEqual(await removeStaleBundles(join(dir, "a")), []);
    assert.deepEqual(await readdir(keep), [".tmp-1-a"]);
    assert.ok((await readBundle(path)).ok);
    assert.deepEqual(await removeStaleBundles(join(dir, "nowhere")), []);
  });
});

Deno.test("writeBundle: sweeps that run all the while take nothing from a writer", async () => {
  await inTemp(async (dir) => {
    let over = false;
    const sweeping = (async () => {
      let swept = 0;
      while (!over) swept += (await removeStaleBundles(dir)).length;
      return swept;
    })();
    const sessions = Array.from({ length: 8 }, (_, i) => `20261120T120000Z-0000000${i}`);
    const paths = await Promise.all(sessions.map((session) => writeBundle(dir, session, FILES)));
    over = true;
    await sweeping;
    for (const path of paths) assert.ok((await readBundle(path)).ok, path);
  });
});
