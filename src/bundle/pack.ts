import { createHash } from "node:crypto";
import { lstat, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { padding } from "../tar/canonical.ts";
import { BLOCK, tarHeader } from "../tar/header.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import { comparePaths } from "../vocabulary/path.ts";
import { refusalKind } from "../vocabulary/system_error.ts";
import { fileChunks } from "./chunks.ts";
import { BOUNDS, WORKSPACE_TAR } from "./layout.ts";
import { readBundle } from "./read.ts";
import { unreadableBundle } from "./refused.ts";
import { syncDirectory, writeAll } from "./synced.ts";
import { type Claimed, claimTemporary, removeStaleTemporaries } from "./temporary.ts";

/** The folder that other tools unpack a `.ppb` to. */
export const PPB_ROOT = "proof_bundle/";

interface PackedBundle {
  readonly session: string;
  readonly files: number;
  /** Bytes of the `.ppb`, and their digest. */
  readonly size: number;
  readonly sha256: Sha256;
}

/**
 * Packs the bundle in a folder as one file. The same bundle gives the same bytes: its files only, sorted by name,
 * below `proof_bundle/`, each with mode 0644, owner 0 and the one time of all tars of ours.
 * @param target must not be there, unless `replace`; written under a temporary name, synced, renamed
 * @throws Failure `malformed` for a bundle that does not hold together; `pack_exists`, `pack_not_written`
 */
export async function packBundle(
  folder: string,
  target: (session: string) => string,
  signal?: AbortSignal,
  replace = false,
): Promise<PackedBundle & { readonly path: string }> {
  const read = await readBundle(folder);
  if (!read.ok) throw unreadableBundle(read.refusal);
  const { repro, files, embedded } = read.bundle;
  const path = target(repro.session);
  const names = [...files.keys(), ...(embedded === null ? [] : [WORKSPACE_TAR])].sort(comparePaths);
  const hash = createHash("sha256");
  let size = 0;
  const chunks = async function* () {
    for (const name of names) {
      const length = files.get(name)?.length ?? embedded!.size;
      yield header(name, length);
      if (files.has(name)) yield files.get(name)!;
      else yield* unchanged(`${folder}/${name}`, embedded!.sha256, signal);
      yield new Uint8Array(padding(length));
    }
    yield new Uint8Array(2 * BLOCK);
  };
  const counted = async function* () {
    for await (const chunk of chunks()) {
      if (signal?.aborted) throw interrupted(signal.reason);
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  await writeWhole(path, counted(), replace);
  return { path, session: repro.session, files: names.length, size, sha256: hash.digest("hex") };
}

function header(name: string, size: number): Uint8Array {
  return tarHeader({ kind: "file", name: `${PPB_ROOT}${name}`, mode: 0o644, uid: 0, gid: 0, size });
}

/** A file's bytes again, which must be those that were checked. */
async function* unchanged(path: string, digest: Sha256, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of fileChunks(path, BOUNDS.workspaceBytes, signal)) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest("hex") !== digest) {
    throw new Failure("malformed", "bundle_changed", `${path} changes while it is read`);
  }
}

/**
 * Writes a file whole or not at all.
 * @param replace whether a file that is there already is replaced
 * @throws Failure `usage` `pack_exists` when it is there; `pack_not_written`
 */
export async function writeWhole(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  replace = false,
): Promise<void> {
  if (!replace && await lstat(path).then(() => true, () => false)) throw exists(path);
  const home = dirname(path);
  let claimed: Claimed | null = null;
  try {
    // Not made here: a folder that is missing may be one that is misspelt.
    await lstat(home);
    await removeStaleTemporaries(home);
    claimed = await claimTemporary(home, { mode: 0o700 });
    const temporary = join(claimed.path, "written");
    const handle = await open(temporary, "wx", 0o644);
    try {
      for await (const chunk of chunks) await writeAll(handle, chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncDirectory(home);
  } catch (error) {
    if (error instanceof Failure || !(error instanceof Error) || !("code" in error)) throw error;
    throw notWritten(path, error);
  } finally {
    if (claimed !== null) await rm(claimed.path, { recursive: true, force: true }).catch(() => {});
    claimed?.lock.close();
  }
}

/** What it means that something stands where a file or folder is to be written. */
export function exists(path: string): Failure {
  return new Failure("usage", "pack_exists", `there is a file or folder already: ${path}`, {
    hint: "name another place with -o, or --force to replace it",
  });
}

/** What it means that the system did not take a file or folder. */
export function notWritten(path: string, cause: Error): Failure {
  return new Failure(refusalKind(cause), "pack_not_written", `cannot write ${path}: ${cause.message}`, {
    hint: "name a place that can be written, with space left, by -o",
    cause,
  });
}
