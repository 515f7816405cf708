import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Argument, Expression } from "../expression.ts";
import {
  bind,
  block,
  call,
  childOf,
  construct,
  fieldOf,
  fieldsOf,
  functionBy,
  type Lower,
  type LoweringTable,
  nameAt,
  nothing,
  template,
  textAt,
  unescaped,
} from "./lowering.ts";

/** Programs that run what they read. */
const READS_CODE = /^(?:.*\/)?(?:(?:ba|da|z|k|fi|c|tc)?sh|python[\d.]*|perl|ruby|node|deno|php|lua|Rscript)$/;

const variable: Lower = (node, lower) => {
  const name = childOf(node, "variable_name", "special_variable_name");
  return nameAt(`$${name === null ? "?" : lower.text(name)}`, node);
};

/** `${x}` is x; any of its operators makes it unknown. */
const expansion: Lower = (node, lower) => {
  const plain = /^\$\{!?\w+\}$/.test(lower.text(node));
  if (plain && !lower.text(node).startsWith("${!")) return variable(node, lower);
  return {
    kind: "either",
    options: [nothing(node)],
    aside: [variable(node, lower), lower.all(node)],
    at: node,
  };
};

const command: Lower = (node, lower) => {
  const name = fieldOf(node, "name");
  const assignments = node.children.filter(({ type }) => type === "variable_assignment");
  const args: Argument[] = lower.positional(fieldsOf(node, "argument"));
  const redirects = fieldsOf(node, "redirect").map((redirect) => lower.expression(redirect));
  const before = [...assignments.map((one) => lower.expression(one)), ...redirects];
  const own = name === null ? nothing(node) : call(lower.expression(name), args, node);
  const fed = node.children.some(({ type }) => type === "herestring_redirect" || type === "heredoc_redirect");
  const runs = fed && readsCode(node, lower.source) ? construct("code from input", own, node) : own;
  return before.length === 0 ? runs : block([...before, runs], node);
};

/** Whether a command runs code from its input: an interpreter without a file. */
function readsCode(node: SyntaxNode, source: string): boolean {
  const name = fieldOf(node, "name");
  if (node.type !== "command" || name === null) return false;
  const words = fieldsOf(node, "argument").map((one) => source.slice(one.start, one.end));
  const own = source.slice(name.start, name.end).replace(/["'\\]/g, "");
  const [wrapped, ...rest] = ["sudo", "env", "command", "exec"].includes(own)
    ? words.filter((word) => !word.startsWith("-"))
    : [own, ...words];
  return wrapped !== undefined && READS_CODE.test(wrapped) && !rest.some((word) => !word.startsWith("-"));
}

/** Shell scripts: commands are calls, variables are names with a `$` before them. */
export const SHELL: LoweringTable = {
  word: (node, lower) => textAt(lower.text(node).replace(/\\(.)/gs, "$1"), node),
  number: (node, lower) => textAt(lower.text(node), node),
  raw_string: (node, lower) => textAt(lower.text(node).slice(1, -1), node),
  ansi_c_string: (node, lower) => textAt(unescaped(lower.text(node).slice(2, -1)), node),
  string: (node, lower) => template(node, lower, ["string_content"]),
  string_content: (node, lower) => textAt(lower.text(node), node),
  heredoc_body: (node, lower) => template(node, lower, ["heredoc_content"]),
  concatenation: (node, lower) => ({
    kind: "concat",
    parts: node.children.map((child) => lower.expression(child)),
    at: node,
  }),
  simple_expansion: variable,
  expansion,
  command_substitution: (node, lower) => ({
    kind: "either",
    options: [],
    aside: [lower.all(node)],
    at: node,
  }),
  command_name: (node, lower) => lower.all(node),
  command,
  // `export A=1`: the first word is no node of its own.
  declaration_command: (node, lower) => {
    const word = /^\w+/.exec(lower.text(node))?.[0] ?? "declare";
    return call(textAt(word, node), lower.positional(node.children), node);
  },
  pipeline: (node, lower) =>
    block(
      node.children.map((child, i): Expression => {
        const one = lower.expression(child);
        const bare = child.type === "redirected_statement" ? fieldOf(child, "body") ?? child : child;
        return i > 0 && readsCode(bare, lower.source) ? construct("code from input", one, child) : one;
      }),
      node,
    ),
  redirected_statement: (node, lower) => {
    const body = fieldOf(node, "body");
    const rest = node.children.filter((child) => child !== body).map((child) => lower.expression(child));
    const own = body === null ? nothing(node) : lower.expression(body);
    const fed = node.children.some(({ type }) =>
      type === "herestring_redirect" || type === "heredoc_redirect"
    );
    return block([
      ...rest,
      fed && body !== null && readsCode(body, lower.source) ? construct("code from input", own, node) : own,
    ], node);
  },
  file_redirect: (node, lower) => {
    const target = fieldOf(node, "destination");
    if (target === null) return nothing(node);
    const sign = lower.source.slice(node.start, target.start);
    const value = lower.expression(target);
    // `2>&1` is no file.
    if (/&\s*$/.test(sign)) return value;
    const how = sign.includes(">") ? "redirect:write" : "redirect:read";
    return call(nameAt(how, node), [{ name: null, value, spread: false }], node);
  },
  variable_assignment: (node, lower) => {
    const name = fieldOf(node, "name"), value = fieldOf(node, "value");
    if (name === null) return lower.all(node);
    const target = nameAt(`$${lower.text(name)}`, name);
    if (name.type === "subscript") return lower.all(node);
    return bind(target, value === null ? textAt("", node) : lower.expression(value), node, false);
  },
  array: (node, lower) => ({
    kind: "list",
    items: node.children.map((child) => lower.expression(child)),
    at: node,
  }),
  for_statement: (node, lower) => {
    const name = fieldOf(node, "variable");
    const items = fieldsOf(node, "value").map((value) => lower.expression(value));
    const bound = name === null ? [] : [
      bind(
        nameAt(`$${lower.text(name)}`, name),
        { kind: "element", of: { kind: "list", items, at: node }, at: node },
        node,
        false,
      ),
    ];
    return block([...bound, lower.field(node, "body")], node);
  },
  function_definition: functionBy(() => []),
};
