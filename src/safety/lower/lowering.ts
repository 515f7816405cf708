import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Argument, Expression, Parameter } from "../expression.ts";

/** How nodes of some types are lowered; those of all others are the block of their children. */
export type LoweringTable = Readonly<Record<string, (node: SyntaxNode, lower: Lowering) => Expression>>;

/** What a name stands for in its language, however it is spelled. */
export type Spelling = (name: string) => string;

const NAMES = /identifier|dotted_name|constant/;

/** Lowers one source. */
export class Lowering {
  constructor(
    readonly source: string,
    private readonly table: LoweringTable,
    private readonly spelling: Spelling,
  ) {}

  /** The source of a node; names as their language reads them. */
  text(node: SyntaxNode): string {
    const text = this.source.slice(node.start, node.end);
    return /[^\w.$]/.test(text) && NAMES.test(node.type) ? this.spelling(text) : text;
  }

  expression(node: SyntaxNode): Expression {
    const how = Object.hasOwn(this.table, node.type) ? this.table[node.type]! : null;
    return how === null ? this.all(node) : how(node, this);
  }

  /** A field's expression, or what nothing is known of. */
  field(node: SyntaxNode, name: string): Expression {
    const child = fieldOf(node, name);
    return child === null ? nothing(node) : this.expression(child);
  }

  /** A field's expression; null where there is none. */
  maybe(node: SyntaxNode, name: string): Expression | null {
    const child = fieldOf(node, name);
    return child === null ? null : this.expression(child);
  }

  /** The text of the field `name`; null where there is none. */
  nameOf(node: SyntaxNode): string | null {
    const name = fieldOf(node, "name");
    return name === null ? null : this.text(name);
  }

  /** Its children one after the other; a single one is itself. */
  all(node: SyntaxNode): Expression {
    const items = node.children.map((child) => this.expression(child));
    return items.length === 1 ? items[0]! : { kind: "block", items, at: node };
  }

  /** The child of what only wraps one. */
  inner(node: SyntaxNode): Expression {
    const child = node.children.at(-1);
    return child === undefined ? nothing(node) : this.expression(child);
  }

  name(node: SyntaxNode): Expression {
    return { kind: "name", name: this.text(node), at: node };
  }

  literal(node: SyntaxNode): Expression {
    return { kind: "literal", source: this.text(node), at: node };
  }

  /** Positional arguments from some nodes. */
  positional(nodes: readonly SyntaxNode[]): Argument[] {
    return nodes.map((node) => ({ name: null, value: this.expression(node), spread: false }));
  }
}

export function fieldOf(node: SyntaxNode, name: string): SyntaxNode | null {
  return node.children.find((child) => child.field === name) ?? null;
}

export function fieldsOf(node: SyntaxNode, name: string): SyntaxNode[] {
  return node.children.filter((child) => child.field === name);
}

export function childOf(node: SyntaxNode, ...types: string[]): SyntaxNode | null {
  return node.children.find((child) => types.includes(child.type)) ?? null;
}

export function nothing(at: SyntaxNode): Expression {
  return { kind: "block", items: [], at };
}

export function nameAt(name: string, at: SyntaxNode): Expression {
  return { kind: "name", name, at };
}

export function textAt(value: string, at: SyntaxNode): Expression {
  return { kind: "text", value, at };
}

export function member(object: Expression, name: string | Expression, at: SyntaxNode): Expression {
  return { kind: "member", object, name, at };
}

export function call(callee: Expression, args: readonly Argument[], at: SyntaxNode): Expression {
  return { kind: "call", callee, args, at };
}

export function bind(
  target: Expression,
  value: Expression | null,
  at: SyntaxNode,
  declares = true,
): Expression {
  return { kind: "bind", target, value, declares, at };
}

export function block(items: readonly Expression[], at: SyntaxNode): Expression {
  return { kind: "block", items, at };
}

const ESCAPE =
  /\\(?:x([0-9a-fA-F]{1,2})|u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(\r?\n)|([\s\S]))/g;
const LETTERS: Readonly<Record<string, string>> = {
  ...{ n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v", e: "\x1b", "0": "\0" },
};

/** What a string's escapes stand for, in the notation that the languages share. */
export function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(ESCAPE, (_, x, braces, u, long, octal, newline, other) => {
    const hex = x ?? braces ?? u ?? long;
    if (hex !== undefined) return character(parseInt(hex, 16));
    if (octal !== undefined) return character(parseInt(octal, 8));
    if (newline !== undefined) return "";
    return LETTERS[other] ?? other;
  });
}

function character(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}

/**
 * A string of quoted parts and computed ones: children of the content types are text, of the skipped ones nothing, all
 * others expressions. Text that no child covers (grammars that hide it) is taken from the source.
 */
export function template(
  node: SyntaxNode,
  lower: Lowering,
  content: readonly string[],
  skipped: readonly string[] = [],
): Expression {
  const parts: Expression[] = [];
  for (const child of node.children) {
    if (skipped.includes(child.type)) continue;
    if (content.includes(child.type)) parts.push(textAt(unescaped(lower.text(child)), child));
    else parts.push(lower.expression(child));
  }
  if (parts.length === 0) return textAt("", node);
  if (parts.length === 1 && parts[0]!.kind === "text") return { ...parts[0]!, at: node };
  return { kind: "concat", parts, at: node };
}

const LOOSE_CALL = /([A-Za-z_$][\w$]*(?:(?:::|\.|->)[A-Za-z_$][\w$]*)*)\s*(\(|!\s*[([{])?/g;
const MAX_LOOSE = 2_000;

/**
 * Names and calls in text that the grammar leaves unread, such as the arguments of a macro: every path in it, called
 * with arguments nobody knows where a parenthesis follows.
 */
export function looseCalls(text: string, at: SyntaxNode): Expression {
  const items: Expression[] = [];
  for (const [, path, open] of text.replace(/"(?:[^"\\]|\\.)*"/g, '""').matchAll(LOOSE_CALL)) {
    if (items.length >= MAX_LOOSE) break;
    const [first, ...rest] = path!.split(/::|\.|->/);
    const callee = rest.reduce<Expression>((object, name) => member(object, name, at), nameAt(first!, at));
    items.push(
      open === undefined ? callee : call(callee, [{ name: null, value: nothing(at), spread: true }], at),
    );
  }
  return block(items, at);
}

// What several languages have in the same form, for their tables.

export type Lower = (node: SyntaxNode, lower: Lowering) => Expression;

export const asName: Lower = (node, lower) => lower.name(node);
export const asLiteral: Lower = (node, lower) => lower.literal(node);
export const asInner: Lower = (node, lower) => lower.inner(node);
export const asFirst: Lower = (node, lower) =>
  node.children[0] === undefined ? nothing(node) : lower.expression(node.children[0]);

export const asList: Lower = (node, lower) => ({
  kind: "list",
  items: node.children.map((child) => lower.expression(child)),
  at: node,
});

export const asReturn: Lower = (node, lower) => ({ kind: "return", value: lower.all(node), at: node });

/** `a.b` with the fields' names of the grammar. */
export function memberBy(object: string, property: string): Lower {
  return (node, lower) => {
    const name = fieldOf(node, property);
    return member(lower.field(node, object), name === null ? nothing(node) : lower.text(name), node);
  };
}

/** `f(x, y)` with the grammar's name for the field of what is called; its `arguments` are positional. */
export function callBy(callee: string): Lower {
  return (node, lower) => {
    const given = fieldOf(node, "arguments");
    const args = given?.children ?? [];
    return call(lower.field(node, callee), lower.positional(args), node);
  };
}

/**
 * A function with the fields `name`, `parameters` and `body`.
 * @param statements the type of a body that is no expression to return; without it no body is one
 */
export function functionBy(
  parametersOf: (node: SyntaxNode | null, lower: Lowering) => readonly Parameter[],
  statements?: string,
): Lower {
  return (node, lower) => {
    const body = lower.field(node, "body");
    const returns = statements !== undefined && fieldOf(node, "body")?.type !== statements;
    return functionAs(
      lower.nameOf(node),
      parametersOf(fieldOf(node, "parameters"), lower),
      returns ? { kind: "return", value: body, at: node } : body,
      node,
    );
  };
}

/** `a = b`, and `a += b`, to what is declared elsewhere. */
export const asAssignment: Lower = (node, lower) => {
  const operator = fieldOf(node, "operator");
  const left = lower.field(node, "left"), right = lower.field(node, "right");
  const adds = operator !== null && /^[+.]=$/.test(lower.text(operator));
  return bind(left, adds ? { kind: "concat", parts: [left, right], at: node } : right, node, false);
};

/** Binary operators; the signs that put strings together are the language's. */
export function binaryBy(concatenates: readonly string[], alternatives: readonly string[] = []): Lower {
  return (node, lower) => {
    const operator = fieldOf(node, "operator");
    const sign = operator === null ? "" : lower.text(operator);
    const parts = [lower.field(node, "left"), lower.field(node, "right")];
    if (concatenates.includes(sign)) return { kind: "concat", parts, at: node };
    if (alternatives.includes(sign)) return { kind: "either", options: parts, at: node };
    return { kind: "either", options: [], aside: parts, at: node };
  };
}

export const asConditional: Lower = (node, lower) => ({
  kind: "either",
  options: [lower.field(node, "consequence"), lower.field(node, "alternative")],
  aside: [lower.field(node, "condition")],
  at: node,
});

/** Something declared with a type: what it is given, or something of that type. */
export function typed(value: Expression | null, type: Expression | null, at: SyntaxNode): Expression | null {
  const options = [
    ...(value === null ? [] : [value]),
    ...(type === null ? [] : [{ kind: "instance", type, at } as const]),
  ];
  return options.length === 0 ? null : options.length === 1 ? options[0]! : { kind: "either", options, at };
}

/** A function with a body and parameters lowered already. */
export function functionAs(
  name: string | null,
  parameters: readonly Parameter[],
  body: Expression,
  at: SyntaxNode,
): Expression {
  return { kind: "function", name, parameters, body, at };
}

export function classAs(name: string, body: Expression, at: SyntaxNode): Expression {
  return { kind: "class", name, body, at };
}

export function construct(name: string, inner: Expression, at: SyntaxNode): Expression {
  return { kind: "construct", name, inner, at };
}

/** A class or the like with the fields `name` and `body`. */
export const asClass: Lower = (node, lower) => {
  const rest = node.children.filter(({ field }) => field !== "name" && field !== "body");
  return block([
    ...rest.map((child) => lower.expression(child)),
    classAs(lower.nameOf(node) ?? "?", lower.field(node, "body"), node),
  ], node);
};
