import type { SyntaxNode } from "../syntax/tree.ts";

/** A definition with all that belongs to it; offsets of text, lines 1-based. */
export interface SymbolRange {
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

const DEFINITION =
  /(?:function|method|class|interface|struct|enum|trait|impl|type|module|record|constructor|mod)(?:_signature)?_?(?:definition|declaration|specifier|item|statement|spec)?$|^(?:singleton_method|variable_declarator|type_alias_declaration|namespace_definition|internal_module)$/;
const FUNCTIONS = /^(?:arrow_function|function_expression|generator_function|class|function)$/;
/** Parents that are part of the definition they hold. */
const WRAPPERS =
  /^(?:decorated_definition|export_statement|lexical_declaration|variable_declaration|template_declaration|type_declaration|ambient_declaration)$/;

/**
 * Where definitions of a name are, `Foo.bar` meaning a `bar` anywhere within a `Foo`. A range takes in decorators,
 * `export`, and comments on the lines right above.
 */
export function findSymbol(root: SyntaxNode, text: string, name: string): SymbolRange[] {
  const wanted = name.split(".");
  const found: SymbolRange[] = [];
  /** Comments that have their lines for themselves, by where the line after them begins. */
  const comments = new Map<number, SymbolRange>();
  visit(root, [], null);
  return found.map(withComments);

  function visit(node: SyntaxNode, path: readonly string[], outer: SymbolRange | null): void {
    if (/comment/.test(node.type)) return noteComment(node);
    const own = definedName(node, text);
    const here = own === null ? path : [...path, own];
    if (own !== null && fits(here, wanted)) found.push(outer ?? node);
    const wrapped = WRAPPERS.test(node.type) ? outer ?? node : null;
    for (const child of node.children) visit(child, here, wrapped);
  }

  function noteComment(node: SyntaxNode): void {
    // Some grammars count the line feed to the comment.
    const end = text.slice(node.start, node.end).trimEnd().length + node.start;
    const feed = text.indexOf("\n", end);
    if (feed < 0 || text.slice(end, feed).trim() !== "" || startOfLine(node.start) === null) return;
    comments.set(feed + 1, node);
  }

  /** Where the line begins that holds nothing before an offset. */
  function startOfLine(at: number): number | null {
    const from = at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
    return text.slice(from, at).trim() === "" ? from : null;
  }

  function withComments({ start, end, line }: SymbolRange): SymbolRange {
    for (;;) {
      const from = startOfLine(start), above = from === null ? undefined : comments.get(from);
      if (above === undefined) return { start, end, line };
      ({ start, line } = above);
    }
  }
}

/** The last names of a path are the last wanted one and, in order, those before it. */
function fits(path: readonly string[], wanted: readonly string[]): boolean {
  if (path[path.length - 1] !== wanted[wanted.length - 1]) return false;
  let next = wanted.length - 2;
  for (let i = path.length - 2; i >= 0 && next >= 0; i--) if (path[i] === wanted[next]) next--;
  return next < 0;
}

function definedName(node: SyntaxNode, text: string): string | null {
  if (!DEFINITION.test(node.type)) return null;
  const name = node.children.find((child) => child.field === "name" || child.field === "declarator");
  if (name === undefined) return null;
  if (node.type === "variable_declarator") {
    const value = node.children.find((child) => child.field === "value");
    if (value === undefined || !FUNCTIONS.test(value.type)) return null;
  }
  // C's declarators hold the name within.
  let inner = name;
  for (let next: SyntaxNode | undefined = name; next !== undefined;) {
    inner = next;
    next = inner.children.find((child) => child.field === "declarator");
  }
  return text.slice(inner.start, inner.end);
}
