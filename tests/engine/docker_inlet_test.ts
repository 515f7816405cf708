import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connectEngine } from "../../src/sandbox/docker/connect.ts";
import { isRunning, removeContainer } from "../../src/sandbox/docker/container.ts";
import { fitsInlet } from "../../src/sandbox/docker/inlet.ts";
import type { PristineCopy } from "../../src/sandbox/sandbox.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import type { RelativePath } from "../../src/vocabulary/path.ts";
import { file, tarOf } from "../contract/tar_of.ts";
import { ENGINE_ENV, engineSpec, leftovers, NOTHING, TEST_IMAGE, withBase } from "./engine.ts";

const MIB = 1024 ** 2;

function write(path: string, content: string | Uint8Array, mode: "100644" | "100755" = "100644"): FileChange {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { kind: "write", path: path as RelativePath, mode, bytes };
}

function remove(path: string): FileChange {
  return { kind: "delete", path: path as RelativePath };
}

async function say(copy: PristineCopy, ...argv: string[]): Promise<string> {
  const result = await copy.exec(argv, { timeoutMs: 60_000, outputBytes: 100_000 });
  assert.equal(result.exitCode, 0, new TextDecoder().decode(result.stderr.head));
  return new TextDecoder().decode(result.stdout.head);
}

/** An image made from the test image by one command and Dockerfile words, removed afterwards. */
async function withImage(argv: string[], changes: string, body: (image: string) => Promise<void>) {
  const engine = await connectEngine(ENGINE_ENV, "docker");
  const builder = await engine.docker.createContainer({
    Image: TEST_IMAGE,
    Cmd: argv,
    HostConfig: { NetworkMode: "none" },
  });
  let image = "";
  try {
    await builder.start();
    await builder.wait();
    image = (await builder.commit(changes === "" ? {} : { changes }) as { Id: string }).Id;
    await body(image);
  } finally {
    await removeContainer(engine, builder.id);
    if (image !== "") await engine.docker.getImage(image).remove({ force: true });
  }
}

for (const [what, path] of [["shell", "/bin/sh"], ["tar", "/bin/tar"], ["head", "/usr/bin/head"]] as const) {
  Deno.test(`docker checkout: an image without ${what} has its files laid by the engine`, async () => {
    await withImage(["rm", path], "", async (image) => {
      const spec = engineSpec({ image, parallel: 2 });
      await withBase(spec, tarOf([file("a.txt", "a"), file("b.txt", "b")]), async (base) => {
        for (const fresh of [false, false, true]) {
          const changes = [write("a.txt", "changed"), write("d/run", "x", "100755"), remove("b.txt")];
          const copy = await base.checkout(changes, { fresh });
          assert.equal(await say(copy, "cat", "a.txt"), "changed");
          assert.equal(
            await say(copy, "stat", "-c", "%a %u:%g", "d", "d/run"),
            "755 1000:1000\n755 1000:1000\n",
          );
          assert.equal(await say(copy, "ls"), "a.txt\nd\n");
          await copy.discard();
        }
        assert.equal(await say(await base.checkout([]), "cat", "a.txt", "b.txt"), "ab");
      });
      assert.deepEqual(await leftovers(spec.session), NOTHING);
    });
  });
}

Deno.test("docker checkout: the environment of an image does not change how files are laid", async () => {
  const changes = "ENV TAR_OPTIONS=--exclude=a.txt LC_ALL=C POSIXLY_CORRECT=1";
  await withImage(["true"], changes, async (image) => {
    await withBase(engineSpec({ image }), tarOf([file("a.txt", "a")]), async (base) => {
      const copy = await base.checkout([write("a.txt", "changed"), write("é.txt", "e")]);
      assert.equal(await say(copy, "cat", "a.txt", "é.txt"), "changede");
    });
  });
});

const PLAIN_ODD = [
  "-rf",
  "--",
  "a b ",
  "$(touch made)",
  "`touch made`",
  "'q\"",
  "*",
  "?[x]",
  "back\\slash",
  "-x/-y",
];
const ENGINE_ODD = ["new\nline", "tab\there", "snow☃", `${"deep/".repeat(30)}long`];

for (const [way, names] of [["plain", PLAIN_ODD], ["other", ENGINE_ODD]] as const) {
  Deno.test(`docker checkout: odd ${way} names are written and deleted as they are, and nothing else`, async () => {
    for (const name of names) assert.equal(fitsInlet([write(name, "")]), way === "plain", name);
    const stays = file("made.not", "stays");
    const old = names.map((name) => file(`old/${name}`, "old"));
    await withBase(engineSpec(), tarOf([stays, ...old]), async (base) => {
      const changes = names.flatMap((name) => [write(`new/${name}`, name), remove(`old/${name}`)]);
      const copy = await base.checkout(changes);
      const found = (await say(copy, "find", ".", "-type", "f", "-print0")).split("\0").filter((p) =>
        p !== ""
      );
      assert.deepEqual(found.sort(), ["./made.not", ...names.map((name) => `./new/${name}`)].sort());
      for (const name of names) assert.equal(await say(copy, "cat", `./new/${name}`), name);
    });
  });
}

Deno.test("docker checkout: modes hold whatever was there; a file replaces a link and a directory left empty", async () => {
  const before = tarOf([
    file("was_run", "x", 0o755),
    file("was_open", "x", 0o666),
    { path: "link", kind: "link", target: "/etc/hostname" },
    file("dir/only", "x"),
    file("up", "x"),
  ]);
  await withBase(engineSpec(), before, async (base) => {
    const copy = await base.checkout([
      write("was_run", "1"),
      write("was_open", "1", "100755"),
      write("link", "1"),
      remove("dir/only"),
      write("dir", "1"),
      remove("up"),
      write("up/deep/er", "1", "100755"),
    ]);
    const modes = await say(
      copy,
      "stat",
      "-c",
      "%n %A %u",
      "was_run",
      "was_open",
      "link",
      "dir",
      "up",
      "up/deep/er",
    );
    assert.deepEqual(modes.trim().split("\n"), [
      "was_run -rw-r--r-- 1000",
      "was_open -rwxr-xr-x 1000",
      "link -rw-r--r-- 1000",
      "dir -rw-r--r-- 1000",
      "up drwxr-xr-x 1000",
      "up/deep/er -rwxr-xr-x 1000",
    ]);
  });
});

Deno.test("docker checkout: what a container cannot lay by itself the engine lays", async () => {
  const spec = engineSpec({ limits: { ...engineSpec().limits, fileBytes: MIB } });
  const shut = tarOf([{ path: "shut", kind: "directory", mode: 0o555 }, file("a.txt", "a")]);
  for (const changes of [[write("shut/new", "in")], [write("large", new Uint8Array(2 * MIB))]]) {
    await withBase(spec, shut, async (base) => {
      for (let round = 0; round < 2; round++) {
        const copy = await base.checkout(changes);
        const size = await say(copy, "stat", "-c", "%s", changes[0]!.path);
        assert.equal(Number(size), changes[0]!.kind === "write" ? changes[0]!.bytes.length : -1);
        assert.equal(await say(copy, "stat", "-c", "%a", "shut"), "555\n");
      }
    });
  }
  assert.deepEqual(await leftovers(spec.session), NOTHING);
});

Deno.test("docker checkout: a large file and many files arrive whole", async () => {
  const large = new Uint8Array(20 * MIB).map((_, i) => (i * 7 + (i >>> 9)) & 255);
  const many = Array.from({ length: 3000 }, (_, n) => write(`many/${n % 50}/${n}`, `${n}`));
  await withBase(engineSpec(), tarOf([]), async (base) => {
    const copy = await base.checkout([write("large", large), ...many, write("last", "")]);
    const sum = await say(copy, "sha256sum", "large");
    assert.equal(sum.split(" ")[0], createHash("sha256").update(large).digest("hex"));
    assert.equal(
      await say(copy, "sh", "-c", "find many -type f | wc -l; cat many/7/*7 | wc -c; wc -c < last"),
      [
        "3000",
        String(
          many.filter((c) => /^many\/7\/\d*7$/.test(c.path)).reduce((n, c) => n + c.path.slice(7).length, 0),
        ),
        "0\n",
      ].join("\n"),
    );
  });
});

Deno.test("docker checkout: aborted while files go in, nothing hangs and nothing is left", async () => {
  const large = write("large", new Uint8Array(40 * MIB));
  for (const after of [0, 5, 30, 80]) {
    const spec = engineSpec();
    await withBase(spec, tarOf([file("a.txt", "a")]), async (base) => {
      await (await base.checkout([])).discard();
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), after);
      const began = Date.now();
      try {
        await base.checkout([large], { signal: abort.signal });
      } catch (error) {
        assert.ok(error instanceof Failure && error.kind === "interrupted", String(error));
      }
      clearTimeout(timer);
      assert.ok(Date.now() - began < 15_000);
      assert.equal(await say(await base.checkout([write("a.txt", "b")]), "cat", "a.txt"), "b");
    });
    assert.deepEqual(await leftovers(spec.session), NOTHING, `aborted after ${after} ms`);
  }
});

/** The two of a pool, running, with a moment for their inlets to say that they are ready. */
async function bothReady(session: string): Promise<readonly string[]> {
  const engine = await connectEngine(ENGINE_ENV, "docker");
  for (const end = Date.now() + 30_000;;) {
    const { containers } = await leftovers(session);
    const running = await Promise.all(containers.map((id) => isRunning(engine, id)));
    if (running.length === 2 && !running.includes(false)) break;
    assert.ok(Date.now() < end, "the pool was never refilled");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return (await leftovers(session)).containers;
}

Deno.test("docker checkout: a container killed while it waits is replaced, noticed or not", async () => {
  const spec = engineSpec({ parallel: 2 });
  await withBase(spec, tarOf([file("a.txt", "a")]), async (base) => {
    const engine = await connectEngine(ENGINE_ENV, "docker");
    for (const heard of [0, 1_000]) {
      await (await base.checkout([write("a.txt", "x")])).discard();
      const waiting = await bothReady(spec.session);
      await Promise.all(waiting.map((id) => engine.docker.getContainer(id).kill()));
      await new Promise((resolve) => setTimeout(resolve, heard));
      const copy = await base.checkout([write("a.txt", "b")]);
      assert.equal(await say(copy, "cat", "a.txt"), "b");
      await copy.discard();
    }
  });
  assert.deepEqual(await leftovers(spec.session), NOTHING);
});

Deno.test("docker checkout: nothing of the waiting is left for a command to see or use", async () => {
  await withBase(engineSpec(), tarOf([file("a.txt", "a")]), async (base) => {
    for (const changes of [[], [write("a.txt", "b")]]) {
      const copy = await base.checkout(changes);
      const ids = (await say(copy, "sh", "-c", "echo /proc/[0-9]*/cmdline; exec sleep 0.2")).match(/\d+/g) ??
        [];
      const argvs = new Map<string, string>();
      for (const id of ids) {
        const { stdout } = await copy.exec(["cat", `/proc/${id}/cmdline`], {
          timeoutMs: 20_000,
          outputBytes: 9_999,
        });
        const argv = new TextDecoder().decode(stdout.head).replaceAll("\0", " ").trim();
        if (argv !== "") argvs.set(argv.replace(/\d+$/, "N"), id);
      }
      assert.deepEqual([...argvs.keys()].sort(), ["/sbin/docker-init -- sh -s N", "sleep N"]);
      const links = await say(copy, "sh", "-c", `readlink /proc/${argvs.get("sleep N")}/fd/*`);
      assert.equal(links, "/dev/null\n".repeat(3));
    }
  });
});
