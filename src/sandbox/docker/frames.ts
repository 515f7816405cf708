import { Failure } from "../../vocabulary/failure.ts";

const HEADER = 8;

/**
 * Reads the engine's multiplexed output: frames of one byte stream number (1 stdout, 2 stderr), three zero bytes, a
 * big-endian length and that many bytes. Payload is handed on as it comes, so that a frame is never held whole.
 */
export class FrameReader {
  readonly #take: (stream: 1 | 2, bytes: Uint8Array) => void;
  readonly #header = new Uint8Array(HEADER);
  #have = 0;
  #left = 0;
  #stream: 1 | 2 = 1;

  constructor(take: (stream: 1 | 2, bytes: Uint8Array) => void) {
    this.#take = take;
  }

  /** Whether the last chunk ended within a frame. */
  get isInside(): boolean {
    return this.#have > 0 || this.#left > 0;
  }

  /**
   * Takes the next bytes, cut anywhere.
   * @throws Failure unavailable `engine_protocol` on what is no frame
   */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const end = Math.min(chunk.length, at + this.#left);
        this.#take(this.#stream, chunk.subarray(at, end));
        this.#left -= end - at;
        at = end;
        continue;
      }
      this.#header[this.#have++] = chunk[at++]!;
      if (this.#have === HEADER) this.#open();
    }
  }

  #open(): void {
    const header = this.#header;
    this.#have = 0;
    if (header[0]! > 2 || header[1] !== 0 || header[2] !== 0 || header[3] !== 0) {
      throw new Failure("unavailable", "engine_protocol", "the engine sent output that is not in frames", {
        hint: "the engine or a proxy before it does not speak the Docker API; see `pp doctor`",
      });
    }
    this.#stream = header[0] === 2 ? 2 : 1;
    this.#left = new DataView(header.buffer).getUint32(4);
  }
}
