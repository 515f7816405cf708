import type { UnitSet } from "./problem.ts";

/** Atoms together with everything that cannot stand without them, sorted. */
export type Dependents = (atoms: readonly number[]) => number[];

/** Turns `requires` around, once, and closes over it: what has to go when some atoms go. */
export function dependents(units: UnitSet): Dependents {
  const needing: number[][] = Array.from({ length: units.atoms }, () => []);
  units.requires.forEach((needed, atom) => needed.forEach((n) => needing[n]!.push(atom)));
  return (atoms) => {
    const gone = new Set(atoms);
    // A Set's iteration also visits what is added while it runs.
    for (const atom of gone) needing[atom]!.forEach((d) => gone.add(d));
    return [...gone].sort((a, b) => a - b);
  };
}

/** Every smallest removal: each unit with all that cannot stand without it, once, in the order of the units. */
export function smallestRemovals(units: UnitSet): readonly (readonly number[])[] {
  const withDependents = dependents(units);
  const all = Array.from({ length: units.atoms }, (_, atom) => withDependents([atom]));
  return [...new Map(all.map((removed) => [removed.join(), removed])).values()];
}

/**
 * Checks what every step relies on: each level holds every atom exactly once, lies inside the groups of the level
 * before, and `requires` names atoms.
 * @throws RangeError naming what is wrong
 */
export function checkUnits(units: UnitSet): void {
  const { atoms, levels, requires } = units;
  if (!Number.isSafeInteger(atoms) || atoms < 0) throw new RangeError(`${atoms} atoms`);
  const isAtom = (n: number) => Number.isSafeInteger(n) && n >= 0 && n < atoms;
  if (requires.length !== atoms || !requires.every((needed) => needed.every(isAtom))) {
    throw new RangeError("requires does not fit the atoms");
  }
  let parents = new Array<number>(atoms).fill(0);
  for (const { level, groups } of levels) {
    const owner = new Array<number>(atoms).fill(-1);
    groups.forEach((group, g) => {
      for (const atom of group) {
        if (!isAtom(atom) || owner[atom] !== -1) throw new RangeError(`level ${level} is no partition`);
        if (parents[atom] !== parents[group[0]!]) throw new RangeError(`level ${level} does not refine`);
        owner[atom] = g;
      }
    });
    if (owner.includes(-1)) throw new RangeError(`level ${level} is no partition`);
    parents = owner;
  }
}
