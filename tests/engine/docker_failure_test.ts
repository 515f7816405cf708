import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageExists, probeDocker } from "../../src/sandbox/docker/docker.ts";
import type { FrozenBase, SandboxLimits, SandboxSpec } from "../../src/sandbox/sandbox.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { file, tarOf } from "../contract/tar_of.ts";
import { ENGINE_ENV, engineSandbox, engineSpec, leftovers, NOTHING, TEST_IMAGE } from "./engine.ts";
import { proxyEngine } from "./engine_proxy.ts";

const TAR = tarOf([file("a.txt", "a\n")]);
const RUN = { timeoutMs: 30_000, outputBytes: 1000 };

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "did not fail" });
}

Deno.test("docker open: an image that is not there is image_missing, with what to do", async () => {
  const spec = engineSpec({ image: "veripatch-no-such-image:1" });
  const failure = await failureOf(engineSandbox().open(spec, TAR));
  assert.deepEqual([failure.kind, failure.code], ["unavailable", "image_missing"]);
  assert.match(failure.message, /veripatch-no-such-image:1/);
  assert.match(failure.hint ?? "", /docker pull.*--pull.*--image/);
  assert.equal(await imageExists(ENGINE_ENV, "docker", spec.image), false);
  assert.equal(await imageExists(ENGINE_ENV, "docker", TEST_IMAGE), true);
});

Deno.test("docker open: an image that cannot be pulled is image_pull_failed", async () => {
  const spec = engineSpec({ image: "127.0.0.1:9/veripatch-no-such-image:1", pull: true });
  assert.equal((await failureOf(engineSandbox().open(spec, TAR))).code, "image_pull_failed");
});

Deno.test("docker open: no engine is engine_unavailable, naming what was tried", async () => {
  const directory = await mkdtemp(join(tmpdir(), "veripatch-test-"));
  try {
    for (
      const [host, why] of [
        [`unix://${directory}/docker.sock`, /docker\.sock: /],
        ["tcp://127.0.0.1:9", /127\.0\.0\.1:9: /],
        ["ssh://somewhere", /ssh addresses are not supported/],
        ["unix://", /not an address/],
      ] as const
    ) {
      const failure = await failureOf(engineSandbox({ DOCKER_HOST: host }).open(engineSpec(), TAR));
      assert.deepEqual([failure.kind, failure.code], ["unavailable", "engine_unavailable"]);
      assert.match(failure.details.join("\n"), why);
      const probe = await probeDocker({ DOCKER_HOST: host }, "docker");
      assert.equal(probe.reachable, false);
      assert.equal(probe.host, host);
      assert.match(probe.error ?? "", why);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
  const probe = await probeDocker(ENGINE_ENV, "docker");
  assert.equal(probe.reachable, true);
  assert.equal(probe.os, "linux");
  assert.match(probe.version ?? "", /^\d+\./);
});

Deno.test("docker open: an engine that accepts and never answers is given up", async () => {
  const mute = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of mute) held.push(connection);
  })();
  try {
    const began = Date.now();
    const host = `tcp://127.0.0.1:${(mute.addr as Deno.NetAddr).port}`;
    const failure = await failureOf(engineSandbox({ DOCKER_HOST: host }).open(engineSpec(), TAR));
    assert.equal(failure.code, "engine_unavailable");
    assert.ok(Date.now() - began < 10_000);
  } finally {
    mute.close();
    await accepting;
    for (const connection of held) connection.close();
  }
});

const NO_LIMITS: SandboxLimits = {
  cpus: null,
  memoryBytes: null,
  pids: null,
  fileBytes: null,
  diskBytes: null,
};
const REFUSED: readonly [string, Partial<SandboxSpec>, string][] = [
  ["more CPUs than there are", { limits: { ...NO_LIMITS, cpus: 4096 } }, "cannot_enforce"],
  ["root", { user: "0:0" }, "user_is_root"],
  ["a user by name", { user: "root" }, "user_not_numeric"],
  ["an unknown runtime", { runtime: "veripatch-no-such-runtime" }, "runtime_missing"],
  ["the root directory as workspace", { workdir: "/" }, "workdir_refused"],
];
for (const [what, changes, code] of REFUSED) {
  Deno.test(`docker open: ${what} is refused before anything is made`, async () => {
    const spec = engineSpec(changes);
    assert.equal((await failureOf(engineSandbox().open(spec, TAR))).code, code);
    assert.deepEqual(await leftovers(spec.session), NOTHING);
  });
}

Deno.test("docker open: aborted at any moment leaves nothing", async () => {
  // Connecting, creating, streaming, committing: one moment of each, whatever the speed of the engine.
  for (const after of [5, 40, 80, 130, 180, 250, 330]) {
    const spec = engineSpec();
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), after);
    const opened = engineSandbox().open(spec, TAR, abort.signal);
    try {
      await (await opened).close();
    } catch (error) {
      assert.ok(error instanceof Failure && error.kind === "interrupted", String(error));
    } finally {
      clearTimeout(timer);
    }
    assert.deepEqual(await leftovers(spec.session), NOTHING, `aborted after ${after} ms`);
  }
});

Deno.test("docker checkout: aborted at any moment, then closed, leaves nothing", async () => {
  for (const after of [0, 30, 150]) {
    const spec = engineSpec();
    const base = await engineSandbox().open(spec, TAR);
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), after);
    const checkouts = [true, false].map((fresh) => base.checkout([], { fresh, signal: abort.signal }));
    for (const outcome of await Promise.allSettled(checkouts)) {
      if (outcome.status === "rejected") assert.equal((outcome.reason as Failure).kind, "interrupted");
    }
    clearTimeout(timer);
    await base.close();
    assert.deepEqual(await leftovers(spec.session), NOTHING, `aborted after ${after} ms`);
  }
});

Deno.test("docker close: right after open, while the pool is being made, leaves nothing", async () => {
  const spec = engineSpec({ parallel: 3 });
  const base = await engineSandbox().open(spec, TAR);
  const late = base.checkout([]);
  late.catch(() => {});
  await Promise.all([base.close(), base.close()]);
  await assert.rejects(late);
  assert.deepEqual(await leftovers(spec.session), NOTHING);
});

Deno.test("docker exec: an engine that dies in the middle is engine_lost at once, and close returns", async () => {
  const spec = engineSpec({ deadline: Date.now() + 20_000 });
  const proxy = await proxyEngine();
  const base = await engineSandbox({ DOCKER_HOST: `tcp://127.0.0.1:${proxy.port}` }).open(spec, TAR);
  try {
    const copy = await base.checkout([]);
    const running = failureOf(copy.exec(["sh", "-c", "echo begun; sleep 60"], RUN));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const cut = Date.now();
    await proxy.cut();
    const failure = await running;
    assert.deepEqual([failure.kind, failure.code], ["unavailable", "engine_lost"]);
    assert.equal((await failureOf(base.checkout([]))).kind, "unavailable");
    await base.close();
    assert.ok(Date.now() - cut < 5_000, `took ${Date.now() - cut} ms`);
  } finally {
    await base.close();
    await removeAll(spec.session);
  }
});

/** Runs a body on an engine that a test can make hang. Afterwards nothing is left in the real one. */
async function withHangingEngine(
  body: (
    open: (signal?: AbortSignal) => Promise<FrozenBase>,
    hang: () => void,
    hangAfter: (calls: number) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  const spec = engineSpec({ deadline: Date.now() + 90_000, parallel: 2 });
  const proxy = await proxyEngine();
  const sandbox = engineSandbox({ DOCKER_HOST: `tcp://127.0.0.1:${proxy.port}` });
  try {
    await body((signal) => sandbox.open(spec, TAR, signal), proxy.hang, proxy.hangAfter);
  } finally {
    await proxy.cut();
    await removeAll(spec.session);
  }
}

const moment = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("docker exec: an engine that hangs and an interrupt: all ends soon, as interrupted", async () => {
  await withHangingEngine(async (open, hang) => {
    const abort = new AbortController();
    const base = await open(abort.signal);
    const copy = await base.checkout([]);
    const running = failureOf(copy.exec(["sleep", "60"], { ...RUN, signal: abort.signal }));
    await moment(500);
    hang();
    await moment(300);
    const began = Date.now();
    const late = failureOf(base.checkout([], { fresh: true, signal: abort.signal }));
    abort.abort();
    assert.equal((await running).kind, "interrupted");
    assert.equal((await late).kind, "interrupted");
    await base.close();
    assert.ok(Date.now() - began < 18_000, `took ${Date.now() - began} ms`);
  });
});

Deno.test("docker open: an engine that hangs half-way and an interrupt: all ends soon, as interrupted", async () => {
  // Each call has a connection of its own: asking who it is, making the container, streaming in. Most of it is waiting.
  await Promise.all([2, 4, 6].map((calls) =>
    withHangingEngine(async (open, _hang, hangAfter) => {
      const abort = new AbortController();
      const hanging = hangAfter(calls);
      const failed = failureOf(open(abort.signal));
      failed.catch(() => {});
      await hanging;
      const began = Date.now();
      abort.abort();
      assert.equal((await failed).kind, "interrupted");
      assert.ok(Date.now() - began < 18_000, `took ${Date.now() - began} ms`);
    })
  ));
});

Deno.test("docker exec: an engine that hangs under a silent command is engine_lost, and close is quick", async () => {
  await withHangingEngine(async (open, hang) => {
    const base = await open();
    const copy = await base.checkout([]);
    const running = failureOf(copy.exec(["sleep", "80"], { ...RUN, timeoutMs: 80_000 }));
    await moment(500);
    hang();
    const began = Date.now();
    const failure = await running;
    assert.deepEqual([failure.kind, failure.code], ["unavailable", "engine_lost"]);
    assert.ok(Date.now() - began < 40_000, `took ${Date.now() - began} ms`);
    const closing = Date.now();
    await base.close();
    assert.ok(Date.now() - closing < 8_000, `took ${Date.now() - closing} ms`);
  });
});

Deno.test("docker open: an engine that dies while the workspace streams in is engine_lost", async () => {
  const spec = engineSpec();
  const proxy = await proxyEngine();
  let sent = 0;
  const chunk = (_offset: number, length: number) => {
    if (++sent === 20) proxy.cut();
    return new Uint8Array(length);
  };
  const endless = tarOf([{ path: "big", kind: "pattern", size: 2 ** 33, chunk }]);
  try {
    const env = { DOCKER_HOST: `tcp://127.0.0.1:${proxy.port}` };
    const failure = await failureOf(engineSandbox(env).open(spec, endless));
    assert.deepEqual([failure.kind, failure.code], ["unavailable", "engine_lost"]);
  } finally {
    await removeAll(spec.session);
  }
});

/** What the lost engine could not be asked to remove. */
async function removeAll(session: string): Promise<void> {
  const { connectEngine } = await import("../../src/sandbox/docker/connect.ts");
  const { removeContainer, removeImage } = await import("../../src/sandbox/docker/container.ts");
  const engine = await connectEngine(ENGINE_ENV, "docker");
  const left = await leftovers(session);
  for (const id of left.containers) await removeContainer(engine, id);
  for (const id of left.images) await removeImage(engine, id);
}
