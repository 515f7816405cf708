/** 1-based, inclusive line range. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/** What can be learned of source text by parsing it, without running it. */
export interface Syntax {
  /** `unknown` when there is no grammar for the path or the text is too large. */
  check(path: string, bytes: Uint8Array): Promise<"valid" | "broken" | "unknown">;
  /** Smallest function, method or class around a line; null when none or unknown. */
  enclosing(path: string, bytes: Uint8Array, line: number): Promise<LineRange | null>;
  /** Module specifiers as written in import statements; empty when unknown. */
  imports(path: string, bytes: Uint8Array): Promise<readonly string[]>;
}
