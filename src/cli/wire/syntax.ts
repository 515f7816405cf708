import type { EditPorts } from "../../edit/edit.ts";
import type { Rules } from "../../safety/rules.ts";
import type { Syntax } from "../../syntax/syntax.ts";
import type { SyntaxTrees } from "../../syntax/tree.ts";

/** Parses sources when first asked to. */
export function wireSyntax(): Syntax {
  const loaded = async () => (await import("../../syntax/tree_sitter.ts")).treeSitterSyntax();
  let syntax: Promise<Syntax> | undefined;
  const ready = () => syntax ??= loaded();
  return {
    check: async (path, bytes) => await (await ready()).check(path, bytes),
    enclosing: async (path, bytes, line) => await (await ready()).enclosing(path, bytes, line),
    imports: async (path, bytes) => await (await ready()).imports(path, bytes),
  };
}

/** What the safety check needs: parsers and the shipped rules. */
export async function wireSafety(): Promise<{ readonly trees: SyntaxTrees; readonly rules: Rules }> {
  const { treeSitterTrees } = await import("../../syntax/tree_sitter_trees.ts");
  const { capabilityRules } = await import("../capability_rules.ts");
  return { trees: treeSitterTrees(), rules: await capabilityRules() };
}

/** What makes patches of edits: parsers and the shipped templates. */
export async function wireEdits(): Promise<EditPorts> {
  const { treeSitterTrees } = await import("../../syntax/tree_sitter_trees.ts");
  const { treeSitterQueries } = await import("../../syntax/tree_sitter_queries.ts");
  const { shippedTemplates } = await import("../templates.ts");
  return { trees: treeSitterTrees(), queries: treeSitterQueries(), templates: shippedTemplates };
}
