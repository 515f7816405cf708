import type { SyntaxNode } from "../syntax/tree.ts";

/**
 * What the languages have in common, as far as names and calls go. Each language is lowered to this, so that aliases,
 * string building and rules are followed by one piece of code. `at` is where it stands in the source.
 */
export type Expression =
  & { readonly at: SyntaxNode }
  & (
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "text"; readonly value: string }
    /** A number, a truth value, nothing: its source. */
    | { readonly kind: "literal"; readonly source: string }
    | { readonly kind: "concat"; readonly parts: readonly Expression[] }
    | { readonly kind: "member"; readonly object: Expression; readonly name: string | Expression }
    | { readonly kind: "call"; readonly callee: Expression; readonly args: readonly Argument[] }
    | { readonly kind: "list"; readonly items: readonly Expression[] }
    | { readonly kind: "record"; readonly entries: readonly Entry[] }
    /** One of them: conditional expressions, `or`. */
    | {
      readonly kind: "either";
      readonly options: readonly Expression[];
      /** What runs beside and is not what it gives, such as a condition. */
      readonly aside?: readonly Expression[];
    }
    /** What iterating over it gives. */
    | { readonly kind: "element"; readonly of: Expression }
    /** Something of a type: `T()`; for values that are declared and not made here. */
    | { readonly kind: "instance"; readonly type: Expression }
    | { readonly kind: "block"; readonly items: readonly Expression[] }
    /** Assignment; a target is a name, a member, a list or a record. `declares` makes the name belong to this scope. */
    | {
      readonly kind: "bind";
      readonly target: Expression;
      readonly value: Expression | null;
      readonly declares: boolean;
      /** Whether the name means nothing else in its scope, unless it stands in what is `perhaps`. */
      readonly sure?: boolean;
    }
    /** A local name for a symbol of a module. */
    | { readonly kind: "import"; readonly local: string; readonly symbol: string }
    /** Every name of a module. */
    | { readonly kind: "import_all"; readonly module: string }
    /** Names of this scope that belong to an outer one. */
    | { readonly kind: "outer"; readonly names: readonly string[] }
    | {
      readonly kind: "function";
      readonly name: string | null;
      readonly parameters: readonly Parameter[];
      readonly body: Expression;
    }
    | { readonly kind: "class"; readonly name: string; readonly body: Expression }
    /** What may never run, or counts in a block alone: a name it declares may be another outside. */
    | { readonly kind: "perhaps"; readonly inner: Expression }
    | { readonly kind: "return"; readonly value: Expression }
    /** A construct that rules can name, such as `unsafe block`. */
    | { readonly kind: "construct"; readonly name: string; readonly inner: Expression }
  );

export type ExpressionOf<K extends Expression["kind"]> = Expression & { readonly kind: K };

export interface Argument {
  /** Null for a positional one. */
  readonly name: string | null;
  readonly value: Expression;
  /** `*args`, `...args`: there may be any number of them. */
  readonly spread: boolean;
}

export interface Entry {
  /** Null for a spread. */
  readonly key: Expression | null;
  readonly value: Expression;
}

export interface Parameter {
  readonly target: Expression;
  readonly value: Expression | null;
}
