import { smallestRemovals } from "../../minimize/units.ts";
import type { Atom, PatchUnits } from "../../patch/units.ts";
import { isBroken } from "../../prove/reduce.ts";
import type { Syntax } from "../../syntax/syntax.ts";
import type { FileChange } from "../../vocabulary/change.ts";
import { sha256 } from "../../vocabulary/digest.ts";
import { printableLine, printablePath } from "../../vocabulary/printable.ts";
import type { VerificationResult } from "../../vocabulary/verification.ts";
import type { Judgement, RunsJudged } from "./judge.ts";

/** What a verifier asks of a claim that no line can be left out. */
export interface MinimalAsked {
  /** How many removals are tried, at least 1; more than there are is all of them. */
  readonly count: number;
  /** Makes the choice one that the prover could not foresee; null for an even spread. */
  readonly seed: string | null;
}

/**
 * The removals to try: spread evenly over the patch, or, with a seed, those whose SHA-256 of `seed:number` comes first.
 * The same patch, count and seed give the same choice, in the patch's order.
 */
export function chosenRemovals<T>(removals: readonly T[], { count, seed }: MinimalAsked): readonly T[] {
  const n = removals.length;
  if (count >= n) return removals;
  if (seed === null) {
    return Array.from({ length: count }, (_, i) => removals[Math.floor((i + 0.5) * n / count)]!);
  }
  const encoder = new TextEncoder();
  const ranked = removals.map((removal, i) => ({ i, removal, rank: sha256(encoder.encode(`${seed}:${i}`)) }));
  ranked.sort((a, b) => a.rank < b.rank ? -1 : 1);
  return ranked.slice(0, count).sort((a, b) => a.i - b.i).map(({ removal }) => removal);
}

/** What became of the removals that were tried. */
export interface RemovalsTried {
  /** Removals there are. */
  readonly units: number;
  readonly tried: number;
  /** Of those tried: rejected without a run, as a minimization rejects them, and cut off. Neither passed. */
  readonly unparsable: number;
  readonly timedOut: number;
  readonly seed: string | null;
  /** Removals with which the targets passed, every time. */
  readonly needless: readonly (readonly Atom[])[];
  /** Removals with which they passed at first and not again. */
  readonly unsteady: readonly (readonly Atom[])[];
}

export interface RemovalPorts {
  /** Whether what is left of a patch may be written at all. */
  readonly admits: (changes: readonly FileChange[]) => boolean;
  readonly syntax: Syntax;
  readonly signal: AbortSignal;
  /** Runs the targets on base plus changes, in a newly created copy when `fresh`. */
  readonly run: (changes: readonly FileChange[], fresh: boolean) => Promise<VerificationResult>;
  /** How often a pass must come again before it counts. */
  readonly again: number;
  readonly onTried?: (tried: number, of: number) => void;
}

/**
 * Leaves out one smallest part of a patch after the other and runs what is left. The parts are those of our own
 * splitting; no record is asked for them. What a minimization counts as not passing counts so here: files that no longer parse, and runs into the time limit.
 * @param whole what all of the patch does
 * @param width how many are tried at once
 */
export async function tryRemovals(
  split: PatchUnits,
  whole: readonly FileChange[],
  asked: MinimalAsked,
  width: number,
  ports: RemovalPorts,
): Promise<RemovalsTried> {
  const removals = smallestRemovals(split.units);
  const chosen = chosenRemovals(removals, asked);
  const full = new Map(whole.map((c) => [c.path as string, c]));
  const fates: Fate[] = [];
  let next = 0, done = 0;
  const work = async () => {
    while (next < chosen.length && !ports.signal.aborted) {
      const i = next++;
      fates[i] = await fateOf(chosen[i]!, split, full, ports);
      ports.onTried?.(++done, chosen.length);
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(width, chosen.length) }, work));
  for (const worker of workers) if (worker.status === "rejected") throw worker.reason;
  ports.signal.throwIfAborted();
  const atoms = (fate: Fate) =>
    chosen.filter((_, i) => fates[i] === fate).map((removed) => removed.map((atom) => split.atoms[atom]!));
  return {
    units: removals.length,
    tried: chosen.length,
    unparsable: fates.filter((fate) => fate === "unparsable").length,
    timedOut: fates.filter((fate) => fate === "timed_out").length,
    seed: asked.seed,
    needless: atoms("passed"),
    unsteady: atoms("unsteady"),
  };
}

type Fate = VerificationResult["outcome"] | "unparsable" | "unsteady";

async function fateOf(
  removed: readonly number[],
  split: PatchUnits,
  full: ReadonlyMap<string, FileChange>,
  ports: RemovalPorts,
): Promise<Fate> {
  const gone = new Set(removed);
  const changes = split.changes(split.atoms.map((_, atom) => atom).filter((atom) => !gone.has(atom)));
  // Nothing is left: that is the base, which was just seen to be red.
  if (changes.length === 0) return "failed";
  if (!ports.admits(changes) || await isBroken(changes, full, ports.syntax)) return "unparsable";
  const { outcome } = await ports.run(changes, false);
  if (outcome !== "passed") return outcome;
  for (let i = 0; i < ports.again; i++) {
    if ((await ports.run(changes, true)).outcome !== "passed") return "unsteady";
  }
  return "passed";
}

/** Removals told in a message; more are counted. */
const TOLD_REMOVALS = 5;

/** A confirmation that says that every line is needed, judged by the removals that were tried. */
export function withRemovals(confirmed: RunsJudged, tried: RemovalsTried): RunsJudged {
  const said = (judgement: Judgement, minimal: "passed" | "failed" | "unclear"): RunsJudged => ({
    ...judgement,
    checks: { ...confirmed.checks, minimal },
  });
  const { needless, unsteady } = tried;
  if (needless.length > 0) {
    const detail = `the patch passes without ${told(needless)}; it is said to be minimal`;
    return said({ verdict: "contradicted", reason: "not_minimal", detail }, "failed");
  }
  if (unsteady.length > 0) {
    const detail = `without ${told(unsteady)} the patch passes only sometimes`;
    return said({ verdict: "inconclusive", reason: "flaky", detail }, "unclear");
  }
  const shown = tried.tried === tried.units
    ? "no part of it can be left out"
    : `none of the ${tried.tried} parts tried (of ${tried.units}) can be left out`;
  return said({ ...confirmed, detail: `${confirmed.detail}; ${shown}` }, "passed");
}

function told(removals: readonly (readonly Atom[])[]): string {
  const each = removals.slice(0, TOLD_REMOVALS).map(removalText).join("; or without ");
  const more = removals.length - TOLD_REMOVALS;
  return more > 0 ? `${each}; and ${more} more` : each;
}

/** `a.py: "+  print()"`, cut where a removal is long. */
export function removalText(removed: readonly Atom[]): string {
  const [first, ...more] = removed;
  const what = printableLine(first!.what.slice(0, 80));
  return `${printablePath(first!.path)}: \`${what}\`${more.length === 0 ? "" : ` and ${more.length} more`}`;
}
