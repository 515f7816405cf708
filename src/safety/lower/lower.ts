import type { SyntaxNode } from "../../syntax/tree.ts";
import type { Expression } from "../expression.ts";
import { ECMASCRIPT } from "./ecmascript.ts";
import { Lowering, type LoweringTable } from "./lowering.ts";
import { PYTHON } from "./python.ts";

const TABLES: Readonly<Record<string, LoweringTable>> = {
  python: PYTHON,
  javascript: ECMASCRIPT,
  typescript: ECMASCRIPT,
  tsx: ECMASCRIPT,
};

/** Languages whose names and calls are followed. */
export const LOWERED: readonly string[] = Object.keys(TABLES);

/** Lowers a source; null for a language that nobody taught us. */
export function lowered(language: string, root: SyntaxNode, source: string): Expression | null {
  const table = Object.hasOwn(TABLES, language) ? TABLES[language]! : null;
  return table === null ? null : new Lowering(source, table).all(root);
}
