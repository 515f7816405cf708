import { openHostile } from "../bundle/hostile_file.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { errorCode, refusalKind } from "../vocabulary/system_error.ts";

const KEY_HINT = "a key is a file, env:NAME for a variable or - for stdin; pp keygen makes one";

interface BoundedFile {
  readonly bytes: Uint8Array;
  /** Permission bits of the very file that was read; null where there are none. */
  readonly mode: number | null;
}

/**
 * Reads a regular file of at most `limit` bytes.
 * @param what said of it, such as `key file`
 * @throws Failure `file_missing` (usage), `file_unreadable` (by `refusalKind`; denied for what is no file), `file_too_large` (malformed)
 */
export async function readBoundedFile(path: string, limit: number, what: string): Promise<BoundedFile> {
  const shown = printablePath(path);
  try {
    // Links are followed, as secrets are mounted by them; a FIFO, also one that is put there now, is not waited for.
    using file = await openHostile(path, true);
    if (!file.isFile) throw new Error("not a regular file");
    const bytes = await readBounded({ read: async (buffer) => await file.read(buffer) || null }, limit);
    if (bytes !== null) return { bytes, mode: file.mode };
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") {
      throw new Failure("usage", "file_missing", `there is no ${what} ${shown}`, {
        hint: what === "key file" ? KEY_HINT : "check the name, and the folder you stand in",
      });
    }
    const why = error instanceof Error ? error.message : String(error);
    const kind = errorCode(error) === "" ? "denied" : refusalKind(error);
    throw new Failure(kind, "file_unreadable", `cannot read the ${what} ${shown}: ${why}`, {
      hint: "check that it is a regular file and that its permissions let you read it",
      cause: error,
    });
  }
  throw new Failure("malformed", "file_too_large", `the ${what} ${shown} is larger than ${limit} bytes`);
}

let stdinTaken = false;

/**
 * Reads all of standard input, which can be done once in a call.
 * @param what said of it, such as `patch`
 * @throws Failure `stdin_twice` (usage), `file_too_large` (malformed)
 */
export async function readStdin(
  limit: number,
  what: string,
  hint = "give the others as files",
): Promise<Uint8Array> {
  if (stdinTaken) {
    throw new Failure("usage", "stdin_twice", "only one thing can be read from stdin (-)", { hint });
  }
  stdinTaken = true;
  const bytes = await readBounded(Deno.stdin, limit);
  if (bytes !== null) return bytes;
  throw new Failure("malformed", "file_too_large", `the ${what} on stdin is larger than ${limit} bytes`);
}

/** Reads a regular file, or standard input for `-`; limits and errors are those of both. */
export async function readFileOrStdin(path: string, limit: number, what: string): Promise<Uint8Array> {
  return path === "-" ? await readStdin(limit, what) : (await readBoundedFile(path, limit, what)).bytes;
}

/** All of a stream, or null when it has more than `limit` bytes. */
async function readBounded(
  stream: { read(buffer: Uint8Array): Promise<number | null> },
  limit: number,
): Promise<Uint8Array | null> {
  const buffer = new Uint8Array(limit + 1);
  for (let length = 0; length < buffer.length;) {
    const n = await stream.read(buffer.subarray(length));
    if (n === null) return buffer.slice(0, length);
    length += n;
  }
  return null;
}
