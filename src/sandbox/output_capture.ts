import { createHash } from "node:crypto";
import type { CapturedOutput } from "../vocabulary/verification.ts";

/**
 * Keeps the head and the tail of one stream within a byte limit, and counts and hashes all of it. Memory is at most
 * the limit plus one growth step, however much is written.
 */
export class OutputCapture {
  readonly #hash = createHash("sha256");
  readonly #headLimit: number;
  readonly #tailLimit: number;
  /** The first bytes, up to the whole limit: only when they overflow does the second half become the tail. */
  #kept: Uint8Array = new Uint8Array(0);
  #keptLength = 0;
  /** Ring of the last bytes; null until the limit is passed. `#ringEnd` is where the next byte goes. */
  #ring: Uint8Array | null = null;
  #ringEnd = 0;
  #total = 0;
  #finished: CapturedOutput | null = null;

  /** @param limit bytes kept in all, half head and half tail; not negative, floored to an integer */
  constructor(limit: number) {
    const whole = Math.max(0, Math.floor(limit));
    this.#headLimit = Math.ceil(whole / 2);
    this.#tailLimit = whole - this.#headLimit;
  }

  get totalBytes(): number {
    return this.#total;
  }

  /** Takes the next bytes; they are copied, so the caller may reuse its buffer. Throws after `finish`. */
  write(chunk: Uint8Array): void {
    if (this.#finished !== null) throw new Error("output written after it was finished");
    this.#hash.update(chunk);
    this.#total += chunk.length;
    const limit = this.#headLimit + this.#tailLimit;
    if (this.#ring === null && this.#keptLength + chunk.length <= limit) {
      this.#keep(chunk, limit);
      return;
    }
    if (this.#ring === null) {
      const room = limit - this.#keptLength;
      this.#keep(chunk.subarray(0, room), limit);
      this.#ring = this.#kept.slice(this.#headLimit, limit);
      this.#ringEnd = 0;
      this.#kept = this.#kept.slice(0, this.#headLimit);
      this.#keptLength = this.#headLimit;
      chunk = chunk.subarray(room);
    }
    this.#roll(this.#ring, chunk);
  }

  /** What was kept, how much there was and its digest. The same value every time. */
  finish(): CapturedOutput {
    return this.#finished ??= {
      head: this.#kept.slice(0, this.#keptLength),
      tail: this.#ring === null ? new Uint8Array(0) : unroll(this.#ring, this.#ringEnd),
      totalBytes: this.#total,
      sha256: this.#hash.digest("hex"),
    };
  }

  #keep(chunk: Uint8Array, limit: number): void {
    const needed = this.#keptLength + chunk.length;
    if (needed > this.#kept.length) {
      const grown = new Uint8Array(Math.min(limit, Math.max(needed, this.#kept.length * 2, 4096)));
      grown.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = grown;
    }
    this.#kept.set(chunk, this.#keptLength);
    this.#keptLength = needed;
  }

  #roll(ring: Uint8Array, chunk: Uint8Array): void {
    if (ring.length === 0) return;
    if (chunk.length >= ring.length) {
      ring.set(chunk.subarray(chunk.length - ring.length));
      this.#ringEnd = 0;
      return;
    }
    const first = Math.min(chunk.length, ring.length - this.#ringEnd);
    ring.set(chunk.subarray(0, first), this.#ringEnd);
    ring.set(chunk.subarray(first), 0);
    this.#ringEnd = (this.#ringEnd + chunk.length) % ring.length;
  }
}

/** Captures bytes that are already in memory. */
export function captureBytes(bytes: Uint8Array, limit: number): CapturedOutput {
  const capture = new OutputCapture(limit);
  capture.write(bytes);
  return capture.finish();
}

function unroll(ring: Uint8Array, end: number): Uint8Array {
  const flat = new Uint8Array(ring.length);
  flat.set(ring.subarray(end));
  flat.set(ring.subarray(0, end), ring.length - end);
  return flat;
}
