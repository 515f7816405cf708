import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import { joinedBytes } from "../vocabulary/joined_bytes.ts";
import type { Proposer, ProposerAnswer } from "./proposer.ts";

const MAX_PATCH_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Proposes the given files in order, one per attempt, as their exact bytes; then none. `-` is standard input and
 * may stand once. At the first attempt all files are looked for, so that a missing one is told before work is
 * spent on the others. What is no regular file is refused, as reading it could wait for ever.
 *
 * @throws Failure usage `patch_missing`, `patch_unreadable`, `patch_stdin_twice`; malformed `patch_too_large`
 *   beyond 16 MiB
 */
export function patchFileProposer(
  paths: readonly string[],
  stdin: () => ReadableStream<Uint8Array> = () => Deno.stdin.readable,
): Proposer {
  if (paths.filter((p) => p === "-").length > 1) {
    throw new Failure("usage", "patch_stdin_twice", "standard input (-) is named as a patch more than once", {
      hint: "name it once",
    });
  }
  let next = 0;
  return {
    name: "patch",
    supply: paths.length,
    async propose(_request, signal): Promise<ProposerAnswer> {
      if (signal.aborted) throw interrupted(signal.reason);
      if (next === 0) await requirePatchFiles(paths);
      const path = paths[next];
      if (path === undefined) {
        const files = paths.length === 1 ? "the patch file was" : `all ${paths.length} patch files were`;
        return { kind: "none", reason: paths.length === 0 ? "no patch file was given" : `${files} tried` };
      }
      next++;
      const bytes = path === "-" ? await readBounded(stdin(), path, signal) : await readFile(path, signal);
      return {
        kind: "proposal",
        diff: new TextDecoder().decode(bytes),
        bytes,
        rationale: "",
        riskNotes: "",
        confidence: null,
        source: path === "-" ? "standard input" : path,
      };
    },
  };
}

/** Looks for every patch file, so that a missing one is told before anything runs. @throws as `patchFileProposer` */
export async function requirePatchFiles(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.filter((p) => p !== "-").map(lookFor));
}

async function lookFor(path: string): Promise<void> {
  const info = await Deno.stat(path).catch(unreadable(path));
  requireRegular(path, info);
  if (info.size > MAX_PATCH_FILE_BYTES) throw tooLarge(path);
}

function tooLarge(path: string): Failure {
  return new Failure("malformed", "patch_too_large", `patch ${path} is larger than 16 MiB`, {
    hint: "give a smaller patch",
  });
}

function requireRegular(path: string, info: { readonly isFile: boolean; readonly isDirectory: boolean }) {
  if (info.isFile) return;
  const what = info.isDirectory ? "a directory" : "no regular file";
  throw new Failure("usage", "patch_unreadable", `patch ${path} is ${what}`, {
    hint: "name a file, or name - and give the patch on standard input",
  });
}

async function readFile(path: string, signal: AbortSignal): Promise<Uint8Array> {
  // What was a file when it was looked for may be a FIFO now; without waiting, that too can be told.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(unreadable(path));
  try {
    const info = await file.stat();
    requireRegular(path, { isFile: info.isFile(), isDirectory: info.isDirectory() });
    return await readBounded(file.readableWebStream() as ReadableStream<Uint8Array>, path, signal);
  } finally {
    // Reading to the end may have closed it already.
    await file.close().catch(() => {});
  }
}

function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    if ((error as { code?: unknown }).code === "ENOENT") {
      throw new Failure("usage", "patch_missing", `patch file ${path} does not exist`, {
        hint: "check the path given to --patch",
        cause: error,
      });
    }
    throw new Failure("usage", "patch_unreadable", `patch file ${path} cannot be read`, {
      hint: "check its permissions",
      cause: error,
    });
  };
}

async function readBounded(
  stream: ReadableStream<Uint8Array>,
  path: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(unreadable(path));
      if (signal.aborted) throw interrupted(signal.reason);
      if (done) break;
      size += value.length;
      if (size > MAX_PATCH_FILE_BYTES) throw tooLarge(path);
      chunks.push(value);
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    await reader.cancel().catch(() => {});
  }
  return joinedBytes(chunks);
}
