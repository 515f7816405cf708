import ignore from "ignore";
import { Failure } from "../vocabulary/failure.ts";

/** The file with a project's own rules, in gitignore syntax, at the root of the workspace. */
export const IGNORE_FILE = ".ppignore";
export const MAX_IGNORE_FILE_BYTES = 256 * 1024;

const MAX_RULES = 5_000;
const MAX_RULE_LENGTH = 1_024;
/** Stars in one segment; each multiplies the time a match can take. */
const MAX_STARS_PER_SEGMENT = 4;
const MAX_STARS = 12;

/** Start of the names `apply` stages under; what a killed run left is no part of the project. */
export const STAGED_PREFIX = ".veripatch-apply-";

const NEVER_SENT = new Set([".git", ".pp-artifacts"]);
const CACHE_FILES = new Set([".DS_Store", ".eslintcache"]);
const CACHE_DIRECTORIES = new Set([
  "__pycache__",
  ".pytest_cache",
  ".mypy_cache",
  ".ruff_cache",
  ".pytype",
  ".hypothesis",
  ".tox",
  ".nox",
  ".ipynb_checkpoints",
  ".parcel-cache",
  ".turbo",
  ".nyc_output",
  ".gradle",
  ".cache",
]);

/** What the built-in rules name: who remembers what is in a workspace has to forget it when they change. */
export const BUILT_IN_RULES: readonly string[] = [
  ...[...NEVER_SENT, "", ...CACHE_FILES, "", ...CACHE_DIRECTORIES, ""],
  ...[STAGED_PREFIX, IGNORE_FILE],
];

/** Tells what stays out of a workspace. */
export interface IgnoreRules {
  /** @param path relative, `name` its last segment */
  ignores(path: string, name: string, isDirectory: boolean): boolean;
}

/** Whether a walk by these rules does not come to a file: it, or a folder above it, is left out. */
export function isLeftOut(rules: IgnoreRules, path: string): boolean {
  const names = path.split("/");
  return names.some((name, i) => rules.ignores(names.slice(0, i + 1).join("/"), name, i < names.length - 1));
}

/**
 * `.git`, `.pp-artifacts`, what is left out and staged files of `apply` are always ignored, at any depth;
 * caches of known tools unless the project's rules re-include them (`!__pycache__/`).
 * @param own content of `.ppignore`, null without one
 * @param leftOut paths inside the workspace that are none of its own: the artifacts directory, patches to be tried
 * @throws Failure `ignore_file_malformed` listing every rule that is too long or has too many stars
 */
export function ignoreRules(own: string | null, leftOut: ReadonlySet<string>): IgnoreRules {
  const project = own === null ? null : projectRules(own);
  return {
    ignores(path, name, isDirectory) {
      if (NEVER_SENT.has(name) || leftOut.has(path) || name.startsWith(STAGED_PREFIX)) return true;
      const verdict = project?.test(isDirectory ? `${path}/` : path);
      if (verdict?.ignored) return true;
      if (verdict?.unignored) return false;
      return isDirectory ? CACHE_DIRECTORIES.has(name) : CACHE_FILES.has(name);
    },
  };
}

function projectRules(text: string): ignore.Ignore {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const details: string[] = [];
  if (lines.length > MAX_RULES) details.push(`${lines.length} lines, at most ${MAX_RULES} are read`);
  for (const [index, line] of lines.entries()) {
    if (line.startsWith("#")) continue;
    const complaint = tooCostly(line);
    if (complaint !== null) details.push(`line ${index + 1}: ${complaint}`);
  }
  if (details.length > 0) {
    throw new Failure("malformed", "ignore_file_malformed", `${IGNORE_FILE} cannot be used`, {
      hint: `shorten the rules listed in ${IGNORE_FILE}`,
      details: details.slice(0, 100),
    });
  }
  return ignore({ ignorecase: false, allowRelativePaths: true }).add(lines);
}

function tooCostly(rule: string): string | null {
  if (rule.length > MAX_RULE_LENGTH) return `longer than ${MAX_RULE_LENGTH} characters`;
  const stars = rule.split("/").map((segment) => segment.match(/\*+/g)?.length ?? 0);
  if (stars.some((count) => count > MAX_STARS_PER_SEGMENT)) {
    return `more than ${MAX_STARS_PER_SEGMENT} stars between two slashes`;
  }
  return stars.reduce((sum, count) => sum + count, 0) > MAX_STARS ? `more than ${MAX_STARS} stars` : null;
}
