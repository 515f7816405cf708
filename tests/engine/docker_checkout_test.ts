import assert from "node:assert/strict";
import { connectEngine } from "../../src/sandbox/docker/connect.ts";
import { isRunning, removeContainer } from "../../src/sandbox/docker/container.ts";
import { isKeptName } from "../../src/sandbox/docker/labels.ts";
import type { PristineCopy } from "../../src/sandbox/sandbox.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import type { RelativePath } from "../../src/vocabulary/path.ts";
import { directory, file, link, tarOf } from "../contract/tar_of.ts";
import { ENGINE_ENV, engineSandbox, engineSpec, leftovers, NOTHING, TEST_IMAGE, withBase } from "./engine.ts";

const write = (path: string, text: string): FileChange => ({
  kind: "write",
  path: path as RelativePath,
  mode: "100644",
  bytes: new TextEncoder().encode(text),
});
const remove = (path: string): FileChange => ({ kind: "delete", path: path as RelativePath });

async function say(copy: PristineCopy, ...argv: string[]): Promise<string> {
  const result = await copy.exec(argv, { timeoutMs: 20_000, outputBytes: 10_000 });
  assert.equal(result.exitCode, 0, new TextDecoder().decode(result.stderr.head));
  return new TextDecoder().decode(result.stdout.head).trim();
}

Deno.test("docker checkout: directories that are there keep mode and owner, missing ones belong to the user", async () => {
  const tar = tarOf([
    { path: "shut", kind: "directory", mode: 0o711 },
    file("shut/old.txt", "old"),
    directory("real"),
    link("through", "real"),
    link("out", "../../../etc"),
  ]);
  await withBase(engineSpec({ workdir: "/srv/deep/place" }), tar, async (base) => {
    const changes = [
      write("shut/new.txt", "1"),
      write("made/deep/new.txt", "2"),
      write("through/new.txt", "3"),
    ];
    const copy = await base.checkout(changes);
    assert.equal(await say(copy, "stat", "-c", "%a %u:%g", "shut"), "711 1000:1000");
    assert.equal(
      await say(copy, "stat", "-c", "%a %u:%g", "made", "made/deep"),
      "755 1000:1000\n755 1000:1000",
    );
    assert.equal(await say(copy, "stat", "-c", "%a %u:%g", "shut/new.txt"), "644 1000:1000");
    assert.equal(await say(copy, "readlink", "through", "out"), "real\n../../../etc");
    assert.equal(await say(copy, "cat", "real/new.txt"), "3");
    assert.equal(await say(copy, "pwd"), "/srv/deep/place");
    const next = await base.checkout([write("made/other.txt", "4")]);
    assert.equal(await say(next, "stat", "-c", "%a %u:%g", "made"), "755 1000:1000");
  });
});

Deno.test("docker open: the workspace directory is the user's, what is above it is root's", async () => {
  const nothing = async function* () {
    yield await Promise.resolve(new Uint8Array(1024));
  };
  await withBase(engineSpec({ workdir: "/srv/deep/place" }), nothing, async (base) => {
    const copy = await base.checkout([]);
    const owners = await say(copy, "stat", "-c", "%a %u:%g", "/", "/srv", "/srv/deep", ".");
    assert.deepEqual(owners.split("\n"), ["755 0:0", "755 0:0", "755 0:0", "755 1000:1000"]);
  });
});

Deno.test("docker checkout: many deletions at once", async () => {
  const names = Array.from({ length: 2500 }, (_, n) => `d/${"long-name-".repeat(6)}${n}.txt`);
  await withBase(
    engineSpec(),
    tarOf([...names.map((n) => file(n, "")), file("d/stays", "")]),
    async (base) => {
      const copy = await base.checkout(names.map(remove));
      assert.equal(await say(copy, "ls", "d"), "stays");
    },
  );
});

Deno.test("docker checkout: a waiting container that died is not given out", async () => {
  const spec = engineSpec({ parallel: 2 });
  await withBase(spec, tarOf([file("a.txt", "a")]), async (base) => {
    const engine = await connectEngine(ENGINE_ENV, "docker");
    const used = await base.checkout([]);
    await used.discard();
    for (const id of (await leftovers(spec.session)).containers) await removeContainer(engine, id);
    const copy = await base.checkout([]);
    assert.equal(await say(copy, "cat", "a.txt"), "a");
  });
  assert.deepEqual(await leftovers(spec.session), NOTHING);
});

Deno.test("docker checkout: a container ends by itself at the deadline, and the command timed out", async () => {
  const spec = engineSpec({ deadline: Date.now() + 5_000 });
  await withBase(spec, tarOf([]), async (base) => {
    const copy = await base.checkout([]);
    const result = await copy.exec(["sleep", "60"], { timeoutMs: 60_000, outputBytes: 10 });
    assert.equal(result.end, "timed_out");
    assert.ok(Date.now() >= spec.deadline - 100);
  });
});

Deno.test("docker close: keep leaves the last copy, stopped, named and startable, and nothing else", async () => {
  const spec = engineSpec({ keep: true });
  const base = await engineSandbox().open(spec, tarOf([file("a.txt", "kept\n")]));
  for (const name of ["first", "last"]) {
    const copy = await base.checkout([write(`${name}.txt`, name)]);
    await say(copy, "true");
    await copy.discard();
  }
  await base.close();
  const engine = await connectEngine(ENGINE_ENV, "docker");
  const { containers, images } = await leftovers(spec.session);
  try {
    assert.deepEqual([containers.length, images.length], [1, 0]);
    assert.equal(await isRunning(engine, containers[0]!), false);
    const { Name } = await engine.docker.getContainer(containers[0]!).inspect();
    assert.ok(isKeptName(Name));
    assert.equal(base.kept().length, 1);
    const name = Name.slice(1);
    const docker = `docker(?: -H ${engine.host})?`;
    const lines = [`container ${name}`, `${docker} start ${name} && ${docker} exec -it ${name} sh`];
    assert.match(base.kept()[0]!, new RegExp(`^${[...lines, `${docker} rm -f ${name}`].join("\\n")}$`));
    await engine.docker.getContainer(containers[0]!).start();
    assert.equal(await isRunning(engine, containers[0]!), true, "it starts again without its snapshot");
  } finally {
    for (const id of containers) await removeContainer(engine, id);
  }
});

Deno.test("docker checkout: an image without rm is named as the reason", async () => {
  const engine = await connectEngine(ENGINE_ENV, "docker");
  const builder = await engine.docker.createContainer({
    Image: TEST_IMAGE,
    Cmd: ["rm", "/bin/rm"],
    HostConfig: { NetworkMode: "none" },
  });
  let image = "";
  try {
    await builder.start();
    await builder.wait();
    image = (await builder.commit() as { Id: string }).Id;
    await withBase(engineSpec({ image }), tarOf([file("a.txt", "a")]), async (base) => {
      await assert.rejects(base.checkout([remove("a.txt")]), (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.code, "image_unfit");
        assert.match(error.hint ?? "", /rm/);
        return true;
      });
    });
  } finally {
    await removeContainer(engine, builder.id);
    if (image !== "") await engine.docker.getImage(image).remove({ force: true });
  }
});

Deno.test("docker open: the environment names engine, image and runtime", async () => {
  await withBase(engineSpec(), tarOf([]), (base) => {
    const { engine, engineVersion, platform, image, runtime, enforced } = base.environment;
    assert.equal(engine, "docker");
    assert.match(engineVersion, /^\d+\.\d+/);
    assert.match(platform, /^linux\//);
    assert.match(image!.id, /^sha256:[0-9a-f]{64}$/);
    assert.equal(image!.name, TEST_IMAGE);
    assert.notEqual(runtime, "");
    assert.deepEqual(enforced.map((row) => row.limit), [
      "network",
      "cpus",
      "memory",
      "pids",
      "file_size",
      "disk",
      "time",
      "user",
      "capabilities",
      "syscalls",
    ]);
    assert.ok(enforced.every((row) => row.by !== "none"));
    return Promise.resolve();
  });
});
