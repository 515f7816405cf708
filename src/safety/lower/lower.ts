import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Expression } from "../expression.ts";
import { C_FAMILY } from "./c_family.ts";
import { CSHARP } from "./csharp.ts";
import { ECMASCRIPT } from "./ecmascript.ts";
import { GO } from "./go.ts";
import { JAVA } from "./java.ts";
import { Lowering, type LoweringTable, type Spelling, unescaped } from "./lowering.ts";
import { PHP } from "./php.ts";
import { PYTHON } from "./python.ts";
import { RUBY } from "./ruby.ts";
import { RUST } from "./rust.ts";
import { SHELL } from "./shell.ts";

const TABLES: Readonly<Record<string, LoweringTable>> = {
  python: PYTHON,
  javascript: ECMASCRIPT,
  typescript: ECMASCRIPT,
  tsx: ECMASCRIPT,
  go: GO,
  rust: RUST,
  java: JAVA,
  c: C_FAMILY,
  cpp: C_FAMILY,
  bash: SHELL,
  ruby: RUBY,
  csharp: CSHARP,
  php: PHP,
};

/** JavaScript, Java and C# take `\\u0065val` for `eval`. */
const escaped: Spelling = (name) => unescaped(name).replace(/^@/, "");

/** Languages that know a name by more than one spelling. Python compares names after NFKC, Rust after NFC. */
const SPELLINGS: Readonly<Record<string, Spelling>> = {
  python: (name) => name.normalize("NFKC"),
  rust: (name) => name.normalize("NFC").replace(/^r#/, ""),
  javascript: escaped,
  typescript: escaped,
  tsx: escaped,
  java: escaped,
  csharp: escaped,
  c: escaped,
  cpp: escaped,
};

/** Lowers a source; null for a language that nobody taught us. */
export function lowered(language: string, root: SyntaxNode, source: string): Expression | null {
  const table = Object.hasOwn(TABLES, language) ? TABLES[language]! : null;
  return table === null ? null : new Lowering(source, table, SPELLINGS[language] ?? ((name) => name))
    .all(withoutComments(root));
}

/** Comments may stand between any two nodes: what is looked for by its place must not be behind one. */
function withoutComments(node: SyntaxNode): SyntaxNode {
  const children = node.children.filter(({ type }) => !/comment/.test(type));
  return { ...node, children: children.map(withoutComments) };
}
