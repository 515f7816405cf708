import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Parameter } from "../expression.ts";
import {
  asAssignment,
  asClass,
  asConditional,
  asFirst,
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
  construct,
  fieldOf,
  fieldsOf,
  functionBy,
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
  unescaped,
} from "./lowering.ts";

const importDeclaration: Lower = (node, lower) => {
  const name = childOf(node, "scoped_identifier", "identifier");
  if (name === null) return nothing(node);
  const symbol = lower.text(name).replace(/\s/g, "");
  if (childOf(node, "asterisk") !== null) return { kind: "import_all", module: symbol, at: node };
  return block([
    { kind: "import", local: symbol.slice(symbol.lastIndexOf(".") + 1), symbol, at: node },
    { kind: "import", local: "", symbol, at: node },
  ], node);
};

function typeOf(node: SyntaxNode, lower: Lowering) {
  const type = fieldOf(node, "type");
  return type === null || /^(?:void|integral|floating|boolean)/.test(type.type) || lower.text(type) === "var"
    ? null
    : lower.expression(type);
}

const declaration: Lower = (node, lower) => {
  const type = typeOf(node, lower);
  const field = node.type === "field_declaration";
  return block(
    fieldsOf(node, "declarator").flatMap((declarator) => {
      const name = fieldOf(declarator, "name");
      if (name === null) return [];
      const given = typed(lower.maybe(declarator, "value"), type, declarator);
      const bound = bind(lower.name(name), given, declarator);
      return field
        ? [bound, bind(member(nothing(node), lower.text(name), node), given, node, false)]
        : [bound];
    }),
    node,
  );
};

function parametersOf(node: SyntaxNode | null, lower: Lowering): Parameter[] {
  if (node === null) return [];
  if (node.type === "identifier") return [{ target: lower.name(node), value: null }];
  return node.children.flatMap((child): Parameter[] => {
    if (child.type === "identifier") return [{ target: lower.name(child), value: null }];
    const name = fieldOf(child, "name") ?? fieldOf(childOf(child, "variable_declarator") ?? child, "name");
    return name === null
      ? []
      : [{ target: lower.name(name), value: typed(null, typeOf(child, lower), child) }];
  });
}

const ownMethod = functionBy(parametersOf);

const functionOf: Lower = (node, lower) => {
  const own = ownMethod(node, lower);
  const modifiers = childOf(node, "modifiers");
  return modifiers !== null && /\bnative\b/.test(lower.text(modifiers))
    ? construct("native method", own, node)
    : own;
};

const created = callBy("type");

/** Java. */
export const JAVA: LoweringTable = {
  // `<T extends Runtime>`: what is a T is a Runtime.
  type_parameter: (node, lower) => {
    const name = childOf(node, "type_identifier"), bound = childOf(node, "type_bound");
    return name === null || bound === null ? nothing(node) : bind(lower.name(name), lower.all(bound), node);
  },
  import_declaration: importDeclaration,
  package_declaration: nothing,
  modifiers: nothing,
  identifier: asName,
  type_identifier: asName,
  this: nothing,
  super: nothing,
  decimal_integer_literal: asLiteral,
  hex_integer_literal: asLiteral,
  true: asLiteral,
  false: asLiteral,
  null_literal: asLiteral,
  string_literal: (node, lower) =>
    lower.text(node).startsWith('"""')
      ? textAt(unescaped(lower.text(node).slice(3, -3)), node)
      : template(node, lower, ["string_fragment", "escape_sequence"]),
  character_literal: (node, lower) => textAt(unescaped(lower.text(node).slice(1, -1)), node),
  scoped_identifier: memberBy("scope", "name"),
  scoped_type_identifier: (node, lower) => {
    const [scope, name] = node.children;
    return scope === undefined || name === undefined
      ? lower.all(node)
      : member(lower.expression(scope), lower.text(name), node);
  },
  generic_type: asFirst,
  field_access: memberBy("object", "field"),
  array_access: (node, lower) => ({ kind: "element", of: lower.field(node, "array"), at: node }),
  method_invocation: (node, lower) => {
    const object = fieldOf(node, "object"), given = fieldOf(node, "arguments");
    const own = lower.nameOf(node) ?? "?";
    const callee = object === null ? nameAt(own, node) : member(lower.expression(object), own, node);
    return call(callee, lower.positional(given?.children ?? []), node);
  },
  object_creation_expression: (node, lower) => {
    const body = childOf(node, "class_body");
    const made = created(node, lower);
    return body === null
      ? made
      : { kind: "either", options: [made], aside: [lower.expression(body)], at: node };
  },
  method_reference: (node, lower) => {
    const [object, name] = node.children;
    if (object === undefined) return nothing(node);
    return name === undefined
      ? lower.expression(object)
      : member(lower.expression(object), lower.text(name), node);
  },
  parenthesized_expression: asInner,
  cast_expression: (node, lower) => lower.field(node, "value"),
  ternary_expression: asConditional,
  binary_expression: binaryBy(["+"]),
  assignment_expression: asAssignment,
  array_initializer: asList,
  array_creation_expression: (node, lower) => lower.field(node, "value"),
  local_variable_declaration: declaration,
  field_declaration: declaration,
  resource: (node, lower) =>
    bind(lower.field(node, "name"), typed(lower.maybe(node, "value"), typeOf(node, lower), node), node),
  enhanced_for_statement: (node, lower) =>
    block([
      bind(lower.field(node, "name"), { kind: "element", of: lower.field(node, "value"), at: node }, node),
      lower.field(node, "body"),
    ], node),
  method_declaration: functionOf,
  constructor_declaration: functionOf,
  lambda_expression: functionBy(parametersOf, "block"),
  class_declaration: asClass,
  interface_declaration: asClass,
  enum_declaration: asClass,
  record_declaration: asClass,
  return_statement: asReturn,
};
