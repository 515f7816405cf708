import { markDifferences, roughRoot, type Work } from "./search.ts";
import { slideTogether } from "./slide.ts";

/** Lines `aFrom` to `aTo` of the first file gave way to `bFrom` to `bTo` of the second; 0-based, ends exclusive. */
export interface Change {
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
}

/** Lines that occur this often in the other file, or as often as the root of a file's length, say little. */
const OFTEN = 1024;
/** How far around a line its neighbours are looked at. */
const NEIGHBOURHOOD = 100;

/**
 * What changed between two files, aligned as git aligns them, so that a merge made of two alignments agrees with
 * git's. Lines are numbers, equal for equal lines. Equal ends are set aside, lines that cannot have a partner or say
 * little among such are left out of the search, and the changes found are slid to where they join.
 * @returns the changes in order, none touching another in both files; null when the work ran out
 */
export function alignLines(a: Int32Array, b: Int32Array, work: Work): Change[] | null {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  work.left -= a.length + b.length;
  // One more, never set, so that a run of changes ends there.
  const aChanged = new Uint8Array(a.length + 1), bChanged = new Uint8Array(b.length + 1);
  const aTelling = telling(a, b, head, a.length - tail, aChanged);
  const bTelling = telling(b, a, head, b.length - tail, bChanged);
  const found = markDifferences(
    { lines: aTelling.map((at) => a[at]!), lonely: (at) => aChanged[aTelling[at]!] = 1 },
    { lines: bTelling.map((at) => b[at]!), lonely: (at) => bChanged[bTelling[at]!] = 1 },
    work,
  );
  if (!found) return null;
  slideTogether(a, aChanged, bChanged, work);
  slideTogether(b, bChanged, aChanged, work);
  if (work.left < 0) return null;
  return changes(aChanged, bChanged);
}

function changes(aChanged: Uint8Array, bChanged: Uint8Array): Change[] {
  const out: Change[] = [];
  const aEnd = aChanged.length - 1, bEnd = bChanged.length - 1;
  for (let i = 0, j = 0; i < aEnd || j < bEnd; i++, j++) {
    if (!aChanged[i] && !bChanged[j]) continue;
    const aFrom = i, bFrom = j;
    while (aChanged[i]) i++;
    while (bChanged[j]) j++;
    out.push({ aFrom, aTo: i, bFrom, bTo: j });
  }
  return out;
}

const NEVER = 0, SOMETIMES = 1, TOO_OFTEN = 2;

/**
 * The lines between two places that are worth searching a partner for; the others are marked as changed. Left out are
 * lines the other file does not have, and frequent lines within a run of mostly such lines.
 */
function telling(
  lines: Int32Array,
  other: Int32Array,
  from: number,
  to: number,
  changed: Uint8Array,
): Int32Array {
  const often = Math.min(roughRoot(lines.length), OFTEN);
  const counts = new Map<number, number>();
  for (const line of other) counts.set(line, (counts.get(line) ?? 0) + 1);
  const kind = new Uint8Array(lines.length);
  for (let i = from; i < to; i++) {
    const count = counts.get(lines[i]!) ?? 0;
    kind[i] = count === 0 ? NEVER : count >= often ? TOO_OFTEN : SOMETIMES;
  }
  const kept: number[] = [];
  for (let i = from; i < to; i++) {
    if (kind[i] === SOMETIMES || kind[i] === TOO_OFTEN && !amongLonely(kind, i, from, to)) kept.push(i);
    else changed[i] = 1;
  }
  return Int32Array.from(kept);
}

/** Whether a frequent line has lonely ones on both sides before the next telling one, more than three to each like it. */
function amongLonely(kind: Uint8Array, at: number, from: number, to: number): boolean {
  const first = Math.max(from, at - NEIGHBOURHOOD), last = Math.min(to - 1, at + NEIGHBOURHOOD);
  let lonely = 0, frequent = 1;
  for (let i = at - 1; i >= first && kind[i] !== SOMETIMES; i--) kind[i] === NEVER ? lonely++ : frequent++;
  if (lonely === 0) return false;
  const before = lonely;
  frequent++;
  for (let i = at + 1; i <= last && kind[i] !== SOMETIMES; i++) kind[i] === NEVER ? lonely++ : frequent++;
  return lonely > before && frequent * 4 < frequent + lonely;
}
