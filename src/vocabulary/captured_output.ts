import type { CapturedOutput } from "./verification.ts";

/** How far into the kept bytes a line is taken for cut. */
const LONGEST_CUT = 4096;
/** A rest of a word as short as this gives nothing away. */
const HARMLESS = 8;
const LINE_FEED = 0x0a;

/**
 * A captured stream without the halves of lines beside its gap: half a secret is found by no rule. Of a line longer
 * than 4 KiB the word at the gap goes, or 4 KiB where there is none. Rests of at most 8 bytes stay.
 */
export function withoutCutLines(output: CapturedOutput): CapturedOutput {
  const { head, tail, totalBytes } = output;
  if (head.length + tail.length >= totalBytes) return output;
  const end = head.length - cutLength((i) => head[head.length - 1 - i], head.length, false);
  const start = cutLength((i) => tail[i], tail.length, true);
  return { ...output, head: head.subarray(0, end), tail: tail.subarray(start) };
}

/** Bytes of the cut line, counted from the gap; `inclusive` takes its end along. */
function cutLength(at: (i: number) => number | undefined, length: number, inclusive: boolean): number {
  const bound = Math.min(length, LONGEST_CUT);
  let space = -1;
  for (let i = 0; i < bound; i++) {
    const byte = at(i)!;
    if (byte === LINE_FEED) return i <= HARMLESS ? 0 : i + (inclusive ? 1 : 0);
    if (space < 0 && i > HARMLESS && (byte === 0x20 || byte === 0x09)) space = i;
  }
  if (space >= 0) return space;
  return bound <= HARMLESS ? 0 : bound;
}
