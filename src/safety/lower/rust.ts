import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Expression, Parameter } from "../expression.ts";
import {
  asAssignment,
  asInner,
  asList,
  asLiteral,
  asName,
  asReturn,
  binaryBy,
  bind,
  block,
  call,
  callBy,
  childOf,
  classAs,
  construct,
  fieldOf,
  functionAs,
  functionBy,
  looseCalls,
  type Lower,
  type Lowering,
  type LoweringTable,
  member,
  memberBy,
  nameAt,
  nothing,
  template,
  textAt,
  typed,
} from "./lowering.ts";

function symbolOf(node: SyntaxNode, lower: Lowering): string {
  return lower.text(node).replace(/\s/g, "").replace(/^::/, "").replaceAll("::", ".");
}

/** `a::{b, c as d, e::*}`: every name it brings. */
function use(node: SyntaxNode, prefix: string, lower: Lowering): Expression[] {
  const under = (own: string) => prefix === "" ? own : own === "self" ? prefix : `${prefix}.${own}`;
  const bound = (local: string, symbol: string): Expression[] => [
    { kind: "import", local, symbol, at: node },
    { kind: "import", local: "", symbol, at: node },
  ];
  switch (node.type) {
    case "use_list":
      return node.children.flatMap((child) => use(child, prefix, lower));
    case "scoped_use_list": {
      const path = fieldOf(node, "path"), list = fieldOf(node, "list");
      return list === null ? [] : use(list, path === null ? prefix : under(symbolOf(path, lower)), lower);
    }
    case "use_as_clause": {
      const path = fieldOf(node, "path"), alias = fieldOf(node, "alias");
      return path === null || alias === null ? [] : bound(lower.text(alias), under(symbolOf(path, lower)));
    }
    case "use_wildcard": {
      const path = node.children[0];
      return [{
        kind: "import_all",
        module: path === undefined ? prefix : under(symbolOf(path, lower)),
        at: node,
      }];
    }
    default: {
      const symbol = under(symbolOf(node, lower));
      return bound(symbol.slice(symbol.lastIndexOf(".") + 1), symbol);
    }
  }
}

function parametersOf(node: SyntaxNode | null, lower: Lowering): Parameter[] {
  return (node?.children ?? []).map((child) => {
    const target = lower.expression(fieldOf(child, "pattern") ?? child);
    return { target, value: typed(null, lower.maybe(child, "type"), child) };
  });
}

const safeFunction = functionBy(parametersOf);

const functionOf: Lower = (node, lower) => {
  const own = safeFunction(node, lower);
  const modifiers = childOf(node, "function_modifiers");
  return modifiers !== null && /\bunsafe\b/.test(lower.text(modifiers))
    ? construct("unsafe function", own, node)
    : own;
};

const macro: Lower = (node, lower) => {
  const name = fieldOf(node, "macro");
  const tokens = childOf(node, "token_tree");
  const own = name === null ? "?" : symbolOf(name, lower);
  const strings = (tokens?.children ?? []).filter(({ type }) => type.endsWith("string_literal"));
  const inner = tokens === null ? nothing(node) : looseCalls(lower.text(tokens).slice(1, -1), tokens);
  const args = [...lower.positional(strings), { name: null, value: inner, spread: true }];
  return call(nameAt(`${own}!`, node), args, node);
};

/** Rust. What is inside macros is read as names and calls. */
export const RUST: LoweringTable = {
  use_declaration: (node, lower) => {
    const argument = fieldOf(node, "argument");
    if (argument === null) return nothing(node);
    const used = use(argument, "", lower);
    // What is passed on is used: `pub use std::process::Command`.
    const passed = childOf(node, "visibility_modifier") === null
      ? []
      : used.flatMap((one) => one.kind === "import" && one.local !== "" ? [nameAt(one.local, one.at)] : []);
    return block([...used, ...passed], node);
  },
  extern_crate_declaration: (node, lower) => {
    const name = fieldOf(node, "name"), alias = fieldOf(node, "alias");
    if (name === null) return nothing(node);
    return { kind: "import", local: lower.text(alias ?? name), symbol: lower.text(name), at: node };
  },
  identifier: asName,
  type_identifier: asName,
  field_identifier: asName,
  crate: asName,
  self: asName,
  super: asName,
  integer_literal: asLiteral,
  float_literal: asLiteral,
  boolean_literal: asLiteral,
  char_literal: asLiteral,
  string_literal: (node, lower) => template(node, lower, ["string_content", "escape_sequence"]),
  raw_string_literal: (node, lower) => {
    const content = childOf(node, "string_content");
    return textAt(content === null ? "" : lower.text(content), node);
  },
  scoped_identifier: (node, lower) => {
    const path = fieldOf(node, "path"), name = fieldOf(node, "name");
    if (name === null) return nothing(node);
    return path === null ? lower.name(name) : member(lower.expression(path), lower.text(name), node);
  },
  scoped_type_identifier: memberBy("path", "name"),
  field_expression: memberBy("value", "field"),
  index_expression: (node, lower) => {
    const [object, index] = node.children;
    if (object === undefined || index === undefined) return lower.all(node);
    return { kind: "element", of: block([lower.expression(object)], node), at: index };
  },
  generic_function: (node, lower) => lower.field(node, "function"),
  generic_type: (node, lower) => lower.field(node, "type"),
  reference_type: (node, lower) => lower.field(node, "type"),
  call_expression: callBy("function"),
  macro_invocation: macro,
  macro_definition: (node, lower) => looseCalls(lower.text(node), node),
  try_expression: asInner,
  await_expression: asInner,
  parenthesized_expression: asInner,
  reference_expression: (node, lower) => lower.field(node, "value"),
  unary_expression: asInner,
  type_cast_expression: (node, lower) =>
    block([{
      kind: "either",
      options: [lower.field(node, "value")],
      aside: [lower.field(node, "type")],
      at: node,
    }], node),
  binary_expression: binaryBy(["+"]),
  let_declaration: (node, lower) => {
    const given = typed(lower.maybe(node, "value"), lower.maybe(node, "type"), node);
    return bind(lower.field(node, "pattern"), given, node);
  },
  const_item: (node, lower) => bind(lower.field(node, "name"), lower.field(node, "value"), node),
  static_item: (node, lower) => bind(lower.field(node, "name"), lower.field(node, "value"), node),
  mut_pattern: asInner,
  assignment_expression: asAssignment,
  struct_expression: (node, lower) => {
    const body = fieldOf(node, "body");
    const type = lower.field(node, "name");
    return {
      kind: "either",
      options: [{
        kind: "record",
        entries: (body?.children ?? []).map((child) => {
          const name = fieldOf(child, "field");
          return {
            key: name === null ? null : textAt(lower.text(name), name),
            value: name === null ? lower.all(child) : lower.field(child, "value"),
          };
        }),
        at: node,
      }, { kind: "instance", type, at: node }],
      aside: [type],
      at: node,
    };
  },
  array_expression: asList,
  for_expression: (node, lower) =>
    block([
      bind(lower.field(node, "pattern"), { kind: "element", of: lower.field(node, "value"), at: node }, node),
      lower.field(node, "body"),
    ], node),
  function_item: functionOf,
  function_signature_item: nothing,
  closure_expression: (node, lower) =>
    functionAs(
      null,
      parametersOf(fieldOf(node, "parameters"), lower),
      { kind: "return", value: lower.field(node, "body"), at: node },
      node,
    ),
  impl_item: (node, lower) => {
    const type = fieldOf(node, "type");
    const own = classAs(
      type === null ? "?" : lower.text(type).replace(/<.*$/s, ""),
      lower.field(node, "body"),
      node,
    );
    return /^unsafe\b/.test(lower.text(node).slice(0, 20)) ? construct("unsafe impl", own, node) : own;
  },
  trait_item: (node, lower) => classAs(lower.nameOf(node) ?? "?", lower.field(node, "body"), node),
  struct_item: nothing,
  enum_item: nothing,
  type_item: (node, lower) => bind(lower.field(node, "name"), lower.field(node, "type"), node),
  attribute_item: (node, lower) => {
    const text = lower.text(node).replace(/\s/g, "");
    if (/\bpath=/.test(text)) return construct("path attribute", lower.all(node), node);
    const linked = /\b(?:no_mangle|export_name|link_section|link_name|link|global_allocator)\b/.test(text);
    return linked ? construct("linked symbol", lower.all(node), node) : lower.all(node);
  },
  unsafe_block: (node, lower) => construct("unsafe block", lower.all(node), node),
  foreign_mod_item: (node) => construct("extern block", nothing(node), node),
  return_expression: asReturn,
};
