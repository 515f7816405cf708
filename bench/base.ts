import { dockerSandbox } from "../src/sandbox/docker/docker.ts";
import type { FrozenBase, SandboxSpec } from "../src/sandbox/sandbox.ts";
import { directoryWorkspace } from "../src/workspace/directory.ts";
import { newSessionId } from "../src/bundle/session_id.ts";
import { EXAMPLES_IMAGE } from "../tools/image.ts";

/** A spec with the product's defaults. */
export function benchSpec(parallel: number): SandboxSpec {
  return {
    session: newSessionId(new Date(), crypto.getRandomValues(new Uint8Array(8))),
    image: EXAMPLES_IMAGE,
    workdir: "/workspace",
    user: "65534:65534",
    runtime: null,
    network: "deny",
    limits: { cpus: null, memoryBytes: null, pids: null, fileBytes: null, diskBytes: null },
    deadline: Date.now() + 3_600_000,
    parallel,
    pull: false,
    keep: false,
  };
}

/** A folder frozen in the engine, as a session does it. */
export async function freeze(directory: string, host: string, parallel: number): Promise<FrozenBase> {
  const workspace = await directoryWorkspace(directory);
  const sandbox = dockerSandbox({ env: { ...Deno.env.toObject(), DOCKER_HOST: host }, runtime: "docker" });
  return await sandbox.open(benchSpec(parallel), (options) => workspace.tar(options));
}

/** A folder with one small pytest, removed afterwards. */
export async function withSmallProject<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "veripatch-bench-" });
  try {
    await Deno.writeTextFile(`${directory}/test_one.py`, "def test_one():\n    assert 1 + 1 == 2\n");
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

export const PYTEST = ["python3", "-m", "pytest", "-q", "-p", "no:cacheprovider"] as const;

/** What runs a command on that folder in a container of its own, as people do; the command comes after. */
export function dockerRun(directory: string): readonly string[] {
  const mount = `${directory}:/workspace:ro`;
  return [
    ...["docker", "run", "--rm", "--network", "none", "-v", mount, "-w", "/workspace"],
    EXAMPLES_IMAGE,
  ];
}
