import { CALL_MS, CHANGE_MS, type Engine, refusedWith } from "./engine.ts";
import { nameLoopback } from "./files.ts";
import { waitingEntrypoint } from "./inlet.ts";
import type { SandboxUser } from "./limits.ts";
import type { HostConfig } from "./dockerode.ts";

/** What all containers of one base have in common. */
export interface ContainerPlan {
  readonly user: SandboxUser;
  readonly workdir: string;
  /** Epoch milliseconds; the container ends by itself then, unless a command in it stopped its main process. */
  readonly deadline: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostConfig: HostConfig;
  /** The engine sets up no network and writes no `/etc/hosts`, which is laid in before the start. */
  readonly unnetworked: boolean;
  /** Removed by the engine when it ends. */
  readonly autoRemove: boolean;
}

const MOST_SECONDS = 10_000_000;

/**
 * Makes a container and does not start it. Its main process does nothing until the deadline, so that a container whose
 * owner was killed ends by itself. A command runs as the same user and may stop that process (`kill -STOP -1`): such a
 * container lasts until its owner kills it or the next start reaps it. Without capabilities there is no second user.
 * @param waits also waits for changed files on its stdin
 * @returns its id
 */
export async function createContainer(
  engine: Engine,
  plan: ContainerPlan,
  image: string,
  waits = false,
): Promise<string> {
  const seconds = Math.min(MOST_SECONDS, Math.max(1, Math.ceil((plan.deadline - Date.now()) / 1000)));
  const container = await engine.call("create a container", CHANGE_MS, () =>
    engine.docker.createContainer({
      Image: image,
      Entrypoint: waits ? waitingEntrypoint(seconds) : ["sleep", String(seconds)],
      Cmd: [],
      User: `${plan.user.uid}:${plan.user.gid}`,
      WorkingDir: plan.workdir,
      Hostname: "sandbox",
      ...(plan.unnetworked ? { NetworkDisabled: true } : {}),
      ...(waits ? { OpenStdin: true, StdinOnce: true } : {}),
      Env: ["HOME=/tmp", "LANG=C.UTF-8"],
      Labels: { ...plan.labels },
      // An image's own health check would run inside beside the command.
      Healthcheck: { Test: ["NONE"] },
      HostConfig: { ...plan.hostConfig, AutoRemove: plan.autoRemove },
    }));
  return container.id;
}

/** Makes and starts a container; one that cannot start is removed. */
export async function startContainer(engine: Engine, plan: ContainerPlan, image: string): Promise<string> {
  const id = await createContainer(engine, plan, image);
  try {
    if (plan.unnetworked) await nameLoopback(engine, id);
    await engine.call("start a container", CHANGE_MS, () => engine.docker.getContainer(id).start());
    return id;
  } catch (error) {
    await removeContainer(engine, id).catch(() => {});
    throw error;
  }
}

/** Whether a container is there and runs. */
export async function isRunning(engine: Engine, id: string): Promise<boolean> {
  try {
    const state = await engine.call(
      "inspect a container",
      CALL_MS,
      (abortSignal) => engine.docker.getContainer(id).inspect({ abortSignal }),
    );
    return state.State.Running;
  } catch (error) {
    if (refusedWith(error, 404)) return false;
    throw error;
  }
}

/** Kills everything in a container and waits until it is dead. One that is not there or dead already is fine. */
export async function killContainer(engine: Engine, id: string): Promise<void> {
  const container = engine.docker.getContainer(id);
  try {
    await engine.call("kill a container", CHANGE_MS, () => container.kill({ signal: "SIGKILL" }));
    await engine.call("end a container", CHANGE_MS, (abortSignal) => container.wait({ abortSignal }));
  } catch (error) {
    if (!refusedWith(error, 404, 409)) throw error;
  }
}

/** Kills and removes a container with its volumes, and waits until it is gone. One that is gone already is fine. */
export async function removeContainer(engine: Engine, id: string): Promise<void> {
  const container = engine.docker.getContainer(id);
  for (let tries = 1;; tries++) {
    try {
      await engine.call("remove a container", CHANGE_MS, () => container.remove({ force: true, v: true }));
      return;
    } catch (error) {
      if (refusedWith(error, 404)) return;
      // 409: the engine removes it already; 5xx: something in it is still busy.
      if (tries === 8 || !refusedWith(error, 409, 500, 503)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** tries));
    }
  }
}

/** Removes an image and not its unnamed parents, whatever still refers to it. One that is gone already is fine. */
export async function removeImage(engine: Engine, id: string): Promise<void> {
  const image = engine.docker.getImage(id);
  for (let tries = 1;; tries++) {
    try {
      await engine.call("remove an image", CHANGE_MS, () => image.remove({ force: true, noprune: true }));
      return;
    } catch (error) {
      if (refusedWith(error, 404)) return;
      if (tries === 6 || !refusedWith(error, 409, 500, 503)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** tries));
    }
  }
}

/** Ids of containers and images that carry a label. */
export async function labelled(
  engine: Engine,
  label: string,
): Promise<{ readonly containers: readonly string[]; readonly images: readonly string[] }> {
  const filters = { label: [label] };
  const [containers, images] = await Promise.all([
    labelledContainers(engine, label),
    engine.call(
      "list images",
      CALL_MS,
      (abortSignal) => engine.docker.listImages({ filters, abortSignal }),
    ),
  ]);
  return { containers, images: images.map((i) => i.Id) };
}

/** Ids of containers that carry a label, running or not. */
export async function labelledContainers(engine: Engine, label: string): Promise<readonly string[]> {
  const filters = { label: [label] };
  const containers = await engine.call(
    "list containers",
    CALL_MS,
    (abortSignal) => engine.docker.listContainers({ all: true, filters, abortSignal }),
  );
  return containers.map((c) => c.Id);
}
