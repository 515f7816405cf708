import type { Readable } from "node:stream";
import { Failure } from "../../vocabulary/failure.ts";
import type { RelativePath } from "../../vocabulary/path.ts";
import { readTar } from "../tar_reader.ts";
import { CALL_MS, type Engine, refusedWith } from "./engine.ts";

/** Go's bits for what is no regular file, in the mode an engine reports. */
const GO_DIRECTORY = 2 ** 31;
const GO_LINK = 2 ** 27;
/** Device, named pipe, socket, character device, irregular. */
const GO_SPECIAL = 2 ** 26 + 2 ** 25 + 2 ** 24 + 2 ** 21 + 2 ** 19;
/** Headers and padding of a tar around one file. */
const TAR_OVERHEAD = 64 * 1024;

/** What stands at an absolute path of a container, links not followed at its end; null when nothing does. */
export async function kindOf(
  engine: Engine,
  id: string,
  path: string,
): Promise<"file" | "directory" | "link" | "special" | null> {
  try {
    const answer = await engine.call(
      "look at a path",
      CALL_MS,
      (abortSignal) => engine.docker.getContainer(id).infoArchive({ path, abortSignal }),
    ) as {
      headers: Record<string, string | undefined>;
      resume(): void;
    };
    answer.resume();
    const stat = answer.headers["x-docker-container-path-stat"] ?? "";
    const { mode, linkTarget } = JSON.parse(Buffer.from(stat, "base64").toString("utf8"));
    const has = (bits: number) => (BigInt(Number(mode)) & BigInt(bits)) !== 0n;
    if (linkTarget || has(GO_LINK)) return "link";
    return has(GO_DIRECTORY) ? "directory" : has(GO_SPECIAL) ? "special" : "file";
  } catch (error) {
    if (refusedWith(error, 404)) return null;
    throw error instanceof Failure ? error : engine.failure("look at a path", error);
  }
}

/** Ends the reading of an archive; never leaves this file. */
class Enough extends Error {}

/**
 * A regular file below a container's working directory, running or not, as `PristineCopy.read` gives it. The archive is
 * the engine's; whatever else than one file stands in it counts as none, and no more of it is read than was asked for.
 */
export async function readFile(
  engine: Engine,
  id: string,
  workdir: string,
  path: RelativePath,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const segments = path.split("/");
  for (let n = 1; n <= segments.length; n++) {
    const kind = await kindOf(engine, id, `${workdir}/${segments.slice(0, n).join("/")}`);
    if (kind !== (n === segments.length ? "file" : "directory")) return null;
  }
  let stream: Readable;
  try {
    stream = await engine.call(
      "read a file",
      CALL_MS,
      (abortSignal) => engine.docker.getContainer(id).getArchive({ path: `${workdir}/${path}`, abortSignal }),
    ) as unknown as Readable;
  } catch (error) {
    if (refusedWith(error, 404)) return null;
    throw error;
  }
  let stop: Failure | null = null;
  const giveUp = (reason: Failure) => {
    stop ??= reason;
    stream.destroy(reason);
  };
  const timer = setTimeout(
    () => giveUp(engine.failure("read a file", new Error("it takes too long"))),
    CALL_MS,
  );
  const onLost = () => giveUp(engine.lost("read a file"));
  engine.life.lost.addEventListener("abort", onLost, { once: true });
  stream.on("error", () => {});
  try {
    return await firstFile(stream as AsyncIterable<Uint8Array>, maxBytes);
  } catch (error) {
    if (stop !== null) throw stop;
    if (error instanceof Failure && error.code === "tar_refused") return null;
    throw engine.failure("read a file", error);
  } finally {
    clearTimeout(timer);
    engine.life.lost.removeEventListener("abort", onLost);
    stream.destroy();
  }
}

/**
 * The first entry of a hostile tar if it is a regular file, cut to one byte past the bound; null for any other entry.
 * @throws Failure `tar_refused` for what is no tar, or not one that can be read within the bound
 */
export async function firstFile(
  tar: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let found = false;
  try {
    await readTar(bounded(tar, maxBytes + 1 + TAR_OVERHEAD), async (item, content) => {
      if (item.kind !== "file") throw new Enough();
      found = true;
      for await (const chunk of content) {
        const left = maxBytes + 1 - size;
        chunks.push(chunk.length > left ? chunk.slice(0, left) : chunk);
        size += Math.min(chunk.length, left);
        if (size > maxBytes) break;
      }
      throw new Enough();
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  return found ? new Uint8Array(Buffer.concat(chunks)) : null;
}

/** An archive that never comes to its file, or to its end, is not waited for. */
async function* bounded(source: AsyncIterable<Uint8Array>, most: number): AsyncIterable<Uint8Array> {
  let seen = 0;
  for await (const chunk of source) {
    yield chunk;
    seen += chunk.length;
    if (seen > most) return;
  }
}
