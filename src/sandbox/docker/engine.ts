import { Failure, interrupted } from "../../vocabulary/failure.ts";
import { DOUBT_MS, EngineLife } from "./life.ts";
import type { Docker } from "./dockerode.ts";

/** Bounds of calls that do not stream, in milliseconds: of an engine that is slow. One that hangs is lost sooner. */
export const CALL_MS = 40_000;
/** Creating, starting, killing and removing: an engine under a fork bomb is slow and still well. */
export const CHANGE_MS = 90_000;
/** Committing writes the whole workspace once more. */
export const COMMIT_MS = 15 * 60_000;

/** The engine answered, with an error status. */
export class EngineRefusal extends Failure {
  constructor(what: string, readonly status: number, reason: string, cause: unknown) {
    super("unavailable", "engine_refused", `the container engine refused to ${what}: ${reason}`, {
      cause,
      hint: "see `pp doctor` and the engine's own log",
    });
  }
}

/** One Docker-compatible engine, reached through dockerode; every call is bounded and its errors are Failures. */
export class Engine {
  /** Every call fails at once when it is lost. */
  readonly life: EngineLife;

  /** @param host where it was found, for messages: `unix:///…` or `tcp://…` */
  constructor(readonly docker: Docker, readonly host: string) {
    this.life = new EngineLife((signal) =>
      ping(docker, signal).catch((error) => {
        if (typeof (error as { statusCode?: unknown }).statusCode !== "number") throw error;
      })
    );
    // Its unanswered requests would hold the process.
    const { agent } = docker.modem as unknown as { readonly agent: { destroy(): void } };
    this.life.lost.addEventListener("abort", () => agent.destroy(), { once: true });
  }

  /**
   * One call that does not stream.
   * @param what what it does, for messages: `create a container`
   * @param ms past it the connection is dropped and the call fails
   * @param over the caller lost interest: the call is given up as `interrupted`
   * @throws EngineRefusal when the engine says no; Failure unavailable `engine_lost` when it cannot be reached or does
   *   not answer anything any more, `engine_timeout` when it does not answer this in time
   */
  async call<T>(
    what: string,
    ms: number,
    work: (signal: AbortSignal) => Promise<T>,
    over?: AbortSignal,
  ): Promise<T> {
    if (over?.aborted) throw interrupted();
    const { lost } = this.life;
    if (lost.aborted) throw this.lost(what);
    const abort = new AbortController();
    let giveUp: (failure: Failure) => void = () => {};
    const given = new Promise<never>((_, reject) => {
      giveUp = (failure) => {
        reject(failure);
        abort.abort();
      };
    });
    const onOver = () => giveUp(interrupted());
    const onLost = () => giveUp(this.lost(what));
    const doubts = setInterval(() => this.life.doubt(), DOUBT_MS);
    const timer = setTimeout(() => {
      const message = `the engine at ${this.host} did not ${what} within ${ms} ms`;
      const hint = "the engine is overloaded or hangs; see its log and `pp doctor`";
      giveUp(new Failure("unavailable", "engine_timeout", message, { hint }));
    }, ms);
    over?.addEventListener("abort", onOver, { once: true });
    lost.addEventListener("abort", onLost, { once: true });
    try {
      const answer = await Promise.race([work(abort.signal), given]);
      this.life.answered();
      return answer;
    } catch (error) {
      const failure = this.failure(what, error);
      if (failure instanceof EngineRefusal) this.life.answered();
      throw failure;
    } finally {
      clearTimeout(timer);
      clearInterval(doubts);
      lost.removeEventListener("abort", onLost);
      over?.removeEventListener("abort", onOver);
    }
  }

  /** What is told of everything that is asked of a lost engine. */
  lost(what: string): Failure {
    const message = `the container engine at ${this.host} does not answer any more (${what})`;
    return new Failure("unavailable", "engine_lost", message, {
      details: [String(this.life.lost.reason)],
      hint: "see the engine's log, or start it again; what was left behind is removed at the next start",
    });
  }

  /** What an error of dockerode means. */
  failure(what: string, error: unknown): Failure {
    if (error instanceof Failure) return error;
    const status = (error as { statusCode?: unknown }).statusCode;
    if (typeof status === "number") return new EngineRefusal(what, status, reasonOf(error), error);
    return new Failure("unavailable", "engine_lost", `lost the container engine at ${this.host} (${what})`, {
      cause: error,
      details: [String((error as Error)?.message ?? error)],
      hint: "start the engine again; what was left behind is removed at the next start",
    });
  }
}

/** Asks an engine for a sign of life. */
export function ping(docker: Docker, abortSignal: AbortSignal): Promise<unknown> {
  // The library takes options here; its types do not know it.
  return (docker.ping as (options: object) => Promise<unknown>).call(docker, { abortSignal });
}

export function refusedWith(error: unknown, ...statuses: readonly number[]): error is EngineRefusal {
  return error instanceof EngineRefusal && statuses.includes(error.status);
}

/** The engine's own words, without dockerode's frame around them. */
function reasonOf(error: unknown): string {
  const json = (error as { json?: { message?: unknown } | null }).json;
  if (typeof json?.message === "string") return json.message;
  return String((error as Error).message).replace(/^\(HTTP code \d+\) .*? - /, "").trim();
}
