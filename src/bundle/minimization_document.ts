import type { PatchStats } from "../patch/stats.ts";
import type { MinimizationRecord } from "./record.ts";
import type { MinimizationDocument } from "./schema.ts";

/** minimization.json: what was tried in which wave, and the certificate when the patch is 1-minimal. */
export function minimizationDocument(
  minimization: MinimizationRecord,
  finalStats: PatchStats | null,
): MinimizationDocument {
  const { result, atoms, before } = minimization;
  const used = minimization.kept && finalStats !== null;
  const last = result.waves.at(-1);
  return {
    format: "veripatch-minimization/v1",
    used,
    reason: used ? null : minimization.reason ?? "no patch was confirmed",
    end: result.end,
    runs: result.runs,
    before: { ...before },
    after: used
      ? { files: finalStats.files, additions: finalStats.additions, deletions: finalStats.deletions }
      : null,
    atoms: atoms.map(({ path, what }) => ({ path, what })),
    kept: atomRanges(result.kept),
    waves: result.waves.map((wave) => ({
      wave: wave.wave,
      level: wave.level,
      tried: wave.tried.map((candidate) => ({ ...candidate, removed: atomRanges(candidate.removed) })),
      removed: atomRanges(wave.removed),
      remaining: wave.remaining,
      runs: wave.runs,
    })),
    certificate: result.end !== "one_minimal" || last === undefined ? null : {
      wave: last.wave,
      removals: last.tried.map(({ removed, probe }) => ({ removed: atomRanges(removed), probe })),
    },
  };
}

/** Sorted numbers as `0-3,7`. */
export function atomRanges(atoms: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const atom of atoms) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === atom - 1) last[1] = atom;
    else ranges.push([atom, atom]);
  }
  return ranges.map(([from, to]) => from === to ? `${from}` : `${from}-${to}`).join(",");
}
