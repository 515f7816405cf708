import type { SyntaxNode } from "../../syntax/tree.ts";

/** One import as it stands in a source. */
export interface Import {
  /** `a.b`, `./a.js`, `.a`; for `from . import b` it is `.`, with b among the names. */
  readonly specifier: string;
  /** Python's names of `from x import a, b`. */
  readonly names: readonly string[];
  readonly line: number;
  /** Whether the source provides for its absence (`try: import x`). */
  readonly guarded: boolean;
}

const MAX_IMPORTS = 2_000;

/** The imports of a Python, JavaScript or TypeScript source, in order; computed ones are no part of it. */
export function importsOf(language: string, root: SyntaxNode, text: string): readonly Import[] {
  const found: Import[] = [];
  const source = (node: SyntaxNode) => text.slice(node.start, node.end);
  const field = (node: SyntaxNode, name: string) =>
    node.children.find((child) => child.field === name) ?? null;
  const add = (specifier: string, line: number, guarded: boolean, names: readonly string[] = []) => {
    if (specifier !== "" && specifier.length <= 500) found.push({ specifier, names, line, guarded });
  };
  const python = (node: SyntaxNode, guarded: boolean) => {
    const flat = (child: SyntaxNode) => source(field(child, "name") ?? child).replace(/\s/g, "");
    const names = node.children.filter((child) => child.field === "name").map(flat);
    if (node.type === "import_statement") names.forEach((name) => add(name, node.line, guarded));
    if (node.type === "import_from_statement") {
      const module = field(node, "module_name");
      if (module !== null) add(source(module).replace(/\s/g, ""), node.line, guarded, names);
    }
  };
  const ecmascript = (node: SyntaxNode, guarded: boolean) => {
    let literal: SyntaxNode | null = null;
    if (["import_statement", "export_statement", "import_require_clause"].includes(node.type)) {
      literal = field(node, "source");
    } else if (node.type === "call_expression") {
      const callee = field(node, "function");
      const given = field(node, "arguments")?.children.filter(({ type }) => type !== "comment") ?? [];
      if (callee !== null && ["require", "import"].includes(source(callee)) && given.length > 0) {
        literal = given[0]!;
      }
    }
    if (literal?.type === "string") add(source(literal).slice(1, -1), node.line, guarded);
  };
  const look = language === "python" ? python : ecmascript;
  const walk = (node: SyntaxNode, guarded: boolean) => {
    if (found.length >= MAX_IMPORTS) return;
    look(node, guarded);
    for (const child of node.children) walk(child, guarded || node.type === "try_statement");
  };
  if (["python", "javascript", "typescript", "tsx"].includes(language)) walk(root, false);
  return found;
}
