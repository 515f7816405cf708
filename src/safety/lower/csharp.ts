import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Argument, Parameter } from "../expression.ts";
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
  block,
  call,
  childOf,
  construct,
  fieldOf,
  fieldsOf,
  functionBy,
  type Lower,
  type Lowering,
  type LoweringTable,
  member,
  memberBy,
  nothing,
  template,
  textAt,
  typed,
  unescaped,
} from "./lowering.ts";

const using: Lower = (node, lower) => {
  const alias = fieldOf(node, "name");
  const name = node.children.findLast((child) => child !== alias && /name|identifier/.test(child.type)) ??
    (alias === null ? undefined : node.children.find((child) => child !== alias));
  if (name === undefined) {
    return alias === null ? nothing(node) : { kind: "import_all", module: lower.text(alias), at: node };
  }
  const symbol = lower.text(name).replace(/\s/g, "").replace(/^global::/, "");
  if (alias !== null) return { kind: "import", local: lower.text(alias), symbol, at: node };
  return { kind: "import_all", module: symbol, at: node };
};

function typeOf(node: SyntaxNode, lower: Lowering) {
  const type = fieldOf(node, "type");
  return type === null || /^(?:predefined|implicit)/.test(type.type) ? null : lower.expression(type);
}

const declaration: Lower = (node, lower) => {
  const type = typeOf(node, lower);
  return block(
    node.children.filter(({ type }) => type === "variable_declarator").map((declarator) => {
      const name = fieldOf(declarator, "name");
      const value = declarator.children.findLast((child) =>
        child !== name && child.type !== "bracketed_argument_list"
      );
      const given = typed(value === undefined ? null : lower.expression(value), type, declarator);
      return bind(name === null ? nothing(node) : lower.name(name), given, declarator);
    }),
    node,
  );
};

function argumentsOf(node: SyntaxNode | null, lower: Lowering): Argument[] {
  return (node?.children ?? []).map((child) => {
    return { name: lower.nameOf(child), value: lower.inner(child), spread: false };
  });
}

function parametersOf(node: SyntaxNode | null, lower: Lowering): Parameter[] {
  if (node === null) return [];
  if (node.children.length === 0) return [{ target: lower.name(node), value: null }];
  return node.children.flatMap((child): Parameter[] => {
    const name = fieldOf(child, "name");
    return name === null
      ? []
      : [{ target: lower.name(name), value: typed(null, typeOf(child, lower), child) }];
  });
}

const ownFunction = functionBy(parametersOf, "block");

const functionOf: Lower = (node, lower) => {
  const own = ownFunction(node, lower);
  const words = node.children.filter(({ type }) => type === "modifier").map((one) => lower.text(one));
  const attributes = node.children.filter(({ type }) => type === "attribute_list").map((one) =>
    lower.expression(one)
  );
  const with_ = attributes.length === 0 ? own : block([...attributes, own], node);
  if (words.includes("extern")) return construct("extern method", with_, node);
  return words.includes("unsafe") ? construct("unsafe method", with_, node) : with_;
};

const created: Lower = (node, lower) => {
  const initializer = fieldOf(node, "initializer");
  const made = call(lower.field(node, "type"), argumentsOf(fieldOf(node, "arguments"), lower), node);
  if (initializer === null) return made;
  // What is set there is the new object's.
  const settings = initializer.children.map((child) => {
    const left = fieldOf(child, "left");
    return left === null || left.type !== "identifier"
      ? lower.expression(child)
      : bind(member(nothing(child), lower.text(left), child), lower.field(child, "right"), child, false);
  });
  return { kind: "either", options: [made], aside: settings, at: node };
};

/** C#. */
export const CSHARP: LoweringTable = {
  using_directive: using,
  identifier: asName,
  this: nothing,
  base: nothing,
  integer_literal: asLiteral,
  real_literal: asLiteral,
  boolean_literal: asLiteral,
  null_literal: asLiteral,
  string_literal: (node, lower) => textAt(unescaped(lower.text(node).slice(1, -1)), node),
  verbatim_string_literal: (node, lower) => textAt(lower.text(node).slice(2, -1).replaceAll('""', '"'), node),
  raw_string_literal: (node, lower) => textAt(lower.text(node).replace(/^"+|"+$/g, ""), node),
  character_literal: (node, lower) => textAt(unescaped(lower.text(node).slice(1, -1)), node),
  interpolated_string_expression: (node, lower) =>
    template(node, lower, ["string_content", "escape_sequence"], [
      "interpolation_start",
      "interpolation_quote",
    ]),
  interpolation: (node, lower) => {
    const inner = node.children.find(({ type }) => !/brace|clause/.test(type));
    return inner === undefined ? nothing(node) : lower.expression(inner);
  },
  qualified_name: memberBy("qualifier", "name"),
  alias_qualified_name: (node, lower) => lower.field(node, "name"),
  generic_name: (node, lower) => {
    const name = childOf(node, "identifier");
    return name === null ? nothing(node) : lower.name(name);
  },
  nullable_type: (node, lower) => lower.field(node, "type"),
  member_access_expression: (node, lower) => {
    const name = fieldOf(node, "name");
    const plain = name?.type === "generic_name" ? childOf(name, "identifier") : name;
    return member(lower.field(node, "expression"), plain == null ? nothing(node) : lower.text(plain), node);
  },
  conditional_access_expression: (node, lower) => {
    const bound = childOf(node, "member_binding_expression");
    const name = bound === null ? null : fieldOf(bound, "name");
    const object = lower.field(node, "condition");
    return name === null ? object : member(object, lower.text(name), node);
  },
  element_access_expression: (node, lower) => {
    const subscript = fieldOf(node, "subscript");
    const index = subscript?.children[0];
    const object = lower.field(node, "expression");
    return index === undefined ? object : member(object, lower.all(index), node);
  },
  invocation_expression: (node, lower) =>
    call(lower.field(node, "function"), argumentsOf(fieldOf(node, "arguments"), lower), node),
  object_creation_expression: created,
  implicit_object_creation_expression: created,
  parenthesized_expression: asInner,
  cast_expression: (node, lower) => lower.field(node, "value"),
  as_expression: (node, lower) => lower.field(node, "left"),
  await_expression: asInner,
  postfix_unary_expression: asInner,
  conditional_expression: asConditional,
  binary_expression: binaryBy(["+"], ["??"]),
  assignment_expression: asAssignment,
  initializer_expression: asList,
  array_creation_expression: asInner,
  implicit_array_creation_expression: asInner,
  variable_declaration: declaration,
  foreach_statement: (node, lower) =>
    block([
      bind(lower.field(node, "left"), { kind: "element", of: lower.field(node, "right"), at: node }, node),
      lower.field(node, "body"),
    ], node),
  attribute: (node, lower) =>
    block([lower.field(node, "name"), ...fieldsOf(node, "").map((c) => lower.expression(c))], node),
  method_declaration: functionOf,
  constructor_declaration: functionOf,
  local_function_statement: functionOf,
  lambda_expression: functionOf,
  anonymous_method_expression: functionOf,
  class_declaration: asClass,
  struct_declaration: asClass,
  interface_declaration: asClass,
  record_declaration: asClass,
  unsafe_statement: (node, lower) => construct("unsafe block", lower.all(node), node),
  modifier: nothing,
  return_statement: asReturn,
  arrow_expression_clause: asInner,
};
