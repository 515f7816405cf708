import { showProblem } from "../document/problem.ts";
import { compileRules, parseRuleFile, type Rules } from "../safety/rules.ts";
import { Failure } from "../vocabulary/failure.ts";

/** The shipped files of policies/capabilities. */
export const RULE_FILES = [
  ...["bash", "c", "csharp", "go", "java", "javascript", "php", "python", "ruby", "rust"] as const,
] as const;

let loaded: Promise<Rules> | undefined;

/** The shipped rules, read once from beside the program's modules. */
export function capabilityRules(): Promise<Rules> {
  return loaded ??= load();
}

async function load(): Promise<Rules> {
  const files = await Promise.all(RULE_FILES.map(async (name) => {
    const url = new URL(`../../policies/capabilities/${name}.yaml`, import.meta.url);
    const parsed = parseRuleFile(await Deno.readTextFile(url), `${name}.yaml`);
    if (parsed.ok) return parsed.file;
    throw new Failure("bug", "rules_broken", `the shipped rules ${name}.yaml do not load`, {
      details: parsed.problems.map((problem) => showProblem(`${name}.yaml`, problem)),
    });
  }));
  return compileRules(files);
}
