import type { SecretRange } from "./redact_marks.ts";

/** Names of the rules below. */
export const STRUCTURAL_RULES = [
  "authorization",
  "aws_key_id",
  "jwt",
  "npm_auth",
  "private_key",
  "url_password",
];

/** A whole PEM block is not longer; RSA of 16384 bits is 12 KiB. */
const MAX_PEM = 20_000;
/** Fewer base64 characters in a row make no key but a mention of one. */
const MIN_PEM_RUN = 32;

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

const PEM_FRAME = /-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;

/** PEM blocks with their frame, also escaped inside JSON, quoted, prefixed by a diff, or cut off before the end. */
function privateKeys(text: string): SecretRange[] {
  const found: SecretRange[] = [];
  const frames = [...text.matchAll(PEM_FRAME)];
  for (const [i, begin] of frames.entries()) {
    if (begin[1] !== "BEGIN") continue;
    const bodyStart = begin.index + begin[0].length;
    const next = frames[i + 1];
    const body = text.slice(bodyStart, Math.min(next?.index ?? text.length, bodyStart + MAX_PEM));
    if (next?.[1] === "END" && next.index - bodyStart <= MAX_PEM) {
      if (hasKeyMaterial(body)) {
        found.push({ start: begin.index, end: next.index + next[0].length, rule: "private_key" });
      }
      continue;
    }
    const inside = /^[\w+/=\s\\"',:;()#>|.-]*/.exec(body)![0].trimEnd();
    if (hasKeyMaterial(inside)) {
      found.push({ start: begin.index, end: bodyStart + inside.length, rule: "private_key" });
    }
  }
  return found;
}

function hasKeyMaterial(body: string): boolean {
  return new RegExp(`[A-Za-z0-9+/=]{${MIN_PEM_RUN}}`).test(body);
}
