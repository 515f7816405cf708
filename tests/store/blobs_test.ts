import assert from "node:assert/strict";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { examine, repair } from "../../src/store/artifact/upkeep.ts";
import { authorOf } from "../contract/store_contract.ts";
import { createFrom, openAt, withStoreFolder } from "./fixture.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
  return "none";
}

const place = (store: { folder: string }, digest: string) =>
  `${store.folder}/blobs/${digest.slice(0, 2)}/${digest}`;

Deno.test("folderBlobs: every flipped bit, and every length, of a blob is found when it is read", async () => {
  await withStoreFolder((store) => {
    const bytes = bytesOf("sixteen bytes  .");
    const digest = sha256(bytes);
    const writer = store.blobs.writer();
    writer.put(bytes, digest);
    writer.flush();
    const path = place(store, digest);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      Deno.writeFileSync(path, flipped);
      assert.equal(codeOf(() => store.blobs.read(digest, 100)), "blob_corrupt", `bit ${bit}`);
      assert.equal(codeOf(() => [...store.blobs.chunks(digest)]), "blob_corrupt", `bit ${bit}`);
    }
    for (let length = 0; length < 20; length++) {
      Deno.writeFileSync(path, bytesOf("sixteen bytes  .more").subarray(0, length));
      const expected = length === 16 ? "none" : "blob_corrupt";
      assert.equal(codeOf(() => store.blobs.read(digest, 100)), expected, `length ${length}`);
    }
    return Promise.resolve();
  });
});

Deno.test("folderBlobs: of a corrupt blob of many chunks the last is never handed out", async () => {
  await withStoreFolder((store) => {
    const bytes = new Uint8Array(3 * (1 << 20)).fill(7);
    const writer = store.blobs.writer();
    const digest = writer.putChunks([bytes.subarray(0, 10), bytes.subarray(10)]);
    writer.flush();
    assert.equal(digest, sha256(bytes));
    assert.equal([...store.blobs.chunks(digest)].reduce((sum, c) => sum + c.length, 0), bytes.length);
    bytes[5] = 0;
    Deno.writeFileSync(place(store, digest), bytes);
    let got = 0;
    assert.throws(() => {
      for (const chunk of store.blobs.chunks(digest)) got += chunk.length;
    }, (error: Failure) => error.code === "blob_corrupt");
    assert.ok(got < bytes.length);
    return Promise.resolve();
  });
});

Deno.test("folderBlobs: everything is for this user alone", async () => {
  await withStoreFolder(async (store, workspace) => {
    Deno.writeTextFileSync(`${workspace}/f`, "x");
    await createFrom(store, workspace);
    const seen: string[] = [];
    const visit = (path: string) => {
      const info = Deno.lstatSync(path);
      seen.push(path);
      assert.equal(info.mode! & 0o777, info.isDirectory ? 0o700 : 0o600, path);
      if (info.isDirectory) { for (const { name } of Deno.readDirSync(path)) visit(`${path}/${name}`); }
    };
    visit(store.folder);
    assert.ok(seen.some((path) => path.endsWith("store.sqlite-wal")), "the write-ahead log is looked at too");
  });
});

Deno.test("openFolderStore: links in place of what a store has there are refused", async () => {
  for (
    const name of ["blobs", "incoming", "quarantine", "cache", "store.sqlite", "lock", "store.sqlite-wal"]
  ) {
    await withStoreFolder((store, workspace, folder) => {
      store.close();
      if (name !== "store.sqlite-wal") Deno.renameSync(`${folder}/${name}`, `${workspace}/moved`);
      else Deno.writeTextFileSync(`${workspace}/moved`, "");
      Deno.symlinkSync(`${workspace}/moved`, `${folder}/${name}`);
      assert.equal(codeOf(() => openAt(folder)), "store_hostile", name);
      return Promise.resolve();
    });
  }
});

Deno.test("folderBlobs: a blob, or its folder, that is a link is never followed", async () => {
  await withStoreFolder((store, workspace) => {
    const digest = sha256("secret");
    Deno.writeTextFileSync(`${workspace}/secret`, "secret");
    Deno.mkdirSync(`${store.folder}/blobs/${digest.slice(0, 2)}`);
    Deno.symlinkSync(`${workspace}/secret`, place(store, digest));
    assert.equal(codeOf(() => store.blobs.read(digest, 100)), "store_hostile");
    assert.equal(codeOf(() => store.blobs.has(digest)), "store_hostile");
    assert.deepEqual(store.blobs.strangers(), [`blobs/${digest.slice(0, 2)}/${digest}`]);
    const other = sha256("other");
    Deno.symlinkSync(workspace, `${store.folder}/blobs/${other.slice(0, 2)}`);
    const writer = store.blobs.writer();
    writer.put(bytesOf("x"), sha256("x"));
    assert.equal(codeOf(() => writer.put(bytesOf("other"), other)), "store_hostile");
    writer.discard();
    assert.deepEqual([...Deno.readDirSync(workspace)].map(({ name }) => name), ["secret"]);
    return Promise.resolve();
  });
});

Deno.test("openFolderStore: a folder others can write to, or that holds something else, is refused", async () => {
  await withStoreFolder((store, workspace, folder) => {
    store.close();
    Deno.chmodSync(folder, 0o770);
    assert.equal(codeOf(() => openAt(folder)), "store_exposed");
    Deno.chmodSync(folder, 0o700);
    Deno.writeTextFileSync(`${workspace}/mine`, "");
    assert.equal(codeOf(() => openAt(workspace)), "store_not_empty");
    assert.equal(codeOf(() => openAt(`${workspace}/none`, false)), "store_missing");
    assert.equal(codeOf(() => openAt(`${workspace}/mine`)), "store_unusable");
    return Promise.resolve();
  });
});

Deno.test("examine, repair: a blob that this user may not read is no damage, and stays where it is", async () => {
  await withStoreFolder(async (store, workspace) => {
    await Deno.writeTextFile(`${workspace}/a`, "a\n");
    await createFrom(store, workspace);
    const denied = () => {
      throw new Failure("denied", "store_io", "cannot use the store");
    };
    const blobs = Object.assign(Object.create(store.blobs), { chunks: denied });
    await assert.rejects(examine({ ...store, blobs }, {}), (error: Failure) => error.code === "store_io");
    const damage = {
      what: "blob",
      digest: sha256("a\n"),
      problem: "corrupt",
      size: 2,
      hits: [],
      proposals: [],
      operations: [],
    } as const;
    const repairing = repair({ ...store, blobs }, authorOf(store), [damage], null, {});
    await assert.rejects(repairing, (error: Failure) => error.code === "store_io");
    assert.ok(store.blobs.has(sha256("a\n")));
    assert.deepEqual((await examine(store, {})).damages, []);
  });
});

Deno.test("repair: a corrupt blob is put aside, restored, and the version is whole again", async () => {
  await withStoreFolder(async (store, workspace) => {
    Deno.writeTextFileSync(`${workspace}/f`, "content");
    await createFrom(store, workspace);
    const digest = sha256("content");
    Deno.writeTextFileSync(place(store, digest), "c0ntent");
    const health = await examine(store, {});
    assert.deepEqual(health.damages.map(({ problem, hits }) => [problem, hits.length]), [["corrupt", 1]]);
    const { restored, quarantined } = await repair(
      store,
      authorOf(store),
      health.damages,
      () => [bytesOf("content")],
      {},
    );
    assert.deepEqual([restored, quarantined.length], [[digest], 1]);
    assert.equal(Deno.readTextFileSync(`${store.folder}/${quarantined[0]}`), "c0ntent");
    assert.deepEqual((await examine(store, {})).damages, []);
  });
});

Deno.test("create: content whose blob is lost is stored again with the next change beside it", async () => {
  await withStoreFolder(async (store, workspace) => {
    Deno.writeTextFileSync(`${workspace}/f`, "content");
    Deno.writeTextFileSync(`${workspace}/g`, "1");
    await createFrom(store, workspace);
    store.blobs.remove(sha256("content"));
    Deno.writeTextFileSync(`${workspace}/g`, "2");
    await createFrom(store, workspace);
    assert.equal(store.blobs.has(sha256("content")), true);
    assert.deepEqual((await examine(store, {})).damages.map(({ digest }) => digest), []);
  });
});
