import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Argument, Entry, Expression, Parameter } from "../expression.ts";
import {
  bind,
  block,
  call,
  childOf,
  fieldOf,
  type Lowering,
  type LoweringTable,
  member,
  nameAt,
  nothing,
  template,
  textAt,
  unescaped,
} from "./lowering.ts";

/** `node:fs` and `fs/promises` under the names that rules use. */
function moduleSymbol(specifier: string): string {
  return specifier.replace(/^node:/, "").replace(
    /^(fs|dns|timers|stream|readline)\/promises$/,
    "$1.promises",
  );
}

function specifierOf(node: SyntaxNode | null, lower: Lowering): string {
  return node === null ? "" : moduleSymbol(unescaped(lower.text(node).slice(1, -1)));
}

function argumentsOf(node: SyntaxNode | null, lower: Lowering): Argument[] {
  if (node === null) return [];
  if (node.type !== "arguments") return lower.positional([node]);
  return node.children.filter(({ type }) => type !== "comment").map((child) => ({
    name: null,
    value: lower.expression(child),
    spread: child.type === "spread_element",
  }));
}

function parametersOf(node: SyntaxNode, lower: Lowering): Parameter[] {
  const single = fieldOf(node, "parameter");
  const list = single === null ? fieldOf(node, "parameters")?.children ?? [] : [single];
  return list.filter(({ type }) => type !== "comment").map((child) => {
    const target = fieldOf(child, "pattern") ?? fieldOf(child, "left") ?? child;
    const value = fieldOf(child, "value") ?? fieldOf(child, "right");
    const type = fieldOf(child, "type");
    const values = [
      ...(value === null ? [] : [lower.expression(value)]),
      ...(type === null ? [] : instances(type, lower)),
    ];
    return {
      target: lower.expression(target),
      value: values.length === 0 ? null : { kind: "either", options: values, at: child },
    };
  });
}

/** The type of an annotation, when it is a plain name. */
function instances(annotation: SyntaxNode, lower: Lowering): Expression[] {
  const type = annotation.children.at(-1);
  if (type === undefined || !["type_identifier", "nested_type_identifier"].includes(type.type)) return [];
  const [first, ...rest] = lower.text(type).split(".");
  const symbol = rest.reduce((object, name) => member(object, name, type), nameAt(first!, type));
  return [{ kind: "instance", type: symbol, at: type }];
}

function functionOf(node: SyntaxNode, lower: Lowering): Expression {
  const name = fieldOf(node, "name");
  const body = fieldOf(node, "body");
  const inner = body === null ? nothing(node) : lower.expression(body);
  return {
    kind: "function",
    name: name === null ? null : lower.text(name),
    parameters: parametersOf(node, lower),
    body: body !== null && body.type !== "statement_block"
      ? { kind: "return", value: inner, at: body }
      : inner,
    at: node,
  };
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
    if (child.type === "comment") continue;
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
        const own = lower.text(name);
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
  return { kind: "import", local: "", symbol: specifierOf(source, lower), at: node };
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

const first = (node: SyntaxNode, lower: Lowering): Expression =>
  node.children[0] === undefined ? nothing(node) : lower.expression(node.children[0]);

const name = (node: SyntaxNode, lower: Lowering) => lower.name(node);
const literal = (node: SyntaxNode, lower: Lowering) => lower.literal(node);
const list = (node: SyntaxNode, lower: Lowering): Expression => ({
  kind: "list",
  items: node.children.filter(({ type }) => type !== "comment").map((child) => lower.expression(child)),
  at: node,
});

function field(node: SyntaxNode, lower: Lowering): Expression {
  const key = fieldOf(node, "name") ?? fieldOf(node, "property");
  const value = fieldOf(node, "value");
  const type = fieldOf(node, "type");
  if (key === null) return lower.all(node);
  const values = [
    ...(value === null ? [] : [lower.expression(value)]),
    ...(type === null ? [] : instances(type, lower)),
  ];
  if (values.length === 0) return nothing(node);
  const own = member(nameAt("this", node), keyName(key, lower), node);
  return bind(own, { kind: "either", options: values, at: node }, node, false);
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
  identifier: name,
  // What they are is not followed; their members are known by what was put under their names.
  this: nothing,
  super: nothing,
  import: name,
  shorthand_property_identifier: name,
  shorthand_property_identifier_pattern: name,
  number: literal,
  true: literal,
  false: literal,
  null: literal,
  undefined: literal,
  comment: nothing,
  type_annotation: nothing,
  type_arguments: nothing,
  type_parameters: nothing,
  type_alias_declaration: nothing,
  interface_declaration: nothing,
  predefined_type: nothing,
  string: (node, lower) => textAt(unescaped(lower.text(node).slice(1, -1)), node),
  template_string: (node, lower) => template(node, lower, ["string_fragment", "escape_sequence"]),
  template_substitution: (node, lower) => lower.inner(node),
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
  as_expression: first,
  satisfies_expression: first,
  non_null_expression: first,
  instantiation_expression: first,
  type_assertion: (node, lower) => lower.inner(node),
  spread_element: (node, lower) => lower.inner(node),
  rest_pattern: (node, lower) => lower.inner(node),
  unary_expression: (node, lower) => block([lower.field(node, "argument")], node),
  binary_expression: binary,
  ternary_expression: (node, lower) => ({
    kind: "either",
    options: [
      lower.field(node, "consequence"),
      lower.field(node, "alternative"),
    ],
    aside: [lower.field(node, "condition")],
    at: node,
  }),
  array: list,
  array_pattern: list,
  assignment_pattern: (node, lower) => lower.field(node, "left"),
  object: record,
  object_pattern: record,
  variable_declarator: (node, lower) => {
    const value = fieldOf(node, "value");
    const type = fieldOf(node, "type");
    const values = [
      ...(value === null ? [] : [lower.expression(value)]),
      ...(type === null ? [] : instances(type, lower)),
    ];
    return bind(
      lower.field(node, "name"),
      values.length === 0
        ? null
        : values.length === 1
        ? values[0]!
        : { kind: "either", options: values, at: node },
      node,
    );
  },
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
  return_statement: (node, lower) => ({ kind: "return", value: lower.all(node), at: node }),
  yield_expression: (node, lower) => ({ kind: "return", value: lower.all(node), at: node }),
  catch_clause: (node, lower) => {
    const parameter = fieldOf(node, "parameter");
    const bound = parameter === null ? [] : [bind(lower.expression(parameter), null, node)];
    return block([...bound, lower.field(node, "body")], node);
  },
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
  const own = fieldOf(node, "name");
  const heritage = node.children.filter(({ field, type }) => field === null && type !== "type_parameters");
  const body = lower.field(node, "body");
  return block([
    ...heritage.map((child) => lower.all(child)),
    { kind: "class", name: own === null ? "?" : lower.text(own), body, at: node },
  ], node);
}
