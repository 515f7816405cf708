import assert from "node:assert/strict";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { spoolWorkspace } from "../../src/bundle/embed.ts";
import { unpackEmbedded } from "../../src/bundle/embedded.ts";
import { takeInventory } from "../../src/bundle/inventory.ts";
import { packBundle } from "../../src/bundle/pack.ts";
import { readBundle } from "../../src/bundle/read.ts";
import { unpackBundle } from "../../src/bundle/unpack.ts";
import { writeBundle } from "../../src/bundle/write.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import { record, redact, SESSION } from "./fixture.ts";

const codeOf = (error: unknown) => error instanceof Failure ? error.code : `not a Failure: ${error}`;
const findSecrets = async (text: string, name: string) => (await redact(text, name)).redactions;
const calm = { findSecrets, secrets: false, signal: new AbortController().signal };

interface Place {
  readonly dir: string;
  readonly artifacts: string;
  readonly base: string;
}

/** A small base with all an entry can be; removed afterwards. */
async function withBase(work: (place: Place) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "veripatch-test-embed-"));
  try {
    const base = join(dir, "base");
    await mkdir(join(base, "deep", "er"), { recursive: true });
    await mkdir(join(base, "empty"));
    await writeFile(join(base, "calc.py"), "def add(a, b):\n    return a - b\n");
    await writeFile(join(base, "deep", "er", "run.sh"), "#!/bin/sh\n");
    await chmod(join(base, "deep", "er", "run.sh"), 0o755);
    await writeFile(join(base, `long_${"n".repeat(120)}`), "x".repeat(700_000));
    await symlink("/etc/hostname", join(base, "latest"));
    await symlink("deep", join(base, "way"));
    await work({ dir, artifacts: join(dir, "artifacts"), base });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A bundle that embeds it. */
async function bundled({ artifacts, base }: Place) {
  const workspace = await directoryWorkspace(base);
  const spooled = await spoolWorkspace(artifacts, SESSION, workspace, calm);
  const { size, sha256, tree } = spooled;
  const files = await bundleFiles(
    record({ manifest: await workspace.manifest(), embedded: { size, sha256, tree } }),
    redact,
  );
  const path = await writeBundle(artifacts, SESSION, files, spooled);
  await spooled.dispose();
  return { path, spooled, files };
}

Deno.test("spoolWorkspace: a bundle embeds its base, reads back, and nothing else is left", async () => {
  await withBase(async (place) => {
    const { path, spooled } = await bundled(place);
    assert.deepEqual(await readdir(join(place.artifacts, SESSION)), ["proof_bundle"]);
    const read = await readBundle(path);
    assert.ok(read.ok, JSON.stringify(read));
    assert.equal(read.bundle.embedded?.tree, read.bundle.repro.base_tree);
    assert.equal(read.bundle.repro.workspace_tar_sha256, spooled.sha256);
    assert.equal((await stat(join(path, "workspace.tar"))).size, spooled.size);
    assert.equal(spooled.files, 5);
    const taken = await takeInventory(path);
    assert.ok(taken.ok);
    assert.deepEqual(taken.inventory.findings, []);
    assert.equal(taken.inventory.files.get("workspace.tar")?.sha256, spooled.sha256);
  });
});

Deno.test("unpackEmbedded: gives the base back, links and modes included, as the same tree", async () => {
  await withBase(async (place) => {
    const { path } = await bundled(place);
    const read = await readBundle(path);
    assert.ok(read.ok);
    const into = join(place.dir, "into");
    await mkdir(into);
    const { manifest, embedded } = read.bundle;
    await unpackEmbedded(join(path, "workspace.tar"), manifest.entries, embedded!, into);
    assert.equal((await (await directoryWorkspace(into)).manifest()).digest, read.bundle.repro.base_tree);
    assert.equal(await readlink(join(into, "latest")), "/etc/hostname");
    assert.equal((await stat(join(into, "deep", "er", "run.sh"))).mode & 0o111, 0o111);
  });
});

Deno.test("packBundle: a bundle with its base packs and unpacks to the same files", async () => {
  await withBase(async (place) => {
    const { path, files } = await bundled(place);
    const packed = await packBundle(path, () => join(place.dir, "b.ppb"));
    assert.equal(packed.files, files.size + 1);
    await unpackBundle(packed.path, join(place.dir, "out"));
    assert.deepEqual(
      await readFile(join(place.dir, "out", "workspace.tar")),
      await readFile(join(path, "workspace.tar")),
    );
  });
});

Deno.test("spoolWorkspace: refuses secrets by file and rule, also across pieces, and leaves nothing", async () => {
  await withBase(async (place) => {
    await writeFile(join(place.base, "config.ini"), "key = sk-verysecret\n");
    await writeFile(
      join(place.base, "big.txt"),
      "x".repeat((1 << 20) + 9) + " sk-another" + "y\n".repeat(2 << 20),
    );
    const failed = await spoolWorkspace(place.artifacts, SESSION, await directoryWorkspace(place.base), calm)
      .then(() => null, (error: Failure) => error);
    assert.equal(failed?.code, "secrets_in_workspace");
    assert.equal(failed.kind, "denied");
    assert.deepEqual(failed.details, ["big.txt: key", "config.ini: key"]);
    assert.match(failed.hint!, /--embed-secrets/);
    assert.ok(!JSON.stringify(failed).includes("verysecret"));
    assert.deepEqual(await readdir(place.artifacts), []);
  });
});

Deno.test("spoolWorkspace: embeds secrets when that is what is wanted", async () => {
  await withBase(async (place) => {
    await writeFile(join(place.base, "config.ini"), "key = sk-verysecret\n");
    const workspace = await directoryWorkspace(place.base);
    const spooled = await spoolWorkspace(place.artifacts, SESSION, workspace, { ...calm, secrets: true });
    await spooled.dispose();
    assert.deepEqual(await readdir(place.artifacts), []);
  });
});

Deno.test("spoolWorkspace: a workspace beyond the bounds is refused before it is whole, an interrupt ends it", async () => {
  await withBase(async (place) => {
    const spool = async (over: Partial<Parameters<typeof spoolWorkspace>[3]>) =>
      await spoolWorkspace(place.artifacts, SESSION, await directoryWorkspace(place.base), {
        ...calm,
        ...over,
      })
        .then(() => "spooled", codeOf);
    assert.equal(await spool({ most: 10_000 }), "workspace_too_large_to_embed");
    assert.equal(await spool({ signal: AbortSignal.abort() }), "interrupted");
    assert.deepEqual(await readdir(place.artifacts), []);
  });
});

Deno.test("readBundle: a workspace.tar that is not the base, not canonical or not announced is refused", async () => {
  await withBase(async (place) => {
    const { path } = await bundled(place);
    const tar = join(path, "workspace.tar");
    const bytes = await readFile(tar);
    const reasonWith = async (changed: Uint8Array) => {
      await writeFile(tar, changed);
      const read = await readBundle(path);
      return read.ok ? "read" : `${read.refusal.path}: ${read.refusal.reason}`;
    };
    assert.equal(await reasonWith(bytes), "read");
    const refused = "workspace.tar: bundle_inconsistent";
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const copy = new Uint8Array(bytes);
        copy[at]! ^= by;
        assert.equal(await reasonWith(copy), refused);
      }),
      { numRuns: 40 },
    );
    assert.equal(await reasonWith(bytes.subarray(0, 1024)), refused);
    assert.equal(await reasonWith(new Uint8Array(1024)), refused);
    await rm(tar);
    const missing = await readBundle(path);
    assert.equal(missing.ok ? "read" : missing.refusal.reason, "bundle_inconsistent");
    await symlink("/etc/passwd", tar);
    const linked = await readBundle(path);
    assert.equal(linked.ok ? "read" : linked.refusal.reason, "bundle_link");
  });
});

Deno.test("unpackEmbedded: what changed since it was checked is refused", async () => {
  await withBase(async (place) => {
    const { path } = await bundled(place);
    const read = await readBundle(path);
    assert.ok(read.ok);
    const into = join(place.dir, "into");
    await mkdir(into);
    const { manifest, embedded } = read.bundle;
    const unpacking = unpackEmbedded(
      join(path, "workspace.tar"),
      manifest.entries,
      { ...embedded!, sha256: "0".repeat(64) },
      into,
    );
    assert.equal(await unpacking.then(() => "unpacked", codeOf), "workspace_tar_refused");
  });
});

Deno.test("unpackEmbedded: nothing is written through a link the tar made", async () => {
  await withBase(async (place) => {
    // A hostile manifest and tar that agree: a link, and a file below it.
    const outside = join(place.dir, "outside");
    await mkdir(outside);
    const { sha256 } = await import("../../src/vocabulary/digest.ts");
    const { tarHeader } = await import("../../src/tar/header.ts");
    const owner = { uid: 0, gid: 0 };
    const tar = join(place.dir, "evil.tar");
    await writeFile(
      tar,
      new Uint8Array([
        ...tarHeader({ kind: "link", name: "d", mode: 0o777, size: 0, target: outside, ...owner }),
        ...tarHeader({ kind: "file", name: "d/x", mode: 0o644, size: 0, ...owner }),
        ...new Uint8Array(1024),
      ]),
    );
    const into = join(place.dir, "into");
    await mkdir(into);
    const entries = [
      { path: "d", mode: "120000" as const, size: outside.length, sha256: sha256(outside) },
      { path: "d/x", mode: "100644" as const, size: 0, sha256: sha256("") },
    ];
    const code = await unpackEmbedded(tar, entries, { size: 2048, sha256: "", tree: "" }, into)
      .then(() => "unpacked", codeOf);
    assert.equal(code, "workspace_tar_refused");
    assert.deepEqual(await readdir(outside), []);
  });
});
