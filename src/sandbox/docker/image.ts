import { Failure, interrupted } from "../../vocabulary/failure.ts";
import { CALL_MS, type Engine, refusedWith } from "./engine.ts";
import type { ImageInspectInfo } from "./dockerode.ts";

/** An image as the engine holds it. */
export interface EngineImage {
  readonly name: string;
  readonly id: string;
  readonly repoDigests: readonly string[];
  /** Paths the image declares as volumes. */
  readonly volumes: readonly string[];
}

/** A pull without a sign of life for so long has failed. */
const PULL_STALL_MS = 120_000;

/**
 * An image that was looked up, fetched when it was not there and that is asked for.
 * @throws Failure unavailable `image_missing`, `image_pull_failed`, `image_unfit`; interrupted
 */
export async function findImage(
  engine: Engine,
  name: string,
  found: EngineImage | null,
  pull: boolean,
  signal?: AbortSignal,
): Promise<EngineImage> {
  if (found !== null) return found;
  if (pull) {
    await pullImage(engine, name, signal);
    const pulled = await inspectImage(engine, name);
    if (pulled !== null) return pulled;
  }
  throw new Failure("unavailable", "image_missing", `the engine at ${engine.host} has no image ${name}`, {
    hint:
      `fetch it with \`docker pull ${name}\` or \`--pull\`, load it with \`docker load\`, or name another with ` +
      "--image or in sandbox.container_image",
  });
}

/**
 * An image as the engine holds it; null when it holds none of that name.
 * @throws Failure unavailable, `image_unfit` when it is not for linux
 */
export async function inspectImage(engine: Engine, name: string): Promise<EngineImage | null> {
  let image: ImageInspectInfo;
  try {
    image = await engine.call(
      "look for an image",
      CALL_MS,
      (abortSignal) => engine.docker.getImage(name).inspect({ abortSignal } as object),
    );
  } catch (error) {
    if (refusedWith(error, 400, 404)) return null;
    throw error;
  }
  if (image.Os !== "" && image.Os !== "linux") {
    throw new Failure("unavailable", "image_unfit", `image ${name} is for ${image.Os}, not for linux`);
  }
  return {
    name,
    id: image.Id,
    repoDigests: image.RepoDigests ?? [],
    volumes: Object.keys(image.Config?.Volumes ?? {}),
  };
}

async function pullImage(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  const failed = (why: string, cause?: unknown) =>
    new Failure("unavailable", "image_pull_failed", `cannot pull ${name}: ${why}`, {
      cause,
      hint:
        "load the image by hand with `docker load`, or name another with --image or in sandbox.container_image",
    });
  const abort = new AbortController();
  let stalled = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const moved = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      stalled = true;
      abort.abort();
    }, PULL_STALL_MS);
  };
  const onAbort = () => abort.abort();
  signal?.addEventListener("abort", onAbort, { once: true });
  moved();
  try {
    if (signal?.aborted) throw interrupted(signal.reason);
    const progress = await engine.docker.pull(name, { abortSignal: abort.signal });
    let line = "";
    for await (const chunk of progress) {
      moved();
      // Each line is a JSON object; only an error matters, and no line of use is longer.
      line = (line + String(chunk)).slice(-65_536);
      const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
      if (error !== undefined) throw failed(error);
    }
  } catch (error) {
    if (signal?.aborted) throw interrupted(signal.reason);
    if (error instanceof Failure) throw error;
    throw failed(
      stalled ? "nothing moved for a long time" : String((error as Error)?.message ?? error),
      error,
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
