import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Argument, Entry, Expression, Parameter } from "../expression.ts";
import { moduleSymbol } from "../module_symbol.ts";
import {
  asConditional,
  asFirst,
  asInner,
  asList,
  asLiteral,
  asName,
  asReturn,
  bind,
  block,
  call,
  childOf,
  classAs,
  construct,
  fieldOf,
  functionAs,
  type Lowering,
  type LoweringTable,
  member,
  nameAt,
  nothing,
  template,
  textAt,
  typed,
  unescaped,
} from "./lowering.ts";

function specifierOf(node: SyntaxNode | null, lower: Lowering): string {
  return node === null ? "" : moduleSymbol(unescaped(lower.text(node).slice(1, -1)));
}

function argumentsOf(node: SyntaxNode | null, lower: Lowering): Argument[] {
  if (node === null) return [];
  if (node.type !== "arguments") return lower.positional([node]);
  return node.children.map((child) => ({
    name: null,
    value: lower.expression(child),
    spread: child.type === "spread_element",
  }));
}

function parametersOf(node: SyntaxNode, lower: Lowering): Parameter[] {
  const single = fieldOf(node, "parameter");
  const list = single === null ? fieldOf(node, "parameters")?.children ?? [] : [single];
  return list.map((child) => {
    const target = fieldOf(child, "pattern") ?? fieldOf(child, "left") ?? child;
    const value = lower.maybe(child, "value") ?? lower.maybe(child, "right");
    return { target: lower.expression(target), value: typed(value, typeOf(child, lower), child) };
  });
}

/** The type that something is annotated with, when it is a plain name. */
function typeOf(node: SyntaxNode, lower: Lowering): Expression | null {
  const type = fieldOf(node, "type")?.children.at(-1);
  if (type === undefined || !["type_identifier", "nested_type_identifier"].includes(type.type)) return null;
  const [first, ...rest] = lower.text(type).split(".");
  return rest.reduce((object, name) => member(object, name, type), nameAt(first!, type));
}

function functionOf(node: SyntaxNode, lower: Lowering): Expression {
  const body = fieldOf(node, "body");
  const inner = body === null
    ? nothing(node)
    : body.type === "statement_block"
    ? lower.all(body)
    : lower.expression(body);
  const name = fieldOf(node, "name");
  const computed = name?.type === "computed_property_name" ? [lower.inner(name)] : [];
  const made = functionAs(
    computed.length > 0 ? null : lower.nameOf(node),
    parametersOf(node, lower),
    body !== null && body.type !== "statement_block" ? { kind: "return", value: inner, at: body } : inner,
    node,
  );
  const beside = [...computed, ...decoratorsOf(node, lower)];
  return beside.length === 0 ? made : { kind: "either", options: [made], aside: beside, at: node };
}

function perhaps(node: SyntaxNode, lower: Lowering): Expression {
  return { kind: "perhaps", inner: lower.all(node), at: node };
}

/** Decorators run where what they decorate is declared: those of a field or method, and of its parameters. */
function decoratorsOf(node: SyntaxNode, lower: Lowering): Expression[] {
  return [node, ...fieldOf(node, "parameters")?.children ?? []].flatMap(({ children }) =>
    children.filter(({ type }) => type === "decorator").map((child) => lower.expression(child))
  );
}

function keyOf(node: SyntaxNode, lower: Lowering): Expression {
  if (node.type === "computed_property_name") return lower.inner(node);
  return node.type === "string" ? lower.expression(node) : textAt(lower.text(node), node);
}

function record(node: SyntaxNode, lower: Lowering): Expression {
  const entries: Entry[] = [];
  for (const child of node.children) {
    const key = fieldOf(child, "key") ?? fieldOf(child, "name");
    const value = fieldOf(child, "value");
    if (child.type === "method_definition" && key !== null) {
      entries.push({ key: keyOf(key, lower), value: lower.expression(child) });
    } else if (key !== null && value !== null) {
      entries.push({ key: keyOf(key, lower), value: lower.expression(value) });
    } else if (child.type.startsWith("shorthand_property_identifier")) {
      entries.push({ key: textAt(lower.text(child), child), value: lower.name(child) });
    } else if (child.type === "object_assignment_pattern") {
      const left = fieldOf(child, "left");
      if (left !== null) entries.push({ key: textAt(lower.text(left), left), value: lower.name(left) });
      entries.push({ key: null, value: lower.field(child, "right") });
    } else entries.push({ key: null, value: lower.all(child) });
  }
  return { kind: "record", entries, at: node };
}

function importStatement(node: SyntaxNode, lower: Lowering): Expression {
  const module = specifierOf(fieldOf(node, "source"), lower);
  const bound: Expression[] = [{ kind: "import", local: "", symbol: module, at: node }];
  const local = (child: SyntaxNode, symbol: string) =>
    bound.push({ kind: "import", local: lower.text(child), symbol, at: child });
  const clause = childOf(node, "import_clause");
  for (const child of clause?.children ?? []) {
    if (child.type === "identifier") local(child, module);
    else if (child.type === "namespace_import") local(child.children[0] ?? child, module);
    else {
      for (const specifier of child.children) {
        const name = fieldOf(specifier, "name");
        if (name === null) continue;
        const own = plain(name, lower);
        local(fieldOf(specifier, "alias") ?? name, own === "default" ? module : `${module}.${own}`);
      }
    }
  }
  const required = childOf(node, "import_require_clause");
  if (required !== null) {
    const own = specifierOf(fieldOf(required, "source"), lower);
    bound[0] = { kind: "import", local: "", symbol: own, at: node };
    if (required.children[0] !== undefined) local(required.children[0], own);
  }
  return block(bound, node);
}

function exportStatement(node: SyntaxNode, lower: Lowering): Expression {
  const source = fieldOf(node, "source");
  if (source === null) return lower.all(node);
  const module = specifierOf(source, lower);
  // What is passed on is used: `export { exec } from "child_process"`.
  const passed = (childOf(node, "export_clause")?.children ?? []).flatMap((specifier): Expression[] => {
    const name = fieldOf(specifier, "name");
    if (name === null) return [];
    const local = `export ${module}.${plain(name, lower)}`;
    const symbol = `${module}.${plain(name, lower)}`;
    return [{ kind: "import", local, symbol, at: specifier }, nameAt(local, specifier)];
  });
  return block([{ kind: "import", local: "", symbol: module, at: node }, ...passed], node);
}

/** A name of an import or export, which may be written as a string. */
function plain(name: SyntaxNode, lower: Lowering): string {
  return name.type === "string" ? unescaped(lower.text(name).slice(1, -1)) : lower.text(name);
}

function binary(node: SyntaxNode, lower: Lowering): Expression {
  const operator = fieldOf(node, "operator");
  const parts = [lower.field(node, "left"), lower.field(node, "right")];
  switch (operator === null ? "" : lower.text(operator)) {
    case "+":
      return { kind: "concat", parts, at: node };
    case "||":
    case "??":
    case "&&":
      return { kind: "either", options: parts, at: node };
    default:
      return block(parts, node);
  }
}

const last = (node: SyntaxNode, lower: Lowering): Expression => {
  const items = node.children.map((child) => lower.expression(child));
  const value = items.pop() ?? nothing(node);
  // The comma operator gives its last.
  return items.length === 0 ? value : { kind: "either", options: [value], aside: items, at: node };
};

function field(node: SyntaxNode, lower: Lowering): Expression {
  const key = fieldOf(node, "name") ?? fieldOf(node, "property");
  if (key === null) return lower.all(node);
  const given = typed(lower.maybe(node, "value"), typeOf(node, lower), node);
  const beside = decoratorsOf(node, lower);
  const bound = given === null
    ? nothing(node)
    : bind(member(nameAt("this", node), keyName(key, lower), node), given, node, false);
  return beside.length === 0 ? bound : block([...beside, bound], node);
}

function keyName(key: SyntaxNode, lower: Lowering): string | Expression {
  return key.type === "computed_property_name"
    ? lower.inner(key)
    : lower.text(key).replace(/^["']|["']$/g, "");
}

/** JavaScript and JSX; TypeScript and TSX, whose types are passed over. */
export const ECMASCRIPT: LoweringTable = {
  import_statement: importStatement,
  export_statement: exportStatement,
  import_alias: (node, lower) => {
    const [local, target] = node.children;
    if (local === undefined || target === undefined) return nothing(node);
    const [head, ...rest] = lower.text(target).split(".");
    const value = rest.reduce((object, part) => member(object, part, node), nameAt(head!, node));
    return bind(lower.name(local), value, node);
  },
  identifier: asName,
  // What they are is not followed; their members are known by what was put under their names.
  this: nothing,
  super: nothing,
  import: asName,
  shorthand_property_identifier: asName,
  shorthand_property_identifier_pattern: asName,
  number: asLiteral,
  true: asLiteral,
  false: asLiteral,
  null: asLiteral,
  undefined: asLiteral,
  type_annotation: nothing,
  type_arguments: nothing,
  type_parameters: nothing,
  type_alias_declaration: nothing,
  interface_declaration: nothing,
  predefined_type: nothing,
  string: (node, lower) => textAt(unescaped(lower.text(node).slice(1, -1)), node),
  template_string: (node, lower) => template(node, lower, ["string_fragment", "escape_sequence"]),
  template_substitution: asInner,
  regex: nothing,
  jsx_text: nothing,
  member_expression: (node, lower) => {
    const property = fieldOf(node, "property");
    return member(
      lower.field(node, "object"),
      property === null ? nothing(node) : lower.text(property),
      node,
    );
  },
  subscript_expression: (node, lower) =>
    member(lower.field(node, "object"), lower.field(node, "index"), node),
  call_expression: (node, lower) => {
    const given = fieldOf(node, "arguments");
    return call(lower.field(node, "function"), argumentsOf(given, lower), node);
  },
  new_expression: (node, lower) =>
    call(lower.field(node, "constructor"), argumentsOf(fieldOf(node, "arguments"), lower), node),
  decorator: (node, lower) => lower.all(node),
  parenthesized_expression: last,
  sequence_expression: last,
  await_expression: last,
  as_expression: asFirst,
  satisfies_expression: asFirst,
  non_null_expression: asFirst,
  instantiation_expression: asFirst,
  type_assertion: asInner,
  spread_element: asInner,
  rest_pattern: asInner,
  unary_expression: (node, lower) => {
    // `!0` and `!1` are how minifiers write truth values.
    const constant = /^!\s*([01])$/.exec(lower.text(node));
    if (constant === null) return block([lower.field(node, "argument")], node);
    return { kind: "literal", source: String(constant[1] === "0"), at: node };
  },
  with_statement: (node, lower) => construct("with statement", lower.all(node), node),
  binary_expression: binary,
  ternary_expression: asConditional,
  array: asList,
  array_pattern: asList,
  assignment_pattern: (node, lower) => bind(lower.field(node, "left"), lower.field(node, "right"), node),
  object: record,
  object_pattern: record,
  variable_declarator: (node, lower) => ({
    kind: "bind",
    target: lower.field(node, "name"),
    value: typed(lower.maybe(node, "value"), typeOf(node, lower), node),
    declares: true,
    sure: true,
    at: node,
  }),
  assignment_expression: (node, lower) =>
    bind(lower.field(node, "left"), lower.field(node, "right"), node, false),
  augmented_assignment_expression: (node, lower) => {
    const parts = [lower.field(node, "left"), lower.field(node, "right")];
    const operator = fieldOf(node, "operator");
    const adds = operator !== null && lower.text(operator) === "+=";
    return bind(
      parts[0]!,
      adds ? { kind: "concat", parts, at: node } : { kind: "either", options: parts, at: node },
      node,
      false,
    );
  },
  for_in_statement: (node, lower) => {
    const of = lower.field(node, "right");
    const target = bind(lower.field(node, "left"), { kind: "element", of, at: node }, node);
    return block([target, lower.field(node, "body")], node);
  },
  return_statement: asReturn,
  yield_expression: asReturn,
  catch_clause: (node, lower) => {
    const parameter = fieldOf(node, "parameter");
    const bound = parameter === null ? [] : [bind(lower.expression(parameter), null, node)];
    return block([...bound, lower.field(node, "body")], node);
  },
  // A function that is declared in a block is not there outside of it.
  statement_block: perhaps,
  if_statement: perhaps,
  for_statement: perhaps,
  switch_body: perhaps,
  function_declaration: functionOf,
  generator_function_declaration: functionOf,
  function_expression: functionOf,
  generator_function: functionOf,
  arrow_function: functionOf,
  method_definition: functionOf,
  function_signature: nothing,
  method_signature: nothing,
  abstract_method_signature: nothing,
  class_declaration: classOf,
  abstract_class_declaration: classOf,
  class: classOf,
  field_definition: field,
  public_field_definition: field,
  enum_declaration: (node, lower) => lower.field(node, "body"),
};

function classOf(node: SyntaxNode, lower: Lowering): Expression {
  const heritage = node.children.filter(({ field, type }) =>
    (field === null || field === "decorator") && type !== "type_parameters"
  );
  return block([
    ...heritage.map((child) => lower.all(child)),
    classAs(lower.nameOf(node) ?? "?", lower.field(node, "body"), node),
  ], node);
}
