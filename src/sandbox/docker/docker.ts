import { randomUUID } from "node:crypto";
import type { Environment } from "../../vocabulary/environment.ts";
import { Failure, interrupted } from "../../vocabulary/failure.ts";
import { DockerBase } from "./base.ts";
import { clientCall, connectEngine, type ContainerRuntime } from "./connect.ts";
import { type ContainerPlan, createContainer, labelled, removeContainer, removeImage } from "./container.ts";
import { CALL_MS, COMMIT_MS, type Engine } from "./engine.ts";
import { putTar, workspaceTar } from "./files.ts";
import { findImage, inspectImage } from "./image.ts";
import { BASE_LABEL, DEADLINE_LABEL, OWNER_LABEL, SESSION_LABEL } from "./labels.ts";
import { type EngineInfo, harden } from "./limits.ts";
import { engineOrphans, reapEngine } from "./reap.ts";
import { thisOwner } from "../owner.ts";
import type { FrozenBase, Orphan, Sandbox, SandboxEnvironment, SandboxSpec, TarSource } from "../sandbox.ts";

export { imageExists, type Probe, probeDocker } from "./connect.ts";

export interface DockerOptions {
  /** Where the engine is: `DOCKER_HOST`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`, `XDG_*`, `HOME`. */
  readonly env: Environment;
  readonly runtime: ContainerRuntime;
  /** Whether `open` removes what killed veripatches left; true when not given. */
  readonly reap?: boolean;
}

/** For clean-up after an abort, all of it. What is not done by then is left to the next start. */
const HURRIED_CLOSE_MS = 15_000;

/** Containers of a Docker-compatible engine as a sandbox. Nothing is connected or loaded before `open`. */
export function dockerSandbox(options: DockerOptions): Sandbox {
  return { backend: "container", open: (spec, tar, signal) => open(options, spec, tar, signal) };
}

/**
 * What killed veripatches left in the engine.
 * @throws Failure unavailable when no engine answers
 */
export async function dockerOrphans(options: DockerOptions): Promise<readonly Orphan[]> {
  return await engineOrphans(await connectEngine(options.env, options.runtime));
}

/**
 * Removes what killed veripatches left in the engine.
 * @returns what was removed
 * @throws Failure unavailable when no engine answers
 */
export async function reapDocker(options: DockerOptions): Promise<readonly Orphan[]> {
  return await reapEngine(await connectEngine(options.env, options.runtime));
}

async function open(
  options: DockerOptions,
  spec: SandboxSpec,
  tar: TarSource,
  signal?: AbortSignal,
): Promise<FrozenBase> {
  if (signal?.aborted) throw interrupted(signal.reason);
  checkWorkdir(spec.workdir);
  const engine = await connectEngine(options.env, options.runtime);
  const letGo = hurryWhenAborted(engine, signal);
  try {
    return await openOn(engine, letGo, options, spec, tar, signal);
  } catch (error) {
    letGo();
    if (signal?.aborted) throw interrupted(signal.reason);
    throw error;
  }
}

/**
 * Whoever interrupts does not wait long for an engine that hangs.
 * @returns ends that, when nothing more is asked of the engine
 */
function hurryWhenAborted(engine: Engine, signal: AbortSignal | undefined): () => void {
  const onAbort = () => {
    engine.life.doubt(true);
    engine.life.endIn(HURRIED_CLOSE_MS);
  };
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal?.removeEventListener("abort", onAbort);
    engine.life.rest();
  };
}

async function openOn(
  engine: Engine,
  letGo: () => void,
  options: DockerOptions,
  spec: SandboxSpec,
  tar: TarSource,
  signal?: AbortSignal,
): Promise<FrozenBase> {
  const stopWhenAborted = () => {
    if (signal?.aborted) throw interrupted(signal.reason);
  };
  const asked = Date.now();
  const [info, version, found] = await Promise.all([
    engine.call("describe itself", CALL_MS, () => engine.docker.info() as Promise<EngineInfo>),
    engine.call("tell its version", CALL_MS, () => engine.docker.version()),
    inspectImage(engine, spec.image),
  ]);
  // An engine behind a socket of this machine has this machine's clock.
  const offset = engine.host.startsWith("unix:") ? 0 : clockOffset(info.SystemTime, asked);
  if (info.OSType !== undefined && info.OSType !== "linux") {
    throw new Failure("unavailable", "engine_unfit", `the engine runs ${info.OSType} containers, not linux`);
  }
  const hardening = harden(spec, info);
  const image = await findImage(engine, spec.image, found, spec.pull, signal);
  const baseId = randomUUID();
  const plan: ContainerPlan = {
    user: hardening.user,
    workdir: spec.workdir,
    deadline: spec.deadline,
    labels: {
      [SESSION_LABEL]: spec.session,
      [OWNER_LABEL]: await thisOwner(),
      [DEADLINE_LABEL]: String(spec.deadline),
      [BASE_LABEL]: baseId,
    },
    hostConfig: { ...hardening.hostConfig, ...coverVolumes(image.volumes, spec.workdir) },
    unnetworked: hardening.unnetworked,
    autoRemove: !spec.keep,
  };
  stopWhenAborted();
  const background = options.reap === false ? Promise.resolve() : reapEngine(engine).catch(() => {});
  try {
    const { snapshot, builder } = await freeze(engine, plan, image.id, tar, signal);
    stopWhenAborted();
    const environment: SandboxEnvironment = {
      backend: "container",
      engine: version.Components?.some((c) => /podman/i.test(c.Name)) ? "podman" : "docker",
      engineVersion: version.Version,
      platform: `${info.OSType ?? version.Os}/${info.Architecture ?? version.Arch}`,
      image: { name: image.name, id: image.id, repoDigests: image.repoDigests },
      runtime: hardening.runtime,
      enforced: hardening.enforced,
    };
    return new DockerBase({
      engine,
      plan,
      session: spec.session,
      baseId,
      snapshot,
      parallel: spec.parallel,
      keep: spec.keep,
      client: clientCall(engine.host, options.env),
      diskBytes: hardening.diskBytes,
      clockOffset: offset,
      environment,
      background,
      builder,
      letGo,
    });
  } catch (error) {
    await sweep(engine, baseId);
    await background;
    throw error;
  }
}

/** Image and workspace, committed once. The container it is made from never starts. */
async function freeze(
  engine: Engine,
  plan: ContainerPlan,
  image: string,
  tar: TarSource,
  signal?: AbortSignal,
): Promise<{ readonly snapshot: string; readonly builder: string }> {
  const builder = await createContainer(engine, plan, image);
  const content = tar({ ...plan.user, prefix: `${plan.workdir.slice(1)}/` });
  await putTar(engine, builder, workspaceTar(engine, builder, plan.workdir, plan.user, content), signal);
  // Never given up half-way: an image the engine makes after we stopped listening would be left behind.
  const frozen = await engine.call(
    "freeze the workspace",
    COMMIT_MS,
    (abortSignal) => engine.docker.getContainer(builder).commit({ abortSignal }),
  );
  return { snapshot: (frozen as { Id: string }).Id, builder };
}

/** Removes everything of a base that never came to be, as far as that is possible. */
async function sweep(engine: Engine, baseId: string): Promise<void> {
  try {
    const left = await labelled(engine, `${BASE_LABEL}=${baseId}`);
    await Promise.all(left.containers.map((id) => removeContainer(engine, id).catch(() => {})));
    await Promise.all(left.images.map((id) => removeImage(engine, id).catch(() => {})));
  } catch {
    // The failure that led here is the one to tell; the next start removes the rest.
  }
}

/**
 * Volumes an image declares would be disk outside every limit and the snapshot: each is covered by memory.
 * @throws Failure unavailable `image_unfit` when the workspace would lie in one
 */
function coverVolumes(volumes: readonly string[], workdir: string): { Tmpfs?: Record<string, string> } {
  const overlaps = volumes.find((volume) =>
    `${workdir}/`.startsWith(`${volume.replace(/\/+$/, "")}/`) || `${volume}/`.startsWith(`${workdir}/`)
  );
  if (overlaps !== undefined) {
    const message = `the image declares ${overlaps} as a volume, and the workspace is to be at ${workdir}`;
    throw new Failure("unavailable", "image_unfit", message, {
      hint: "set sandbox.container_workdir to a path that is in no volume",
    });
  }
  if (volumes.length === 0) return {};
  return { Tmpfs: Object.fromEntries(volumes.map((volume) => [volume, "rw,exec,nosuid,nodev,mode=1777"])) };
}

function checkWorkdir(workdir: string): void {
  const normal = /^(\/[^/]+)+$/.test(workdir) && !workdir.split("/").some((s) => s === "." || s === "..");
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (normal && !/[\u0000-\u001f\u007f]/.test(workdir)) return;
  throw new Failure("denied", "workdir_refused", `${JSON.stringify(workdir)} is no place for a workspace`, {
    hint: "set sandbox.container_workdir to an absolute path below the root, such as /workspace",
  });
}

/** The engine's clock minus ours; its word for now lies between asking and hearing. */
function clockOffset(systemTime: string | undefined, asked: number): number {
  const theirs = Date.parse(systemTime ?? "");
  return Number.isNaN(theirs) ? 0 : Math.round(theirs - (asked + Date.now()) / 2);
}
