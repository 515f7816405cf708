import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { setImmediate } from "node:timers";
import { type Sha256, sha256 } from "../../vocabulary/digest.ts";
import { interrupted } from "../../vocabulary/failure.ts";
import { manifestDigest, type ManifestEntry } from "../../vocabulary/manifest.ts";
import { errorCode } from "../../vocabulary/system_error.ts";
import { openFile } from "../../workspace/directory_handles.ts";
import { ioFailed, unreadable, workspaceChanged } from "../../workspace/problems.ts";
import { buildTrees } from "../artifact/tree.ts";
import type { Blobs, BlobWriter } from "../store.ts";
import { DirectoryCursor } from "./directory_cursor.ts";
import { type Scan, type ScannedEntry, scanWorkspace } from "./scan.ts";
import { loadStatCache, saveStatCache } from "./stat_cache.ts";
import { sameWords, STAT_WORDS, type Stater, stater } from "./stat_words.ts";

/** Files up to this size are read whole. */
const WHOLE = 8 << 20;
const CHUNK = 1 << 20;
const EMPTY = sha256("");
/** What is as well read, or listed, again the next time. */
const FEW = 8, FEW_BYTES = 4 << 20;
/** A cache that names blobs the store does not have may come to light this often, then everything is read. */
const MAX_ROUNDS = 4;

export interface SnapshotOptions {
  readonly blobs: Blobs;
  /** Whether a tree is in the store with all it refers to. */
  readonly knownTree: (digest: Sha256) => boolean;
  /** Paths inside the workspace that are none of its own. */
  readonly leftOut: ReadonlySet<string>;
  /** The folder of the store, for what is remembered of workspaces. */
  readonly store: string;
  readonly signal?: AbortSignal;
  /** Shown each file of at most 8 MiB that is read; the bytes are only lent. */
  readonly look?: (path: string, bytes: Uint8Array) => void;
  /** Told now and then, and at the end. */
  readonly progress?: (done: SnapshotProgress) => void;
}

export interface SnapshotProgress {
  readonly files: number;
  readonly bytes: number;
  /** Null while they are still looked for. */
  readonly ofFiles: number | null;
  readonly ofBytes: number;
}

/** A workspace whose bytes are all in the store. */
export interface Snapshot {
  readonly root: Sha256;
  /** Made when asked for: a workspace that did not change needs none. */
  manifest(): Sha256;
  readonly files: number;
  readonly bytes: number;
  /** Files that were read, and files that look as they did when they were. */
  readonly read: number;
  readonly known: number;
  /** Tree objects the store does not have yet. */
  readonly trees: readonly (readonly [Sha256, Uint8Array])[];
  /** Remembers what was read, for the next time; call it when the version is there. */
  remember(): void;
}

/**
 * Puts every file of a workspace into the store, without reading those that look as they did the last time. Nothing may
 * remove blobs meanwhile. Each file is as it was when it was looked at first; a file that changes while it is read is an
 * error.
 * @param root absolute, without links
 * @throws Failure as `walkTree`; `workspace_changed`, `unreadable`
 */
export async function snapshotWorkspace(root: string, options: SnapshotOptions): Promise<Snapshot> {
  const scannedAt = Date.now();
  options.progress?.({ files: 0, bytes: 0, ofFiles: null, ofBytes: 0 });
  const cached = loadStatCache(options.store, root);
  const scan = await scanWorkspace(root, options.leftOut, cached, options.signal);
  const digests = scan.entries.map((entry) => entry.kind === "file" ? entry.known : null);
  const writer = options.blobs.writer();
  const reader = new Reader(root, scan, digests, writer, options);
  // The store may have lost, to gc, what the cache remembers.
  const settled = [...scan.settled.values()].every(options.knownTree)
    ? scan.settled
    : new Map<string, Sha256>();
  const outside = placesOutside(settled, scan.entries);
  const unsettled = outside.filter((i) => scan.entries[i]!.kind === "file");
  const build = () => buildTrees(outside.map((i) => manifestEntry(scan.entries[i]!, digests[i]!)), settled);
  try {
    await reader.read(unsettled.filter((i) => digests[i] === null));
    let built = build();
    let fresh = [...built.trees].filter(([digest]) => !options.knownTree(digest));
    for (let round = 1; fresh.length > 0; round++) {
      // A tree the store has is there with its blobs; of others, each blob has to be looked for.
      const directories = new Set(fresh.map(([, { path }]) => path));
      const missing = unsettled.filter((i) => {
        if (!directories.has(parentOf(scan.entries[i]!.path))) return false;
        return round === MAX_ROUNDS || !reader.did.has(i) && !options.blobs.has(digests[i]!);
      });
      if (missing.length === 0 || round > MAX_ROUNDS) break;
      await reader.read(missing);
      built = build();
      fresh = [...built.trees].filter(([digest]) => !options.knownTree(digest));
    }
    writer.flush();
    let files = 0, regular = 0, bytes = 0;
    for (const entry of scan.entries) {
      if (entry.kind !== "directory") files++;
      if (entry.kind !== "file") continue;
      regular++;
      bytes += entry.size;
    }
    return {
      root: built.root,
      manifest: () => manifestDigest(scan.entries.map((entry, i) => manifestEntry(entry, digests[i]!))),
      files,
      bytes,
      read: reader.did.size,
      known: regular - reader.did.size,
      trees: fresh.map(([digest, { body }]) => [digest, body] as const),
      remember: () => {
        // A few files are read again sooner than all are written down.
        if (
          cached === null || reader.bytes > FEW_BYTES || reader.did.size + scan.listed > FEW + regular / 200
        ) {
          saveStatCache(options.store, root, scan, digests, built.digests, scannedAt);
        }
      },
    };
  } finally {
    writer.discard();
  }
}

/** Places of the entries that are in none of some directories. */
function placesOutside(settled: ReadonlyMap<string, Sha256>, entries: readonly ScannedEntry[]): number[] {
  const found: number[] = [];
  // Entries of one directory follow each other mostly.
  let parent: string | null = null, inside = false;
  for (const [i, { path }] of entries.entries()) {
    const slash = path.lastIndexOf("/");
    if (parent === null || slash !== parent.length || !path.startsWith(parent)) {
      parent = path.slice(0, Math.max(0, slash));
      inside = settled.has(parent);
      if (slash < 0) parent = null;
    }
    if (!inside) found.push(i);
  }
  return found;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** @param digest of a file */
function manifestEntry(entry: ScannedEntry, digest: Sha256): ManifestEntry {
  const { path } = entry;
  switch (entry.kind) {
    case "directory":
      return { path, mode: "040000", size: 0, sha256: EMPTY };
    case "link": {
      const { target } = entry;
      return { path, mode: "120000", size: Buffer.byteLength(target), sha256: sha256(target), target };
    }
    case "file":
      return { path, mode: entry.executable ? "100755" : "100644", size: entry.size, sha256: digest };
  }
}

/** Reads files of a scan into the store; fills in their digests. */
class Reader {
  /** Places of the files that were read. */
  readonly did = new Set<number>();
  readonly #buffer = new Uint8Array(WHOLE);
  readonly #now = new Uint32Array(STAT_WORDS);
  readonly #stater: Stater;
  bytes = 0;
  #lastPause = performance.now();

  constructor(
    readonly root: string,
    readonly scan: Scan,
    readonly digests: (Sha256 | null)[],
    readonly writer: BlobWriter,
    readonly options: SnapshotOptions,
  ) {
    this.#stater = stater(root);
  }

  async read(places: readonly number[]): Promise<void> {
    if (places.length === 0) return;
    const cursor = new DirectoryCursor(this.root);
    const ofFiles = this.did.size + places.length;
    const ofBytes = places.reduce((sum, i) => sum + this.#entry(i).size, this.bytes);
    const tell = () => this.options.progress?.({ files: this.did.size, bytes: this.bytes, ofFiles, ofBytes });
    try {
      for (const i of places) {
        const entry = this.#entry(i);
        this.digests[i] = this.#one(cursor, entry);
        this.did.add(i);
        this.bytes += entry.size;
        if (performance.now() - this.#lastPause < 50) continue;
        tell();
        await new Promise((resume) => setImmediate(resume));
        if (this.options.signal?.aborted) throw interrupted(this.options.signal.reason);
        this.#lastPause = performance.now();
      }
      tell();
    } finally {
      cursor.close();
    }
  }

  #entry(i: number): ScannedEntry & { kind: "file" } {
    const entry = this.scan.entries[i]!;
    if (entry.kind !== "file") throw new TypeError("only files are read");
    return entry;
  }

  #one(cursor: DirectoryCursor, entry: ScannedEntry & { kind: "file" }): Sha256 {
    const { path, size } = entry;
    let fd: number;
    try {
      fd = openFile(cursor.at(path));
    } catch (error) {
      const code = errorCode(error);
      if (code === "EACCES" || code === "EPERM") throw unreadable([path]);
      throw workspaceChanged([path], "a file changed while the workspace was read", error);
    }
    try {
      if (size > WHOLE) {
        const digest = this.writer.putChunks(this.#checked(fd, entry));
        return digest;
      }
      const bytes = this.#buffer.subarray(0, size);
      if (fill(fd, bytes) < size || !this.#asScanned(fd, entry)) throw this.#changed(path);
      const digest = createHash("sha256").update(bytes).digest("hex");
      this.writer.put(bytes, digest);
      this.options.look?.(path, bytes);
      return digest;
    } catch (error) {
      // What the store throws is a failure already, or an error of its own disk.
      throw errorCode(error) === "EIO" ? ioFailed(path, error) : error;
    } finally {
      closeSync(fd);
    }
  }

  *#checked(fd: number, entry: ScannedEntry & { kind: "file" }): Iterable<Uint8Array> {
    for (let left = entry.size; left > 0;) {
      const chunk = new Uint8Array(Math.min(left, CHUNK));
      if (fill(fd, chunk) < chunk.length) throw this.#changed(entry.path);
      left -= chunk.length;
      if (left === 0 && !this.#asScanned(fd, entry)) throw this.#changed(entry.path);
      yield chunk;
    }
  }

  /** Whether what is open is the file that was looked at, and has not changed since. */
  #asScanned(fd: number, entry: ScannedEntry & { kind: "file" }): boolean {
    return this.#stater.statOpen(fd, this.#now, 0) && sameWords(this.#now, 0, this.scan.words, entry.at);
  }

  #changed(path: string) {
    return workspaceChanged([path], "a file changed while the workspace was read");
  }
}

/** Reads until full or the end; returns how much. */
function fill(fd: number, into: Uint8Array): number {
  let length = 0;
  while (length < into.length) {
    const n = readSync(fd, into, length, into.length - length, null);
    if (n === 0) break;
    length += n;
  }
  return length;
}
