import { createHash, type Hash } from "node:crypto";
import { SHA256_BYTES } from "../vocabulary/digest.ts";

/** A chunk to digest: pieces are offset, length and whether a file ends with it. */
export interface HashJob {
  readonly slot: number;
  readonly memory: SharedArrayBuffer;
  readonly pieces: readonly (readonly [offset: number, length: number, last: boolean])[];
}

/** What the thread answers: the digests of the files that ended, SHA256_BYTES each. */
export interface HashAnswer {
  readonly slot: number;
  readonly digests: Uint8Array;
}

/** Digests files whose bytes come by in chunks, in order. */
export interface Hashing {
  /** A piece of the current chunk; `ends` is the place of the file it ends, null when more of the file follows. */
  piece(offset: number, length: number, ends: number | null): void;
  /** The current chunk is full: its pieces are digested, now or soon. Waits when too much is under way. */
  turn(chunk: Uint8Array): Promise<void>;
  /** Every digest is in place. */
  finish(): Promise<void>;
  close(): void;
}

/** Below this a thread takes longer to start than the hashing takes. */
const WORTH_A_THREAD = 24 << 20;
const SLOTS = 4;
const START_MS = 5_000;

/**
 * SHA-256 runs at a few hundred MB/s a core, slower than everything else here together; so a large workspace gets a
 * thread for it. Where none can be had, hashing is done in place.
 * @param totalBytes of all files to come
 * @param chunkBytes largest chunk
 * @param digests where they go, SHA256_BYTES for each place
 */
export async function startHashing(
  totalBytes: number,
  chunkBytes: number,
  digests: Uint8Array,
): Promise<Hashing> {
  if (totalBytes < WORTH_A_THREAD) return new InPlace(digests);
  const worker = await startWorker();
  return worker === null ? new InPlace(digests) : new OnThread(worker, chunkBytes, digests);
}

function startWorker(): Promise<Worker | null> {
  const worker = new Worker(new URL("./hash_worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve) => {
    const giveUp = () => {
      worker.terminate();
      resolve(null);
    };
    const timer = setTimeout(giveUp, START_MS);
    worker.onerror = (event) => {
      event.preventDefault();
      clearTimeout(timer);
      giveUp();
    };
    worker.onmessage = () => {
      clearTimeout(timer);
      resolve(worker);
    };
  });
}

class InPlace implements Hashing {
  #pieces: { offset: number; length: number; ends: number | null }[] = [];
  #running: Hash | null = null;

  constructor(readonly digests: Uint8Array) {}

  piece(offset: number, length: number, ends: number | null): void {
    this.#pieces.push({ offset, length, ends });
  }

  turn(chunk: Uint8Array): Promise<void> {
    for (const { offset, length, ends } of this.#pieces) {
      this.#running ??= createHash("sha256");
      this.#running.update(chunk.subarray(offset, offset + length));
      if (ends === null) continue;
      this.digests.set(this.#running.digest(), ends * SHA256_BYTES);
      this.#running = null;
    }
    this.#pieces = [];
    return Promise.resolve();
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}
}

class OnThread implements Hashing {
  #pieces: [number, number, boolean][] = [];
  #waiting: number[] = [];
  readonly #free: number[] = [];
  readonly #memory: SharedArrayBuffer[] = [];
  readonly #jobs = new Map<number, readonly number[]>();
  #error: unknown = null;
  #wake: () => void = () => {};

  constructor(readonly worker: Worker, chunkBytes: number, digests: Uint8Array) {
    for (let slot = 0; slot < SLOTS; slot++) {
      this.#memory.push(new SharedArrayBuffer(chunkBytes));
      this.#free.push(slot);
    }
    worker.onmessage = ({ data: { slot, digests: made } }: MessageEvent<HashAnswer>) => {
      for (const [i, place] of (this.#jobs.get(slot) ?? []).entries()) {
        digests.set(made.subarray(i * SHA256_BYTES, (i + 1) * SHA256_BYTES), place * SHA256_BYTES);
      }
      this.#jobs.delete(slot);
      this.#free.push(slot);
      this.#wake();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#error = event.error ?? new Error(event.message);
      this.#wake();
    };
  }

  piece(offset: number, length: number, ends: number | null): void {
    this.#pieces.push([offset, length, ends !== null]);
    if (ends !== null) this.#waiting.push(ends);
  }

  async turn(chunk: Uint8Array): Promise<void> {
    if (this.#pieces.length === 0) return;
    await this.#until(() => this.#free.length > 0);
    const slot = this.#free.pop()!;
    const memory = this.#memory[slot]!;
    new Uint8Array(memory).set(chunk);
    this.#jobs.set(slot, this.#waiting);
    const job: HashJob = { slot, memory, pieces: this.#pieces };
    this.worker.postMessage(job);
    this.#pieces = [];
    this.#waiting = [];
  }

  finish(): Promise<void> {
    return this.#until(() => this.#free.length === SLOTS);
  }

  close(): void {
    this.worker.terminate();
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.#error !== null) throw this.#error;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
