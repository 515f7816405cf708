import { diagnosticsOf } from "./evidence_diagnostics.ts";
import { type Mention, RANK } from "./evidence_mention.ts";
import { workspacePath } from "./evidence_path.ts";
import { outputLines } from "./evidence_text.ts";
import { Traces } from "./evidence_traces.ts";

/** A place that failing output speaks of. */
export interface Location {
  /** Relative to the workspace, normalized; whether it exists there is not known. */
  readonly path: string;
  /** 1-based; 1 where only the file is named. */
  readonly line: number;
  readonly column?: number;
  /** What was said about it, at most 300 characters. */
  readonly message?: string;
}

const MAX_LOCATIONS = 200;
const MAX_CANDIDATES = 5000;
const MAX_MESSAGE = 300;
const MAX_LINE_NUMBER = 10_000_000;

interface Candidate extends Mention {
  readonly order: number;
}

/**
 * The places in the workspace that the output of compilers, test runners and interpreters names: Python, JavaScript
 * and TypeScript (node, Deno, jest, vitest, tsc), Go, Rust, Java, C and C++, shells, and anything that prints
 * `path:line`. Failing frames first, then the order of appearance; without duplicates; at most 200. Time is linear
 * in the output.
 * @param options.workdir where the workspace stands in the container; absolute paths elsewhere are dropped
 */
export function locations(output: string, options: { readonly workdir: string }): Location[] {
  const found = new Map<string, Candidate>();
  const files = new Set<string>();
  let order = 0;
  const add = (mention: Mention) => {
    const path = workspacePath(mention.path, options.workdir);
    if (path === null || !(mention.line >= 1 && mention.line <= MAX_LINE_NUMBER)) return false;
    const key = `${path}:${mention.line}`;
    const earlier = found.get(key);
    if (earlier === undefined) {
      if (found.size >= MAX_CANDIDATES || (mention.rank === RANK.file && files.has(path))) return true;
      found.set(key, { ...mention, path, order: order++ });
      files.add(path);
    } else if (mention.rank < earlier.rank) {
      found.set(key, { ...earlier, ...withoutUndefined(mention), path, order: earlier.order });
    }
    return true;
  };
  const traces = new Traces(add, (path) => workspacePath(path, options.workdir) !== null);
  let heading = "";
  for (const line of outputLines(output)) {
    if (/^(?:warning|error)\b/.test(line)) heading = line;
    if (traces.read(line)) continue;
    for (const mention of diagnosticsOf(line, heading)) add(mention);
  }
  traces.end();
  const named = new Set([...found.values()].filter((c) => c.rank !== RANK.file).map((c) => c.path));
  return [...found.values()]
    .filter((c) => c.rank !== RANK.file || !named.has(c.path))
    .sort((a, b) => a.rank - b.rank || a.order - b.order)
    .slice(0, MAX_LOCATIONS)
    .map(({ path, line, column, message }) => ({
      path,
      line,
      ...(column === undefined ? {} : { column }),
      ...(message === undefined || message.trim() === ""
        ? {}
        : { message: message.trim().slice(0, MAX_MESSAGE) }),
    }));
}

function withoutUndefined(mention: Mention): Mention {
  return Object.fromEntries(
    Object.entries(mention).filter(([, value]) => value !== undefined),
  ) as unknown as Mention;
}

const MAX_ASSERTIONS = 60;
const MAX_ASSERTION = 400;
const ASSERTION = [
  /^E {2,}\S/,
  /\bassert(?:ion)?(?:error| failed| `)/i,
  /^\s*(?:[\w.$]+\.)?\w*(?:Error|Exception|Panic)\b(?: \[\w+\])?: /,
  /^(?:FAILED|ERROR) [^\s|(]/,
  /^\s*(?:--- FAIL|not ok \d|FAIL:|ERROR:) ?/,
  /\bpanicked at\b|^panic: /,
  /\bexpected\b.{0,300}\b(?:received|but was|but got|got|to (?:be|equal|have|match|contain))\b/i,
  /\bgot\b.{0,300}\bwant(?:ed)?\b/i,
  /^[\s#]*(?:expected|received|actual|want|got|left|right)\s{0,8}:\s{0,8}\S/i,
  /^\s*\S{1,300} !== \S/,
  /^\s*(?:Caused by: |Exception in )/,
  /_test\.go:\d+: /,
  /\b(?:not found|unbound variable|syntax error|no such file or directory)\b/i,
  /\berror(?:\[\w+\]| TS\d+)?\]?: [^\s|]/i,
];
const AFTER_PANIC_LINES = 1;

/** The lines of output that say what was expected and what came instead, in order, at most 60 of 400 characters. */
export function assertions(output: string): string[] {
  const found = new Set<string>();
  let afterPanic = 0;
  for (const line of outputLines(output)) {
    const hit = ASSERTION.some((pattern) => pattern.test(line));
    if (hit || (afterPanic > 0 && line.trim() !== "")) {
      found.add(line.trim().slice(0, MAX_ASSERTION));
      if (found.size >= MAX_ASSERTIONS) break;
    }
    afterPanic = /\bpanicked at\b/.test(line) ? AFTER_PANIC_LINES : afterPanic - 1;
  }
  return [...found];
}
