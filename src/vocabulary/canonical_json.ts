import canonicalize from "canonicalize";

/** RFC 8785 canonical JSON text. Throws on values JSON cannot hold. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("value has no JSON form");
  return text;
}
