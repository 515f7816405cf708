import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Expression, Parameter } from "../expression.ts";
import {
  asAssignment,
  asInner,
  asLiteral,
  asName,
  asReturn,
  binaryBy,
  bind,
  block,
  call,
  callBy,
  fieldOf,
  fieldsOf,
  functionAs,
  type Lower,
  type Lowering,
  type LoweringTable,
  member,
  memberBy,
  nothing,
  textAt,
  typed,
  unescaped,
} from "./lowering.ts";

const importSpec: Lower = (node, lower) => {
  const path = fieldOf(node, "path");
  const module = path === null ? "" : lower.text(path).slice(1, -1);
  const name = fieldOf(node, "name");
  const loaded: Expression = { kind: "import", local: "", symbol: module, at: node };
  if (name?.type === "dot") return { kind: "import_all", module, at: node };
  if (name?.type === "blank_identifier") return loaded;
  // Of a version (`a/v2`, `a.v2`) the part before it is the name.
  const parts = module.split("/");
  const last = /^v\d+$/.test(parts.at(-1)!) && parts.length > 1 ? parts.at(-2)! : parts.at(-1)!;
  const local = name === null ? last.replace(/\.v\d+$/, "") : lower.text(name);
  return block([loaded, { kind: "import", local, symbol: module, at: node }], node);
};

function items(node: SyntaxNode | null, lower: Lowering): Expression[] {
  if (node === null) return [];
  return node.type === "expression_list"
    ? node.children.map((child) => lower.expression(child))
    : [lower.expression(node)];
}

function assignment(node: SyntaxNode, lower: Lowering, declares: boolean): Expression {
  const left = items(fieldOf(node, "left"), lower), right = items(fieldOf(node, "right"), lower);
  if (right.length === 1) {
    // A call may give several values: the first is what is followed.
    return block([
      ...left.slice(0, 1).map((target) => bind(target, right[0]!, node, declares)),
      ...left.slice(1).map((target) => bind(target, nothing(node), node, declares)),
    ], node);
  }
  return block(left.map((target, i) => bind(target, right[i] ?? null, node, declares)), node);
}

const spec: Lower = (node, lower) => {
  const type = lower.maybe(node, "type");
  const values = items(fieldOf(node, "value"), lower);
  return block(
    fieldsOf(node, "name").map((name, i) =>
      bind(lower.name(name), typed(values[i] ?? null, type, node), node)
    ),
    node,
  );
};

function parametersOf(node: SyntaxNode | null, lower: Lowering): Parameter[] {
  return (node?.children ?? []).flatMap((child) => {
    const value = typed(null, lower.maybe(child, "type"), child);
    return fieldsOf(child, "name").map((name) => ({ target: lower.name(name), value }));
  });
}

const functionOf: Lower = (node, lower) => {
  const receiver = fieldOf(node, "receiver");
  const of = /([A-Za-z_]\w*)[^A-Za-z_\w]*$/.exec(receiver === null ? "" : lower.text(receiver))?.[1];
  const own = lower.nameOf(node);
  return functionAs(
    of === undefined || own === null ? own : `${of}.${own}`,
    [...parametersOf(receiver, lower), ...parametersOf(fieldOf(node, "parameters"), lower)],
    lower.field(node, "body"),
    node,
  );
};

const string: Lower = (node, lower) => {
  const text = lower.text(node).slice(1, -1);
  return textAt(node.type === "raw_string_literal" ? text : unescaped(text), node);
};

const literalValue: Lower = (node, lower) => {
  const elements = node.children;
  if (!elements.some(({ type }) => type === "keyed_element")) {
    return { kind: "list", items: elements.map((child) => lower.all(child)), at: node };
  }
  return {
    kind: "record",
    entries: elements.map((child) => {
      const key = fieldOf(child, "key");
      const name = key?.children[0];
      return {
        key: key === null || name === undefined
          ? null
          : name.type === "identifier"
          ? textAt(lower.text(name), name)
          : lower.all(key),
        value: lower.field(child, "value"),
      };
    }),
    at: node,
  };
};

/** Go. */
export const GO: LoweringTable = {
  import_spec: importSpec,
  identifier: asName,
  field_identifier: asName,
  package_identifier: asName,
  type_identifier: asName,
  int_literal: asLiteral,
  float_literal: asLiteral,
  true: asLiteral,
  false: asLiteral,
  nil: asLiteral,
  interpreted_string_literal: string,
  raw_string_literal: string,
  rune_literal: asLiteral,
  selector_expression: memberBy("operand", "field"),
  qualified_type: memberBy("package", "name"),
  pointer_type: asInner,
  generic_type: (node, lower) => {
    const type = lower.field(node, "type");
    // `f[T](x)` and `table[i](x)` look alike.
    return { kind: "either", options: [type, { kind: "element", of: type, at: node }], at: node };
  },
  index_expression: (node, lower) => member(lower.field(node, "operand"), lower.field(node, "index"), node),
  call_expression: callBy("function"),
  type_conversion_expression: (node, lower) =>
    call(
      lower.field(node, "type"),
      [{ name: null, value: lower.field(node, "operand"), spread: false }],
      node,
    ),
  unary_expression: (node, lower) => lower.field(node, "operand"),
  parenthesized_expression: asInner,
  parenthesized_type: asInner,
  type_assertion_expression: (node, lower) => lower.field(node, "operand"),
  binary_expression: binaryBy(["+"]),
  composite_literal: (node, lower) => {
    const type = lower.field(node, "type");
    return {
      kind: "either",
      options: [lower.field(node, "body"), { kind: "instance", type, at: node }],
      aside: [type],
      at: node,
    };
  },
  literal_value: literalValue,
  literal_element: asInner,
  short_var_declaration: (node, lower) => assignment(node, lower, true),
  assignment_statement: (node, lower) => {
    const single = fieldOf(node, "left")?.children.length === 1 &&
      fieldOf(node, "right")?.children.length === 1;
    const operator = fieldOf(node, "operator");
    return single && operator !== null && lower.text(operator) === "+="
      ? asAssignment(node, lower)
      : assignment(node, lower, false);
  },
  range_clause: (node, lower) => {
    const left = items(fieldOf(node, "left"), lower);
    const of = lower.field(node, "right");
    const value: Expression = { kind: "element", of, at: node };
    return block(
      left.map((target, i) => bind(target, i === left.length - 1 ? value : nothing(node), node)),
      node,
    );
  },
  var_spec: spec,
  const_spec: spec,
  function_declaration: functionOf,
  method_declaration: functionOf,
  func_literal: functionOf,
  return_statement: asReturn,
};
