import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { exportToFolder, versionTar } from "../../src/store/artifact/export.ts";
import { collectGarbage, examine } from "../../src/store/artifact/upkeep.ts";
import { loadStatCache } from "../../src/store/folder/stat_cache.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import { authorOf } from "../contract/store_contract.ts";
import { failureOf, snapshot, untar } from "../workspace/trees.ts";
import { createFrom, rested, withStoreFolder } from "./fixture.ts";

/** Without modes and owners that a version does not hold: of a file only whether it is executable. */
function shapeOf(root: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(snapshot(root)).map(([path, what]) => {
      if (what.startsWith("directory")) return [path, "directory"];
      const file = /^file (\d+) \d+ ([\s\S]*)$/.exec(what);
      if (file === null) return [path, what];
      return [path, `${(Number.parseInt(file[1]!, 8) & 0o100) !== 0 ? "x" : "-"} ${file[2]}`];
    }),
  );
}

const name = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "a.b",
    "-rf",
    "~",
    "$HOME",
    "new\nline",
    "é",
    "\u{1f600}",
    "with  space",
    "\u202e",
    "\\",
    "*",
  ),
  fc.string({ minLength: 1, maxLength: 6, unit: "grapheme" }).filter((text) =>
    !/[/\0\ufffd]/.test(text) && text !== "." && text !== ".." && text.isWellFormed() &&
    !/^(\.git|\.pp-artifacts|\.ppignore|\.cache|\.tox|\.nox)$/i.test(text)
  ),
);
const node = fc.oneof(
  fc.record({ kind: fc.constant("file"), text: fc.string({ maxLength: 20 }), executable: fc.boolean() }),
  fc.record({
    kind: fc.constant("link"),
    target: fc.constantFrom("..", "/etc/passwd", "a", "nowhere/\n", "é"),
  }),
  fc.record({ kind: fc.constant("directory") }),
) as fc.Arbitrary<{ kind: string; text: string; executable: boolean; target: string }>;
const tree = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), node), {
  minLength: 1,
  maxLength: 12,
});

Deno.test("export of create: is the workspace, whatever the names, modes and links", async () => {
  await withStoreFolder(async (store, workspace) => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(tree, async (nodes) => {
        Deno.removeSync(workspace, { recursive: true });
        Deno.mkdirSync(workspace);
        for (const [segments, { kind, text, executable, target }] of nodes) {
          const path = `${workspace}/${segments.join("/")}`;
          try {
            Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
            if (kind === "file") {
              Deno.writeTextFileSync(path, text, { mode: executable ? 0o755 : 0o644, createNew: true });
            } else if (kind === "link") Deno.symlinkSync(target, path);
            else Deno.mkdirSync(path);
          } catch {
            // The name is taken by an earlier one.
          }
        }
        Deno.writeTextFileSync(`${workspace}/always`, String(count));
        const { version } = await createFrom(store, workspace, `n${count++}`);
        const target = `${workspace}.out`;
        await exportToFolder(store, version, target, {});
        assert.deepEqual(shapeOf(target), shapeOf(workspace));
        assert.equal(version.manifest, (await (await directoryWorkspace(workspace)).manifest()).digest);
        const tar = await Array.fromAsync(versionTar(store, version, {}));
        untar(Uint8Array.from(tar.flatMap((chunk) => [...chunk])), `${workspace}.tar`);
        assert.deepEqual(shapeOf(`${workspace}.tar`), shapeOf(workspace));
        Deno.removeSync(target, { recursive: true });
        Deno.removeSync(`${workspace}.tar`, { recursive: true });
      }),
      { numRuns: 60 },
    );
    assert.deepEqual((await examine(store, {})).damages, []);
  });
});

Deno.test("create: leaves out what a proof leaves out", async () => {
  await withStoreFolder(async (store, workspace) => {
    for (const path of [".git", "__pycache__", "node", "kept"]) Deno.mkdirSync(`${workspace}/${path}`);
    for (const path of [".git/x", "__pycache__/x", "node/x", "kept/x", "y.log"]) {
      Deno.writeTextFileSync(`${workspace}/${path}`, path);
    }
    Deno.writeTextFileSync(`${workspace}/.ppignore`, "/node\n*.log\n");
    execFileSync("mkfifo", [`${workspace}/fifo`]);
    const { version } = await createFrom(store, workspace);
    await exportToFolder(store, version, `${workspace}.out`, {});
    assert.deepEqual(Object.keys(snapshot(`${workspace}.out`)).sort(), [".ppignore", "kept", "kept/x"]);
  });
});

Deno.test("create: names that are not UTF-8 are told, and nothing is stored", async () => {
  await withStoreFolder(async (store, workspace) => {
    Deno.writeTextFileSync(`${workspace}/good`, "");
    execFileSync("sh", ["-c", `printf x > "$1/$(printf 'bad\\377')"`, "sh", workspace]);
    const failure = await failureOf(createFrom(store, workspace));
    assert.equal(failure.code, "name_not_utf8");
    assert.match(failure.message, /bad/);
    assert.deepEqual([...store.blobs.list()], []);
  });
});

Deno.test("create: a file that rested is not read again; one that changed is, however its size and times look", async () => {
  await withStoreFolder(async (store, workspace) => {
    for (const file of ["a", "b", "c"]) Deno.writeTextFileSync(`${workspace}/${file}`, `${file}1`);
    const times = Deno.statSync(`${workspace}/a`);
    await rested();
    assert.equal((await createFrom(store, workspace)).read, 3);
    const again = await createFrom(store, workspace);
    assert.deepEqual([again.read, again.changed], [0, false]);
    Deno.writeTextFileSync(`${workspace}/a`, "a2");
    Deno.utimeSync(`${workspace}/a`, times.atime!, times.mtime!);
    const changed = await createFrom(store, workspace);
    assert.deepEqual([changed.read, changed.changed], [1, true]);
    Deno.renameSync(`${workspace}/b`, `${workspace}/moved`);
    Deno.chmodSync(`${workspace}/c`, 0o755);
    const moved = await createFrom(store, workspace);
    assert.equal(moved.changed, true);
    const target = `${workspace}.out`;
    await exportToFolder(store, moved.version, target, {});
    assert.deepEqual(shapeOf(target), { a: "- a2", c: "x c1", moved: "- b1" });
  });
});

Deno.test("create: what is added, removed, renamed, relinked or newly left out is seen in directories that rested", async () => {
  await withStoreFolder(async (store, workspace) => {
    for (const d of ["x", "x/y", "z"]) Deno.mkdirSync(`${workspace}/${d}`);
    for (const file of ["x/a", "x/y/b", "z/c", "z/d"]) Deno.writeTextFileSync(`${workspace}/${file}`, file);
    Deno.symlinkSync("a", `${workspace}/x/link`);
    await rested();
    await createFrom(store, workspace);
    let round = 0;
    const same = async () => {
      const { version } = await createFrom(store, workspace);
      const target = `${workspace}.out${round++}`;
      await exportToFolder(store, version, target, {});
      const seen = shapeOf(workspace);
      for (const path of ignored) delete seen[path];
      assert.deepEqual(shapeOf(target), seen);
      assert.equal(version.manifest, (await (await directoryWorkspace(workspace)).manifest()).digest);
    };
    const ignored: string[] = [];
    await same();
    Deno.writeTextFileSync(`${workspace}/x/y/new`, "new");
    await same();
    Deno.removeSync(`${workspace}/z/c`);
    await same();
    Deno.renameSync(`${workspace}/z`, `${workspace}/x/y/z`);
    await same();
    Deno.removeSync(`${workspace}/x/link`);
    Deno.symlinkSync("b", `${workspace}/x/link`);
    await same();
    Deno.removeSync(`${workspace}/x/a`);
    Deno.mkdirSync(`${workspace}/x/a`);
    await same();
    Deno.writeTextFileSync(`${workspace}/.ppignore`, "b\n");
    ignored.push("x/y/b");
    await same();
    Deno.removeSync(`${workspace}/.ppignore`);
    ignored.pop();
    await same();
    Deno.removeSync(`${workspace}/x`, { recursive: true });
    Deno.writeTextFileSync(`${workspace}/x`, "a file now");
    await same();
  });
});

Deno.test("create: a file changed in the very moment it was read is read again (racily clean)", async () => {
  await withStoreFolder(async (store, workspace) => {
    for (let round = 0; round < 30; round++) {
      Deno.writeTextFileSync(`${workspace}/f`, `same size ${round % 10}`);
      const { version } = await createFrom(store, workspace);
      const entry = store.records.read((rows) => rows.tree(version.root))!;
      assert.match(new TextDecoder().decode(entry), new RegExp(sha256(`same size ${round % 10}`)));
    }
  });
});

Deno.test("loadStatCache: a cache with any changed byte, or cut off, is none", async () => {
  await withStoreFolder(async (store, workspace) => {
    Deno.writeTextFileSync(`${workspace}/f`, "x");
    await rested();
    await createFrom(store, workspace);
    const [{ name }] = [...Deno.readDirSync(`${store.folder}/cache`)] as [Deno.DirEntry];
    const path = `${store.folder}/cache/${name}`;
    const whole = Deno.readFileSync(path);
    assert.equal(loadStatCache(store.folder, workspace)?.path(0), "f");
    for (let i = 0; i < whole.length; i++) {
      const flipped = Uint8Array.from(whole);
      flipped[i]! ^= 0x40;
      Deno.writeFileSync(path, flipped);
      assert.equal(loadStatCache(store.folder, workspace), null, `byte ${i}`);
      Deno.writeFileSync(path, whole.subarray(0, i));
      assert.equal(loadStatCache(store.folder, workspace), null, `cut at ${i}`);
    }
  });
});

Deno.test("create: a cache that outlives the blobs it names does no harm", async () => {
  await withStoreFolder(async (store, workspace) => {
    Deno.mkdirSync(`${workspace}/d`);
    for (const file of ["d/a", "d/b", "c"]) Deno.writeTextFileSync(`${workspace}/${file}`, file);
    await rested();
    await createFrom(store, workspace);
    const by = authorOf(store);
    store.records.write((rows) => rows.deleteVersion("a", 1));
    await collectGarbage(store, by, false, {});
    assert.deepEqual([...store.blobs.list()], []);
    const { version } = await createFrom(store, workspace);
    assert.equal(version.number, 2);
    const health = await examine(store, {});
    assert.deepEqual([health.damages, health.blobs], [[], 3]);
  });
});

Deno.test("exportToFolder: only into a new or empty folder, never through a link, whole or absent", async () => {
  await withStoreFolder(async (store, workspace) => {
    Deno.writeTextFileSync(`${workspace}/a`, "a");
    Deno.symlinkSync("/etc", `${workspace}/out`);
    const { version } = await createFrom(store, workspace);
    const home = `${workspace}.home`;
    Deno.mkdirSync(`${home}/full`, { recursive: true });
    Deno.mkdirSync(`${home}/empty`);
    Deno.mkdirSync(`${home}/elsewhere`);
    Deno.writeTextFileSync(`${home}/full/mine`, "");
    Deno.symlinkSync("elsewhere", `${home}/link`);
    Deno.writeTextFileSync(`${home}/file`, "");
    for (const taken of ["full", "link", "file"]) {
      const failure = await failureOf(exportToFolder(store, version, `${home}/${taken}`, {}));
      assert.equal(failure.code, "export_not_empty", taken);
    }
    await exportToFolder(store, version, `${home}/empty`, {});
    assert.equal(Deno.readLinkSync(`${home}/empty/out`), "/etc");
    Deno.writeTextFileSync(`${store.folder}/blobs/${sha256("a").slice(0, 2)}/${sha256("a")}`, "b");
    const failure = await failureOf(exportToFolder(store, version, `${home}/new`, {}));
    assert.equal(failure.code, "blob_corrupt");
    const names = [...Deno.readDirSync(home)].map(({ name }) => name).sort();
    assert.deepEqual(names, ["elsewhere", "empty", "file", "full", "link"]);
  });
});
