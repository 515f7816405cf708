import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Parameter } from "../expression.ts";
import {
  asAssignment,
  asConditional,
  asInner,
  asList,
  asLiteral,
  asName,
  asReturn,
  binaryBy,
  bind,
  block,
  callBy,
  childOf,
  classAs,
  construct,
  fieldOf,
  fieldsOf,
  functionAs,
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

/** The name that a declarator declares, under its pointers, arrays and parameters. */
function declared(node: SyntaxNode): SyntaxNode | null {
  if (/identifier$/.test(node.type) || ["operator_name", "destructor_name"].includes(node.type)) return node;
  const inner = fieldOf(node, "declarator") ??
    node.children.find(({ type }) => /declarator$|identifier$/.test(type)) ?? null;
  return inner === null ? null : declared(inner);
}

function parametersOf(node: SyntaxNode | null, lower: Lowering): Parameter[] {
  if (node === null) return [];
  const list = fieldOf(node, "parameters");
  if (list === null) {
    const inner = fieldOf(node, "declarator");
    return inner === null ? [] : parametersOf(inner, lower);
  }
  return list.children.flatMap((child): Parameter[] => {
    const declarator = fieldOf(child, "declarator");
    const name = declarator === null ? null : declared(declarator);
    if (name === null) return [];
    const type = fieldOf(child, "type")?.type === "primitive_type" ? null : lower.maybe(child, "type");
    return [{ target: lower.name(name), value: typed(null, type, child) }];
  });
}

const declaration: Lower = (node, lower) => {
  const type = fieldOf(node, "type");
  const of = type === null || /^(?:primitive|sized|placeholder)/.test(type.type)
    ? null
    : lower.expression(type);
  return block([
    ...(of === null ? [] : [of]),
    ...fieldsOf(node, "declarator").flatMap((declarator) => {
      const name = declared(declarator);
      if (name === null) return [];
      const value = lower.maybe(declarator, "value");
      // A function that is only declared is the one of that name, wherever it is.
      if (value === null && declarator.type === "function_declarator") return [];
      return [bind(lower.name(name), typed(value, of, node), node)];
    }),
  ], node);
};

const functionOf: Lower = (node, lower) => {
  const declarator = fieldOf(node, "declarator");
  const name = declarator === null ? null : declared(declarator);
  return functionAs(
    name === null ? null : lower.text(name).replaceAll("::", "."),
    parametersOf(declarator, lower),
    lower.field(node, "body"),
    node,
  );
};

const classOf: Lower = (node, lower) => {
  const body = fieldOf(node, "body");
  return body === null
    ? lower.field(node, "name")
    : classAs(lower.nameOf(node) ?? "?", lower.expression(body), node);
};

/** C and C++, before any preprocessing: `#define` of a name or of calls is followed, conditions are all read. */
export const C_FAMILY: LoweringTable = {
  preproc_include: (node, lower) => {
    const path = fieldOf(node, "path");
    const symbol = path === null ? "" : lower.text(path).replace(/^[<"]|[>"]$/g, "");
    return { kind: "import", local: "", symbol, at: node };
  },
  preproc_def: (node, lower) => {
    const name = fieldOf(node, "name"), value = fieldOf(node, "value");
    if (name === null || value === null) return nothing(node);
    const text = lower.text(value).trim();
    if (/^"[^"]*"$/.test(text)) return bind(lower.name(name), textAt(text.slice(1, -1), value), node);
    if (/^[A-Za-z_]\w*$/.test(text)) return bind(lower.name(name), nameAt(text, value), node);
    return bind(lower.name(name), looseCalls(text, value), node);
  },
  preproc_function_def: (node, lower) => {
    const value = fieldOf(node, "value");
    const body = value === null ? nothing(node) : looseCalls(lower.text(value), value);
    return functionAs(lower.nameOf(node), [], body, node);
  },
  identifier: asName,
  field_identifier: asName,
  type_identifier: asName,
  namespace_identifier: asName,
  number_literal: asLiteral,
  true: asLiteral,
  false: asLiteral,
  null: asLiteral,
  string_literal: (node, lower) => template(node, lower, ["string_content", "escape_sequence"]),
  raw_string_literal: (node, lower) => {
    const content = childOf(node, "raw_string_content");
    return textAt(content === null ? "" : lower.text(content), node);
  },
  concatenated_string: (node, lower) => ({
    kind: "concat",
    parts: node.children.map((child) => lower.expression(child)),
    at: node,
  }),
  qualified_identifier: (node, lower) => {
    const scope = fieldOf(node, "scope"), name = fieldOf(node, "name");
    if (name === null) return nothing(node);
    if (scope === null) return lower.expression(name);
    return name.type === "qualified_identifier"
      ? member(lower.expression(scope), lower.text(name).replaceAll("::", "."), node)
      : member(lower.expression(scope), lower.text(name).replace(/<.*$/s, ""), node);
  },
  template_function: (node, lower) => lower.field(node, "name"),
  template_type: (node, lower) => lower.field(node, "name"),
  field_expression: memberBy("argument", "field"),
  subscript_expression: (node, lower) => ({ kind: "element", of: lower.field(node, "argument"), at: node }),
  call_expression: callBy("function"),
  new_expression: callBy("type"),
  parenthesized_expression: asInner,
  pointer_expression: (node, lower) => lower.field(node, "argument"),
  cast_expression: (node, lower) => lower.field(node, "value"),
  conditional_expression: asConditional,
  binary_expression: binaryBy(["+"]),
  assignment_expression: asAssignment,
  initializer_list: asList,
  initializer_pair: (node, lower) => {
    const designator = fieldOf(node, "designator");
    const value = lower.field(node, "value");
    if (designator?.type !== "field_designator") return value;
    return bind(member(nothing(node), lower.text(designator).replace(/^\./, ""), node), value, node, false);
  },
  declaration,
  field_declaration: nothing,
  function_definition: functionOf,
  lambda_expression: (node, lower) =>
    functionAs(null, parametersOf(fieldOf(node, "declarator"), lower), lower.field(node, "body"), node),
  class_specifier: classOf,
  struct_specifier: classOf,
  namespace_definition: classOf,
  gnu_asm_expression: (node, lower) => construct("assembly", lower.all(node), node),
  return_statement: asReturn,
};
