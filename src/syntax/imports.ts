import type { Node } from "web-tree-sitter";

const MAX_SPECIFIERS = 1000;
const MAX_SPECIFIER_LENGTH = 1000;
const MAX_USE_DEPTH = 16;
const MAX_USE_LENGTH = 20_000;

type Reader = (node: Node, text: (node: Node) => string) => readonly string[];

interface Extraction {
  readonly types: readonly string[];
  readonly read: Reader;
}

const field = (node: Node, name: string) => node.childForFieldName(name);

function unquoted(text: string): string {
  const quoted = /^[A-Za-z]{0,2}(["'`])([\s\S]*)\1$/.exec(text);
  return quoted === null ? text : quoted[2]!;
}

/** The text of a string literal; nothing for a computed string. */
function literal(node: Node | null, text: (node: Node) => string): readonly string[] {
  if (node === null || !/string|word|path/.test(node.type)) return [];
  const value = text(node);
  return /\$\{|\$\(|^\$|#\{/.test(value) ? [] : [unquoted(value)];
}

function firstArgument(call: Node): Node | null {
  return field(call, "arguments")?.firstNamedChild ?? null;
}

const python: Extraction = {
  types: ["import_statement", "import_from_statement"],
  read(node, text) {
    const names = node.childrenForFieldName("name").map((name) =>
      text(name.type === "aliased_import" ? field(name, "name") ?? name : name)
    );
    const module = field(node, "module_name");
    if (module === null) return names;
    const from = text(module).replace(/\s/g, "");
    // `from a import b` may mean the module a.b.
    return [from, ...names.map((name) => from.endsWith(".") ? from + name : `${from}.${name}`)];
  },
};

const ecmascript: Extraction = {
  types: ["import_statement", "export_statement", "call_expression", "import_require_clause"],
  read(node, text) {
    if (node.type !== "call_expression") return literal(field(node, "source"), text);
    const callee = field(node, "function");
    if (callee === null || !["import", "require"].includes(text(callee))) return [];
    return literal(firstArgument(node), text);
  },
};

const go: Extraction = {
  types: ["import_spec"],
  read: (node, text) => literal(field(node, "path"), text),
};

const rust: Extraction = {
  types: ["use_declaration", "mod_item"],
  read(node, text) {
    if (node.type === "use_declaration") {
      const argument = field(node, "argument");
      return argument === null ? [] : usePaths(text(argument).slice(0, MAX_USE_LENGTH), 0);
    }
    const name = field(node, "name");
    return name === null || field(node, "body") !== null ? [] : [`self::${text(name)}`];
  },
};

/** `a::{b, c::{d as e}}` as `a::b`, `a::c::d`. */
function usePaths(tree: string, depth: number): string[] {
  const open = tree.indexOf("{");
  if (open < 0) return [tree.replace(/\s+as\s+\S+\s*$/, "").replace(/\s/g, "")];
  if (depth >= MAX_USE_DEPTH) return [];
  const prefix = tree.slice(0, open).replace(/\s/g, "");
  const paths: string[] = [];
  const close = tree.lastIndexOf("}");
  let level = 0, start = open + 1;
  for (let i = start; i <= close && paths.length < MAX_SPECIFIERS; i++) {
    const c = tree[i];
    if (c === "{") level++;
    else if (c === "}" && i < close) level--;
    else if (i === close || (c === "," && level === 0)) {
      const part = tree.slice(start, i).trim();
      start = i + 1;
      if (part === "self") paths.push(prefix.replace(/::$/, ""));
      else if (part !== "") paths.push(...usePaths(part, depth + 1).map((path) => prefix + path));
    }
  }
  return paths;
}

const java: Extraction = {
  types: ["import_declaration"],
  read(node, text) {
    const name = node.namedChildren.find((child) =>
      child?.type === "scoped_identifier" || child?.type === "identifier"
    );
    if (name === undefined) return [];
    const all = node.namedChildren.some((child) => child?.type === "asterisk");
    return [text(name) + (all ? ".*" : "")];
  },
};

const cFamily: Extraction = {
  types: ["preproc_include"],
  read(node, text) {
    const path = field(node, "path");
    return path === null ? [] : [unquoted(text(path))];
  },
};

const bash: Extraction = {
  types: ["command"],
  read(node, text) {
    const name = field(node, "name");
    if (name === null || !["source", "."].includes(text(name))) return [];
    return literal(field(node, "argument"), text).filter((path) => !/[$`*?]/.test(path));
  },
};

const ruby: Extraction = {
  types: ["call"],
  read(node, text) {
    const method = field(node, "method");
    if (method === null || field(node, "receiver") !== null) return [];
    const name = text(method);
    if (!["require", "require_relative", "load"].includes(name)) return [];
    const specifiers = literal(firstArgument(node), text);
    return name === "require_relative" ? specifiers.map((s) => /^[./]/.test(s) ? s : `./${s}`) : specifiers;
  },
};

const csharp: Extraction = {
  types: ["using_directive"],
  read(node, text) {
    const name = node.namedChildren.findLast((child) => /name|identifier/.test(child?.type ?? ""));
    return name === undefined || name === null ? [] : [text(name)];
  },
};

const php: Extraction = {
  types: [
    "namespace_use_clause",
    "require_expression",
    "require_once_expression",
    "include_expression",
    "include_once_expression",
  ],
  read(node, text) {
    const child = node.firstNamedChild;
    if (child === null) return [];
    return node.type === "namespace_use_clause" ? [text(child)] : literal(child, text);
  },
};

const EXTRACTIONS: Readonly<Record<string, Extraction>> = {
  python,
  javascript: ecmascript,
  typescript: ecmascript,
  tsx: ecmascript,
  go,
  rust,
  java,
  c: cFamily,
  cpp: cFamily,
  bash,
  ruby,
  csharp,
  php,
};

/**
 * Module specifiers of a parsed file in order, without duplicates: at most 1000, none longer than 1000
 * characters, none computed. As written, except that Python's `from a import b` gives `a` and `a.b`, Rust's `use`
 * trees are spelled out and `mod a;` is `self::a`, Ruby's `require_relative "a"` is `./a`, and `<a.h>` keeps its
 * angle brackets.
 * @param source what the tree was made from, or text of the same length
 */
export function moduleSpecifiers(root: Node, language: string, source: string): readonly string[] {
  const extraction = EXTRACTIONS[language];
  if (extraction === undefined) return [];
  const text = (node: Node) => source.slice(node.startIndex, node.endIndex);
  const found = new Set<string>();
  for (const node of root.descendantsOfType([...extraction.types])) {
    if (node === null) continue;
    for (const specifier of extraction.read(node, text)) {
      if (specifier !== "" && specifier.length <= MAX_SPECIFIER_LENGTH) found.add(specifier);
      if (found.size >= MAX_SPECIFIERS) return [...found];
    }
  }
  return [...found];
}
