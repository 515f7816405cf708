import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { setImmediate } from "node:timers";
import type { Sha256 } from "../../vocabulary/digest.ts";
import { interrupted } from "../../vocabulary/failure.ts";
import { ManifestHash } from "../../vocabulary/manifest.ts";
import { errorCode } from "../../vocabulary/system_error.ts";
import { openFile } from "../../workspace/directory_handles.ts";
import { ioFailed, unreadable, workspaceChanged } from "../../workspace/problems.ts";
import type { UnknownTrees } from "../artifact/create.ts";
import { buildTrees } from "../artifact/tree.ts";
import type { Blobs, BlobWriter } from "../store.ts";
import { DirectoryCursor } from "./directory_cursor.ts";
import { manifestEntry, opened, type Scan, type ScannedEntry, scanWorkspace } from "./scan.ts";
import { loadStatCache, saveStatCache } from "./stat_cache.ts";
import { sameWords, STAT_WORDS, type Stater, stater } from "./stat_words.ts";

/** Files up to this size are read whole. */
const WHOLE = 8 << 20;
const CHUNK = 1 << 20;
/** What is as well read, or listed, again the next time. */
const FEW = 8, FEW_BYTES = 4 << 20;
/** A cache that names blobs the store does not have may come to light this often, then everything is read. */
const MAX_ROUNDS = 4;

export interface SnapshotOptions {
  readonly blobs: Blobs;
  readonly unknownTrees: UnknownTrees;
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
  const found = await scanWorkspace(root, options.leftOut, cached, options.signal);
  const trees = found.pieces.flatMap((piece) => piece.kind === "settled" ? [piece.tree] : []);
  // The store may have lost, to gc, what the cache remembers.
  const scan = options.unknownTrees(trees).size === 0 ? found : opened(found);
  const { pieces } = scan;
  const digests = pieces.map((piece) => piece.kind === "file" ? piece.known : null);
  const settled = new Map(
    pieces.flatMap((piece) => piece.kind === "settled" ? [[piece.path, piece.tree] as const] : []),
  );
  const writer = options.blobs.writer();
  const reader = new Reader(root, scan, digests, writer, options);
  const unsettled = [...pieces.keys()].filter((i) => pieces[i]!.kind === "file");
  const build = () => {
    const built = buildTrees(
      pieces.flatMap((piece, i) => piece.kind === "settled" ? [] : [manifestEntry(piece, digests[i]!)]),
      settled,
    );
    const unknown = options.unknownTrees(built.trees.keys());
    return { ...built, fresh: [...built.trees].filter(([digest]) => unknown.has(digest)) };
  };
  try {
    await reader.read(unsettled.filter((i) => digests[i] === null));
    let built = build();
    for (let round = 1; built.fresh.length > 0; round++) {
      // A tree the store has is there with its blobs; of others, each blob has to be looked for.
      const directories = new Set(built.fresh.map(([, { path }]) => path));
      const missing = unsettled.filter((i) => {
        if (!directories.has(parentOf(pieces[i]!.path))) return false;
        return round === MAX_ROUNDS || !reader.did.has(i) && !options.blobs.has(digests[i]!);
      });
      if (missing.length === 0 || round > MAX_ROUNDS) break;
      await reader.read(missing);
      built = build();
    }
    writer.flush();
    const { files, links, bytes } = counted(scan);
    return {
      root: built.root,
      manifest: () => digestOf(scan, digests),
      files: files + links,
      bytes,
      read: reader.did.size,
      known: files - reader.did.size,
      trees: built.fresh.map(([digest, { body }]) => [digest, body] as const),
      remember: () => {
        // A few files are read again sooner than all are written down.
        if (
          cached === null || reader.bytes > FEW_BYTES || reader.did.size + scan.listed > FEW + files / 200
        ) {
          saveStatCache(options.store, root, scan, digests, built.digests, scannedAt);
        }
      },
    };
  } finally {
    writer.discard();
  }
}

function counted({ pieces, cache }: Scan): { files: number; links: number; bytes: number } {
  let files = 0, links = 0, bytes = 0;
  for (const piece of pieces) {
    if (piece.kind === "settled") {
      const below = cache!.counted(piece.from, piece.to);
      files += below.files;
      links += below.links;
      bytes += below.bytes;
    } else if (piece.kind === "link") links++;
    else if (piece.kind === "file") {
      files++;
      bytes += piece.size;
    }
  }
  return { files, links, bytes };
}

/** Digest of the manifest. */
function digestOf({ pieces, cache }: Scan, digests: readonly (Sha256 | null)[]): Sha256 {
  const hash = new ManifestHash();
  for (const [i, piece] of pieces.entries()) {
    if (piece.kind === "settled") hash.addEncoded(cache!.lines(piece.from, piece.to));
    else hash.add(manifestEntry(piece, digests[i]!));
  }
  return hash.digest();
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
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
    const entry = this.scan.pieces[i]!;
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
