import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { Sha256 } from "../../vocabulary/digest.ts";
import { Failure } from "../../vocabulary/failure.ts";
import { printablePath } from "../../vocabulary/printable.ts";
import { errorCode } from "../../vocabulary/system_error.ts";
import { openFile, statOpen } from "../../workspace/directory_handles.ts";
import type { Blobs, BlobWriter } from "../store.ts";
import { syncDirectories, syncFiles } from "./durable.ts";
import { onDisk, storeFailed } from "./store_failure.ts";

const DIGEST = /^[0-9a-f]{64}$/;
const FANOUT = /^[0-9a-f]{2}$/;
const CHUNK = 1 << 20;
/** Bytes and files that are put before they are made to last. */
const BATCH_BYTES = 512 << 20;
const BATCH_FILES = 16_384;
/** Then a temporary file per writer and blob. */
export const INCOMING = "incoming";
const BLOBS = "blobs";
const QUARANTINE = "quarantine";

/**
 * Blobs as files `blobs/ab/abcd…` below a store. A blob is written to `incoming/`, synced, renamed to its place, and
 * its folder is synced: at its place it is whole. What is there already is not written again, whoever put it.
 * @param store the store's folder, which holds these three folders; no link among them
 */
export function folderBlobs(store: string): Blobs {
  return new FolderBlobs(store);
}

class FolderBlobs implements Blobs {
  readonly #sound = new Set<string>();

  constructor(readonly store: string) {}

  has(digest: Sha256): boolean {
    return this.#sizeOf(digest) !== null;
  }

  *chunks(digest: Sha256): Iterable<Uint8Array> {
    const fd = this.#open(digest);
    try {
      const hash = createHash("sha256");
      let held: Uint8Array | null = null;
      for (;;) {
        const chunk = new Uint8Array(CHUNK);
        const length = fill(fd, chunk);
        if (length === 0) break;
        if (held !== null) yield held;
        held = chunk.subarray(0, length);
        hash.update(held);
        if (length < CHUNK) break;
      }
      if (hash.digest("hex") !== digest) throw this.#corrupt(digest);
      if (held !== null) yield held;
    } finally {
      closeSync(fd);
    }
  }

  read(digest: Sha256, maxBytes: number): Uint8Array {
    const fd = this.#open(digest);
    try {
      const { size } = statOpen(fd).info;
      if (size > maxBytes) throw new RangeError(`blob ${digest} has ${size} bytes, more than ${maxBytes}`);
      const bytes = new Uint8Array(size);
      const length = fill(fd, bytes);
      if (length < size || createHash("sha256").update(bytes).digest("hex") !== digest) {
        throw this.#corrupt(digest);
      }
      return bytes;
    } finally {
      closeSync(fd);
    }
  }

  writer(): BlobWriter {
    return new FolderWriter(this);
  }

  *list() {
    for (const fanout of this.#fanouts()) {
      for (const name of readdirSync(`${this.store}/${BLOBS}/${fanout}`)) {
        if (!DIGEST.test(name) || !name.startsWith(fanout)) continue;
        const size = this.#sizeOf(name);
        if (size !== null) yield { digest: name, size };
      }
    }
  }

  strangers(): readonly string[] {
    const found: string[] = [];
    for (const name of readdirSync(`${this.store}/${BLOBS}`)) {
      const folder = `${this.store}/${BLOBS}/${name}`;
      if (!FANOUT.test(name) || !lstatSync(folder).isDirectory()) {
        found.push(`${BLOBS}/${name}`);
        continue;
      }
      for (const blob of readdirSync(folder)) {
        const sound = DIGEST.test(blob) && blob.startsWith(name) && lstatSync(`${folder}/${blob}`).isFile();
        if (!sound) found.push(`${BLOBS}/${name}/${blob}`);
      }
    }
    return found;
  }

  remove(digest: Sha256): number {
    const size = this.#sizeOf(digest);
    if (size === null) return 0;
    onDisk(this.store, () => unlinkSync(this.path(digest)));
    return size;
  }

  quarantine(digest: Sha256): string | null {
    const path = this.path(digest);
    if (!existsSync(path)) return null;
    const name = `${QUARANTINE}/${digest}.${randomBytes(4).toString("hex")}`;
    onDisk(this.store, () => {
      renameSync(path, `${this.store}/${name}`);
      syncDirectories(this.store, [`${this.store}/${QUARANTINE}`, path.replace(/\/[^/]*$/, "")]);
    });
    return name;
  }

  /** Where a blob is; its folder is made when missing and refused when it is a link. */
  path(digest: Sha256, make = false): string {
    if (!DIGEST.test(digest)) throw new TypeError("not a digest");
    const fanout = digest.slice(0, 2);
    const folder = `${this.store}/${BLOBS}/${fanout}`;
    if (!this.#sound.has(fanout)) {
      if (make) makeFolder(folder);
      try {
        if (!lstatSync(folder).isDirectory()) throw linked(folder);
        this.#sound.add(fanout);
      } catch (error) {
        if (errorCode(error) !== "ENOENT") throw error;
      }
    }
    return `${folder}/${digest}`;
  }

  #fanouts(): string[] {
    return readdirSync(`${this.store}/${BLOBS}`).filter((name) =>
      FANOUT.test(name) && lstatSync(`${this.store}/${BLOBS}/${name}`).isDirectory()
    ).sort();
  }

  /** Null when it is not there. */
  #sizeOf(digest: Sha256): number | null {
    try {
      const info = Deno.lstatSync(this.path(digest));
      if (!info.isFile) throw linked(this.path(digest));
      return info.size;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return null;
      throw storeFailed(this.store, error);
    }
  }

  #open(digest: Sha256): number {
    const path = this.path(digest);
    try {
      const fd = openFile(path);
      if (statOpen(fd).isFile) return fd;
      closeSync(fd);
      throw linked(path);
    } catch (error) {
      if (errorCode(error) === "ELOOP") throw linked(path);
      if (errorCode(error) !== "ENOENT") throw storeFailed(this.store, error);
      throw new Failure("malformed", "blob_missing", `blob ${digest} is not in the store`, {
        hint:
          "pp artifact fsck names the versions it is part of; fsck --repair --workspace DIR can restore it",
        cause: error,
      });
    }
  }

  #corrupt(digest: Sha256): Failure {
    return new Failure("malformed", "blob_corrupt", `blob ${digest} in the store is corrupt`, {
      hint: "pp artifact fsck names the versions it is part of; fsck --repair --workspace DIR can restore it",
    });
  }
}

class FolderWriter implements BlobWriter {
  readonly #id = `${Deno.pid}-${randomBytes(6).toString("hex")}`;
  /** Written, neither synced nor at their place: digest and temporary name. */
  readonly #pending = new Map<Sha256, string>();
  #bytes = 0;
  #count = 0;

  constructor(readonly blobs: FolderBlobs) {}

  put(bytes: Uint8Array, digest: Sha256): void {
    if (this.#known(digest)) return;
    const temporary = this.#temporary();
    onDisk(this.blobs.store, () => {
      const fd = create(temporary);
      try {
        writeWhole(fd, bytes);
      } catch (error) {
        unlinkSync(temporary);
        throw error;
      } finally {
        closeSync(fd);
      }
    });
    this.#wrote(digest, temporary, bytes.length);
  }

  putChunks(chunks: Iterable<Uint8Array>): Sha256 {
    const temporary = this.#temporary();
    const hash = createHash("sha256");
    let bytes = 0;
    const { store } = this.blobs;
    const fd = onDisk(store, () => create(temporary));
    try {
      for (const chunk of chunks) {
        hash.update(chunk);
        onDisk(store, () => writeWhole(fd, chunk));
        bytes += chunk.length;
      }
    } catch (error) {
      unlinkSync(temporary);
      throw error;
    } finally {
      closeSync(fd);
    }
    const digest = hash.digest("hex");
    if (this.#known(digest)) unlinkSync(temporary);
    else this.#wrote(digest, temporary, bytes);
    return digest;
  }

  flush(): void {
    const { store } = this.blobs;
    const pending = [...this.#pending];
    if (pending.length === 0) return;
    onDisk(store, () => {
      syncFiles(store, pending.map(([, temporary]) => temporary));
      const folders = new Set<string>();
      for (const [digest, temporary] of pending) {
        const path = this.blobs.path(digest, true);
        // Over one that another process has just put: it is the same.
        renameSync(temporary, path);
        folders.add(path.slice(0, path.lastIndexOf("/")));
        this.#pending.delete(digest);
      }
      folders.add(`${store}/${BLOBS}`);
      syncDirectories(store, folders);
    });
    this.#bytes = 0;
  }

  discard(): void {
    for (const temporary of this.#pending.values()) {
      try {
        unlinkSync(temporary);
      } catch {
        // Whoever collects garbage finds it.
      }
    }
    this.#pending.clear();
  }

  #known(digest: Sha256): boolean {
    return this.#pending.has(digest) || this.blobs.has(digest);
  }

  #wrote(digest: Sha256, temporary: string, bytes: number): void {
    this.#pending.set(digest, temporary);
    this.#bytes += bytes;
    if (this.#bytes > BATCH_BYTES || this.#pending.size >= BATCH_FILES) this.flush();
  }

  #temporary(): string {
    return `${this.blobs.store}/${INCOMING}/${this.#id}-${this.#count++}`;
  }
}

/** Makes a folder only this user can enter; one that is there stays as it is. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** What it means that something in the store is a link, or no file, where a file or folder of its own must be. */
export function linked(path: string): Failure {
  return new Failure("malformed", "store_hostile", `${printablePath(path)} is not what a store has there`, {
    hint: "a store holds files and folders of its own, never links: look who put it there",
  });
}

function create(path: string): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  return openSync(path, flags, 0o600);
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, null);
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
