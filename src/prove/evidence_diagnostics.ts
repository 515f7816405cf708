import { type Mention, RANK } from "./evidence_mention.ts";

const MAX_PLACES_PER_LINE = 8;

/** `path:line[:column]`, begun at the start of a word only, so that every character is looked at once. */
const PLACE =
  /(?<![^\s"'`()[\]{}<>|,;=*])((?:file:\/\/)?[^\s"'`()[\]{}<>|,;=:*]{1,512}):(\d{1,8})(?::(\d{1,6}))?(?![\w/.])/g;

interface Form {
  /** Groups: path, line, and maybe column. */
  readonly pattern: RegExp;
  readonly rank: number;
}

const FORMS: readonly Form[] = [
  // tsc: a.ts(3,5): error TS2322: …
  { pattern: /^\s*([^\s():]{1,512})\((\d{1,8}),(\d{1,6})\): (?:error|warning)\b/, rank: RANK.failure },
  // bash: a.sh: line 3: …
  { pattern: /^([^\s:]{1,512}): line (\d{1,8}): /, rank: RANK.failure },
  // dash: a.sh: 3: …
  { pattern: /^([^\s:]{1,512}): (\d{1,8}): (?=\S)/, rank: RANK.failure },
  // bats: (in test file a.bats, line 5), (from function `f' in file a.sh, line 3,
  { pattern: /\bfile ([^\s,:"']{1,512}), line (\d{1,8})\b/, rank: RANK.failure },
  // .NET: at C.M() in /a.cs:line 5
  { pattern: / in ([^\s:]{1,512}):line (\d{1,8})\b/, rank: RANK.frame },
  // PHP: … in /a.php on line 3
  { pattern: / in ([^\s:]{1,512}) on line (\d{1,8})\b/, rank: RANK.failure },
];

/** A failing test file or test that is named without a line. */
const FILES: readonly RegExp[] = [
  /^(?:FAILED|ERROR) ([^\s:]{1,512})(?:::|\s|$)/,
  /^\s*(?:FAIL|❯|×)\s+([^\s:>]{1,512})(?:\s|$)/,
  /^running \d+ tests? from (\S{1,512})$/,
  /^\s*not ok \d+ - (\S{1,512})$/,
];
const UNITTEST = /^(?:FAIL|ERROR): \S{1,200} \(([\w.]{1,300})\)/;

/**
 * The places one line of a compiler, linter, shell or test runner names.
 * @param heading the last line above it that began with `error` or `warning`; empty without one
 */
export function diagnosticsOf(line: string, heading: string): Mention[] {
  if (line.length < 4) return [];
  for (const { pattern, rank } of FORMS) {
    const match = pattern.exec(line);
    if (match !== null) return [mention(match, rank, messageAfter(line, match))];
  }
  const unittest = UNITTEST.exec(line);
  if (unittest !== null) return moduleFile(unittest[1]!);
  for (const pattern of FILES) {
    const match = pattern.exec(line);
    if (match !== null) return [{ path: match[1]!, line: 1, rank: RANK.file, message: line }];
  }
  const found: Mention[] = [];
  for (const match of places(line)) {
    found.push(
      mention(
        match,
        rankOf(line, match, heading),
        isArrow(line) && heading !== "" ? heading : messageAfter(line, match),
      ),
    );
  }
  return found;
}

/** The first `path:line[:column]` of a line. */
export function placeIn(line: string): { path: string; line: number; column: number | undefined } | null {
  const [match] = places(line);
  return match === undefined ? null : {
    path: match[1]!,
    line: Number(match[2]),
    column: match[3] === undefined ? undefined : Number(match[3]),
  };
}

function* places(line: string): Generator<RegExpExecArray> {
  if (!/:\d/.test(line)) return;
  let count = 0;
  for (const match of line.matchAll(PLACE)) {
    if (count++ >= MAX_PLACES_PER_LINE) return;
    yield match;
  }
}

function mention(match: RegExpExecArray, rank: number, message: string): Mention {
  const column = match[3] === undefined ? undefined : Number(match[3]);
  return { path: match[1]!, line: Number(match[2]), column, rank, message };
}

/** What follows the place, or the whole line when the place ends it. */
function messageAfter(line: string, match: RegExpExecArray): string {
  const rest = line.slice(match.index + match[0].length).replace(/^[\s:)\]-]+/, "");
  return rest.length > 3 ? rest : line.trim();
}

/** rustc and ruff print the place below the message. */
function isArrow(line: string): boolean {
  return /^\s*--> /.test(line);
}

function rankOf(line: string, match: RegExpExecArray, heading: string): number {
  if (/^make(?:\[\d+\])?: /.test(line)) return RANK.build;
  const rest = line.slice(match.index + match[0].length, match.index + match[0].length + 200);
  if (/^[\s:-]*(?:warning|note|info|hint|help)\b/i.test(rest)) return RANK.mention;
  if (/^[\s:-]*(?:fatal )?error\b/i.test(rest)) return RANK.failure;
  if (
    match[3] !== undefined && match[1]!.endsWith(".go") && /^\S+$/.test(line.slice(0, match.index + 1).trim())
  ) {
    return RANK.failure;
  }
  // Go's testing package indents its messages; ruff and flake8 print a code; C's assert names the condition.
  if (/^\s+\S+_test\.go:\d+: /.test(line) || /^: [A-Z]{1,5}\d{2,5}\b/.test(rest)) return RANK.failure;
  if (isArrow(line)) return heading.startsWith("warning") ? RANK.mention : RANK.failure;
  if (/\bpanicked at\b|\bassert/i.test(line) || /^:in [`']/.test(rest)) return RANK.failure;
  return RANK.mention;
}

/** `tests.test_unit.CartTest.test_sum` as tests/test_unit.py; classes are written with a capital. */
function moduleFile(name: string): Mention[] {
  const parts = name.split(".");
  const end = parts.findIndex((part) => /^[A-Z]/.test(part));
  if (end < 1 || parts[0] === "__main__") return [];
  return [{ path: `${parts.slice(0, end).join("/")}.py`, line: 1, rank: RANK.file }];
}
