import type { SecretRange } from "./redact_marks.ts";

export const PEM_RULE = "private_key";

/** A whole PEM block is not longer, prefixes of a few words before each line included; RSA of 16384 bits is 12 KiB. */
const MAX_PEM = 20_000;
/** Between two lines of one key: the prefix a log or a test runner writes, or the headers before the first line. */
const MAX_GAP = 300;
/** What stands at the edge of a cut block is looked for this far. */
const MAX_EDGE = 400;

interface Span {
  readonly start: number;
  readonly length: number;
}

const FRAME = /-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/** Fewer base64 characters in a row make no key but a mention of one. */
const RUN = /[A-Za-z0-9+/=]{32,}/g;
const BREAK = /\r?\n|\\r\\n|\\n/g;
/** Test runners shorten a long value in its middle. */
const WORD = /[A-Za-z0-9+/=]+(?:(?:\.{3}|…)[A-Za-z0-9+/=]*)?/g;
/** What stands before a line's only word in diffs, listings and pytest's output, with or without colour. */
const PREFIX = /^(?:\+|\d{1,6}|(?:\d{0,2}m)?E|\d{1,2}m)$/;
const LONGEST_LINE = 160;
/** So little of a key gives nothing away. */
const HARMLESS = 8;

/**
 * PEM private keys with their frame, also escaped inside JSON, quoted, or behind the prefixes of diffs, logs and test
 * runners. Of a block without its end, or without its begin, what looks like key material up to the missing frame.
 * Linear in the text.
 */
export function privateKeys(text: string): SecretRange[] {
  const found: SecretRange[] = [];
  const add = (start: number, end: number) => found.push({ start, end, rule: PEM_RULE });
  const frames = [...text.matchAll(FRAME)].map((match) => ({
    begins: match[1] === "BEGIN",
    start: match.index,
    end: match.index + match[0].length,
  }));
  for (const [i, frame] of frames.entries()) {
    const before = frames[i - 1], next = frames[i + 1];
    if (frame.begins) {
      const closed = next !== undefined && !next.begins && next.start - frame.end <= MAX_PEM;
      const body = text.slice(frame.end, Math.min(next?.start ?? text.length, frame.end + MAX_PEM));
      const length = lengthAfterBegin(body);
      if (!closed) {
        if (length > 0) add(frame.start, frame.end + length);
      } else if (length > 0 || body.search(RUN) >= 0 || lengthBeforeEnd(body) > 0) {
        add(frame.start, next.end);
      }
    } else if (before === undefined || !before.begins || frame.start - before.end > MAX_PEM) {
      const length = lengthBeforeEnd(
        text.slice(Math.max(before?.end ?? 0, frame.start - MAX_PEM), frame.start),
      );
      if (length > 0) add(frame.start - length, frame.end);
    }
  }
  return found;
}

/** How much of the text after a begin is key material. */
function lengthAfterBegin(body: string): number {
  let at = 0;
  for (const run of keyRuns(body)) {
    if (run.start - at > MAX_GAP) break;
    at = run.end;
  }
  const [rest, line] = linesOf(body.slice(at, at + MAX_EDGE));
  if (rest === undefined || line === undefined || wordsOf(rest.text).length > 0) return at;
  const word = onlyWord(line.text);
  if (word === null) return at;
  return at + line.start + word.start + word.length;
}

/** How much of the text before an end is key material. */
function lengthBeforeEnd(body: string): number {
  let at = body.length;
  for (const run of keyRuns(body).reverse()) {
    if (at - run.end > MAX_GAP) break;
    at = run.start;
  }
  const from = Math.max(0, at - MAX_EDGE);
  const lines = linesOf(body.slice(from, at));
  const line = lines.at(-2), rest = lines.at(-1)!;
  const length = body.length - at;
  if (line === undefined || wordsOf(rest.text).length > 0) return length;
  const word = length === 0 ? onlyWord(line.text) : lastWord(line.text);
  if (word === null) return length;
  return body.length - from - line.start - word.start;
}

function linesOf(text: string): { start: number; text: string }[] {
  const lines: { start: number; text: string }[] = [];
  let start = 0;
  for (const match of text.matchAll(BREAK)) {
    lines.push({ start, text: text.slice(start, match.index) });
    start = match.index + match[0].length;
  }
  return [...lines, { start, text: text.slice(start) }];
}

/** The words of a line that are no prefix. */
function wordsOf(line: string): Span[] {
  const words = [...line.matchAll(WORD)];
  while (words.length > 0 && PREFIX.test(words[0]![0])) words.shift();
  return words.map((match) => ({ start: match.index, length: match[0].length }));
}

/** The only word of a line, unless it is so short that it may as well be one of prose. */
function onlyWord(line: string): Span | null {
  const [word, ...more] = wordsOf(line);
  return word !== undefined && more.length === 0 && isRest(word) ? word : null;
}

/** The only word, or one that ends the line: the rest of a line of a key, behind whatever is printed first. */
function lastWord(line: string): Span | null {
  const last = wordsOf(line).at(-1);
  return last !== undefined && last.start + last.length === line.length && isRest(last)
    ? last
    : onlyWord(line);
}

function isRest({ length }: Span): boolean {
  return length > HARMLESS && length <= LONGEST_LINE;
}

/**
 * Long runs without paths and long names, which lack one kind of character or another; without the `n` of an escaped
 * line feed.
 */
function keyRuns(body: string): { start: number; end: number }[] {
  return [...body.matchAll(RUN)]
    .filter(([run]) => /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9+]/.test(run))
    .map((match) => {
      const escaped = match[0][0] === "n" && body[match.index - 1] === "\\";
      return { start: match.index + (escaped ? 1 : 0), end: match.index + match[0].length };
    });
}
