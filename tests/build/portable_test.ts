import assert from "node:assert/strict";
import { renderPublicPem } from "../../src/sign/pem.ts";
import { VERSION } from "../../src/version.ts";
import { attested, testKey } from "../bundle/attested.ts";
import { asUser, give, type Places, replaceQuietly, treeIn, withPlaces, withUnpacked } from "./places.ts";
import { PP_FROM_CHECKOUT, run } from "./portable.ts";

const SAID = { code: 0, stdout: `pp ${VERSION}\n`, stderr: "" };

async function start({ pp, env }: Places, args: readonly string[] = ["--version"], more = {}) {
  return await run([pp, ...args], { ...env, ...more });
}

async function unpackedTree(places: Places): Promise<string> {
  assert.deepEqual(await start(places), SAID);
  const tree = await treeIn(places.cache);
  assert.ok(tree !== null, "it is unpacked in the cache");
  return tree;
}

async function assertSound(tree: string): Promise<void> {
  const { success } = await new Deno.Command("sha256sum", {
    args: ["--check", "--quiet", "files.sha256"],
    cwd: tree,
    stdout: "null",
    stderr: "null",
  }).output();
  assert.ok(success, `${tree} has other bytes than were packed`);
}

/** Code that would say so if it ever ran, as long as what it replaces. */
function evil(bytes: Uint8Array): Uint8Array {
  const code = new TextEncoder().encode('console.log("TAMPERED");Deno.exit(0);//');
  const changed = new Uint8Array(bytes.length).fill(0x20);
  changed.set(code);
  return changed;
}

Deno.test("portable: the first start unpacks, the second runs from there, and both are the program", async () => {
  await withPlaces(async (places) => {
    const tree = await unpackedTree(places);
    const { ino } = await Deno.stat(`${tree}/deno`);
    const help = await start(places, ["--help"]);
    assert.deepEqual(help, await run([...PP_FROM_CHECKOUT, "--help"], { HOME: Deno.env.get("HOME") ?? "/" }));
    assert.equal((await Deno.stat(`${tree}/deno`)).ino, ino, "nothing was unpacked again");
    assert.equal(((await Deno.stat(`${tree}/..`)).mode ?? 0) & 0o777, 0o700);
    assert.equal((await start(places, ["no-such-verb"])).code, 64);
    const info = JSON.parse((await start(places, ["--version", "--json"])).stdout);
    assert.equal(info.kind, "portable");
    assert.ok(info.embedded.some(({ path }: { path: string }) => path === "policies/python.yaml"));
    assert.match((await start(places, ["help", "exit-codes"])).stdout, /no trusted key/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(places.temporary)), []);
  });
});

Deno.test("portable: a plain verify-attestation starts from one file, and what that loads late is of the same program", async () => {
  await withUnpacked(async (places, folder) => {
    const tree = (await treeIn(places.cache))!;
    const code = await Deno.readTextFile(`${tree}/verify_attestation_quick.js`);
    assert.deepEqual(
      code.match(/\bimport\s*["{*\w$][^(;]*?["'][^"']+["']/g) ?? [],
      [],
      "it imports nothing at once",
    );
    const bundle = `${folder}/bundle`;
    for (const [name, bytes] of await attested()) {
      await Deno.mkdir(`${bundle}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(`${bundle}/${name}`, bytes);
    }
    await Deno.writeTextFile(`${folder}/key.pem`, renderPublicPem(testKey(1).publicKey));
    await Deno.writeTextFile(`${folder}/trust.yaml`, "format: nonsense\n");
    const verify = (...more: string[]) => start(places, ["verify-attestation", bundle, ...more]);
    const valid = await verify("--key", `${folder}/key.pem`);
    assert.match(valid.stdout, /verdict +valid/, valid.stderr);
    assert.equal(valid.code, 0);
    // The reader of trust files comes from the rest of the program, and its Failure is one here.
    const broken = await verify("--trust", `${folder}/trust.yaml`);
    assert.equal(broken.code, 65, broken.stderr);
    assert.match(broken.stderr, /must be one of veripatch-trust\/v1/);
  });
});

Deno.test("portable: grammars, policies and the C library are reached from it", async () => {
  await withUnpacked(async (places, folder) => {
    await Deno.mkdir(`${folder}/project`);
    await Deno.writeTextFile(`${folder}/project/a.py`, "import os\nos.system('ls')\n");
    const scan = await start(places, ["safety", "scan", `${folder}/project`]);
    assert.match(scan.stdout, /a\.py:2/, scan.stderr);
    const store = { PP_STORE: `${folder}/store` };
    const create = await start(
      places,
      ["artifact", "create", "a", "--workspace", `${folder}/project`],
      store,
    );
    assert.match(create.stdout, /^a@1 /, create.stderr);
    assert.equal((await start(places, ["artifact", "fsck"], store)).code, 0);
  });
});

Deno.test("portable: many first starts at once all run, and leave one copy", async () => {
  await withPlaces(async (places) => {
    const all = await Promise.all(Array.from({ length: 6 }, () => start(places)));
    assert.deepEqual(all, all.map(() => SAID));
    await assertSound((await treeIn(places.cache))!);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(places.temporary)), []);
  });
});

Deno.test("portable: what a killed first start left is removed by the next", async () => {
  await withPlaces(async (places) => {
    await Deno.mkdir(`${places.cache}/veripatch/portable/new.AbCdEf/tree`, { recursive: true, mode: 0o700 });
    await assertSound(await unpackedTree(places));
  });
});

Deno.test("portable: changed bytes are never run, and mended", async (t) => {
  await withPlaces(async (places) => {
    await unpackedTree(places);
    const changes: Record<string, (tree: string) => Promise<unknown>> = {
      "the code that runs first": (tree) => replaceQuietly(`${tree}/portable.js`, evil),
      "code that is loaded later": (tree) => replaceQuietly(`${tree}/program.js`, evil),
      "one byte of the runtime": (tree) =>
        replaceQuietly(`${tree}/deno`, (bytes) => {
          bytes[bytes.length >> 1]! ^= 1;
          return bytes;
        }),
      "a file more": (tree) => Deno.writeTextFile(`${tree}/deno.json`, "{}"),
      "permissions for others": (tree) => Deno.chmod(`${tree}/main.js`, 0o666),
      "a link in place of a file": async (tree) => {
        await Deno.writeTextFile(`${places.root}/evil.js`, 'console.log("TAMPERED");Deno.exit(0);');
        await Deno.remove(`${tree}/main.js`);
        await Deno.symlink(`${places.root}/evil.js`, `${tree}/main.js`);
      },
      "no record of what was checked": (tree) => Deno.remove(`${tree}/../facts`),
    };
    for (const [name, change] of Object.entries(changes)) {
      await t.step(name, async () => {
        await change((await treeIn(places.cache))!);
        assert.deepEqual(await start(places), SAID);
        const tree = (await treeIn(places.cache))!;
        await assertSound(tree);
        await assert.rejects(Deno.stat(`${tree}/deno.json`));
      });
    }
  });
});

Deno.test("portable: with PP_PORTABLE_VERIFY digests are taken at every start, whatever was written beside them", async () => {
  await withPlaces(async (places) => {
    const tree = await unpackedTree(places);
    await replaceQuietly(`${tree}/main.js`, evil);
    // Whoever may write to the cache may write this, too: without the variable it is believed.
    const facts = /^facts_of\(\) \{\n[^]*?^\}/m.exec(
      new TextDecoder().decode((await Deno.readFile(places.pp)).subarray(0, 16_000)),
    )![0];
    const forged = await run(["sh", "-c", `${facts}\nfacts_of "$1" > "$1/facts"`, "sh", `${tree}/..`], {});
    assert.equal(forged.code, 0, forged.stderr);
    assert.match((await start(places)).stdout, /TAMPERED/);
    assert.deepEqual(await start(places, ["--version"], { PP_PORTABLE_VERIFY: "1" }), SAID);
    await assertSound((await treeIn(places.cache))!);
  });
});

Deno.test("portable: a cache that others can write to is left alone", async () => {
  await withPlaces(async (places) => {
    const tree = await unpackedTree(places);
    await replaceQuietly(`${tree}/main.js`, evil);
    for (const path of [`${tree}/../..`, `${places.cache}/veripatch`, places.cache]) {
      await Deno.chmod(path, 0o777);
      assert.deepEqual(await start(places), SAID);
      await Deno.chmod(path, 0o700);
    }
    assert.equal((await Array.fromAsync(Deno.readDir(places.temporary))).length, 1, "it ran from there");
    assert.match(
      await Deno.readTextFile(`${tree}/main.js`),
      /TAMPERED/,
      "nothing was mended where others write",
    );
  });
});

Deno.test("portable: an ordinary user without write access to the install folder, the cache or anything but TMPDIR", async () => {
  await withPlaces(async (places) => {
    const install = `${places.root}/install`;
    await Deno.mkdir(install, { mode: 0o755 });
    await Deno.copyFile(places.pp, `${install}/pp`);
    await Deno.chmod(`${install}/pp`, 0o555);
    // Root's own folder to the user of this test; to whoever runs it without root, one without write permission.
    await Deno.chmod(places.cache, 0o555);
    await Deno.chmod(install, 0o555);
    await give(places.temporary);
    const env = { ...places.env, HOME: "/nonexistent" };
    const call = asUser([`${install}/pp`, "--version"]);
    assert.deepEqual(await run(call, env), SAID);
    assert.deepEqual(await run(call, env), SAID);
    const [own, ...others] = await Array.fromAsync(Deno.readDir(places.temporary));
    assert.match(own!.name, /^veripatch-portable-\d+$/);
    assert.deepEqual(others, []);

    await Deno.remove(`${places.temporary}/${own!.name}`, { recursive: true });
    await Deno.chmod(places.temporary, 0o555);
    const refused = await run(call, env);
    assert.equal(refused.code, 69);
    assert.match(refused.stderr, /cannot unpack itself, and nothing was run/);
    assert.match(refused.stderr, /cache\/veripatch\/portable: Permission denied\n/);
    assert.match(refused.stderr, /veripatch-portable-\d+: Permission denied\n/);
    assert.match(refused.stderr, /XDG_CACHE_HOME or TMPDIR/);
    assert.equal(refused.stdout, "");
    await Deno.chmod(places.cache, 0o700);
    await Deno.chmod(places.temporary, 0o700);
  });
});

/** Runs a script with tmpfs at the places: in namespaces of its own, so that nobody else sees it. */
async function withMounts(places: Places, cache: string, temporary: string) {
  const mounts =
    `mount -t tmpfs -o mode=700,${cache} none "$1" && mount -t tmpfs -o mode=700,${temporary} none "$2"`;
  const script =
    `set -e; ${mounts}; "$3" --version && ls -A "$1/veripatch/portable" "$2"/* 2>/dev/null || exit $?`;
  const argv = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"];
  return await run([...argv, places.cache, places.temporary, places.pp], places.env);
}

Deno.test("portable: a full cache falls back, and where all is full it says so, exits 69 and leaves nothing", async () => {
  await withPlaces(async (places) => {
    const back = await withMounts(places, "size=16m", "size=400m");
    assert.ok(back.stdout.startsWith(SAID.stdout), back.stderr);
    assert.match(back.stdout, /veripatch\/portable:\nlock\n(swept\n)?\n/, "nothing is left in the full one");
    const full = await withMounts(places, "size=16m", "size=16m");
    assert.equal(full.code, 69, full.stderr);
    assert.equal(full.stderr.match(/: No space left on device\n/g)?.length, 2, full.stderr);
  });
});

Deno.test("portable: a folder that programs may not run from is passed over", async () => {
  await withPlaces(async (places) => {
    const { code, stdout, stderr } = await withMounts(places, "size=400m,noexec", "size=400m");
    assert.equal(code, 0, stderr);
    assert.ok(stdout.startsWith(SAID.stdout));
  });
});

Deno.test("portable: a damaged file runs nothing", async (t) => {
  await withPlaces(async (places) => {
    const bytes = await Deno.readFile(places.pp);
    const damaged = `${places.root}/pp`;
    const flipped = bytes.slice();
    flipped[flipped.length - 100_000]! ^= 1;
    for (
      const [name, content] of Object.entries({ flipped, short: bytes.subarray(0, bytes.length - 1_000_000) })
    ) {
      await t.step(name, async () => {
        await Deno.writeFile(damaged, content, { mode: 0o755 });
        const { code, stdout, stderr } = await run([damaged, "--version"], places.env);
        assert.deepEqual({ code, stdout }, { code: 69, stdout: "" });
        assert.match(stderr, /the file is damaged/);
        assert.equal(await treeIn(places.cache), null);
      });
    }
  });
});

Deno.test("portable: signals reach the program, which is the process that was started", async () => {
  await withUnpacked(async (places, folder) => {
    const store = `${folder}/store`;
    await Deno.mkdir(`${folder}/project`);
    await Deno.writeTextFile(`${folder}/project/a.txt`, "a");
    const env = { ...places.env, PP_STORE: store, PATH: Deno.env.get("PATH")!, NO_COLOR: "1" };
    const create = await run(
      [places.pp, "artifact", "create", "a", "--workspace", `${folder}/project`],
      env,
    );
    assert.equal(create.code, 0, create.stderr);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const child = new Deno.Command(places.pp, {
        args: ["events", "--follow"],
        env,
        clearEnv: true,
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      assert.match(await Deno.readTextFile(`/proc/${child.pid}/cmdline`), /portable\.js/);
      child.kill(signal);
      const { code } = await child.status;
      assert.ok(code === 130 || code === 0, `${signal} ended it with ${code}`);
      await reader.cancel();
    }
  });
});

Deno.test("portable: it stands on a terminal when it is started on one", async () => {
  await withUnpacked(async (places) => {
    const call = (args: string) => ["script", "--quiet", "--return", "--command", args, "/dev/null"];
    const env = { ...places.env, TERM: "xterm", PP: places.pp };
    const there = await run(
      call(`"$PP" --version >/dev/null && "$PP" help trust | head -n 3; test -t 1`),
      env,
    );
    assert.equal(there.code, 0, there.stdout);
    const size = await run(call(`"$PP" doctor --json </dev/null >/dev/null 2>&1; stty size >/dev/null`), env);
    assert.equal(size.code, 0, "the terminal is as it was");
  });
});

Deno.test("portable: programs it starts see the environment it was called with", async () => {
  const entry = new URL("../../tools/build/portable_entry.js", import.meta.url).href;
  const code = `await import(${JSON.stringify(entry)}); console.log(JSON.stringify(Deno.env.toObject()))`;
  const set = { DENO_DIR: "/nonexistent/own", DENO_NO_UPDATE_CHECK: "1" };
  const seen = async (env: Readonly<Record<string, string>>) => {
    const { stdout } = await run([Deno.execPath(), "eval", "--no-config", code], { ...set, ...env });
    const all = JSON.parse(stdout) as Record<string, string>;
    return Object.fromEntries(Object.entries(all).filter(([name]) => /DENO_DIR|UPDATE_CHECK/.test(name)));
  };
  assert.deepEqual(await seen({}), {});
  assert.deepEqual(await seen({ PP_OUTER_DENO_DIR: "/outer" }), { DENO_DIR: "/outer" });
  assert.deepEqual(await seen({ PP_OUTER_DENO_NO_UPDATE_CHECK: "0" }), { DENO_NO_UPDATE_CHECK: "0" });
});
