import type { Level, MinimizeProblem, Probe, UnitSet } from "../../src/minimize/minimize.ts";

/** Files of hunks of groups of so many lines each. */
export type Shape = readonly (readonly (readonly number[])[])[];

/** Numbers the lines of a shape and groups them at all four levels. */
export function unitsOf(shape: Shape, requires: Readonly<Record<number, readonly number[]>> = {}): UnitSet {
  let atoms = 0;
  const tree = shape.map((hunks) =>
    hunks.map((groups) => groups.map((lines) => Array.from({ length: lines }, () => atoms++)))
  );
  const levels: { level: Level; groups: number[][] }[] = [
    { level: "file", groups: tree.map((file) => file.flat(2)) },
    { level: "hunk", groups: tree.flat().map((hunk) => hunk.flat()) },
    { level: "group", groups: tree.flat(2) },
    { level: "line", groups: Array.from({ length: atoms }, (_, atom) => [atom]) },
  ];
  return { atoms, levels, requires: Array.from({ length: atoms }, (_, atom) => requires[atom] ?? []) };
}

/** `files` files of `hunks` hunks of one group of `lines` lines. */
export function even(files: number, hunks: number, lines: number): Shape {
  return Array.from({ length: files }, () => Array.from({ length: hunks }, () => [lines]));
}

/** Passes when all of `needed` are there. */
export function needs(needed: readonly number[]): (kept: readonly number[]) => boolean {
  return (kept) => needed.every((atom) => kept.includes(atom));
}

/** A problem that answers at once, without limits, one at a time; `over` replaces any part. */
export function problemOf(
  units: UnitSet,
  passes: (kept: readonly number[]) => boolean,
  over: Partial<MinimizeProblem> = {},
): MinimizeProblem {
  return {
    units,
    test: (kept): Promise<Probe> => Promise.resolve(passes(kept) ? "passes" : "fails"),
    key: (kept) => kept.join(),
    parallel: 1,
    maxRuns: 10_000,
    maxMs: 1_000_000,
    now: () => 0,
    signal: new AbortController().signal,
    ...over,
  };
}
