import type { z } from "zod";
import { quoted } from "../vocabulary/printable.ts";
import type { Path } from "./read.ts";
import { spellingHint } from "./spelling.ts";

type Issue = z.core.$ZodIssue;

/** Keys of each section, by the path of the section (`policy.limits`); `x[]` stands for every entry of a list. */
export type KnownKeys = ReadonlyMap<string, readonly string[]>;

/** A field that is wrong, before its place in the text is looked up. */
interface FieldProblem {
  readonly path: Path;
  /** The key itself is wrong, not its value. */
  readonly isKey: boolean;
  readonly message: string;
}

/** Most keys or issues explained; the rest of a hopeless file is dropped. */
const MAX_EXPLAINED = 500;

/** Turns what zod found into one problem for each field, in the words of its author; bounded. */
export function fieldProblems(
  issues: readonly Issue[],
  value: unknown,
  known: KnownKeys,
): FieldProblem[] {
  const byPath = new Map<string, FieldProblem>();
  for (const problem of issues.slice(0, MAX_EXPLAINED).flatMap((issue) => explain(issue, [], value, known))) {
    const key = JSON.stringify(problem.path);
    if (!byPath.has(key)) byPath.set(key, problem);
  }
  return [...byPath.values()];
}

/** `policy.allowed_argv[0][1]`; keys that are no plain words are quoted. */
export function showPath(path: Path): string {
  let shown = "";
  for (const step of path) {
    if (typeof step === "number") shown += `[${step}]`;
    else if (!/^[\w-]{1,80}$/.test(step)) shown += `[${quote(step)}]`;
    else shown += shown === "" ? step : `.${step}`;
  }
  return shown;
}

function explain(issue: Issue, above: Path, root: unknown, known: KnownKeys): FieldProblem[] {
  const path = [...above, ...issue.path as (string | number)[]];
  const problem = (message: string) => [{ path, isKey: false, message }];
  const value = valueAt(root, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.slice(0, MAX_EXPLAINED).map((key) => ({
        path: [...path, key],
        isKey: true,
        message: unknownKey(key, path, known),
      }));
    case "invalid_union": {
      const branch = issue.errors.find((errors) => !errors.some(isWrongKind));
      if (branch !== undefined) return branch.flatMap((inner) => explain(inner, path, root, known));
      return problem(`${issue.message}, not ${show(value)}`);
    }
    case "invalid_type":
      return problem(
        `${issue.message.replace(/, received .*$/, "").replace("Invalid input: ", "")}, not ${show(value)}`,
      );
    case "invalid_value": {
      const words = issue.values.map(String);
      const hint = typeof value === "string" ? spellingHint(value, words) : "";
      return problem(`must be one of ${words.join(", ")}, not ${show(value)}${hint}`);
    }
    case "too_small":
    case "too_big":
      if (!issue.message.startsWith("Too ")) return problem(`${issue.message}, not ${show(value)}`);
      return problem(
        issue.code === "too_small"
          ? `must be at least ${issue.minimum}, not ${show(value)}`
          : `must be at most ${issue.maximum}, not ${show(value)}`,
      );
    case "custom":
      return problem(issue.message);
    default:
      return problem(`${issue.message}, not ${show(value)}`);
  }
}

/** Says that a branch of a union was not meant, as the value is of another kind altogether. */
function isWrongKind(issue: Issue): boolean {
  return issue.path.length === 0 && ["invalid_type", "invalid_format", "invalid_value"].includes(issue.code);
}

function unknownKey(key: string, path: Path, sections: KnownKeys): string {
  const section = path.map((step) => typeof step === "number" ? "[]" : `.${step}`).join("").replace(
    /^\./,
    "",
  );
  const known = sections.get(section) ?? [];
  const elsewhere = [...sections].find(([place, keys]) => place !== section && keys.includes(key));
  if (elsewhere !== undefined) {
    return `unknown key here; ${key} belongs ${elsewhere[0] === "" ? "at the top" : `under ${elsewhere[0]}`}`;
  }
  return `unknown key${spellingHint(key, known) || `; known are ${known.join(", ")}`}`;
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function show(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? `the text ${quote(value)}` : String(value);
}

function quote(text: string): string {
  return quoted(text, 60);
}
