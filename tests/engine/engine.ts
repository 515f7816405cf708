import { randomUUID } from "node:crypto";
import { connectEngine } from "../../src/sandbox/docker/connect.ts";
import { labelled } from "../../src/sandbox/docker/container.ts";
import { SESSION_LABEL } from "../../src/sandbox/docker/labels.ts";
import { dockerSandbox } from "../../src/sandbox/docker/docker.ts";
import type { FrozenBase, Sandbox, SandboxSpec } from "../../src/sandbox/sandbox.ts";

/** Where the real engine of the tests is, and the image they run in (python3, coreutils, sh). */
export const ENGINE_ENV: Readonly<Record<string, string | undefined>> = Deno.env.toObject();
export const TEST_IMAGE = Deno.env.get("PP_TEST_IMAGE") ?? "veripatch-examples:1";
export const WORKDIR = "/workspace";

/** A spec nobody else uses, denied the network and with small limits. */
export function engineSpec(changes: Partial<SandboxSpec> = {}): SandboxSpec {
  return {
    session: `test-${randomUUID()}`,
    image: TEST_IMAGE,
    workdir: WORKDIR,
    user: "1000:1000",
    runtime: null,
    network: "deny",
    limits: { cpus: null, memoryBytes: 512 * 1024 ** 2, pids: 128, fileBytes: null, diskBytes: null },
    deadline: Date.now() + 10 * 60_000,
    parallel: 1,
    pull: false,
    keep: false,
    ...changes,
  };
}

export function engineSandbox(env = ENGINE_ENV, reap = false): Sandbox {
  return dockerSandbox({ env, runtime: "docker", reap });
}

/** What a session has in the engine right now. */
export async function leftovers(
  session: string,
): Promise<{ readonly containers: readonly string[]; readonly images: readonly string[] }> {
  return await labelled(await connectEngine(ENGINE_ENV, "docker"), `${SESSION_LABEL}=${session}`);
}

export const NOTHING = { containers: [], images: [] };

/** Runs a body on an opened base and closes it whatever happens. */
export async function withBase(
  spec: SandboxSpec,
  tar: Parameters<Sandbox["open"]>[1],
  body: (base: FrozenBase) => Promise<void>,
): Promise<void> {
  const base = await engineSandbox().open(spec, tar);
  try {
    await body(base);
  } finally {
    await base.close();
  }
}
