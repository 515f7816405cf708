/** Steps of the search left; shared by a whole merge, so that no input costs more. */
export interface Work {
  left: number;
}

/** Marks of the lines that only one side has. */
interface Side {
  readonly lines: Int32Array;
  /** Calls back for a line that has no partner. */
  readonly lonely: (at: number) => void;
}

/** A run of equal lines longer than this is worth ending a long search for. */
const LONG_RUN = 20;
/** Searches of fewer steps are always exact. */
const EXACT_STEPS = 256;
/** How far ahead of its cost a path has to be to end a search early. */
const WORTH = 4;

interface Cut {
  readonly a: number;
  readonly b: number;
  /** Whether the part before, and the part after the cut, must be searched exactly. */
  readonly exactBefore: boolean;
  readonly exactAfter: boolean;
}

/**
 * Finds which lines of two files have no partner in the other: Myers' O(ND) difference algorithm in its linear-space
 * form, searching from both ends and cutting where the searches meet. Of several shortest scripts it takes the one
 * git takes (forward paths prefer to have dropped a line of the first file, diagonals are tried from the highest
 * down), and past 256 steps it ends a search early as git does: at a path with a long run of equal lines far ahead of
 * its cost, or, when the steps reach the square root of the size, at the furthest one.
 *
 * @returns false when the work ran out
 */
export function markDifferences(first: Side, second: Side, work: Work): boolean {
  const a = first.lines, b = second.lines;
  const size = a.length + b.length + 3;
  const forward = new Int32Array(size + 2), backward = new Int32Array(size + 2);
  /** Where diagonal 0 stands in both. */
  const zero = b.length + 1;
  const most = Math.max(EXACT_STEPS, roughRoot(size));
  const open: [number, number, number, number, boolean][] = [[0, a.length, 0, b.length, false]];
  while (open.length > 0) {
    let [aFrom, aTo, bFrom, bTo, exact] = open.pop()!;
    while (aFrom < aTo && bFrom < bTo && a[aFrom] === b[bFrom]) aFrom++, bFrom++;
    while (aFrom < aTo && bFrom < bTo && a[aTo - 1] === b[bTo - 1]) aTo--, bTo--;
    if (aFrom === aTo) { for (let i = bFrom; i < bTo; i++) second.lonely(i); }
    else if (bFrom === bTo) { for (let i = aFrom; i < aTo; i++) first.lonely(i); }
    else {
      const cut = meet(aFrom, aTo, bFrom, bTo, exact);
      if (cut === null) return false;
      open.push([cut.a, aTo, cut.b, bTo, cut.exactAfter], [aFrom, cut.a, bFrom, cut.b, cut.exactBefore]);
    }
  }
  return true;

  /** Where the furthest forward and backward paths of a box meet; diagonals are numbered `a - b`. */
  function meet(aFrom: number, aTo: number, bFrom: number, bTo: number, exact: boolean): Cut | null {
    const lowest = aFrom - bTo, highest = aTo - bFrom;
    const start = aFrom - bFrom, end = aTo - bTo;
    const odd = ((start - end) & 1) !== 0;
    let fLow = start, fHigh = start, bLow = end, bHigh = end;
    forward[zero + start] = aFrom;
    backward[zero + end] = aTo;
    for (let cost = 1;; cost++) {
      let longRun = false;
      if (fLow > lowest) forward[zero + --fLow - 1] = -1;
      else fLow++;
      if (fHigh < highest) forward[zero + ++fHigh + 1] = -1;
      else fHigh--;
      for (let d = fHigh; d >= fLow; d -= 2) {
        const dropped = forward[zero + d - 1]!, added = forward[zero + d + 1]!;
        const from = dropped >= added ? dropped + 1 : added;
        let x = from;
        while (x < aTo && x - d < bTo && a[x] === b[x - d]) x++;
        work.left -= x - from + 1;
        if (x - from > LONG_RUN) longRun = true;
        forward[zero + d] = x;
        if (odd && bLow <= d && d <= bHigh && backward[zero + d]! <= x) {
          return { a: x, b: x - d, exactBefore: true, exactAfter: true };
        }
      }
      if (bLow > lowest) backward[zero + --bLow - 1] = 0x7fffffff;
      else bLow++;
      if (bHigh < highest) backward[zero + ++bHigh + 1] = 0x7fffffff;
      else bHigh--;
      for (let d = bHigh; d >= bLow; d -= 2) {
        const added = backward[zero + d - 1]!, dropped = backward[zero + d + 1]!;
        const from = added < dropped ? added : dropped - 1;
        let x = from;
        while (x > aFrom && x - d > bFrom && a[x - 1] === b[x - d - 1]) x--;
        work.left -= from - x + 1;
        if (from - x > LONG_RUN) longRun = true;
        backward[zero + d] = x;
        if (!odd && fLow <= d && d <= fHigh && x <= forward[zero + d]!) {
          return { a: x, b: x - d, exactBefore: true, exactAfter: true };
        }
      }
      if (work.left < 0) return null;
      if (exact) continue;
      if (longRun && cost > EXACT_STEPS) {
        const early = promising(cost);
        if (early) return early;
      }
      if (cost >= most) return furthest();
    }

    /** The best path that has a long run of equal lines behind it and is far ahead of its cost. */
    function promising(cost: number): Cut | null {
      let best = 0, cut: Cut | null = null;
      for (let d = fHigh; d >= fLow; d -= 2) {
        const x = forward[zero + d]!, y = x - d;
        const ahead = x - aFrom + (y - bFrom) - Math.abs(d - start);
        if (ahead <= WORTH * cost || ahead <= best) continue;
        if (x < aFrom + LONG_RUN || x >= aTo || y < bFrom + LONG_RUN || y >= bTo) continue;
        if (!equal(x - LONG_RUN, y - LONG_RUN)) continue;
        best = ahead;
        cut = { a: x, b: y, exactBefore: true, exactAfter: false };
      }
      if (cut) return cut;
      for (let d = bHigh; d >= bLow; d -= 2) {
        const x = backward[zero + d]!, y = x - d;
        const ahead = aTo - x + (bTo - y) - Math.abs(d - end);
        if (ahead <= WORTH * cost || ahead <= best) continue;
        if (x <= aFrom || x > aTo - LONG_RUN || y <= bFrom || y > bTo - LONG_RUN) continue;
        if (!equal(x, y)) continue;
        best = ahead;
        cut = { a: x, b: y, exactBefore: false, exactAfter: true };
      }
      return cut;
    }

    function equal(x: number, y: number): boolean {
      for (let i = 0; i < LONG_RUN; i++) if (a[x + i] !== b[y + i]) return false;
      return true;
    }

    /** The path that has come furthest from its end of the box. */
    function furthest(): Cut {
      let far = -1, farA = -1;
      for (let d = fHigh; d >= fLow; d -= 2) {
        let x = Math.min(forward[zero + d]!, aTo), y = x - d;
        if (y > bTo) x = bTo + d, y = bTo;
        if (x + y > far) far = x + y, farA = x;
      }
      let near = Infinity, nearA = -1;
      for (let d = bHigh; d >= bLow; d -= 2) {
        let x = Math.max(backward[zero + d]!, aFrom), y = x - d;
        if (y < bFrom) x = bFrom + d, y = bFrom;
        if (x + y < near) near = x + y, nearA = x;
      }
      return aTo + bTo - near < far - (aFrom + bFrom)
        ? { a: farA, b: far - farA, exactBefore: true, exactAfter: false }
        : { a: nearA, b: near - nearA, exactBefore: false, exactAfter: true };
    }
  }
}

/** A power of two near the square root, never below it. */
export function roughRoot(n: number): number {
  let root = 1;
  for (; n > 0; n >>= 2) root <<= 1;
  return root;
}
