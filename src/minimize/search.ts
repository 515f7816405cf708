import type { Probes } from "./probes.ts";
import type { Level, MinimizeProblem, MinimizeResult, TriedCandidate, Wave } from "./problem.ts";
import type { Dependents } from "./units.ts";

/** Neighbouring groups of one level that are to go together. */
type Chunk = readonly (readonly number[])[];

/** A failed change of at most this many lines is tried line by line at once: mostly they are all needed. */
const LINES_AT_ONCE = 4;

/** The state of one search: what is left, what is known not to go as a whole, and the waves so far. */
export class Search {
  #kept: readonly number[];
  readonly #here: Set<number>;
  readonly #waves: Wave[] = [];
  /** Sets of atoms none of which could go as a whole. Everything together cannot: the base fails. */
  needed: readonly (readonly number[])[];

  constructor(
    readonly problem: MinimizeProblem,
    readonly probes: Probes,
    readonly withDependents: Dependents,
  ) {
    this.#kept = Array.from({ length: problem.units.atoms }, (_, atom) => atom);
    this.#here = new Set(this.#kept);
    this.needed = [this.#kept];
  }

  get kept(): readonly number[] {
    return this.#kept;
  }

  /** Those of some atoms that are not removed yet. */
  stillHere(atoms: readonly number[]): readonly number[] {
    return atoms.filter((atom) => this.#here.has(atom));
  }

  get over(): boolean {
    return this.probes.exhausted !== null;
  }

  /**
   * Tries to remove each of several sets of atoms against the same base, then removes all that could go together,
   * else the longest prefix of them found to pass.
   * @returns for each set: `removed`, `free` (it could go alone, not with those before it), `stuck`, or `unknown`
   *   when the budget ended
   */
  async wave(level: Level, sets: readonly (readonly number[])[]): Promise<Fate[]> {
    const removals = sets.map((set) => this.#removalOf(set));
    const distinct = [...new Map(removals.map((r) => [r.join(), r])).values()];
    const answers = await this.probes.ask(this.#kept, distinct);
    const tried: TriedCandidate[] = [];
    const free: (readonly number[])[] = [];
    const stuck = new Set<string>();
    answers.forEach((answer, i) => {
      if (answer === null) return;
      const removed = distinct[i]!;
      tried.push({ removed, ...answer });
      if (answer.probe === "passes") free.push(removed);
      else stuck.add(removed.join());
    });
    const taken = await this.#longestPrefix(free, tried);
    const removed = union(free.slice(0, taken));
    removed.forEach((atom) => this.#here.delete(atom));
    this.#kept = this.#kept.filter((atom) => this.#here.has(atom));
    this.#record(level, tried, removed);

    const rank = new Map(free.map((r, i) => [r.join(), i]));
    return removals.map((removal) => {
      if (stuck.has(removal.join())) return "stuck";
      const place = rank.get(removal.join());
      if (place === undefined) return "unknown";
      return place < taken ? "removed" : "free";
    });
  }

  result(): MinimizeResult {
    return {
      kept: this.#kept,
      end: this.probes.exhausted ?? "one_minimal",
      waves: this.#waves,
      runs: this.probes.runs,
    };
  }

  /** What of a set is still there, with everything that would fall with it. */
  #removalOf(set: readonly number[]): readonly number[] {
    return this.stillHere(this.withDependents(this.stillHere(set)));
  }

  /** How many of the removals, from the first on, pass together. One alone is known to. */
  async #longestPrefix(free: readonly (readonly number[])[], tried: TriedCandidate[]): Promise<number> {
    let passing = Math.min(1, free.length);
    let failing = free.length + 1;
    for (let length = free.length; failing - passing > 1; length = (passing + failing) >> 1) {
      const removed = union(free.slice(0, length));
      const [answer] = await this.probes.ask(this.#kept, [removed]);
      if (!answer) return passing;
      tried.push({ removed, ...answer });
      if (answer.probe === "passes") passing = length;
      else failing = length;
    }
    return passing;
  }

  #record(level: Level, tried: readonly TriedCandidate[], removed: readonly number[]): void {
    if (tried.length === 0) return;
    const wave: Wave = {
      wave: this.#waves.length + 1,
      level,
      tried,
      removed,
      remaining: this.#kept.length,
      runs: this.probes.runs,
    };
    this.#waves.push(wave);
    this.problem.onWave?.(wave);
  }
}

type Fate = "removed" | "free" | "stuck" | "unknown";

/** One level: what is needed as a whole is halved, again and again, down to single groups of this level. */
export async function narrow(
  search: Search,
  level: Level,
  groups: readonly (readonly number[])[],
): Promise<void> {
  const groupOf = new Map(groups.flatMap((group) => group.map((atom) => [atom, group] as const)));
  const needed: (readonly number[])[] = [];
  let queue: Chunk[] = [];
  const split = (chunk: Chunk): void => {
    if (chunk.length === 1) needed.push(chunk[0]!);
    else queue.push(...parts(chunk, level));
  };
  for (const whole of search.needed) {
    const chunk = [...new Set(whole.map((atom) => groupOf.get(atom)!))];
    split(remaining(chunk, search));
  }
  while (queue.length > 0 && !search.over) {
    const chunks = queue;
    queue = [];
    const fates = await search.wave(level, chunks.map((chunk) => chunk.flat()));
    fates.forEach((fate, i) => {
      const chunk = remaining(chunks[i]!, search);
      if (chunk.length === 0) return;
      if (fate === "stuck") split(chunk);
      else if (fate === "free") queue.push(chunk);
    });
  }
  search.needed = needed.map((group) => search.stillHere(group)).filter((g) => g.length > 0);
}

/** Single atoms, each against the same base, until none can go: that wave is the certificate. */
export async function sweep(search: Search): Promise<void> {
  for (let before = -1; before !== search.kept.length && !search.over;) {
    before = search.kept.length;
    await search.wave("line", search.kept.map((atom) => [atom]));
  }
}

function parts(chunk: Chunk, level: Level): Chunk[] {
  if (level === "line" && chunk.length <= LINES_AT_ONCE) return chunk.map((group) => [group]);
  const middle = chunk.length >> 1;
  return [chunk.slice(0, middle), chunk.slice(middle)];
}

/** A chunk without the atoms that are gone. */
function remaining(chunk: Chunk, search: Search): Chunk {
  return chunk.map((group) => search.stillHere(group)).filter((group) => group.length > 0);
}

function union(sets: readonly (readonly number[])[]): number[] {
  return [...new Set(sets.flat())].sort((a, b) => a - b);
}
