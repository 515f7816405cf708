/** One thing wrong with a file. Line and column are 1-based, null where the text has no such place. */
export interface DocumentProblem {
  /** Such as `policy.limits.max_attempts` or `proof_targets[0].cmd`; empty for the file as a whole. */
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}

/** `pp.yaml:12:5 policy.limits.max_attempts: must be at least 1, not 0`. */
export function showProblem(fileName: string, problem: DocumentProblem): string {
  const place = problem.line === null ? "" : `:${problem.line}:${problem.column ?? 1}`;
  return `${fileName}${place} ${problem.path === "" ? "" : `${problem.path}: `}${problem.message}`;
}
