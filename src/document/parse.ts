import type { z } from "zod";
import type { DocumentProblem } from "./problem.ts";
import { fieldProblems, type KnownKeys, showPath } from "./problems.ts";
import { type Fault, type Path, readDocument } from "./read.ts";

/** Most problems reported for one file. */
export const MAX_PROBLEMS = 100;

export type DocumentParse<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

/** What a kind of file has to be. */
interface DocumentKind<T> {
  readonly schema: z.ZodType<T>;
  readonly known: KnownKeys;
  /** Said of a file without content. */
  readonly empty: string;
}

/**
 * Reads a file that people write. Strict JSON if `fileName` ends in `.json`, YAML otherwise.
 * @returns what the schema makes of it, or every problem of the file in the order of its lines, at most MAX_PROBLEMS of
 * them and one that says there are more; never throws on any text
 */
export function parseDocument<T>(text: string, fileName: string, kind: DocumentKind<T>): DocumentParse<T> {
  const format = /\.json$/i.test(fileName) ? "json" : "yaml";
  const document = readDocument(text.replace(/^\ufeff/, ""), format);
  const at = (path: Path, offset: number | null, message: string): DocumentProblem => {
    const place = offset === null ? null : document.lineColumn(offset);
    return { path: showPath(path), line: place?.line ?? null, column: place?.column ?? null, message };
  };
  const faults = document.faults.map((f: Fault) =>
    at(f.path, f.offset ?? nearest(document.offsetOf, f.path), f.message)
  );
  if (document.value === undefined) return { ok: false, problems: limited(faults) };
  if (document.value === null) {
    return { ok: false, problems: limited([...faults, at([], null, kind.empty)]) };
  }
  const result = kind.schema.safeParse(document.value);
  if (result.success && faults.length === 0) return { ok: true, value: result.data };
  const fields = result.success ? [] : fieldProblems(result.error.issues, document.value, kind.known);
  const placed = fields.map((p) => {
    const own = p.isKey ? document.offsetOf(p.path) : document.valueOffsetOf(p.path);
    return at(p.path, own ?? nearest(document.offsetOf, p.path), p.message);
  });
  return { ok: false, problems: limited([...faults, ...placed]) };
}

/** Where the deepest part of a path that the text has stands. */
function nearest(offsetOf: (path: Path) => number | null, path: Path): number | null {
  for (let length = path.length; length >= 0; length--) {
    const offset = offsetOf(path.slice(0, length));
    if (offset !== null) return offset;
  }
  return null;
}

function limited(problems: readonly DocumentProblem[]): DocumentProblem[] {
  const seen = new Set<string>();
  const unique = problems.filter((p) => {
    const key = JSON.stringify([p.path, p.line, p.column, p.message]);
    return !seen.has(key) && seen.add(key);
  });
  const order = (p: DocumentProblem) => p.line ?? 0;
  unique.sort((a, b) => order(a) - order(b) || (a.column ?? 0) - (b.column ?? 0));
  if (unique.length <= MAX_PROBLEMS) return unique;
  return [...unique.slice(0, MAX_PROBLEMS), { path: "", line: null, column: null, message: "and more" }];
}
