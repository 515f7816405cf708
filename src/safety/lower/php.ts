import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Argument, Expression, Parameter } from "../expression.ts";
import {
  asAssignment,
  asClass,
  asInner,
  asLiteral,
  asReturn,
  binaryBy,
  bind,
  block,
  call,
  childOf,
  construct,
  fieldOf,
  functionBy,
  type Lower,
  type Lowering,
  type LoweringTable,
  member,
  nameAt,
  nothing,
  template,
  textAt,
  typed,
} from "./lowering.ts";

function lastPart(text: string): string {
  return text.slice(text.lastIndexOf("\\") + 1);
}

const variable: Lower = (node, lower) => nameAt(lower.text(node), node);

function argumentsOf(node: SyntaxNode | null, lower: Lowering): Argument[] {
  return (node?.children ?? []).map((child) => {
    return {
      name: lower.nameOf(child),
      value: lower.inner(child),
      spread: child.children.some(({ type }) => type === "variadic_unpacking"),
    };
  });
}

/** A function's or a class's name: without its namespace, as rules name them. */
const plainName: Lower = (node, lower) => nameAt(lastPart(lower.text(node)), node);

function nameOrExpression(node: SyntaxNode, lower: Lowering): Expression {
  return node.type === "name" || node.type === "qualified_name"
    ? plainName(node, lower)
    : lower.expression(node);
}

function memberName(node: SyntaxNode, lower: Lowering): string | Expression {
  const name = fieldOf(node, "name");
  if (name === null) return nothing(node);
  return name.type === "name" ? lower.text(name) : lower.expression(name);
}

function parametersOf(node: SyntaxNode | null, lower: Lowering): Parameter[] {
  return (node?.children ?? []).flatMap((child): Parameter[] => {
    const name = fieldOf(child, "name"),
      value = fieldOf(child, "default_value"),
      type = fieldOf(child, "type");
    if (name === null) return [];
    const given = type?.type === "named_type" ? lower.expression(type) : null;
    return [{
      target: variable(name, lower),
      value: typed(value === null ? null : lower.expression(value), given, child),
    }];
  });
}

const functionOf = functionBy(parametersOf, "compound_statement");

const included: Lower = (node, lower) => {
  const what = node.type.replace("_expression", "");
  return call(nameAt(what, node), lower.positional(node.children), node);
};

/** PHP. Functions are called by names and by strings; variables keep their `$`. */
export const PHP: LoweringTable = {
  namespace_use_clause: (node, lower) => {
    const name = childOf(node, "qualified_name", "name");
    const alias = fieldOf(node, "alias");
    if (name === null) return nothing(node);
    const own = lastPart(lower.text(name));
    return { kind: "import", local: alias === null ? own : lower.text(alias), symbol: own, at: node };
  },
  namespace_definition: (node, lower) => lower.field(node, "body"),
  name: plainName,
  qualified_name: plainName,
  named_type: asInner,
  variable_name: variable,
  dynamic_variable_name: (node, lower) => ({
    kind: "either",
    options: [nothing(node)],
    aside: [lower.all(node)],
    at: node,
  }),
  integer: asLiteral,
  float: asLiteral,
  boolean: asLiteral,
  null: asLiteral,
  php_tag: nothing,
  text: nothing,
  string: (node, lower) => textAt(lower.text(node).slice(1, -1).replace(/\\(['\\])/g, "$1"), node),
  encapsed_string: (node, lower) => template(node, lower, ["string_content", "escape_sequence"]),
  heredoc_body: (node, lower) => template(node, lower, ["string_content", "escape_sequence"]),
  nowdoc_body: (node, lower) => textAt(lower.text(node), node),
  shell_command_expression: (node, lower) =>
    construct("backticks", template(node, lower, ["string_content"]), node),
  function_call_expression: (node, lower) => {
    const callee = fieldOf(node, "function");
    return call(
      callee === null ? nothing(node) : nameOrExpression(callee, lower),
      argumentsOf(fieldOf(node, "arguments"), lower),
      node,
    );
  },
  member_call_expression: (node, lower) =>
    call(
      member(lower.field(node, "object"), memberName(node, lower), node),
      argumentsOf(fieldOf(node, "arguments"), lower),
      node,
    ),
  nullsafe_member_call_expression: (node, lower) =>
    call(
      member(lower.field(node, "object"), memberName(node, lower), node),
      argumentsOf(fieldOf(node, "arguments"), lower),
      node,
    ),
  scoped_call_expression: (node, lower) => {
    const scope = fieldOf(node, "scope");
    return call(
      member(scope === null ? nothing(node) : nameOrExpression(scope, lower), memberName(node, lower), node),
      argumentsOf(fieldOf(node, "arguments"), lower),
      node,
    );
  },
  member_access_expression: (node, lower) =>
    member(lower.field(node, "object"), memberName(node, lower), node),
  class_constant_access_expression: (node, lower) => {
    const [scope, name] = node.children;
    return scope === undefined || name === undefined
      ? nothing(node)
      : member(nameOrExpression(scope, lower), lower.text(name), node);
  },
  object_creation_expression: (node, lower) => {
    const what = node.children.find(({ type }) => type !== "arguments");
    return call(
      what === undefined ? nothing(node) : nameOrExpression(what, lower),
      argumentsOf(childOf(node, "arguments"), lower),
      node,
    );
  },
  subscript_expression: (node, lower) => {
    const [object, index] = node.children;
    if (object === undefined) return nothing(node);
    return index === undefined
      ? lower.expression(object)
      : member(lower.expression(object), lower.expression(index), node);
  },
  include_expression: included,
  include_once_expression: included,
  require_expression: included,
  require_once_expression: included,
  parenthesized_expression: asInner,
  cast_expression: (node, lower) => lower.field(node, "value"),
  conditional_expression: (node, lower) => ({
    kind: "either",
    options: [lower.field(node, "body"), lower.field(node, "alternative")],
    aside: [lower.field(node, "condition")],
    at: node,
  }),
  binary_expression: binaryBy(["."], ["??", "||", "&&", "or"]),
  assignment_expression: (node, lower) => bind(lower.field(node, "left"), lower.field(node, "right"), node),
  augmented_assignment_expression: asAssignment,
  array_creation_expression: (node, lower) => {
    const elements = node.children;
    if (!elements.some(({ children }) => children.length > 1)) {
      return { kind: "list", items: elements.map((child) => lower.all(child)), at: node };
    }
    return {
      kind: "record",
      entries: elements.map(({ children: [key, value] }) => ({
        key: key === undefined || value === undefined ? null : lower.expression(key),
        value: value === undefined
          ? key === undefined ? nothing(node) : lower.expression(key)
          : lower.expression(value),
      })),
      at: node,
    };
  },
  foreach_statement: (node, lower) => {
    const [of, target] = node.children;
    if (of === undefined || target === undefined) return lower.all(node);
    const value = target.type === "pair" ? target.children.at(-1)! : target;
    return block([
      bind(lower.expression(value), { kind: "element", of: lower.expression(of), at: node }, node),
      lower.field(node, "body"),
    ], node);
  },
  function_definition: functionOf,
  method_declaration: functionOf,
  anonymous_function: functionOf,
  anonymous_function_creation_expression: functionOf,
  arrow_function: functionOf,
  class_declaration: asClass,
  trait_declaration: asClass,
  enum_declaration: asClass,
  return_statement: asReturn,
};
