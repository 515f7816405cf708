import { compileRules, parseRuleFile, type RuleFile, type Rules } from "../../src/safety/rules.ts";
import { scanFile } from "../../src/safety/scan.ts";
import type { FileScan, Site } from "../../src/safety/site.ts";
import { treeSitterTrees } from "../../src/syntax/tree_sitter_trees.ts";

const FOLDER = new URL("../../policies/capabilities/", import.meta.url);

/** Every shipped file of rules. */
export function ruleFiles(): RuleFile[] {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  return names.map((name) => {
    const parsed = parseRuleFile(Deno.readTextFileSync(new URL(name, FOLDER)), name);
    if (!parsed.ok) throw new Error(`${name}: ${JSON.stringify(parsed.problems, null, 1)}`);
    return parsed.value;
  });
}

export const rules: Rules = compileRules(ruleFiles());
const trees = treeSitterTrees();

/** A name of a file in each language. */
export const EXAMPLE_PATH: Readonly<Record<string, string>> = {
  ...{ python: "a.py", javascript: "a.js", typescript: "a.ts", tsx: "a.tsx", go: "a.go", rust: "a.rs" },
  ...{ java: "A.java", c: "a.c", cpp: "a.cpp", bash: "a.sh", ruby: "a.rb", csharp: "A.cs", php: "a.php" },
};

export async function scan(path: string, source: string | Uint8Array): Promise<FileScan> {
  const bytes = typeof source === "string" ? new TextEncoder().encode(source) : source;
  return scanFile(path, bytes, await trees.tree(path, bytes), rules);
}

export async function sitesOf(path: string, source: string): Promise<readonly Site[]> {
  return (await scan(path, source)).sites;
}
