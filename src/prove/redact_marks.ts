import type { Redacted } from "../vocabulary/redaction.ts";

/** Where a secret stands: UTF-16 offsets, end exclusive, and the rule that found it. */
export interface SecretRange {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const MARK = /\[REDACTED:([a-z0-9_-]{1,40})\]/g;

/**
 * Replaces ranges by `[REDACTED:<rule>]`, followed by the line feeds of the range, so that lines keep their numbers;
 * overlapping ranges become one mark, named by the longest of them. A mark
 * that is already in the text stays, provided one of `rules` made it: nobody can shelter a secret in a mark of his
 * own naming.
 */
export function replaceRanges(
  text: string,
  ranges: readonly SecretRange[],
  rules: ReadonlySet<string>,
): Redacted {
  if (ranges.length === 0) return { text, redactions: [] };
  const counts = new Map<string, number>();
  const parts: string[] = [];
  let copied = 0;
  for (const range of outside(merged(ranges), marks(text, rules))) {
    const lineFeeds = "\n".repeat(text.slice(range.start, range.end).split("\n").length - 1);
    parts.push(text.slice(copied, range.start), `[REDACTED:${range.rule}]${lineFeeds}`);
    copied = range.end;
    counts.set(range.rule, (counts.get(range.rule) ?? 0) + 1);
  }
  parts.push(text.slice(copied));
  return { text: parts.join(""), redactions: [...counts].map(([rule, count]) => ({ rule, count })) };
}

function merged(ranges: readonly SecretRange[]): SecretRange[] {
  const sorted = ranges.filter((range) => range.end > range.start)
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const result: SecretRange[] = [];
  let widest = 0;
  for (const range of sorted) {
    const last = result.at(-1);
    if (last === undefined || range.start >= last.end) {
      result.push(range);
      widest = range.end - range.start;
    } else {
      const wider = range.end - range.start > widest;
      if (wider) widest = range.end - range.start;
      result[result.length - 1] = {
        start: last.start,
        end: Math.max(last.end, range.end),
        rule: wider ? range.rule : last.rule,
      };
    }
  }
  return result;
}

function marks(text: string, rules: ReadonlySet<string>): Span[] {
  const spans: Span[] = [];
  for (const match of text.matchAll(MARK)) {
    if (rules.has(match[1]!)) spans.push({ start: match.index, end: match.index + match[0].length });
  }
  return spans;
}

/** What remains of sorted ranges without sorted spans. */
function outside(ranges: readonly SecretRange[], spans: readonly Span[]): SecretRange[] {
  const result: SecretRange[] = [];
  let next = 0;
  for (const { start, end, rule } of ranges) {
    let from = start;
    while (next < spans.length && spans[next]!.end <= start) next++;
    for (let i = next; i < spans.length && spans[i]!.start < end; i++) {
      if (spans[i]!.start > from) result.push({ start: from, end: spans[i]!.start, rule });
      from = spans[i]!.end;
    }
    if (from < end) result.push({ start: from, end, rule });
  }
  return result;
}
