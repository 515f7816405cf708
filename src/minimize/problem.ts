/** Levels from coarse to fine, as in the design: file > hunk > change group > line. */
export type Level = "file" | "hunk" | "group" | "line";

/** What a minimizer knows of a patch: numbered atoms, how they group at each level, and what needs what. */
export interface UnitSet {
  /** Atoms are 0..atoms-1. */
  readonly atoms: number;
  /** Each level partitions the atoms; every level refines the one before. In file order. */
  readonly levels: readonly { readonly level: Level; readonly groups: readonly (readonly number[])[] }[];
  /** requires[a] lists atoms without which `a` cannot stand. */
  readonly requires: readonly (readonly number[])[];
}

/** What became of one candidate. `unparsable` was rejected without a run. */
export type Probe = "passes" | "fails" | "timed_out" | "unparsable";

/** One candidate of a wave: the atoms it left out, and what became of it. */
export interface TriedCandidate {
  readonly removed: readonly number[];
  readonly probe: Probe;
  /** Whether the answer came from the cache of result trees. */
  readonly cached: boolean;
  /** Present when it timed out and was tried once more with nothing beside it; `probe` is the second answer. */
  readonly retried?: true;
}

/** Candidates tried against one base, and what was removed in the end. */
export interface Wave {
  readonly wave: number;
  readonly level: Level;
  readonly tried: readonly TriedCandidate[];
  readonly removed: readonly number[];
  readonly remaining: number;
  /** Runs spent so far, this wave included. */
  readonly runs: number;
}

export type MinimizeEnd =
  /** The last wave tried every single remaining atom and none could go: the patch is 1-minimal. */
  | "one_minimal"
  | "runs_exhausted"
  | "time_exhausted"
  /** Never of a minimizer itself: what was left, written down anew, does not fall into the units that were tried. */
  | "realigned";

export interface MinimizeResult {
  /** Sorted atoms that are left. */
  readonly kept: readonly number[];
  readonly end: MinimizeEnd;
  readonly waves: readonly Wave[];
  /** Predicate runs that were really made (neither cached nor unparsable). */
  readonly runs: number;
}

export interface MinimizeProblem {
  readonly units: UnitSet;
  /** Runs one candidate; called only for sets closed under `requires`. Rejects only for broken machinery. */
  readonly test: (kept: readonly number[], signal: AbortSignal) => Promise<Probe>;
  /**
   * Identity of the result, the cache key (result-tree hash). Called only for sets closed under `requires`, among
   * them the empty set, whose result is the failing base.
   */
  readonly key: (kept: readonly number[]) => string;
  /** Candidates tried at once, at least 1. Changes how long it takes, not what comes out. */
  readonly parallel: number;
  /** Runs that may be started. */
  readonly maxRuns: number;
  /** Time after which no run is started; runs under way are let finish. */
  readonly maxMs: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onWave?: (wave: Wave) => void;
}
