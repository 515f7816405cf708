import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { connectEngine } from "../../../src/sandbox/docker/connect.ts";
import { removeContainer } from "../../../src/sandbox/docker/container.ts";
import { dockerOrphans, reapDocker } from "../../../src/sandbox/docker/docker.ts";
import { engineOrphans } from "../../../src/sandbox/docker/reap.ts";
import { file, tarOf } from "../../contract/tar_of.ts";
import { ENGINE_ENV, engineSandbox, engineSpec, leftovers, NOTHING, TEST_IMAGE } from "../engine.ts";

const TAR = tarOf([file("a.txt", "a\n")]);
const OPTIONS = { env: ENGINE_ENV, runtime: "docker" } as const;

Deno.test("docker open: removes what a SIGKILLed session left, and nothing of a living one", async () => {
  const killed = `test-${randomUUID()}`;
  const living = engineSpec();
  const alive = await engineSandbox().open(living, TAR);
  try {
    const { child, ended } = await holder(killed);
    const left = await leftovers(killed);
    assert.ok(left.containers.length >= 1 && left.images.length === 1, JSON.stringify(left));
    assert.deepEqual((await orphansOf(killed)).length, 0, "a living process has no orphans");
    child.kill("SIGKILL");
    await ended;

    const orphans = await orphansOf(killed);
    assert.deepEqual(
      orphans.map((o) => o.id).sort(),
      [...left.containers, ...left.images].sort(),
    );
    assert.ok(orphans.every((o) => !Number.isNaN(Date.parse(o.createdAt))));

    const before = await leftovers(living.session);
    const spec = engineSpec();
    const base = await engineSandbox(ENGINE_ENV, true).open(spec, TAR);
    await base.close();
    assert.deepEqual(await leftovers(killed), NOTHING);
    assert.deepEqual(await leftovers(living.session), before);
    const copy = await alive.checkout([]);
    assert.equal((await copy.exec(["cat", "a.txt"], { timeoutMs: 10_000, outputBytes: 10 })).exitCode, 0);
    await copy.discard();
  } finally {
    await alive.close();
    await reapDocker(OPTIONS);
  }
});

Deno.test("engineOrphans: what is from elsewhere is an orphan a minute after its deadline, kept things never", async () => {
  const engine = await connectEngine(ENGINE_ENV, "docker");
  const session = `test-${randomUUID()}`;
  const deadline = Date.now();
  const make = async (name?: string) => {
    const container = await engine.docker.createContainer({
      ...(name === undefined ? {} : { name }),
      Image: TEST_IMAGE,
      Cmd: ["true"],
      HostConfig: { NetworkMode: "none" },
      Labels: {
        "veripatch.session": session,
        "veripatch.owner": "v1:00000000-0000-0000-0000-000000000000:1:1:1",
        "veripatch.deadline": String(deadline),
      },
    });
    return container.id;
  };
  const plain = await make();
  const kept = await make(`veripatch-kept-${session}`);
  try {
    const at = async (now: number) =>
      (await engineOrphans(engine, now)).filter((o) => o.session === session).map((o) => o.id);
    assert.deepEqual(await at(deadline + 59_000), []);
    assert.deepEqual(await at(deadline + 61_000), [plain]);
  } finally {
    await Promise.all([plain, kept].map((id) => removeContainer(engine, id)));
  }
});

async function orphansOf(session: string) {
  return (await dockerOrphans(OPTIONS)).filter((orphan) => orphan.session === session);
}

/** A process of its own that holds an open base with a command running in it. */
async function holder(session: string): Promise<{ child: ChildProcess; ended: Promise<unknown> }> {
  const script = fileURLToPath(new URL("../hold_base.ts", import.meta.url));
  const child = spawn(Deno.execPath(), ["run", "-A", "-q", script, session], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once("data", () => resolve());
    child.on("exit", (code) => reject(new Error(`the holder ended with ${code}`)));
  });
  // The command starts a moment after the word.
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { child, ended };
}
