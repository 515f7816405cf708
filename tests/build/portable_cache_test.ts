import assert from "node:assert/strict";
import { KEEP_DAYS } from "../../src/portable_cache.ts";
import { VERSION } from "../../src/version.ts";
import { filesBelow } from "../../tools/build/files.ts";
import { portableFile } from "../../tools/build/portable.ts";
import { TARGETS } from "../../tools/build/runtime.ts";
import { freshPlaces, type Places, unpackedIn } from "./places.ts";
import { run } from "./portable.ts";

const SAID = { code: 0, stdout: `pp ${VERSION}\n`, stderr: "" };

/** Two versions of the portable file, both unpacked into the cache. */
interface Versions extends Places {
  readonly base: string;
  readonly old: Unpacked;
  readonly current: Unpacked;
}

interface Unpacked {
  readonly pp: string;
  /** Its folder in the cache. */
  readonly home: string;
}

let shared: Promise<Versions> | undefined;

/** Both versions unpacked and just started. All tests use the same cache: unpacking takes seconds. */
async function withVersions(use: (versions: Versions) => Promise<void>): Promise<void> {
  const versions = await (shared ??= makeVersions());
  for (const version of [versions.old, versions.current]) {
    assert.deepEqual(await start(versions, version), SAID);
  }
  assert.deepEqual(await unpackedIn(versions.base), [versions.old, versions.current].map(nameOf).sort());
  await use(versions);
}

async function makeVersions(): Promise<Versions> {
  const places = await freshPlaces();
  globalThis.addEventListener("unload", () => Deno.removeSync(places.root, { recursive: true }));
  const base = `${places.cache}/veripatch/portable`;
  const unpack = async (pp: string, known: readonly string[]) => {
    assert.deepEqual(await run([pp, "--version"], places.env), SAID);
    const [name] = (await unpackedIn(base)).filter((name) => !known.includes(name));
    return { pp, home: `${base}/${name}` };
  };
  const old = await unpack(places.pp, []);
  const current = await unpack(await anotherVersion(places.root, `${old.home}/tree`), [nameOf(old)]);
  return { ...places, base, old, current };
}

const nameOf = ({ home }: Unpacked) => home.replace(/^.*\//, "");

/** A portable file of the same program with a file more. */
async function anotherVersion(folder: string, tree: string): Promise<string> {
  const target = TARGETS.find(({ triple }) => triple === Deno.build.target)!;
  const files = new Map([["another.txt", new TextEncoder().encode("version")]]);
  for (const path of await filesBelow(tree, ".")) {
    const name = path.replace(/^\.\//, "");
    if (name !== "deno" && name !== "files.sha256") files.set(name, await Deno.readFile(`${tree}/${name}`));
  }
  const bytes = await portableFile(target, await Deno.readFile(`${tree}/deno`), files);
  await Deno.writeFile(`${folder}/another-pp`, bytes, { mode: 0o755 });
  return `${folder}/another-pp`;
}

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

/** As if a version had been started last so long ago. */
async function lastStarted({ home }: Unpacked, days: number): Promise<void> {
  await Deno.utime(`${home}/used`, daysAgo(days), daysAgo(days));
}

/** As if nobody had looked for old versions for a day. */
async function lookedADayAgo(base: string): Promise<void> {
  await Deno.utime(`${base}/swept`, daysAgo(0.01), daysAgo(0.01));
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

const start = ({ env }: Places, { pp }: Unpacked, ...args: string[]) =>
  run([pp, ...args.length === 0 ? ["--version"] : args], env);

Deno.test("portable: a version that was not started for so many days is removed by another one's start, once a day", async () => {
  await withVersions(async (versions) => {
    const { base, old, current } = versions;
    await lastStarted(old, KEEP_DAYS + 1);
    assert.deepEqual(await start(versions, current), SAID);
    assert.ok(await isThere(old.home), "it was looked for today");
    await lookedADayAgo(base);
    await lastStarted(old, KEEP_DAYS - 1);
    assert.deepEqual(await start(versions, current), SAID);
    assert.ok(await isThere(old.home), "it was started less long ago");
    await lookedADayAgo(base);
    await lastStarted(old, KEEP_DAYS + 1);
    assert.deepEqual(await start(versions, current), SAID);
    assert.deepEqual(await unpackedIn(base), [nameOf(current)]);
    // Its file unpacks itself again, and removes what is old whether it was looked for today or not.
    await lastStarted(current, 400);
    assert.deepEqual(await start(versions, old), SAID);
    assert.deepEqual(await unpackedIn(base), [nameOf(old)]);
    // A start keeps what it starts, however old that is.
    await lastStarted(old, 400);
    await lookedADayAgo(base);
    assert.deepEqual(await start(versions, old), SAID);
    assert.deepEqual(await unpackedIn(base), [nameOf(old)]);
  });
});

Deno.test("portable: a version that runs keeps its files until it ends, and programs it starts hold nothing of it", async () => {
  await withVersions(async (versions) => {
    const { base, old, current, root, env } = versions;
    const store = { ...env, PP_STORE: `${root}/store`, PATH: Deno.env.get("PATH")!, NO_COLOR: "1" };
    await Deno.mkdir(`${root}/project`);
    await Deno.writeTextFile(`${root}/project/a.txt`, "a");
    const create = ["artifact", "create", "a", "--workspace", `${root}/project`];
    assert.equal((await run([old.pp, ...create], store)).code, 0);
    const child = new Deno.Command(old.pp, {
      args: ["events", "--follow"],
      env: store,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    try {
      await reader.read();
      await lastStarted(old, 400);
      await lookedADayAgo(base);
      assert.deepEqual(await start(versions, current), SAID);
      const sums = ["sha256sum", "--check", "--quiet", `${old.home}/tree/files.sha256`];
      const sound = await new Deno.Command("sh", {
        args: ["-c", `cd "$1/tree" && ${sums.join(" ")}`, "sh", old.home],
      })
        .output();
      assert.ok(sound.success, "it runs, and its files are there");
      assert.ok(await isThere(`${old.home}/facts`), "and can be started again");
      const open = await Array.fromAsync(Deno.readDir(`/proc/${child.pid}/fd`));
      const held: string[] = [];
      for (const { name } of open) {
        const to = await Deno.readLink(`/proc/${child.pid}/fd/${name}`).catch(() => "");
        // The runtime's own cache of what modules import is opened by the runtime.
        if (!to.startsWith(base) || to.includes("/analysis/")) continue;
        held.push(to);
        const flags = /^flags:\t(\d+)$/m.exec(
          await Deno.readTextFile(`/proc/${child.pid}/fdinfo/${name}`),
        )![1]!;
        assert.ok((parseInt(flags, 8) & 0o2000000) !== 0, `${to} is closed in programs it starts`);
      }
      assert.deepEqual(held, [`${old.home}/used`]);
    } finally {
      child.kill("SIGTERM");
      await child.status;
      await reader.cancel();
    }
    await lookedADayAgo(base);
    assert.deepEqual(await start(versions, current), SAID);
    assert.ok(!await isThere(old.home), "nothing holds it any more");
  });
});

Deno.test("portable: nothing is removed that is not a version unpacked by this user", async () => {
  await withVersions(async (versions) => {
    const { base, old, current, root } = versions;
    const strange: Record<string, string> = {
      "notes.txt": "mine",
      [`${"a".repeat(64)}/used`]: "a folder with a name of that kind",
      [`${"b".repeat(64)}/tree/files.sha256`]: "another digest",
      [`${"b".repeat(64)}/used`]: "",
      "new.folder/mine.txt": "a name that the launcher could have made",
    };
    for (const [path, text] of Object.entries(strange)) {
      await Deno.mkdir(`${base}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${base}/${path}`, text);
      await Deno.utime(`${base}/${path}`, daysAgo(400), daysAgo(400));
    }
    // A true version that somebody put a file of their own into, and a link to one.
    await Deno.writeTextFile(`${old.home}/mine.txt`, "mine");
    await Deno.rename(old.home, `${root}/elsewhere`);
    await Deno.symlink(`${root}/elsewhere`, old.home);
    await lastStarted(old, 400);
    const before = await unpackedIn(base);
    const look = async () => {
      await lookedADayAgo(base);
      assert.deepEqual(await start(versions, current), SAID);
    };
    await look();
    assert.deepEqual(await unpackedIn(base), before);
    await Deno.remove(old.home);
    await Deno.rename(`${root}/elsewhere`, old.home);
    await look();
    for (const [path, text] of Object.entries(strange)) {
      assert.equal(await Deno.readTextFile(`${base}/${path}`), text);
    }
    assert.equal(await Deno.readTextFile(`${old.home}/mine.txt`), "mine");
    await Deno.remove(`${old.home}/mine.txt`);
    await look();
    assert.ok(!await isThere(old.home), "it was that file alone that kept it");
    for (const path of Object.keys(strange)) {
      await Deno.remove(`${base}/${path.replace(/\/.*$/, "")}`, { recursive: true }).catch(() => {});
    }
  });
});

Deno.test("portable: what a killed removal left is started again by its file, or removed with the others", async () => {
  await withVersions(async (versions) => {
    const { base, old, current } = versions;
    const hide = () => Deno.rename(`${old.home}/facts`, `${old.home}/hidden-facts`);
    await hide();
    assert.deepEqual(await start(versions, old), SAID);
    assert.ok(!await isThere(`${old.home}/hidden-facts`), "it was unpacked anew");
    await hide();
    await lastStarted(old, 400);
    await Deno.mkdir(`${base}/new.AbCdEf/old/analysis`, { recursive: true });
    await lookedADayAgo(base);
    assert.deepEqual(await start(versions, current), SAID);
    assert.deepEqual(await unpackedIn(base), [nameOf(current)]);
  });
});

Deno.test("portable: starts of a version that is being removed at the same time all run", async () => {
  await withVersions(async (versions) => {
    const { base, old, current } = versions;
    for (let round = 0; round < 5; round++) {
      await lastStarted(old, 400);
      await lookedADayAgo(base);
      const all = await Promise.all([old, current, old].map((version) => start(versions, version)));
      assert.deepEqual(all, all.map(() => SAID), `round ${round}`);
    }
  });
});

Deno.test("pp doctor: of a portable file says how much is unpacked, and where", async () => {
  await withVersions(async (versions) => {
    const { base, old, current } = versions;
    const cache = async () => {
      const { stdout } = await start(versions, current, "doctor", "--json");
      const { checks } = JSON.parse(stdout) as { checks: { name: string; found: string; hint: string }[] };
      return checks.find(({ name }) => name === "cache")!;
    };
    const two = await cache();
    const [, size] = /^2 versions, (\d+\.\d) MiB in (.*)$/.exec(two.found)!;
    assert.ok(two.found.endsWith(` in ${base}`), two.found);
    assert.match(two.hint, new RegExp(`not started for ${KEEP_DAYS} days are removed`));
    await Deno.remove(old.home, { recursive: true });
    const one = await cache();
    const [, half] = /^1 version, (\d+\.\d) MiB in /.exec(one.found)!;
    assert.ok(Number(half) > 50 && Number(size) > 1.9 * Number(half), `${two.found}, then ${one.found}`);
    assert.equal(one.hint, "");
  });
});
