import type { SecretRange } from "./redact_marks.ts";
import { PEM_RULE, privateKeys } from "./redact_pem.ts";

/** Names of the rules below. */
export const STRUCTURAL_RULES = [
  "authorization",
  "aws_key_id",
  "jwt",
  "npm_auth",
  PEM_RULE,
  "url_password",
];

interface Pattern {
  readonly rule: string;
  /** The last group is the secret; none means the whole match. Every repetition is bounded or starts only at its run. */
  readonly pattern: RegExp;
  readonly unless?: RegExp;
}

/** A value a program fills in later, or one that is blotted out already. */
const PLACEHOLDER = /^(?:[$<{[%]|\*+$|x+$|\.+$)/i;

const PATTERNS: readonly Pattern[] = [
  {
    rule: "authorization",
    pattern:
      /\b(?:proxy-)?authorization\\?["']?\s{0,4}[:=,]\s{0,4}\\?["'`]?(?:bearer|basic|token|apikey)\s{1,4}([\w.~+/=-]{8,})/gi,
  },
  { rule: "authorization", pattern: /\bbearer\s{1,4}(?=[A-Za-z._~+/-]{0,200}\d)([\w.~+/=-]{20,})/gi },
  { rule: "url_password", pattern: /:\/\/[^\s/:@"'`<>]{0,128}:([^\s/@"'`<>]{3,256})@/g, unless: PLACEHOLDER },
  {
    rule: "npm_auth",
    pattern:
      /(?:\/:_(?:auth|password|authToken)|\b_authToken)\s{0,4}=\s{0,4}["']?(?=[A-Za-z._~+/=-]{0,200}\d)([\w.~+/=-]{8,})/g,
  },
  { rule: "jwt", pattern: /(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g },
  { rule: "aws_key_id", pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g },
];

/** Secrets that show by their shape and that the library does not know or knows less well. Linear in the text. */
export function structuralSecrets(text: string): SecretRange[] {
  const found = privateKeys(text);
  for (const { rule, pattern, unless } of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const secret = match[1] ?? match[0];
      if (unless?.test(secret)) continue;
      const start = match[1] === undefined ? match.index : match.index + match[0].lastIndexOf(secret);
      found.push({ start, end: start + secret.length, rule });
    }
  }
  return found;
}
