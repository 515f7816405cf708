import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { setImmediate } from "node:timers";
import { basename, dirname, join, resolve } from "node:path";
import { padding } from "../../tar/canonical.ts";
import { BLOCK, tarHeader } from "../../tar/header.ts";
import { Failure, interrupted } from "../../vocabulary/failure.ts";
import type { ManifestEntry } from "../../vocabulary/manifest.ts";
import { printablePath } from "../../vocabulary/printable.ts";
import { errorCode, refusalKind } from "../../vocabulary/system_error.ts";
import { syncDirectories, syncFiles } from "../folder/durable.ts";
import type { TarPlacement } from "../../vocabulary/tar_placement.ts";
import type { Blobs, Store, Version } from "../store.ts";
import { flatten, treeSource } from "./tree.ts";

export interface ExportOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (files: number, of: number) => void;
}

/** Entries of a version, checked against the digests they are named by. */
export function entriesOf(store: Store, version: Version): ManifestEntry[] {
  return store.records.read((rows) => flatten(version.root, treeSource((digest) => rows.tree(digest))));
}

/**
 * Writes a version's files to a new folder, or to one that is empty, whole or not at all: to a private folder beside it,
 * checked, synced, renamed. Nothing outside of that folder is touched; links are made last and none is followed.
 * @throws Failure `export_not_empty` (usage), `export_not_written`, `blob_missing`, `blob_corrupt` …; nothing is left then
 */
export async function exportToFolder(
  store: Store,
  version: Version,
  target: string,
  options: ExportOptions,
): Promise<void> {
  const at = resolve(target);
  refuseOccupied(at, target);
  const entries = entriesOf(store, version);
  const home = dirname(at);
  const temporary = join(home, `.${basename(at)}.${randomBytes(6).toString("hex")}.tmp`);
  const pace = new Pace(options, entries.length);
  try {
    mkdirSync(temporary, { mode: 0o700 });
    const directories = [temporary], files: string[] = [];
    for (const { path, mode } of entries) {
      if (mode !== "040000") continue;
      mkdirSync(join(temporary, path), { mode: 0o777 });
      directories.push(join(temporary, path));
    }
    for (const { path, mode, sha256 } of entries) {
      if (!mode.startsWith("100")) continue;
      const file = join(temporary, path);
      writeFile(file, store.blobs.chunks(sha256), mode === "100755" ? 0o777 : 0o666);
      files.push(file);
      await pace.step();
    }
    for (const { path, mode, target: leads } of entries) {
      if (mode === "120000") symlinkSync(leads!, join(temporary, path));
    }
    syncFiles(temporary, files);
    syncDirectories(temporary, directories);
    // As a folder that is made plainly, by what the umask leaves.
    chmodSync(temporary, 0o777 & ~(Deno.umask()));
    renameSync(temporary, at);
    syncDirectories(home, [home]);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw asFailure(error, target);
  }
}

function refuseOccupied(at: string, target: string): void {
  let names: string[];
  try {
    // A link, or a file, in its place is no folder.
    names = Deno.lstatSync(at).isDirectory ? readdirSync(at) : ["."];
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw asFailure(error, target);
  }
  if (names.length === 0) return;
  throw new Failure(
    "usage",
    "export_not_empty",
    `${printablePath(target)} is there already, and not empty`,
    {
      hint: "name a new folder, or an empty one",
    },
  );
}

function writeFile(path: string, chunks: Iterable<Uint8Array>, mode: number): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  const fd = openSync(path, flags, mode);
  try {
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done, chunk.length - done, null);
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * A version as a tar: the same version gives the same bytes. Entries sorted by path, owner 0, modes 0644, 0755 and, of
 * links, 0777, one fixed time.
 */
export async function* versionTar(
  store: Store,
  version: Version,
  options: ExportOptions,
): AsyncGenerator<Uint8Array> {
  yield* entriesTar(store.blobs, entriesOf(store, version), { uid: 0, gid: 0, prefix: "" }, options);
}

const TAR_CHUNK = 1 << 20;

/**
 * Entries of a stored tree as a tar, in chunks of about 1 MiB.
 * @throws Failure `blob_missing`, `blob_corrupt`, `tree_corrupt` (malformed)
 */
export async function* entriesTar(
  blobs: Blobs,
  entries: readonly ManifestEntry[],
  { uid, gid, prefix }: TarPlacement,
  options: ExportOptions,
): AsyncGenerator<Uint8Array> {
  const pace = new Pace(options, entries.length);
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  const put = (piece: Uint8Array) => {
    waiting.push(piece);
    bytes += piece.length;
  };
  const top = prefix.replace(/\/+$/, "");
  if (top !== "") put(tarHeader({ kind: "directory", name: top, mode: 0o755, uid, gid, size: 0 }));
  for (const { path, mode, size, sha256, target } of entries) {
    const place = { name: `${prefix}${path}`, uid, gid };
    if (mode === "040000") put(tarHeader({ kind: "directory", mode: 0o755, size: 0, ...place }));
    else if (mode === "120000") {
      put(tarHeader({ kind: "link", mode: 0o777, size: 0, target: target!, ...place }));
    } else {
      put(tarHeader({ kind: "file", mode: mode === "100755" ? 0o755 : 0o644, size, ...place }));
      let sent = 0;
      for (const chunk of blobs.chunks(sha256)) {
        sent += chunk.length;
        put(chunk);
        if (bytes < TAR_CHUNK) continue;
        yield Buffer.concat(waiting);
        [waiting, bytes] = [[], 0];
      }
      if (sent !== size) {
        throw new Failure("malformed", "tree_corrupt", `${printablePath(path)} has another size`);
      }
      put(Buffer.alloc(padding(size)));
    }
    await pace.step();
  }
  put(Buffer.alloc(2 * BLOCK));
  yield Buffer.concat(waiting);
}

/** Lets others have their turn now and then, tells how far it is, and stops when asked to. */
class Pace {
  #done = 0;
  #last = performance.now();

  constructor(readonly options: ExportOptions, readonly of: number) {}

  async step(): Promise<void> {
    this.#done++;
    if (performance.now() - this.#last < 50) return;
    this.options.progress?.(this.#done, this.of);
    await new Promise((resume) => setImmediate(resume));
    if (this.options.signal?.aborted) throw interrupted(this.options.signal.reason);
    this.#last = performance.now();
  }
}

function asFailure(error: unknown, target: string): unknown {
  const code = errorCode(error);
  if (error instanceof Failure || code === "") return error;
  const why = error instanceof Error ? error.message : String(error);
  return new Failure(
    refusalKind(error),
    "export_not_written",
    `cannot write ${printablePath(target)}: ${why}`,
    {
      hint: "name a place that can be written, with space left",
      cause: error,
    },
  );
}
