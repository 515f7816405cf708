import { diffArrays } from "diff";

/** A stretch of lines replaced by another; 0-based, ends exclusive. Sorted, never touching one another. */
export interface Edit {
  readonly oldStart: number;
  readonly oldEnd: number;
  readonly newStart: number;
  readonly newEnd: number;
}

/** Edits beyond this are not searched for the shortest script. */
const MAX_EDIT_LENGTH = 3000;
/** Bounds line comparisons: edit length times lines. */
const MAX_WORK = 50_000_000;

/**
 * The edits between two files given as lines. Deterministic, and bounded without a clock: a shortest script where
 * that is cheap, else split at lines that are unique in both, else one replacement.
 */
export function diffLines(oldLines: readonly string[], newLines: readonly string[]): Edit[] {
  const shorter = Math.min(oldLines.length, newLines.length);
  let head = 0;
  while (head < shorter && oldLines[head] === newLines[head]) head++;
  let tail = 0;
  while (
    tail < shorter - head && oldLines[oldLines.length - 1 - tail] === newLines[newLines.length - 1 - tail]
  ) tail++;
  // Numbers in place of lines: comparing two long lines costs what comparing two short ones does.
  const numbers = new Map<string, number>();
  const number = (line: string) => {
    const known = numbers.get(line);
    if (known !== undefined) return known;
    numbers.set(line, numbers.size);
    return numbers.size - 1;
  };
  const a = oldLines.slice(head, oldLines.length - tail).map(number);
  const b = newLines.slice(head, newLines.length - tail).map(number);
  return merge(diffNumbers(a, b, head, head, true));
}

function diffNumbers(a: number[], b: number[], oldAt: number, newAt: number, mayAnchor: boolean): Edit[] {
  if (a.length === 0 && b.length === 0) return [];
  const all = [{ oldStart: oldAt, oldEnd: oldAt + a.length, newStart: newAt, newEnd: newAt + b.length }];
  if (a.length === 0 || b.length === 0) return all;
  const size = a.length + b.length;
  const script = diffArrays(a, b, { maxEditLength: Math.min(MAX_EDIT_LENGTH, Math.ceil(MAX_WORK / size)) });
  if (script === undefined) return mayAnchor ? diffBetweenAnchors(a, b, oldAt, newAt) : all;
  const edits: Edit[] = [];
  let i = oldAt, j = newAt;
  for (const part of script) {
    const oldEnd = part.added ? i : i + part.count, newEnd = part.removed ? j : j + part.count;
    if (part.added || part.removed) edits.push({ oldStart: i, oldEnd, newStart: j, newEnd });
    i = oldEnd;
    j = newEnd;
  }
  return edits;
}

/** Patience: the longest run of lines unique on both sides that keep their order cuts the problem into small ones. */
function diffBetweenAnchors(a: number[], b: number[], oldAt: number, newAt: number): Edit[] {
  const edits: Edit[] = [];
  let i = 0, j = 0;
  for (const [x, y] of [...anchors(a, b), [a.length, b.length] as const]) {
    edits.push(...diffNumbers(a.slice(i, x), b.slice(j, y), oldAt + i, newAt + j, false));
    i = x + 1;
    j = y + 1;
  }
  return edits;
}

function anchors(a: readonly number[], b: readonly number[]): (readonly [number, number])[] {
  const inOld = uniquePositions(a), inNew = uniquePositions(b);
  const pairs: { x: number; y: number; before: number }[] = [];
  const tops: number[] = [];
  for (const [value, x] of inOld) {
    const y = inNew.get(value);
    if (y === undefined) continue;
    let low = 0, high = tops.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[tops[middle]!]!.y < y) low = middle + 1;
      else high = middle;
    }
    pairs.push({ x, y, before: low > 0 ? tops[low - 1]! : -1 });
    tops[low] = pairs.length - 1;
  }
  const chain: [number, number][] = [];
  for (let at = tops[tops.length - 1] ?? -1; at >= 0; at = pairs[at]!.before) {
    chain.push([pairs[at]!.x, pairs[at]!.y]);
  }
  return chain.reverse();
}

/** Values that occur once, with their place, in order of place. */
function uniquePositions(values: readonly number[]): Map<number, number> {
  const places = new Map<number, number>(), twice = new Set<number>();
  values.forEach((v, at) => {
    if (places.has(v)) twice.add(v);
    else places.set(v, at);
  });
  for (const v of twice) places.delete(v);
  return places;
}

function merge(edits: readonly Edit[]): Edit[] {
  const out: Edit[] = [];
  for (const e of edits) {
    const last = out[out.length - 1];
    if (last && last.oldEnd === e.oldStart && last.newEnd === e.newStart) {
      out[out.length - 1] = { ...last, oldEnd: e.oldEnd, newEnd: e.newEnd };
    } else out.push(e);
  }
  return out;
}
