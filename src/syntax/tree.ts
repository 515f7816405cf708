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
