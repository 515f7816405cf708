/** How often a rule of the secret scanner struck. */
export interface Redaction {
  readonly rule: string;
  readonly count: number;
}

export interface Redacted {
  readonly text: string;
  readonly redactions: readonly Redaction[];
}

/** Replaces secrets in text by a mark naming the rule. `name` is a file name that hints at the format. */
export type Redact = (text: string, name: string) => Promise<Redacted>;
