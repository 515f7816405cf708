import { interrupted } from "../vocabulary/failure.ts";
import { Probes } from "./probes.ts";
import type { MinimizeProblem, MinimizeResult } from "./problem.ts";
import { narrow, Search, sweep } from "./search.ts";
import { checkUnits, dependents } from "./units.ts";

export type * from "./problem.ts";

/**
 * Finds a small set of atoms that still passes, given that all of them together pass and none at all fails.
 *
 * Whatever the predicate does, the result was itself probed and passed (or is the full set), is closed under
 * `requires`, and depends neither on timing nor on `parallel`. When it ends `one_minimal`, the last wave holds, for
 * every atom that is left, the removal of that atom and its dependents, and none of them passed.
 * @throws Failure `interrupted` when the signal aborts, after every run under way has ended; RangeError when the
 *   units are malformed; whatever `test` or `key` rejects with
 */
export async function minimize(problem: MinimizeProblem): Promise<MinimizeResult> {
  if (problem.signal.aborted) throw interrupted(problem.signal.reason);
  checkUnits(problem.units);
  const search = new Search(problem, new Probes(problem), dependents(problem.units));
  for (const { level, groups } of problem.units.levels) await narrow(search, level, groups);
  await sweep(search);
  return search.result();
}
