import type { SecretRange } from "./redact_marks.ts";

export const KNOWN_RULE = "known_secret";

const MIN_LENGTH = 8;
/** A line of a multi-line value is hidden by itself from this length on. */
const MIN_LINE = 16;

/**
 * Finds exact values, and the same values as JSON, URLs and base64 write them, and the lines of values of several
 * lines. Values shorter than 8 characters are ignored.
 */
export function knownValueFinder(values: readonly string[]): (text: string) => SecretRange[] {
  const needles = [...new Set(values.flatMap(forms))].filter((needle) => needle.length >= MIN_LENGTH);
  return (text) => needles.flatMap((needle) => occurrences(text, needle));
}

function forms(value: string): string[] {
  const trimmed = value.trim();
  if (trimmed.length < MIN_LENGTH) return [];
  const lines = trimmed.split(/\r?\n/).map((line) => line.trim());
  return [
    trimmed,
    JSON.stringify(trimmed).slice(1, -1),
    encodeURIComponent(trimmed.toWellFormed()),
    base64(trimmed).replace(/=+$/, ""),
    ...(lines.length > 1 ? lines.filter((line) => line.length >= MIN_LINE && !line.startsWith("-----")) : []),
  ];
}

function base64(value: string): string {
  return btoa(Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join(""));
}

function occurrences(text: string, needle: string): SecretRange[] {
  const found: SecretRange[] = [];
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const last = found.at(-1);
    if (last !== undefined && at < last.end) {
      found[found.length - 1] = { ...last, end: at + needle.length };
    } else found.push({ start: at, end: at + needle.length, rule: KNOWN_RULE });
  }
  return found;
}
