import type { CapturedOutput } from "../vocabulary/verification.ts";
import type { Redact, Redaction } from "../vocabulary/redaction.ts";

/** What we compute ourselves; a scanner that takes it for a key would only break the document. */
const DIGEST = /^(sha256:)?[0-9a-f]{64}$/;

/** Redacts everything that goes into a bundle and counts what it struck. */
export class Redactor {
  readonly #counts = new Map<string, number>();

  constructor(readonly redact: Redact) {}

  /** What was struck so far, by rule, sorted. */
  get redactions(): readonly Redaction[] {
    return [...this.#counts].map(([rule, count]) => ({ rule, count }))
      .sort((a, b) => a.rule < b.rule ? -1 : 1);
  }

  async text(text: string, name: string): Promise<string> {
    if (text === "") return text;
    const redacted = await this.redact(text, name);
    for (const { rule, count } of redacted.redactions) {
      this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + count);
    }
    return redacted.text;
  }

  /** A captured stream as text: head, a line that says what was left out, tail. Bytes that are no UTF-8 become U+FFFD. */
  async output(output: CapturedOutput, name: string): Promise<string> {
    const { head, tail, totalBytes } = output;
    const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const dropped = totalBytes - head.length - tail.length;
    const gap = dropped > 0 ? `\n[${dropped} bytes left out here]\n` : "";
    return await this.text(decode(head) + gap + decode(tail), name);
  }

  /** A plain value with every string in it redacted; keys, bytes and SHA-256 digests stay. */
  async strings<T>(value: T, name: string): Promise<T> {
    const found = new Set<string>();
    mapStrings(value, (s) => (DIGEST.test(s) ? s : (found.add(s), s)));
    // Scanning is the costly part and mostly finds nothing: one look at everything together comes first.
    const all = [...found].join("\n");
    if (all === "" || (await this.redact(all, name)).redactions.length === 0) return value;
    const clean = new Map<string, string>();
    for (const s of found) clean.set(s, await this.text(s, name));
    return mapStrings(value, (s) => clean.get(s) ?? s);
  }
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
