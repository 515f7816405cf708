import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import { refusalKind } from "../vocabulary/system_error.ts";

const CHUNK = 256 * 1024;

/**
 * A regular file in chunks, fresh memory each.
 * @throws Failure `malformed` `bundle_too_large` past `most` bytes, `bundle_special_file` for what is no regular file;
 *   `unavailable` `bundle_unreadable`; `interrupted`
 */
export async function* fileChunks(
  path: string,
  most: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let handle: FileHandle | undefined;
  try {
    // What was a file a moment ago may be a link or a pipe now.
    handle = await open(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Failure("malformed", "bundle_special_file", `${path} is no regular file`);
    if (stat.size > most) {
      throw new Failure("malformed", "bundle_too_large", `${path} has more than ${most} bytes`);
    }
    for (let total = 0;;) {
      if (signal?.aborted) throw interrupted(signal.reason);
      const buffer = new Uint8Array(CHUNK);
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) break;
      total += bytesRead;
      if (total > stat.size) {
        throw new Failure("malformed", "bundle_changed", `${path} grows while it is read`);
      }
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    if (error instanceof Failure || !(error instanceof Error) || !("code" in error)) throw error;
    throw new Failure(refusalKind(error), "bundle_unreadable", `cannot read ${path}: ${error.message}`, {
      cause: error,
    });
  } finally {
    await handle?.close();
  }
}
