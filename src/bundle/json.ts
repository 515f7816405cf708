/**
 * A value as a bundle's JSON document: keys sorted by code unit, two spaces of indentation, a line feed at the end.
 * The same value gives the same bytes. Lone surrogates become U+FFFD; members that are undefined are left out.
 * @throws RangeError on numbers JSON does not have
 */
export function jsonDocument(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(sorted(value), null, 2) + "\n");
}

/** The same on one line, without a line feed. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`${value} has no JSON form`);
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => a < b ? -1 : 1).map(([key, v]) => [key.toWellFormed(), sorted(v)]),
  );
}
