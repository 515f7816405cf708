import type { ContextSnippet } from "../propose/proposer.ts";
import type { Syntax } from "../syntax/syntax.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import type { Redact } from "../vocabulary/redaction.ts";
import type { TargetResult } from "../vocabulary/verification.ts";
import { nearestFiles } from "./context_candidates.ts";
import { ContextFiles, isTest, joined, linesOf, type SourceFile } from "./context_files.ts";
import { impliedImports, resolveImport } from "./context_imports.ts";
import { cutToBudget, type Excerpt, type Exhibit } from "./context_snippets.ts";
import { assertions, type Location, locations } from "./evidence.ts";

const DEFAULT_BUDGET = 24 << 10;
/** Lines before and after a place that no definition encloses. */
const AROUND = 12;
/** A longer definition is shown this far around the place. */
const MAX_AROUND = 60;
const MAX_EVIDENCE_FILES = 12;
const MAX_PLACES_PER_FILE = 12;
const MAX_IMPORTERS = 6;
const MAX_IMPORTED_FILES = 8;
const MAX_CANDIDATE_FILES = 4;
/** Of an imported file, this many lines from its top; evidence may show more of it. */
const MAX_HEAD_LINES = 400;

export interface ContextInput {
  readonly results: readonly TargetResult[];
  /** What the failing ones printed, redacted; nothing of their results' own streams is looked at. */
  readonly output: string;
  /** Everything that may be read. */
  readonly entries: ReadonlyMap<string, ManifestEntry>;
  /** Bytes of a regular file of `entries`, null when it is gone. */
  readonly read: (path: string) => Promise<Uint8Array | null>;
  readonly syntax: Syntax;
  /** Files that the caller names; they are shown first. */
  readonly named?: readonly string[];
  /** Redacts whole files before anything is cut out of them. */
  readonly redact: Redact;
  /** Where the workspace stands in the container, absolute. */
  readonly workdir: string;
  /** Whether a proposal may write to the path. */
  readonly writeAllowed: (path: string) => boolean;
  /** Bytes of snippet text together; 24 KiB unless told. */
  readonly budgetBytes?: number;
}

export interface Context {
  readonly snippets: ContextSnippet[];
  readonly assertions: string[];
}

/**
 * What a proposer should see: the files that the caller names; the definitions around the places that the output of
 * failing targets names, then the writable files that the failing tests import, then, if all that shows only tests, the
 * writable files whose names are nearest. Reads regular files of the manifest only, at most 60 of them; binary files, files past 512 KiB and
 * files with lines past 2000 characters are left out.
 */
export async function buildContext(input: ContextInput): Promise<Context> {
  const failing = input.results.filter(({ outcome, result }) => outcome !== "passed" && result !== null);
  const files = new ContextFiles(input.entries, input.read);
  const exhibits = new Map<string, { file: SourceFile; excerpts: Excerpt[] }>();
  const show = (file: SourceFile, excerpt: Excerpt) => {
    const shown = exhibits.get(file.path);
    if (shown === undefined) exhibits.set(file.path, { file, excerpts: [excerpt] });
    else if (shown.excerpts.length < MAX_PLACES_PER_FILE) shown.excerpts.push(excerpt);
  };

  for (const path of input.named ?? []) {
    const file = await files.read(path);
    if (file !== null) show(file, headOf(file, "named"));
  }
  const places = locations(input.output, { workdir: input.workdir });
  for (const { file, location } of await readable(places, files)) {
    show(file, await excerptAt(file, location, input.syntax));
  }
  const named = failing.flatMap(({ result }) => argumentFiles(result!.argv, files));
  const importers = testsFirst([...new Set([...exhibits.keys(), ...named])]).slice(0, MAX_IMPORTERS);
  for (const path of await importedFiles(importers, files, input)) {
    const file = exhibits.has(path) ? null : await files.read(path);
    if (file !== null) show(file, headOf(file, "imported"));
  }
  if (![...exhibits.keys()].some((path) => !isTest(path) && input.writeAllowed(path))) {
    const near = nearestFiles(importers, files, input.writeAllowed).slice(0, 2 * MAX_CANDIDATE_FILES);
    let count = 0;
    for (const path of near) {
      const file = await files.read(path);
      if (file === null || file.lines.length === 0) continue;
      show(file, headOf(file, "allowlisted"));
      if (++count >= MAX_CANDIDATE_FILES) break;
    }
  }
  for (const path of named) {
    const file = exhibits.has(path) ? null : await files.read(path);
    if (file !== null) show(file, headOf(file, "command"));
  }
  const shown: Exhibit[] = [];
  for (const { file, excerpts } of exhibits.values()) {
    const lines = linesOf((await input.redact(file.text, file.path)).text);
    shown.push({ file: { path: file.path, lines }, excerpts });
  }
  return {
    snippets: cutToBudget(shown, input.budgetBytes ?? DEFAULT_BUDGET),
    assertions: assertions(input.output),
  };
}

/** The places that stand in readable files, of at most twelve files. */
async function readable(
  places: readonly Location[],
  files: ContextFiles,
): Promise<{ file: SourceFile; location: Location }[]> {
  const found: { file: SourceFile; location: Location }[] = [];
  const chosen = new Set<string>();
  for (const location of places) {
    for (const path of files.ending(location.path)) {
      if (!chosen.has(path) && chosen.size >= MAX_EVIDENCE_FILES) continue;
      const file = await files.read(path);
      if (file === null || location.line > file.lines.length) continue;
      chosen.add(path);
      found.push({ file, location });
    }
  }
  return found;
}

async function excerptAt(file: SourceFile, { line }: Location, syntax: Syntax): Promise<Excerpt> {
  const around = (by: number) => ({
    start: Math.max(1, line - by),
    end: Math.min(file.lines.length, line + by),
  });
  const enclosing = await syntax.enclosing(file.path, file.bytes, line);
  if (enclosing === null) return { ...around(AROUND), focus: line, why: "location" };
  const most = around(MAX_AROUND);
  return {
    start: Math.max(enclosing.start, most.start),
    end: Math.min(enclosing.end, most.end),
    focus: line,
    why: "enclosing",
  };
}

function headOf(file: SourceFile, why: string): Excerpt {
  return { start: 1, end: Math.max(1, Math.min(file.lines.length, MAX_HEAD_LINES)), focus: 1, why };
}

/** Files a command names: `pytest tests/test_a.py::test_b`, `sh ./check.sh`. */
function argumentFiles(argv: readonly string[], files: ContextFiles): string[] {
  const words = argv.slice(0, 100).flatMap((argument) => argument.slice(0, 4000).split(/[\s;&|]+/));
  return words.flatMap((word) => {
    const path = joined("", word.split("::")[0]!);
    return path !== null && path !== "" && files.has(path) ? [path] : [];
  });
}

function testsFirst(paths: readonly string[]): string[] {
  return [...paths.filter(isTest), ...paths.filter((path) => !isTest(path))];
}

/** Writable files that others import, directly, or through a file that only passes names on. */
async function importedFiles(
  importers: readonly string[],
  files: ContextFiles,
  { syntax, writeAllowed }: ContextInput,
): Promise<string[]> {
  const found = new Set<string>();
  let level = importers;
  for (let depth = 0; depth < 2 && level.length > 0; depth++) {
    const next = new Set<string>();
    for (const path of level) {
      const file = await files.read(path);
      if (file === null) continue;
      const specifiers = await syntax.imports(path, file.bytes);
      const targets = specifiers.flatMap((specifier) => resolveImport(specifier, path, files));
      for (const target of [...targets, ...impliedImports(path, file.text, files)]) {
        if (importers.includes(target) || found.has(target)) continue;
        next.add(target);
        if (writeAllowed(target) && !isTest(target) && files.size(target) > 0) found.add(target);
        if (found.size >= MAX_IMPORTED_FILES) return [...found];
      }
    }
    level = [...next].slice(0, MAX_IMPORTERS);
  }
  return [...found];
}
