import type { LineRange } from "../syntax/syntax.ts";
import type { ContextSnippet } from "../propose/proposer.ts";

/** A part of a file worth showing. */
export interface Excerpt extends LineRange {
  /** The line it is about; what is cut is cut far from it. */
  readonly focus: number;
  readonly why: string;
}

/** What is shown of a file: its lines are redacted. */
export interface ShownFile {
  readonly path: string;
  readonly lines: readonly string[];
}

/** A file and its excerpts, most relevant first. */
export interface Exhibit {
  readonly file: ShownFile;
  readonly excerpts: readonly Excerpt[];
}

/** Parts closer than this are shown as one. */
const JOIN_GAP = 3;
/** Less of a file than this says nothing. */
const MIN_SHARE = 400;
const encoder = new TextEncoder();

/**
 * Cuts exhibits to a budget: overlapping excerpts become one, a file that needs less than its share leaves the rest
 * to the others, and the last files go when the shares become too small.
 * @returns snippets of at most `budget` bytes of text together, in order of the exhibits, then of lines
 */
export function cutToBudget(exhibits: readonly Exhibit[], budget: number): ContextSnippet[] {
  const most = Math.max(1, Math.floor(budget / MIN_SHARE));
  const shown = exhibits.slice(0, most).map((exhibit) => ({
    ...exhibit,
    excerpts: merged(exhibit.excerpts),
  }));
  const needs = shown.map(({ file, excerpts }) =>
    excerpts.reduce((sum, range) => sum + bytesOf(file, range), 0)
  );
  const shares = fairShares(needs, budget);
  return shown.flatMap(({ file, excerpts }, i) => snippetsOf(file, excerpts, shares[i]!));
}

function snippetsOf(file: ShownFile, excerpts: readonly Excerpt[], share: number): ContextSnippet[] {
  let left = share;
  const kept: ContextSnippet[] = [];
  for (const excerpt of excerpts) {
    const range = fitted(file, excerpt, left);
    if (range === null) continue;
    left -= bytesOf(file, range);
    kept.push({
      path: file.path,
      startLine: range.start,
      endLine: range.end,
      fileLines: file.lines.length,
      text: file.lines.slice(range.start - 1, range.end).join("\n"),
      why: excerpt.why,
    });
  }
  return kept.sort((a, b) => a.startLine - b.startLine);
}

/** Grows from the focus, one line after and one before by turns, while it fits. */
function fitted(file: ShownFile, excerpt: Excerpt, budget: number): LineRange | null {
  let left = budget - lineBytes(file, excerpt.focus);
  if (left < 0) return null;
  let { focus: start, focus: end } = excerpt;
  for (let grew = true; grew;) {
    grew = false;
    if (end < excerpt.end && lineBytes(file, end + 1) <= left) {
      left -= lineBytes(file, ++end);
      grew = true;
    }
    if (start > excerpt.start && lineBytes(file, start - 1) <= left) {
      left -= lineBytes(file, --start);
      grew = true;
    }
  }
  return { start, end };
}

/** In order of relevance; a merged one takes the place and the reason of its most relevant part. */
function merged(excerpts: readonly Excerpt[]): Excerpt[] {
  const byLine = excerpts.map((excerpt, rank) => ({ excerpt, rank }))
    .sort((a, b) => a.excerpt.start - b.excerpt.start);
  const groups: { excerpt: Excerpt; rank: number }[] = [];
  for (const next of byLine) {
    const last = groups.at(-1);
    if (last === undefined || next.excerpt.start > last.excerpt.end + 1 + JOIN_GAP) groups.push(next);
    else {
      const lead = next.rank < last.rank ? next : last;
      const end = Math.max(last.excerpt.end, next.excerpt.end);
      groups[groups.length - 1] = {
        excerpt: { ...lead.excerpt, start: last.excerpt.start, end },
        rank: lead.rank,
      };
    }
  }
  return groups.sort((a, b) => a.rank - b.rank).map(({ excerpt }) => excerpt);
}

/** What nobody needs of an equal share is shared among those who need more. */
function fairShares(needs: readonly number[], budget: number): number[] {
  const shares = new Array<number>(needs.length).fill(0);
  const order = needs.map((_, i) => i).sort((a, b) => needs[a]! - needs[b]!);
  let left = budget;
  for (const [done, i] of order.entries()) {
    shares[i] = Math.min(needs[i]!, Math.floor(left / (needs.length - done)));
    left -= shares[i]!;
  }
  return shares;
}

function lineBytes(file: ShownFile, line: number): number {
  return encoder.encode(file.lines[line - 1] ?? "").length + 1;
}

function bytesOf(file: ShownFile, range: LineRange): number {
  let sum = 0;
  for (let line = range.start; line <= range.end; line++) sum += lineBytes(file, line);
  return sum;
}
