import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Argument, Expression, Parameter } from "../expression.ts";
import {
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
  fieldOf,
  fieldsOf,
  functionBy,
  type Lower,
  type Lowering,
  type LoweringTable,
  member,
  nothing,
  template,
  textAt,
  typed,
  unescaped,
} from "./lowering.ts";

function argumentsOf(node: SyntaxNode | null, lower: Lowering): Argument[] {
  if (node === null) return [];
  if (node.type !== "argument_list") return lower.positional([node]);
  return node.children.map((child) => {
    if (child.type === "keyword_argument") {
      return { name: lower.nameOf(child), value: lower.field(child, "value"), spread: false };
    }
    if (child.type === "list_splat" || child.type === "dictionary_splat") {
      return { name: null, value: lower.inner(child), spread: true };
    }
    return { name: null, value: lower.expression(child), spread: false };
  });
}

function parametersOf(node: SyntaxNode | null, lower: Lowering): Parameter[] {
  return (node?.children ?? []).map((child) => {
    const named = fieldOf(child, "name") ?? childOf(child, "identifier", "list_splat_pattern") ?? child;
    const value = fieldOf(child, "value");
    const type = fieldOf(child, "type");
    const values = [
      ...(value === null ? [] : [lower.expression(value)]),
      ...(type === null ? [] : [{ kind: "instance", type: lower.expression(type), at: type } as const]),
    ];
    return {
      target: lower.expression(named),
      value: values.length === 0 ? null : { kind: "either", options: values, at: child },
    };
  });
}

function dotted(node: SyntaxNode, lower: Lowering): string {
  return lower.text(node).replace(/\s/g, "");
}

function importStatement(node: SyntaxNode, lower: Lowering): Expression {
  return block(
    fieldsOf(node, "name").map((name): Expression => {
      const alias = fieldOf(name, "alias");
      const module = dotted(fieldOf(name, "name") ?? name, lower);
      // `import a.b` binds a; `import a.b as c` binds c to a.b.
      const symbol = alias === null ? module.split(".")[0]! : module;
      const local = alias === null ? symbol : lower.text(alias);
      const bound: Expression = { kind: "import", local, symbol, at: name };
      return symbol === module
        ? bound
        : block([bound, { kind: "import", local: "", symbol: module, at: name }], name);
    }),
    node,
  );
}

function importFrom(node: SyntaxNode, lower: Lowering): Expression {
  const from = fieldOf(node, "module_name");
  const module = from === null ? "" : dotted(from, lower);
  if (childOf(node, "wildcard_import") !== null) return { kind: "import_all", module, at: node };
  return block(
    fieldsOf(node, "name").map((name): Expression => {
      const alias = fieldOf(name, "alias");
      const own = dotted(fieldOf(name, "name") ?? name, lower);
      return {
        kind: "import",
        local: alias === null ? own : lower.text(alias),
        symbol: `${module}.${own}`,
        at: name,
      };
    }),
    node,
  );
}

function string(node: SyntaxNode, lower: Lowering): Expression {
  const start = childOf(node, "string_start");
  const raw = start !== null && /r/i.test(lower.text(start));
  const parts = node.children.flatMap((child): Expression[] => {
    if (child.type === "string_content") {
      const text = lower.text(child);
      return [textAt(raw ? text : unescaped(text), child)];
    }
    if (child.type !== "interpolation") return [];
    const format = childOf(child, "format_specifier");
    const value = lower.field(child, "expression");
    return format === null || format.children.length === 0
      ? [value]
      : [{ kind: "either", options: [value], aside: [lower.all(format)], at: child }];
  });
  if (parts.length === 0) return textAt("", node);
  return parts.length === 1 && parts[0]!.kind === "text" ? parts[0]! : { kind: "concat", parts, at: node };
}

function subscript(node: SyntaxNode, lower: Lowering): Expression {
  const object = lower.field(node, "value");
  const index = fieldsOf(node, "subscript");
  if (index.length !== 1) return block([object, ...index.map((i) => lower.expression(i))], node);
  if (index[0]!.type !== "slice") return member(object, lower.expression(index[0]!), node);
  const reversed = lower.text(index[0]!).replace(/\s/g, "") === "::-1";
  return reversed
    ? call(member(object, "__reversed__", node), [], node)
    : block([object, lower.expression(index[0]!)], node);
}

function binary(node: SyntaxNode, lower: Lowering): Expression {
  const operator = fieldOf(node, "operator");
  const [left, right] = [lower.field(node, "left"), lower.field(node, "right")];
  switch (operator === null ? "" : lower.text(operator)) {
    case "+":
      return { kind: "concat", parts: [left, right], at: node };
    case "%":
      return call(member(left, "__mod__", node), [{ name: null, value: right, spread: false }], node);
    case "/":
      return { kind: "element", of: { kind: "list", items: [left, right], at: node }, at: node };
    default:
      return block([left, right], node);
  }
}

function forIn(node: SyntaxNode, lower: Lowering): Expression {
  const of = lower.field(node, "right");
  return bind(lower.field(node, "left"), { kind: "element", of, at: node }, node);
}

const either = (node: SyntaxNode, lower: Lowering): Expression => ({
  kind: "either",
  options: node.children.filter(({ field }) => field !== "operator").map((child) => lower.expression(child)),
  at: node,
});

function comprehension(node: SyntaxNode, lower: Lowering): Expression {
  const clauses = node.children.filter(({ field }) => field !== "body").map((child) =>
    lower.expression(child)
  );
  const body = lower.field(node, "body");
  return { kind: "list", items: [block([...clauses, body], node)], at: node };
}

function asPattern(node: SyntaxNode, lower: Lowering): Expression {
  const target = fieldOf(node, "alias");
  const value = node.children.find((child) => child !== target);
  if (target === null || value === undefined) return lower.all(node);
  return bind(lower.inner(target), lower.expression(value), node);
}

/** Whether something does not stand at the start of a line, and so may never run. */
function indented(node: SyntaxNode, lower: Lowering): boolean {
  return node.start > 0 && !/[\r\n]/.test(lower.source[node.start - 1]!);
}

function perhaps(how: Lower): Lower {
  return (node, lower) => {
    const inner = how(node, lower);
    return indented(node, lower) ? { kind: "perhaps", inner, at: node } : inner;
  };
}

/** The names that a pattern of `case` gives to what it matches. */
function captured(node: SyntaxNode): SyntaxNode[] {
  const parts = node.type === "class_pattern" ? node.children.slice(1) : node.children;
  const inner = parts.flatMap((child) =>
    child.type === "dotted_name" && child.children.length === 1 ? child.children : captured(child)
  );
  return node.type === "as_pattern" || node.type === "splat_pattern"
    ? [...inner, ...node.children.filter(({ type }) => type === "identifier")]
    : inner;
}

const outer: Lower = (node, lower) => ({
  kind: "outer",
  names: node.children.map((child) => lower.text(child)),
  at: node,
});

/** Python, versions 2 and 3. */
export const PYTHON: LoweringTable = {
  import_statement: perhaps(importStatement),
  import_from_statement: perhaps(importFrom),
  future_import_statement: nothing,
  identifier: asName,
  integer: asLiteral,
  float: asLiteral,
  true: asLiteral,
  false: asLiteral,
  none: asLiteral,
  string,
  concatenated_string: (node, lower) => ({
    kind: "concat",
    parts: node.children.map((child) => lower.expression(child)),
    at: node,
  }),
  attribute: (node, lower) => {
    const name = fieldOf(node, "attribute");
    return member(lower.field(node, "object"), name === null ? nothing(node) : lower.text(name), node);
  },
  subscript,
  call: (node, lower) =>
    call(lower.field(node, "function"), argumentsOf(fieldOf(node, "arguments"), lower), node),
  print_statement: (node, lower) => lower.all(node),
  exec_statement: (node, lower) =>
    call({ kind: "name", name: "exec", at: node }, lower.positional(node.children.slice(0, 1)), node),
  binary_operator: binary,
  boolean_operator: either,
  conditional_expression: (node, lower) => {
    const [value, condition, other] = node.children;
    if (value === undefined || condition === undefined || other === undefined) return lower.all(node);
    return {
      kind: "either",
      options: [lower.expression(value), lower.expression(other)],
      aside: [lower.expression(condition)],
      at: node,
    };
  },
  parenthesized_expression: asInner,
  await: asInner,
  list: asList,
  tuple: asList,
  set: asList,
  expression_list: asList,
  pattern_list: asList,
  tuple_pattern: asList,
  list_pattern: asList,
  list_comprehension: comprehension,
  set_comprehension: comprehension,
  generator_expression: comprehension,
  dictionary_comprehension: comprehension,
  for_in_clause: forIn,
  for_statement: (node, lower) =>
    block([forIn(node, lower), lower.field(node, "body"), lower.field(node, "alternative")], node),
  dictionary: (node, lower) => ({
    kind: "record",
    entries: node.children.map((child) =>
      child.type === "pair"
        ? { key: lower.field(child, "key"), value: lower.field(child, "value") }
        : { key: null, value: lower.inner(child) }
    ),
    at: node,
  }),
  assignment: (node, lower) => {
    const target = lower.field(node, "left");
    const given = typed(lower.maybe(node, "right"), lower.maybe(node, "type"), node);
    return given === null ? target : bind(target, given, node);
  },
  augmented_assignment: (node, lower) => {
    const parts = [lower.field(node, "left"), lower.field(node, "right")];
    return bind(parts[0]!, { kind: "concat", parts, at: node }, node);
  },
  named_expression: (node, lower) => bind(lower.field(node, "name"), lower.field(node, "value"), node),
  as_pattern: asPattern,
  return_statement: asReturn,
  yield: asReturn,
  global_statement: outer,
  nonlocal_statement: outer,
  function_definition: (node, lower) => {
    const beside = [fieldOf(node, "return_type"), fieldOf(node, "type_parameters")].flatMap((child) =>
      child === null ? [] : [lower.expression(child)]
    );
    const made = functionBy(parametersOf, "block")(node, lower);
    return block(
      [...beside, indented(node, lower) ? { kind: "perhaps", inner: made, at: node } : made],
      node,
    );
  },
  // What a pattern catches is a part of what is matched.
  case_pattern: (node, lower) =>
    block(captured(node).map((name) => bind(lower.name(name), null, name)), node),
  lambda: functionBy(parametersOf, "block"),
  class_definition: (node, lower) => {
    const bases = argumentsOf(fieldOf(node, "superclasses"), lower).map(({ value }) => value);
    return block([...bases, classAs(lower.nameOf(node) ?? "?", lower.field(node, "body"), node)], node);
  },
  decorated_definition: (node, lower) => lower.all(node),
  string_content: (node, lower) => textAt(lower.text(node), node),
  template_string: (node, lower) => template(node, lower, ["string_content"]),
};
