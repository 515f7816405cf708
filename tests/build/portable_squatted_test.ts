import assert from "node:assert/strict";
import { VERSION } from "../../src/version.ts";
import { asUser, give, type Places, unpackedIn, USER, withPlaces } from "./places.ts";
import { run } from "./portable.ts";

const SAID = { code: 0, stdout: `pp ${VERSION}\n`, stderr: "" };
/** Users who are not the one that starts it; 65534, which is root's number in a user namespace, is nobody's here. */
const OTHERS = [USER + 1, 65534];
/** What a squatter would have run. */
const EVIL = '#!/bin/sh\necho "TAMPERED"\n';

/** As on a shared host: a folder for temporary files that everybody may write to, and no home. */
async function withSharedTemporary(use: (shared: Shared) => Promise<void>): Promise<void> {
  await withPlaces(async (places) => {
    await Deno.chmod(places.temporary, 0o1777);
    const uid = Deno.uid() === 0 ? USER : Deno.uid()!;
    const env = { HOME: "/nonexistent", TMPDIR: places.temporary };
    await use({
      ...places,
      name: `${places.temporary}/veripatch-portable-${uid}`,
      start: () => run(asUser([places.pp, "--version"]), env),
    });
  });
}

interface Shared extends Places {
  /** Where the file unpacks itself. */
  readonly name: string;
  readonly start: () => ReturnType<typeof run>;
}

async function owned(path: string, uid: number): Promise<void> {
  // Not following links.
  const { success } = await new Deno.Command("chown", { args: ["-R", "-h", `${uid}:${uid}`, path] }).output();
  assert.ok(success);
}

/** The digest that is the name of what the file unpacks. */
async function versionOf({ pp, root }: Places): Promise<string> {
  await Deno.mkdir(`${root}/look`);
  assert.deepEqual(await run([pp, "--version"], { XDG_CACHE_HOME: `${root}/look` }), SAID);
  const [version] = await unpackedIn(`${root}/look/veripatch/portable`);
  return version!;
}

/** A version as a squatter would lay it there: with all that is looked at, and a runtime of their own. */
async function lay(folder: string, version: string): Promise<void> {
  await Deno.mkdir(`${folder}/${version}/tree`, { recursive: true });
  await Deno.writeTextFile(`${folder}/${version}/tree/deno`, EVIL, { mode: 0o755 });
  await Deno.writeTextFile(`${folder}/${version}/facts`, "");
}

Deno.test({
  name: "portable: a name below the temporary folder that another user took is left alone, and said",
  // Only root can make what belongs to somebody else.
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await withSharedTemporary(async (shared) => {
      const { name, start } = shared;
      await lay(name, await versionOf(shared));
      for (const other of OTHERS) {
        await owned(name, other);
        for (const mode of [0o700, 0o755, 0o777]) {
          await Deno.chmod(name, mode);
          const { code, stdout, stderr } = await start();
          assert.deepEqual({ code, stdout }, { code: 69, stdout: "" }, mode.toString(8));
          assert.match(stderr, /^pp: cannot unpack itself, and nothing was run\n/);
          const why = mode === 0o700 ? "cannot be entered" : "others can write to it";
          assert.ok(stderr.includes(`${name}: ${why}`), stderr);
        }
      }
      assert.equal((await unpackedIn(name)).length, 1, "nothing was unpacked there");
    });
  },
});

Deno.test("portable: a name below the temporary folder that others can write to is left alone, and said", async () => {
  await withSharedTemporary(async (shared) => {
    const { name, start } = shared;
    await lay(name, await versionOf(shared));
    await Deno.chmod(name, 0o777);
    if (Deno.uid() === 0) await owned(name, USER);
    const { code, stdout, stderr } = await start();
    assert.deepEqual({ code, stdout }, { code: 69, stdout: "" });
    assert.ok(stderr.includes(`${name}: others can write to it`), stderr);
  });
});

Deno.test({
  name: "portable: a link of somebody else leads nowhere: nothing is unpacked or removed where it points",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await withSharedTemporary(async ({ root, name, start }) => {
      const project = `${root}/project`;
      await Deno.mkdir(`${project}/new.folder/tree`, { recursive: true });
      await Deno.chmod(project, 0o700);
      await owned(project, USER);
      await Deno.symlink(project, name);
      for (const other of OTHERS) {
        await owned(name, other);
        const { code, stderr } = await start();
        assert.equal(code, 69);
        assert.ok(stderr.includes(`${name}: it is reached through a link that somebody else made`), stderr);
      }
      const names = await Array.fromAsync(Deno.readDir(project));
      assert.deepEqual(names.map(({ name }) => name), ["new.folder"]);
      // The same link, made by the user, is the user's wish.
      await owned(name, USER);
      assert.deepEqual(await start(), SAID);
      assert.equal((await unpackedIn(project)).filter((name) => /^[0-9a-f]{64}$/.test(name)).length, 1);
    });
  },
});

Deno.test("portable: a cache that is the user's link is used where only the user can write", async () => {
  await withPlaces(async (places) => {
    const { root, temporary, pp } = places;
    await give(temporary);
    const start = (cache: string) =>
      run(asUser([pp, "--version"]), { XDG_CACHE_HOME: cache, TMPDIR: temporary });
    const elsewhere = `${root}/elsewhere`;
    await Deno.mkdir(elsewhere, { mode: 0o700 });
    await Deno.symlink(elsewhere, `${root}/link`);
    await give(elsewhere);
    assert.deepEqual(await start(`${root}/link`), SAID);
    assert.equal((await unpackedIn(`${elsewhere}/veripatch/portable`)).length, 1);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(temporary)), []);

    await Deno.chmod(elsewhere, 0o777);
    assert.deepEqual(await start(`${root}/link`), SAID);
    const [own] = await Array.fromAsync(Deno.readDir(temporary));
    assert.match(own!.name, /^veripatch-portable-\d+$/, "it ran from the other place");
  });
});

Deno.test("portable: a cache that is there and cannot be written is passed over with its reason", async () => {
  await withSharedTemporary(async ({ name, start }) => {
    await Deno.mkdir(name, { mode: 0o500 });
    if (Deno.uid() === 0) await owned(name, USER);
    const { code, stderr } = await start();
    assert.equal(code, 69);
    assert.ok(stderr.includes(`${name}: cannot be written`), stderr);
  });
});
