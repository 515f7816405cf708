import type { Policy } from "../../policy/policy.ts";
import type { BackendName, Sandbox } from "../../sandbox/sandbox.ts";
import type { CheckoutState } from "../../vocabulary/checkout.ts";
import type { Environment } from "../../vocabulary/environment.ts";

/** The sandbox of a session. */
export interface SandboxChosen {
  readonly sandbox: Sandbox;
  /** Why commands run on this host and not in a container, although the policy left it open; else null. */
  readonly fallback: string | null;
}

/**
 * The sandbox a policy asks for.
 * @param container whether only a container will do, whatever the policy says
 * @param pull whether a missing image counts as one that can be had
 * @throws Failure `unavailable` naming what is missing when no backend can be used
 */
export async function wireSandbox(
  policy: Policy,
  checkout: () => Promise<CheckoutState>,
  container: boolean,
  pull: boolean,
  env: Environment,
): Promise<SandboxChosen> {
  const asked = container ? "container" : policy.sandbox.backend;
  const { backend, why } = asked === "auto"
    ? await chooseBackend(policy, checkout, pull, env)
    : { backend: asked, why: null };
  const fallback = backend === "container" ? null : why;
  return { sandbox: await sandboxOf(backend, policy, checkout, env), fallback };
}

/**
 * What `auto` comes to. A container is the only choice for who names an engine or asks for limits that only a container
 * can hold: then what is missing is an error, never a weaker sandbox.
 */
async function chooseBackend(
  policy: Policy,
  checkout: () => Promise<CheckoutState>,
  pull: boolean,
  env: Environment,
) {
  const { selectBackend } = await import("../../sandbox/select.ts");
  const { Failure } = await import("../../vocabulary/failure.ts");
  const { imageExists, probeDocker } = await import("../../sandbox/docker/connect.ts");
  const { container_runtime: runtime, container_image: image } = policy.sandbox;
  if (pull || (env.DOCKER_HOST ?? "") !== "" || onlyContainersHold(policy)) {
    return { backend: "container" as const, why: "the policy or the call needs a container" };
  }
  const engine = await probeDocker(env, runtime);
  const imageThere = engine.reachable && await imageExists(env, runtime, image);
  const choice = selectBackend("auto", {
    engineReachable: engine.reachable,
    imageThere,
    image,
    // Only asked when there is no container: both cost a process.
    bubblewrapWorks: imageThere ? false : (await wireHostProbe()).works,
    gitClean: imageThere ? false : (await checkout()).state === "clean",
  });
  if (choice instanceof Failure) throw choice;
  return choice;
}

/** Whether a policy asks for limits that the host backends cannot enforce. */
export function onlyContainersHold({ limits, sandbox }: Policy): boolean {
  return containerLimits({ limits, sandbox }).length > 0;
}

/** The keys of a policy's limits that the host backends cannot enforce. */
export function containerLimits({ limits, sandbox }: Pick<Policy, "limits" | "sandbox">): readonly string[] {
  const { cpu_limit, memory_limit, runtime } = sandbox;
  const { pids, disk_bytes } = limits;
  const asked = { cpu_limit, memory_limit, runtime, pids, disk_bytes };
  return Object.entries(asked).filter(([, limit]) => limit !== null).map(([key]) => key);
}

/** Why the backend git_worktree would not take a folder; null when it would. */
export async function wireCheckoutProbe(root: string) {
  const { directoryWorkspace } = await import("../../workspace/directory.ts");
  const { requireClean } = await import("../../sandbox/bubblewrap/clean_checkout.ts");
  const { Failure } = await import("../../vocabulary/failure.ts");
  try {
    requireClean(await (await directoryWorkspace(root, { artifactsDir: ".pp-artifacts" })).checkout());
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** Whether the host backends can be used. */
export async function wireHostProbe() {
  const { probeBubblewrap } = await import("../../sandbox/bubblewrap/probe.ts");
  return await probeBubblewrap();
}

async function sandboxOf(
  backend: Exclude<BackendName, "fake">,
  policy: Policy,
  checkout: () => Promise<CheckoutState>,
  env: Environment,
): Promise<Sandbox> {
  if (backend === "container") {
    const { dockerSandbox } = await import("../../sandbox/docker/docker.ts");
    return dockerSandbox({ env, runtime: policy.sandbox.container_runtime });
  }
  const { bubblewrapSandbox } = await import("../../sandbox/bubblewrap/bubblewrap.ts");
  return bubblewrapSandbox({ kind: backend, checkout });
}

/** Facts about the engine for `pp doctor`. */
export async function wireEngineProbe(policy: Policy, env: Environment) {
  const { imageExists, probeDocker } = await import("../../sandbox/docker/connect.ts");
  const { container_runtime: runtime, container_image: image } = policy.sandbox;
  const engine = await probeDocker(env, runtime);
  return { engine, imageThere: engine.reachable && await imageExists(env, runtime, image) };
}

/** What killed sessions left behind, by backend. */
export async function wireOrphans(policy: Policy, engineReachable: boolean, env: Environment) {
  const { directoryOrphans } = await import("../../sandbox/bubblewrap/host_directories.ts");
  const { dockerOrphans } = await import("../../sandbox/docker/docker.ts");
  const found = [...await directoryOrphans()];
  if (engineReachable) found.push(...await dockerOrphans({ env, runtime: policy.sandbox.container_runtime }));
  return found;
}
