import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Argument, Expression, Parameter } from "../expression.ts";
import {
  asAssignment,
  asClass,
  asConditional,
  asInner,
  asList,
  asLiteral,
  asName,
  asReturn,
  binaryBy,
  bind,
  call,
  construct,
  fieldOf,
  functionAs,
  functionBy,
  type Lower,
  type Lowering,
  type LoweringTable,
  member,
  nameAt,
  nothing,
  template,
  textAt,
} from "./lowering.ts";

function keyOf(node: SyntaxNode, lower: Lowering) {
  const key = fieldOf(node, "key");
  if (key === null) return null;
  return key.type === "hash_key_symbol" ? textAt(lower.text(key), key) : lower.expression(key);
}

function argumentsOf(node: SyntaxNode | null, lower: Lowering): Argument[] {
  return (node?.children ?? []).map((child) => {
    if (child.type === "pair") {
      const key = fieldOf(child, "key");
      const name = key === null ? null : lower.text(key).replace(/^:|:$/g, "");
      return { name, value: lower.field(child, "value"), spread: false };
    }
    return {
      name: null,
      value: lower.expression(child),
      spread: /splat/.test(child.type),
    };
  });
}

function parametersOf(node: SyntaxNode | null, lower: Lowering): Parameter[] {
  return (node?.children ?? []).map((child) => {
    return { target: lower.name(fieldOf(child, "name") ?? child), value: lower.maybe(child, "value") };
  });
}

const callOf: Lower = (node, lower) => {
  const receiver = fieldOf(node, "receiver"), method = fieldOf(node, "method");
  const block = fieldOf(node, "block");
  // `f.(x)` calls f.
  const own = method === null ? "call" : lower.text(method);
  const callee = receiver === null ? nameAt(own, node) : member(lower.expression(receiver), own, node);
  const args = argumentsOf(fieldOf(node, "arguments"), lower);
  return call(callee, block === null ? args : [...args, ...lower.positional([block])], node);
};

const blockOf: Lower = (node, lower) =>
  functionAs(
    null,
    parametersOf(fieldOf(node, "parameters"), lower),
    { kind: "return", value: lower.field(node, "body"), at: node },
    node,
  );

const methodOf = functionBy(parametersOf);

/** `a.b = c` sets a member, by the look of a call. */
function targetOf(left: SyntaxNode, lower: Lowering): Expression {
  const receiver = fieldOf(left, "receiver"), method = fieldOf(left, "method");
  return left.type === "call" && receiver !== null && method !== null
    ? member(lower.expression(receiver), lower.text(method), left)
    : lower.expression(left);
}

const string: Lower = (node, lower) =>
  template(node, lower, ["string_content", "heredoc_content", "escape_sequence"], ["heredoc_end"]);
const symbolText: Lower = (node, lower) => textAt(lower.text(node).replace(/^:/, ""), node);

/** Ruby. */
export const RUBY: LoweringTable = {
  identifier: asName,
  constant: asName,
  instance_variable: asName,
  class_variable: asName,
  global_variable: asName,
  self: nothing,
  integer: asLiteral,
  float: asLiteral,
  true: asLiteral,
  false: asLiteral,
  nil: asLiteral,
  string,
  bare_string: string,
  bare_symbol: string,
  heredoc_body: string,
  chained_string: (node, lower) => ({
    kind: "concat",
    parts: node.children.map((child) => lower.expression(child)),
    at: node,
  }),
  interpolation: asInner,
  simple_symbol: symbolText,
  hash_key_symbol: symbolText,
  delimited_symbol: string,
  subshell: (node, lower) => construct("backticks", string(node, lower), node),
  scope_resolution: (node, lower) => {
    const scope = fieldOf(node, "scope"), name = fieldOf(node, "name");
    if (name === null) return nothing(node);
    return scope === null ? lower.name(name) : member(lower.expression(scope), lower.text(name), node);
  },
  heredoc_beginning: (node, lower) =>
    lower.text(node).includes("`") ? construct("backticks", nothing(node), node) : nothing(node),
  alias: (node, lower) => {
    const old = fieldOf(node, "alias");
    return old === null ? nothing(node) : bind(lower.field(node, "name"), lower.name(old), node);
  },
  call: callOf,
  element_reference: (node, lower) => {
    const object = lower.field(node, "object");
    const index = node.children.filter(({ field }) => field !== "object").at(-1);
    return index === undefined ? object : member(object, lower.expression(index), node);
  },
  array: asList,
  string_array: asList,
  symbol_array: asList,
  hash: (node, lower) => ({
    kind: "record",
    entries: node.children.map((child) =>
      child.type === "pair"
        ? { key: keyOf(child, lower), value: lower.field(child, "value") }
        : { key: null, value: lower.all(child) }
    ),
    at: node,
  }),
  left_assignment_list: asList,
  right_assignment_list: asList,
  assignment: (node, lower) => ({
    kind: "bind",
    target: targetOf(fieldOf(node, "left") ?? node, lower),
    value: lower.field(node, "right"),
    declares: fieldOf(node, "left")?.type === "identifier",
    at: node,
  }),
  operator_assignment: asAssignment,
  binary: binaryBy(["+", "<<"], ["||", "or", "&&", "and"]),
  conditional: asConditional,
  parenthesized_statements: asInner,
  method: methodOf,
  singleton_method: methodOf,
  do_block: blockOf,
  block: blockOf,
  lambda: (node, lower) => {
    const body = fieldOf(node, "body");
    const inner = body === null ? null : fieldOf(body, "body");
    return functionAs(
      null,
      parametersOf(fieldOf(node, "parameters"), lower),
      { kind: "return", value: inner === null ? nothing(node) : lower.expression(inner), at: node },
      node,
    );
  },
  class: asClass,
  module: asClass,
  return: asReturn,
};
