import { extract, type Header } from "tar-stream";
import { Failure, interrupted } from "../vocabulary/failure.ts";

/** One entry of a workspace tar, its path checked: relative, no empty, `.` or `..` segment, no NUL. */
export type TarItem =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly modified: Date }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number; readonly modified: Date }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

const CLOSING_MS = 2_000;

/**
 * Reads a tar as it arrives and hands each entry to `visit`, one at a time; a file's content is read at the pace
 * `visit` takes it, and skipped when it does not. Nothing but regular files, directories and symbolic links passes.
 * @throws Failure `malformed` `tar_refused` for any other entry or an unsafe path; `interrupted` when the signal
 *   aborts; whatever `source` or `visit` throws
 */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  visit: (item: TarItem, content: AsyncIterable<Uint8Array>) => Promise<void> | void,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted) throw interrupted(signal.reason);
  const parser = extract();
  let failure: unknown = null;
  const fail = (error: unknown) => {
    failure ??= error;
    parser.destroy(error instanceof Error ? error : new Error(String(error)));
  };
  const onAbort = () => fail(interrupted(signal?.reason));
  signal?.addEventListener("abort", onAbort, { once: true });

  const feed = async () => {
    try {
      for await (const chunk of source) {
        if (failure !== null) return;
        if (!parser.write(chunk)) await drained(parser);
      }
      if (failure === null) (parser as unknown as { end(): void }).end();
    } catch (error) {
      fail(error);
    }
  };
  const fed = feed();
  const content = async function* (entry: AsyncIterable<Uint8Array>) {
    try {
      yield* entry;
    } catch (error) {
      throw failure ?? refused(error instanceof Error ? error.message : String(error), error);
    }
  };

  try {
    for await (const entry of parser) {
      try {
        await visit(itemOf(entry.header), content(entry as unknown as AsyncIterable<Uint8Array>));
      } catch (error) {
        fail(error);
        throw error;
      }
      entry.resume();
    }
    await fed;
    if (failure !== null) throw failure;
  } catch (error) {
    fail(refused(error instanceof Error ? error.message : String(error), error));
    await within(fed, CLOSING_MS);
    throw failure;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Gives the source time to close its files; one that hangs is not waited for. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([promise, new Promise<void>((go) => timer = setTimeout(go, ms))]);
  clearTimeout(timer);
}

/** Resolves when the parser wants more, or is done for. */
function drained(parser: ReturnType<typeof extract>): Promise<void> {
  return new Promise((go) => {
    const end = () => {
      parser.off("drain", end);
      parser.off("close", end);
      go();
    };
    parser.on("drain", end);
    parser.on("close", end);
  });
}

function itemOf(header: Header): TarItem {
  const path = safePath(header.name);
  const mode = header.mode ?? 0;
  const modified = header.mtime ?? new Date(0);
  switch (header.type) {
    case "file":
    case "contiguous-file":
      return { kind: "file", path, mode, modified };
    case "directory":
      return { kind: "directory", path, mode, modified };
    case "symlink":
      if (typeof header.linkname !== "string" || header.linkname === "" || header.linkname.includes("\0")) {
        throw refused(`${header.name} is a link to nothing`);
      }
      return { kind: "link", path, target: header.linkname };
    default:
      throw refused(`${header.name} is a ${header.type}; only files, directories and symbolic links go in`);
  }
}

function safePath(name: string): string {
  const path = name.replace(/^\.\//, "").replace(/\/+$/, "");
  const bad = path.includes("\0") || path.split("/").some((s) => s === "" || s === "." || s === "..");
  if (bad) throw refused(`${JSON.stringify(name)} does not stay inside the workspace`);
  return path;
}

function refused(detail: string, cause?: unknown): Failure {
  return new Failure("malformed", "tar_refused", `workspace stream refused: ${detail}`, { cause });
}
