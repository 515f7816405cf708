/** A call that is unanswered for so long raises doubt, and so does every such time after it. */
export const DOUBT_MS = 15_000;
/** Doubt ends with any answer; without one for so long the engine is lost. */
const SIGN_MS = 15_000;
/** The same when somebody waits for the end. */
const HURRIED_SIGN_MS = 10_000;

/**
 * Whether an engine still answers. A slow answer is no proof of an engine that hangs, so that in doubt it is asked
 * the lightest question there is; when it is silent to that too it is lost, for good.
 */
export class EngineLife {
  readonly #ask: (signal: AbortSignal) => Promise<unknown>;
  readonly #lost = new AbortController();
  #doubt: { readonly over: AbortController; readonly until: number } | null = null;
  #deadline: { readonly timer: ReturnType<typeof setTimeout>; readonly at: number } | null = null;

  /** @param ask rejects only when there was no answer; dropped by the signal */
  constructor(ask: (signal: AbortSignal) => Promise<unknown>) {
    this.#ask = ask;
  }

  /** Aborted when the engine is lost, with the reason as text. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** It gave an answer, whatever it said. */
  answered(): void {
    this.#doubt?.over.abort();
    this.#doubt = null;
  }

  /** Asks for a sign of life. Where an earlier doubt ends sooner nothing changes. */
  doubt(hurried = false): void {
    const ms = hurried ? HURRIED_SIGN_MS : SIGN_MS;
    const until = performance.now() + ms;
    if (this.#lost.signal.aborted || this.#doubt !== null && this.#doubt.until <= until) return;
    this.answered();
    const over = new AbortController();
    this.#doubt = { over, until };
    const timer = setTimeout(() => this.#lose("it gives no sign of life"), ms);
    over.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
    // An error is for the calls that meet it too: they tell it better, and at once.
    this.#ask(over.signal).catch(() => {}).finally(() => this.#doubt?.over === over && this.answered());
  }

  /** From now on there is only so much time for everything, whether it answers or not; the sooner end holds. */
  endIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.#lost.signal.aborted || this.#deadline !== null && this.#deadline.at <= at) return;
    clearTimeout(this.#deadline?.timer);
    this.#deadline = { at, timer: setTimeout(() => this.#lose(`not done within ${ms} ms of clean-up`), ms) };
  }

  /** Nobody waits for it any more. */
  rest(): void {
    this.answered();
    clearTimeout(this.#deadline?.timer);
    this.#deadline = null;
  }

  #lose(why: string): void {
    this.rest();
    this.#lost.abort(why);
  }
}
