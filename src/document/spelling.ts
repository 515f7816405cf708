const MAX_WORD_LENGTH = 64;

/**
 * The one of `known` a misspelt word most likely meant: fewest insertions, deletions, exchanges and swaps of
 * neighbours, at most a third of the word; case, `-` and `_` do not count. Null when nothing is near.
 */
export function nearestWord(word: string, known: readonly string[]): string | null {
  if (word.length > MAX_WORD_LENGTH) return null;
  const plain = (s: string) => s.toLowerCase().replace(/[-_ ]/g, "");
  let best: string | null = null;
  let bestDistance = Math.floor(Math.max(plain(word).length, 3) / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain(word), plain(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** `; did you mean X?`, or nothing when no word is near. */
export function spellingHint(word: string, known: readonly string[]): string {
  const near = nearestWord(word, known);
  return near === null ? "" : `; did you mean ${near}?`;
}
