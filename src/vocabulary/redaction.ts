/** How often a rule of the secret scanner struck. */
export interface Redaction {
  readonly rule: string;
  readonly count: number;
}

export interface Redacted {
  readonly text: string;
  readonly redactions: readonly Redaction[];
}

/**
 * Replaces secrets in text by a mark naming the rule; the number of lines stays. `name` is a file name that hints at
 * the format.
 */
export type Redact = (text: string, name: string) => Promise<Redacted>;

/**
 * A plain value with every string in it redacted; keys and bytes stay.
 * @param keeps strings that are not looked at
 * @returns the value itself when there is nothing to strike
 */
export async function redactStrings<T>(
  value: T,
  redact: Redact,
  name: string,
  keeps: (s: string) => boolean = () => false,
): Promise<{ readonly value: T; readonly redactions: readonly Redaction[] }> {
  const found = new Set<string>();
  mapStrings(value, (s) => (s === "" || keeps(s) ? s : (found.add(s), s)));
  // Scanning is the costly part and mostly finds nothing: one look at everything together comes first.
  const all = [...found].join("\n");
  if (all === "" || (await redact(all, name)).redactions.length === 0) return { value, redactions: [] };
  const clean = new Map<string, string>();
  const redactions: Redaction[] = [];
  for (const s of found) {
    const redacted = await redact(s, name);
    clean.set(s, redacted.text);
    redactions.push(...redacted.redactions);
  }
  return { value: mapStrings(value, (s) => clean.get(s) ?? s), redactions };
}

function mapStrings<T>(value: T, change: (s: string) => string): T {
  const map = (v: unknown): unknown => {
    if (typeof v === "string") return change(v);
    if (Array.isArray(v)) return v.map(map);
    if (typeof v !== "object" || v === null || v instanceof Uint8Array) return v;
    return Object.fromEntries(Object.entries(v).map(([key, member]) => [key, map(member)]));
  };
  return map(value) as T;
}
