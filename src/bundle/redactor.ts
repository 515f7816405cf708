import { type Redact, type Redaction, redactStrings } from "../vocabulary/redaction.ts";

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
    this.#count(redacted.redactions);
    return redacted.text;
  }

  /** A plain value with every string in it redacted; keys, bytes and SHA-256 digests stay. */
  async strings<T>(value: T, name: string): Promise<T> {
    const clean = await redactStrings(value, this.redact, name, (s) => DIGEST.test(s));
    this.#count(clean.redactions);
    return clean.value;
  }

  #count(redactions: readonly Redaction[]) {
    for (const { rule, count } of redactions) this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + count);
  }
}
