import type { Redact, Redacted, Redaction } from "../vocabulary/redaction.ts";
import { KNOWN_RULE, knownValueFinder } from "./redact_known.ts";
import { replaceRanges, type SecretRange } from "./redact_marks.ts";
import { STRUCTURAL_RULES, structuralSecrets } from "./redact_structural.ts";

/** Characters secretlint sees at once. */
const WINDOW = 1 << 16;
/** Windows share this much, so that a secret up to about this long is whole in one of them. */
const OVERLAP = 12 << 10;
/** What a rule may look at before a secret; longer than any look-behind or key word of a rule. */
const MARGIN = 256;
/** Rounds until nothing is found; a replacement can complete a pattern around it, but not for ever. */
const MAX_ROUNDS = 4;

const RULE_PREFIX = "@secretlint/secretlint-rule-";
/**
 * Rules left out: comments in the text must not switch the scan off; `gcp` reads the file system (its keys are found
 * as private keys); `basicauth` hides whole URLs of some schemes, where `url_password` hides the password of any.
 */
const EXCLUDED_RULES = new Set(["filter-comments", "gcp", "basicauth"]);

export interface SecretOptions {
  /** Exact values to hide; those shorter than 8 characters are ignored. */
  readonly known?: readonly string[];
}

type Scan = (text: string) => Promise<SecretRange[]>;

interface Library {
  readonly scan: Scan;
  readonly rules: readonly string[];
}

/** One pass: find and replace. */
type Replace = (text: string) => Promise<Redacted>;

/**
 * A redactor that replaces every secret by `[REDACTED:<rule>]`. It finds the known values (as they are, and as JSON,
 * URL and base64 write them), what secretlint's recommended rules know, private keys, bearer and basic
 * credentials, credentials in URLs, npm tokens, JSON web tokens and AWS key ids. Of a private key that is cut off at
 * one end of the text it hides what is left.
 *
 * Text without secrets comes back as it was, lines keep their numbers, and redacting twice changes nothing. A pattern secret of more than
 * about 11 KiB without white space is hidden up to its next white space. Text is scanned in windows, in memory only.
 */
export async function secretRedactor(options: SecretOptions = {}): Promise<Redact> {
  const replace = await replacer(options);
  return async (text) => {
    const counts = new Map<string, number>();
    let current = text;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const replaced = await replace(current);
      if (replaced.text === current) break;
      for (const { rule, count } of replaced.redactions) counts.set(rule, (counts.get(rule) ?? 0) + count);
      current = replaced.text;
    }
    return { text: current, redactions: listed(counts) } satisfies Redacted;
  };
}

const SECRET_NAME =
  /(?:^|_)(?:API_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|(?:PRIVATE|ACCESS|SECRET|SIGNING)_KEY(?:_ID)?)$|^PP_ATTEST_/i;

/** Values of the variables whose name says that they are secret, unless they are shorter than 8 characters. */
export function knownSecrets(env: Readonly<Record<string, string | undefined>>): string[] {
  const values = Object.entries(env).flatMap(([name, value]) =>
    SECRET_NAME.test(name) && value !== undefined && value.trim().length >= 8 ? [value] : []
  );
  return [...new Set(values)];
}

function listed(counts: ReadonlyMap<string, number>): Redaction[] {
  return [...counts].map(([rule, count]) => ({ rule, count })).sort((a, b) => a.rule < b.rule ? -1 : 1);
}

async function replacer(options: SecretOptions): Promise<Replace> {
  const known = knownValueFinder(options.known ?? []);
  library ??= loadSecretlint();
  const { scan, rules } = await library;
  const names = new Set([KNOWN_RULE, ...STRUCTURAL_RULES, ...rules]);
  return async (text) => {
    const ranges = [...known(text), ...structuralSecrets(text), ...await windowed(text, scan)];
    return replaceRanges(text, ranges, names);
  };
}

let library: Promise<Library> | undefined;

async function loadSecretlint(): Promise<Library> {
  const [{ lintSource }, { rules }, { secretLintProfiler }] = await Promise.all([
    import("@secretlint/core"),
    import("@secretlint/secretlint-rule-preset-recommend"),
    import("@secretlint/profiler"),
  ]);
  // It would keep a performance mark for each rule and window.
  secretLintProfiler.setEnabled(false);
  const descriptors = rules
    .filter((rule) => !EXCLUDED_RULES.has(rule.meta.id.replace(RULE_PREFIX, "")))
    // `_authToken=` alone is no secret; the structural rule asks for a value.
    .map((rule) => ({ id: rule.meta.id, rule, options: {}, allowMessageIds: ["Npmrc_authToken"] }));
  const scan: Scan = async (text) => {
    // The library drops a byte order mark and counts from after it.
    const shift = text.charCodeAt(0) === 0xfeff ? 1 : 0;
    const { messages } = await lintSource({
      source: { content: text, filePath: "text", ext: "", contentType: "text" },
      options: { config: { rules: descriptors }, noPhysicFilePath: true, maskSecrets: true },
    });
    return messages.map(({ range, ruleId }) => ({
      start: range[0] + shift,
      end: range[1] + shift,
      rule: ruleId.replace(RULE_PREFIX, ""),
    }));
  };
  return { scan, rules: descriptors.map(({ id }) => id.replace(RULE_PREFIX, "")) };
}

/** Each start belongs to exactly one window, the one that shows enough text on both sides of it. */
async function windowed(text: string, scan: Scan): Promise<SecretRange[]> {
  if (text.length <= WINDOW) return await scan(text);
  const step = WINDOW - OVERLAP;
  const found: SecretRange[] = [];
  for (let from = 0; from < text.length; from += step) {
    const to = Math.min(text.length, from + WINDOW);
    const last = to === text.length;
    const owned = [from === 0 ? 0 : from + MARGIN, last ? to : from + step + MARGIN] as const;
    for (const range of await scan(text.slice(from, to))) {
      const start = range.start + from;
      if (start < owned[0] || start >= owned[1]) continue;
      const end = range.end + from;
      found.push({ ...range, start, end: end === to ? endOfWord(text, end) : end });
    }
    if (last) break;
  }
  return found;
}

function endOfWord(text: string, from: number): number {
  const space = /\s/g;
  space.lastIndex = from;
  return space.exec(text)?.index ?? text.length;
}
