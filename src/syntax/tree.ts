/**
 * A parsed source as plain values, so that what judges code knows no parser. Names of node types and fields are those
 * of the language's tree-sitter grammar.
 */
export interface SyntaxNode {
  readonly type: string;
  /** The name under which the parent holds it; null when it has none. */
  readonly field: string | null;
  /** UTF-16 offsets into the text, the end exclusive. */
  readonly start: number;
  readonly end: number;
  /** 1-based. */
  readonly line: number;
  /** Named nodes, and others that stand in a field, such as operators. */
  readonly children: readonly SyntaxNode[];
}

/** Why there is no tree. */
export type NoTree =
  | "unknown_language"
  | "too_large"
  | "too_deep"
  | "too_many_nodes"
  | "timed_out"
  | "gave_up";

export type ParsedSource =
  | {
    readonly ok: true;
    readonly language: string;
    /** What the offsets are of. */
    readonly text: string;
    readonly root: SyntaxNode;
    /** Line of the first place that does not parse; null when all does. */
    readonly brokenAt: number | null;
  }
  | { readonly ok: false; readonly reason: NoTree };

/** Parses sources into trees. */
export interface SyntaxTrees {
  /** Bounded in bytes, nodes, depth and time; never throws for a text. */
  tree(path: string, bytes: Uint8Array): Promise<ParsedSource>;
}

/** One captured node of a match. */
export interface QueryCapture {
  readonly name: string;
  readonly type: string;
  /** Byte offsets into the file, the end exclusive. */
  readonly start: number;
  readonly end: number;
  /** 1-based. */
  readonly line: number;
}

/** Captures in the order of the file. */
export type QueryMatch = readonly QueryCapture[];

export type QueryResult =
  | { readonly ok: true; readonly language: string; readonly matches: readonly QueryMatch[] }
  | { readonly ok: false; readonly reason: NoTree | "not_utf8" | "too_many_matches" }
  /** The query itself is wrong for the language; `detail` says where. */
  | { readonly ok: false; readonly reason: "bad_query"; readonly detail: string };

/** Runs tree-sitter queries. */
export interface SyntaxQueries {
  /**
   * All matches of a query in a file, as tree-sitter finds them. Bounded in bytes, matches and time; never
   * throws for a text or a query.
   */
  query(path: string, bytes: Uint8Array, query: string): Promise<QueryResult>;
}
