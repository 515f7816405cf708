import type { ByteString } from "../vocabulary/patch.ts";

/**
 * Learns from lines that match but for their spaces how a proposal's indentation maps to the file's, and gives the
 * mapping for lines it adds. A line whose indentation says nothing certain is left as it is.
 */
export function learnIndentation(
  pairs: readonly { readonly proposed: string; readonly actual: string }[],
): (raw: ByteString) => ByteString {
  const known = new Map<string, string | null>();
  for (const { proposed, actual } of pairs) {
    if (proposed.trim() === "") continue;
    const from = indentOf(proposed), to = indentOf(actual);
    known.set(from, known.has(from) && known.get(from) !== to ? null : to);
  }
  const certain = [...known].filter((e): e is [string, string] => e[1] !== null);
  if (certain.every(([from, to]) => from === to)) return (raw) => raw;
  const unit = tabWidth(certain);
  return (raw) => {
    if (raw.trim() === "") return raw;
    const indent = indentOf(raw), text = raw.slice(indent.length);
    const to = map(indent, known, certain, unit);
    return to === undefined ? raw : to + text as ByteString;
  };
}

function map(
  indent: string,
  known: ReadonlyMap<string, string | null>,
  certain: readonly (readonly [string, string])[],
  unit: number | null,
): string | undefined {
  const exact = known.get(indent);
  if (exact !== undefined) return exact ?? undefined;
  let best: readonly [string, string] | undefined;
  for (const entry of certain) {
    if (indent.startsWith(entry[0]) && entry[0].length > (best?.[0].length ?? -1)) best = entry;
  }
  if (best) {
    const rest = indent.slice(best[0].length);
    const spaces = unit !== null && /^ +$/.test(rest) && rest.length % unit === 0;
    return best[1] + (spaces ? "\t".repeat(rest.length / unit!) : rest);
  }
  // Less indented than all known lines: take off what the proposal has too much of.
  const [from, to] = certain[0]!;
  if (from.endsWith(to)) {
    const extra = from.slice(0, from.length - to.length);
    if (indent.startsWith(extra)) return indent.slice(extra.length);
  }
  if (to.endsWith(from)) return to.slice(0, to.length - from.length) + indent;
  return undefined;
}

/** Spaces of the proposal per tab of the file; null unless that is what differs. */
function tabWidth(certain: readonly (readonly [string, string])[]): number | null {
  for (const [from, to] of certain) {
    if (/^ +$/.test(from) && /^\t+$/.test(to) && from.length % to.length === 0) {
      return from.length / to.length;
    }
  }
  return null;
}

function indentOf(raw: string): string {
  return /^[ \t]*/.exec(raw)![0];
}
