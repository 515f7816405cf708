import { interrupted } from "../vocabulary/failure.ts";
import type { MinimizeProblem, Probe } from "./problem.ts";

/** What a candidate turned out to be; null when the budget did not reach it. */
export type Answer = { readonly probe: Probe; readonly cached: boolean; readonly retried?: true } | null;

interface Candidate {
  readonly index: number;
  readonly key: string;
  readonly kept: readonly number[];
}

/** Answers whether sets of atoms pass, with a cache by result, within the budget, some at a time. */
export class Probes {
  readonly #cache = new Map<string, Probe>();
  readonly #startedAt: number;
  #runs = 0;
  #exhausted: "runs_exhausted" | "time_exhausted" | null = null;

  constructor(readonly problem: MinimizeProblem) {
    this.#startedAt = problem.now();
    const everything = Array.from({ length: problem.units.atoms }, (_, atom) => atom);
    this.#cache.set(problem.key(everything), "passes");
    // Second, so that a patch without any effect is not taken for a passing one.
    this.#cache.set(problem.key([]), "fails");
  }

  /** Runs made so far. */
  get runs(): number {
    return this.#runs;
  }

  /** Set once a run was needed that the budget did not allow. */
  get exhausted(): "runs_exhausted" | "time_exhausted" | null {
    return this.#exhausted;
  }

  /**
   * Whether a base still passes without each of several sets of atoms; one answer for each, in their order. Removals
   * with the same result share one run. What timed out is tried once more after all others have ended.
   */
  async ask(base: readonly number[], removals: readonly (readonly number[])[]): Promise<Answer[]> {
    const keys: string[] = [];
    const fresh: Candidate[] = [];
    // Turn by turn, because a candidate that cannot be parsed gives its place in the budget back, and because what
    // the budget does not reach need not be put together either.
    while (keys.length < removals.length && this.#exhausted === null) {
      const turn = this.#nextTurn(base, removals, keys);
      await this.#run(turn, this.problem.parallel);
      fresh.push(...turn);
    }
    const ran = new Set(fresh.map((c) => c.index));
    const retried = new Set<number>();
    for (const late of fresh.filter((c) => this.#cache.get(c.key) === "timed_out")) {
      if (this.#spent() || !await this.#run([late], 1)) break;
      retried.add(late.index);
    }
    return removals.map((_, index) => {
      const key = keys[index];
      const probe = key === undefined ? undefined : this.#cache.get(key);
      if (probe === undefined) return null;
      return { probe, cached: !ran.has(index), ...(retried.has(index) ? { retried: true } : {}) };
    });
  }

  /** The next candidates without a known answer, as many as the budget allows; extends `keys` up to there. */
  #nextTurn(
    base: readonly number[],
    removals: readonly (readonly number[])[],
    keys: string[],
  ): Candidate[] {
    const turn = new Map<string, Candidate>();
    while (keys.length < removals.length) {
      const index = keys.length;
      const gone = new Set(removals[index]);
      const kept = base.filter((atom) => !gone.has(atom));
      const key = this.problem.key(kept);
      if (!this.#cache.has(key) && !turn.has(key)) {
        if (turn.size === this.#left) {
          this.#spent();
          break;
        }
        turn.set(key, { index, key, kept });
      }
      keys.push(key);
    }
    return [...turn.values()];
  }

  get #left(): number {
    return Math.max(0, Math.floor(this.problem.maxRuns - this.#runs));
  }

  /** Whether no run may be started any more; notes that one was needed. */
  #spent(): boolean {
    if (this.#left > 0) return false;
    this.#exhausted ??= "runs_exhausted";
    return true;
  }

  /**
   * Runs candidates in order, `width` at a time, into the cache. Leaves nothing running.
   * @returns whether all of them were started in time
   */
  async #run(candidates: readonly Candidate[], width: number): Promise<boolean> {
    const { problem } = this;
    const broken = new AbortController();
    const signal = AbortSignal.any([problem.signal, broken.signal]);
    let next = 0;
    const work = async () => {
      while (next < candidates.length && !signal.aborted) {
        if (problem.now() - this.#startedAt >= problem.maxMs) {
          this.#exhausted ??= "time_exhausted";
          return;
        }
        const { key, kept } = candidates[next++]!;
        try {
          const probe = await problem.test(kept, signal);
          this.#cache.set(key, probe);
          if (probe !== "unparsable") this.#runs++;
        } catch (error) {
          broken.abort(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(Math.max(1, width), candidates.length) }, work));
    if (problem.signal.aborted) throw interrupted(problem.signal.reason);
    if (broken.signal.aborted) throw broken.signal.reason;
    return next === candidates.length;
  }
}
