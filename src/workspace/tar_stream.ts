import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { setImmediate } from "node:timers";
import { SHA256_BYTES } from "../vocabulary/digest.ts";
import type { EntryTable } from "../vocabulary/entry_table.ts";
import { isDenied } from "../vocabulary/system_error.ts";
import type { TarPlacement } from "../vocabulary/tar_placement.ts";
import { openFile, statOpen, unchanged } from "./directory_handles.ts";
import { type Hashing, startHashing } from "./hashing.ts";
import { ioFailed, unreadable, workspaceChanged } from "./problems.ts";
import { BLOCK, tarHeader } from "../tar/header.ts";
import { closedFiles } from "./walk.ts";
import type { WalkedEntry, WalkedTree } from "./walked_tree.ts";

/** Small enough that a chunk is sent and forgotten before the collector takes it for long-lived. */
const CHUNK = 1 << 18;
/** Files up to this size are read whole into one chunk. */
const WHOLE = 1 << 17;
const EMPTY = createHash("sha256").digest();

/** Two pax records for paths as long as the system takes them, and then some. */
const LONGEST_HEADER = 16 * 1024;

/**
 * Writes walked entries as a tar: same entries, content and placement, same bytes. Chunks are 128 to 256 KiB but for
 * the last; memory does not grow with what is sent. Files are read on this thread, which for cached files is
 * three times as fast as waiting for others, and a large workspace is hashed on another meanwhile.
 * @returns the entries of what was sent
 * @throws Failure `workspace_changed`, `unreadable` (with every file that is), `workspace_io_failed`
 */
export async function* tarStream(
  root: string,
  entries: WalkedTree,
  placement: TarPlacement,
): AsyncGenerator<Uint8Array, EntryTable> {
  const { uid, gid, prefix } = placement;
  const chunks = new Chunks();
  const digests = Buffer.alloc(entries.length * SHA256_BYTES);
  const hashing = await startHashing(entries.bytes, CHUNK, digests);
  try {
    const top = prefix.replace(/\/+$/, "");
    if (top !== "") chunks.put(tarHeader({ kind: "directory", name: top, mode: 0o755, uid, gid, size: 0 }));
    for (let i = 0; i < entries.length; i++) {
      const entry = entries.at(i);
      // Room for the longest header, so that only file content is ever split.
      if (chunks.room < LONGEST_HEADER) yield* turn(chunks, hashing);
      const name = `${prefix}${entry.path}`;
      if (entry.kind === "directory") {
        chunks.put(tarHeader({ kind: "directory", name, mode: 0o755, uid, gid, size: 0 }));
        digests.set(EMPTY, i * SHA256_BYTES);
      } else if (entry.kind === "link") {
        const target = entry.target;
        chunks.put(tarHeader({ kind: "link", name, mode: 0o777, uid, gid, size: 0, target }));
        digests.set(createHash("sha256").update(target).digest(), i * SHA256_BYTES);
      } else {
        const size = entry.seen.size;
        const header = tarHeader({
          kind: "file",
          name,
          mode: entry.executable ? 0o755 : 0o644,
          uid,
          gid,
          size,
        });
        if (size <= WHOLE && chunks.room < header.length + size + BLOCK) yield* turn(chunks, hashing);
        chunks.put(header);
        if (size === 0) digests.set(EMPTY, i * SHA256_BYTES);
        yield* content(openWalked(root, entry, entries), entry, i, chunks, hashing);
        chunks.pad();
      }
    }
    if (chunks.room < 2 * BLOCK) yield* turn(chunks, hashing);
    chunks.take(2 * BLOCK);
    await hashing.turn(chunks.filled);
    await hashing.finish();
    yield chunks.flush();
    return entries.withDigests(digests);
  } finally {
    hashing.close();
  }
}

function changedWhileRead(path: string) {
  return workspaceChanged([path], "a file changed while the workspace was read");
}

/** Opens the very file that was walked over. */
function openWalked(
  root: string,
  entry: WalkedEntry & { kind: "file" },
  entries: WalkedTree,
): number {
  let fd: number;
  try {
    fd = openFile(`${root}/${entry.path}`);
  } catch (error) {
    if (isDenied(error)) {
      const closed = closedFiles(root, entries);
      throw unreadable(closed.length > 0 ? closed : [entry.path]);
    }
    throw workspaceChanged([entry.path], "a file changed while the workspace was read", error);
  }
  const state = entry.seen.size > WHOLE ? statOpen(fd) : null;
  if (state !== null && !(state.isFile && unchanged(state.info, entry.seen))) {
    closeSync(fd);
    throw changedWhileRead(entry.path);
  }
  return fd;
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

/** Reads a file into chunks, and closes it. */
async function* content(
  fd: number,
  entry: WalkedEntry & { kind: "file" },
  place: number,
  chunks: Chunks,
  hashing: Hashing,
): AsyncGenerator<Uint8Array, void> {
  try {
    for (let left = entry.seen.size; left > 0;) {
      if (chunks.room === 0) yield* turn(chunks, hashing);
      const at = chunks.used;
      const piece = chunks.take(Math.min(left, chunks.room));
      if (fill(fd, piece) < piece.length) throw changedWhileRead(entry.path);
      left -= piece.length;
      hashing.piece(at, piece.length, left === 0 ? place : null);
    }
    if (!unchanged(statOpen(fd).info, entry.seen)) throw changedWhileRead(entry.path);
  } catch (error) {
    throw ioFailed(entry.path, error);
  } finally {
    closeSync(fd);
  }
}

/** Hands the filled chunk out. */
async function* turn(chunks: Chunks, hashing: Hashing): AsyncGenerator<Uint8Array, void> {
  await hashing.turn(chunks.filled);
  yield chunks.flush();
  await new Promise((resume) => setImmediate(resume));
}

/** The chunk being filled. A consumer may keep what it got: a copy, which dies young where this one has grown old. */
class Chunks {
  readonly #bytes = new Uint8Array(CHUNK);
  #used = 0;
  #total = 0;

  get used(): number {
    return this.#used;
  }

  get filled(): Uint8Array {
    return this.#bytes.subarray(0, this.#used);
  }

  get room(): number {
    return CHUNK - this.#used;
  }

  put(bytes: Uint8Array): void {
    this.take(bytes.length).set(bytes);
  }

  /** The next `length` bytes of the chunk, zero, to be filled. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.room) throw new RangeError("chunk overflow");
    this.#used += length;
    this.#total += length;
    return this.#bytes.subarray(this.#used - length, this.#used);
  }

  /** Zeros up to the next block. */
  pad(): void {
    const over = this.#total % BLOCK;
    if (over > 0) this.take(BLOCK - over);
  }

  flush(): Uint8Array {
    const out = this.#bytes.slice(0, this.#used);
    this.#bytes.fill(0, 0, this.#used);
    this.#used = 0;
    return out;
  }
}
