import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";

const MAX_DEPTH = 64;
const MAX_VALUES = 200_000;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Whether two texts are JSON objects that differ in no other top-level members than the given ones. False whenever it
 * cannot be shown: text that is no strict JSON (a key twice, comments), no object, too large, too deep.
 */
export function changesOnlyMembers(
  before: Uint8Array,
  after: Uint8Array,
  members: readonly string[],
): boolean {
  const old = objectOf(before), next = objectOf(after);
  if (old === null || next === null) return false;
  const free = new Set(members);
  for (const key of new Set([...old.keys(), ...next.keys()])) {
    if (free.has(key)) continue;
    if (!old.has(key) || !next.has(key)) return false;
    if (!isSame(old.get(key), next.get(key))) return false;
  }
  return true;
}

function isSame(a: unknown, b: unknown): boolean {
  try {
    return canonicalJson(a) === canonicalJson(b);
  } catch {
    // A number beyond all bounds has no canonical form.
    return false;
  }
}

function objectOf(bytes: Uint8Array): Map<string, unknown> | null {
  if (bytes.length > MAX_BYTES) return null;
  const parsed = parseStrictJson(bytes, MAX_DEPTH, MAX_VALUES);
  if (!parsed.ok) return null;
  const { value } = parsed;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return new Map(Object.entries(value));
}
