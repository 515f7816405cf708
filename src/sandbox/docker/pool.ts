import { Failure, interrupted } from "../../vocabulary/failure.ts";

export interface PoolOptions<T> {
  /** Kept ready, until `resize`. */
  readonly size: number;
  /** Made at once. */
  readonly concurrency: number;
  readonly create: () => Promise<T>;
  /** Must not reject. */
  readonly destroy: (item: T) => Promise<void>;
  /** Asked before an item that waited is given out; a false one is destroyed. */
  readonly usable: (item: T) => Promise<boolean>;
}

interface Waiter<T> {
  give(item: T): void;
  fail(error: unknown): void;
}

/**
 * Items made ahead of their use, each given out once. An error while making one is reported to whoever waits, else to
 * the next who asks; making is then tried again only when somebody asks.
 */
export class ReadyPool<T> {
  readonly #options: PoolOptions<T>;
  readonly #ready: T[] = [];
  readonly #waiting: Waiter<T>[] = [];
  readonly #making = new Set<Promise<void>>();
  #size: number;
  #error: { readonly cause: unknown } | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: PoolOptions<T>) {
    this.#options = options;
    this.#size = options.size;
  }

  /** Sets how many are kept ready, from the next `fill` on. */
  resize(size: number): void {
    this.#size = size;
  }

  /** Starts making what is missing, in the background. */
  fill(): void {
    const { concurrency } = this.#options;
    while (
      this.#closing === null && this.#error === null && this.#making.size < concurrency &&
      this.#ready.length + this.#making.size < this.#size + this.#waiting.length
    ) {
      const making: Promise<void> = this.#make().finally(() => {
        this.#making.delete(making);
        this.fill();
      });
      this.#making.add(making);
    }
  }

  /**
   * An item nobody had before. `fill` refills the pool behind it, when the time is right: making competes with use.
   * @throws what `create` threw; Failure bug `sandbox_closed`; interrupted when the signal aborts
   */
  async take(signal?: AbortSignal): Promise<T> {
    while (true) {
      if (signal?.aborted) throw interrupted(signal.reason);
      if (this.#closing !== null) throw closed();
      const waited = this.#ready.shift();
      if (waited === undefined) return await this.#wait(signal);
      let usable = false;
      try {
        usable = await this.#options.usable(waited);
        if (usable && !signal?.aborted) return waited;
      } finally {
        if (!usable || signal?.aborted) await this.#options.destroy(waited);
      }
    }
  }

  /** Destroys what is ready and what is still being made. Idempotent, never rejects. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    for (const waiter of this.#waiting.splice(0)) waiter.fail(closed());
    const ready = this.#ready.splice(0);
    await Promise.all([...this.#making, ...ready.map((item) => this.#options.destroy(item))]);
  }

  #wait(signal?: AbortSignal): Promise<T> {
    const error = this.#error;
    this.#error = null;
    if (error !== null) return Promise.reject(error.cause);
    return new Promise<T>((resolve, reject) => {
      const leave = () => signal?.removeEventListener("abort", abort);
      const waiter: Waiter<T> = {
        give: (item) => (leave(), resolve(item)),
        fail: (cause) => (leave(), reject(cause)),
      };
      const abort = () => {
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        waiter.fail(interrupted(signal?.reason));
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.push(waiter);
      this.fill();
    });
  }

  async #make(): Promise<void> {
    try {
      const item = await this.#options.create();
      if (this.#closing !== null) return await this.#options.destroy(item);
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#ready.push(item);
      else waiter.give(item);
    } catch (cause) {
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#error = { cause };
      else waiter.fail(cause);
    }
  }
}

function closed(): Failure {
  return new Failure("bug", "sandbox_closed", "a copy was asked for after the sandbox was closed");
}
