import { Readable } from "node:stream";
import { Failure, interrupted } from "../../vocabulary/failure.ts";
import type { FileChange } from "../../vocabulary/change.ts";
import { parentsOf, type RelativePath } from "../../vocabulary/path.ts";
import { changeTar, type TarDirectory } from "../change_tar.ts";
import type { Engine } from "./engine.ts";
import { kindOf } from "./read_file.ts";
import type { SandboxUser } from "./limits.ts";

/** An engine that takes nothing for so long has gone. */
const STALL_MS = 120_000;
/** Zeros at the end of a tar. */
const END_BYTES = 1024;

/**
 * Streams a tar into a container's root directory, at the engine's pace.
 * @throws what the source threw; Failure interrupted, `engine_lost`, or `engine_timeout` when nothing moves for long
 */
export async function putTar(
  engine: Engine,
  id: string,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const abort = new AbortController();
  let stop: Failure | null = null;
  let broken: { readonly cause: unknown } | null = null;
  let stalled: ReturnType<typeof setTimeout> | undefined;
  let giveUp: (reason: Failure) => void = () => {};
  const gaveUp = new Promise<never>((_, reject) => {
    giveUp = (reason) => {
      stop ??= reason;
      reject(stop);
      abort.abort();
    };
  });
  gaveUp.catch(() => {});
  const moved = () => {
    clearTimeout(stalled);
    const slow = () =>
      giveUp(
        new Failure("unavailable", "engine_timeout", `nothing moved to ${engine.host} for ${STALL_MS} ms`, {
          hint: "the engine is overloaded or hangs; see its log and `pp doctor`",
        }),
      );
    stalled = setTimeout(slow, STALL_MS);
  };
  const onAbort = () => giveUp(interrupted(signal?.reason));
  const { lost } = engine.life;
  const onLost = () => giveUp(engine.lost("take files"));

  async function* watched() {
    try {
      for await (const chunk of source) {
        if (stop !== null) throw stop;
        moved();
        yield chunk;
      }
    } catch (cause) {
      broken ??= { cause };
      throw cause;
    }
  }

  if (signal?.aborted) throw interrupted(signal.reason);
  if (lost.aborted) throw engine.lost("take files");
  signal?.addEventListener("abort", onAbort, { once: true });
  lost.addEventListener("abort", onLost, { once: true });
  moved();
  const readable = Readable.from(watched(), { objectMode: false });
  // The engine may be done with the stream before the stream knows.
  readable.on("error", () => {});
  try {
    const options = { path: "/", abortSignal: abort.signal };
    await Promise.race([engine.docker.getContainer(id).putArchive(readable, options), gaveUp]);
  } catch (error) {
    if (stop !== null) throw stop;
    if (broken !== null) throw (broken as { cause: unknown }).cause;
    throw engine.failure("stream files in", error);
  } finally {
    clearTimeout(stalled);
    signal?.removeEventListener("abort", onAbort);
    lost.removeEventListener("abort", onLost);
    readable.destroy();
  }
}

const ROOT: SandboxUser = { uid: 0, gid: 0 };

/** What an engine that sets up a network writes into a container without one. */
const HOSTS = {
  kind: "write",
  path: "etc/hosts" as RelativePath,
  mode: "100644",
  bytes: new TextEncoder().encode("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"),
} as const;

/** Gives a container the names of its loopback. The engine hides whatever its image has in that place. */
export async function nameLoopback(engine: Engine, id: string): Promise<void> {
  await putTar(engine, id, changeTar("", [], [HOSTS], ROOT));
}

/**
 * A tar of the workspace directory, owned by the sandbox user, and what is missing above it, owned by root, with the
 * workspace's own tar behind them.
 */
export async function* workspaceTar(
  engine: Engine,
  id: string,
  workdir: string,
  user: SandboxUser,
  content: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const directories: TarDirectory[] = [];
  for (let slash = workdir.indexOf("/", 1); slash > 0; slash = workdir.indexOf("/", slash + 1)) {
    const path = workdir.slice(0, slash);
    if (await isThere(engine, id, path)) continue;
    directories.push({ path, owner: ROOT });
  }
  directories.push({ path: workdir, owner: user });
  const head = Buffer.concat(await Array.fromAsync(changeTar(workdir, directories, [], user)));
  // A tar goes on where the two blocks are that would end it.
  yield head.subarray(0, -END_BYTES);
  yield* content;
}

/**
 * Lays written files into a container. Directories that are missing are made for the sandbox user; those that are
 * there keep their mode and owner.
 * @param known which directories of the base are there; filled here, the same for every copy of a base
 */
export async function putFiles(
  engine: Engine,
  id: string,
  workdir: string,
  changes: readonly FileChange[],
  user: SandboxUser,
  known: Map<string, boolean>,
  signal?: AbortSignal,
): Promise<void> {
  const files = changes.filter((change) => change.kind === "write");
  if (files.length === 0) return;
  const deleted = new Set<string>(changes.filter((c) => c.kind === "delete").map((c) => c.path));
  const directories: TarDirectory[] = [];
  for (const parent of parentsOf(files.map((file) => file.path))) {
    let there = known.get(parent);
    if (there === undefined) {
      there = await isThere(engine, id, `${workdir}/${parent}`);
      // Seen after the deletions of these changes, so only what they did not touch holds for the base.
      if (!deleted.has(parent)) known.set(parent, there);
    }
    if (!there || deleted.has(parent)) directories.push({ path: `${workdir}/${parent}`, owner: user });
  }
  await putTar(engine, id, changeTar(workdir, directories, files, user), signal);
}

/** Whether a path is a directory, or a link (which is never replaced by a directory). */
async function isThere(engine: Engine, id: string, path: string): Promise<boolean> {
  const kind = await kindOf(engine, id, path);
  return kind === "directory" || kind === "link";
}
