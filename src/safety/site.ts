import type { Capability } from "./capability.ts";
import type { Shape } from "./shape.ts";

/** One place where code can do something. */
export interface Site {
  /** Relative to the folder that was looked at. */
  readonly file: string;
  /** 1-based; of no meaning for whether two sites are the same. */
  readonly line: number;
  /** Such as `Class.method`; `<file>` for what belongs to none. */
  readonly function: string;
  readonly capability: Capability;
  /** The rule that says so. */
  readonly rule: string;
  /** What is used, under the name that its module gives it: `subprocess.run`. */
  readonly symbol: string;
  readonly shape: Shape;
  /** Its source, blanks made one, cut after 200 characters. */
  readonly code: string;
}

/** Why a file was not judged whole. */
export type Unanalyzed =
  | "unknown_language"
  | "does_not_parse"
  | "too_large"
  | "too_deep"
  | "too_complex"
  | "timed_out"
  | "not_text"
  | "link";

/** What was found in one file. */
export interface FileScan {
  readonly path: string;
  /** Null where it is none that is known. */
  readonly language: string | null;
  readonly sites: readonly Site[];
  /** Null when everything in it was looked at. */
  readonly unanalyzed: { readonly reason: Unanalyzed; readonly line: number | null } | null;
}

const MAX_CODE = 200;

/** Source of a site as it is kept. */
export function codeOf(source: string): string {
  const flat = source.slice(0, 4 * MAX_CODE).replace(/\s+/g, " ").trim();
  return flat.length > MAX_CODE ? `${flat.slice(0, MAX_CODE - 1).toWellFormed()}…` : flat;
}
