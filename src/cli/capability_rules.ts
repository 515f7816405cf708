import { showProblem } from "../document/problem.ts";
import { compileRules, parseRuleFile, type Rules } from "../safety/rules.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";

/** The shipped files of policies/capabilities. */
export const RULE_FILES = [
  ...["bash", "c", "csharp", "go", "java", "javascript", "php", "python", "ruby", "rust"] as const,
] as const;

let loaded: Promise<{ readonly rules: Rules; readonly digest: Sha256 }> | undefined;

/** The shipped rules, read once from beside the program's modules. */
export async function capabilityRules(): Promise<Rules> {
  return (await (loaded ??= load())).rules;
}

/** Of the shipped rules, in RFC 8785 form: other rules, other findings. */
export async function capabilityRulesDigest(): Promise<Sha256> {
  return (await (loaded ??= load())).digest;
}

async function load(): Promise<{ readonly rules: Rules; readonly digest: Sha256 }> {
  const files = await Promise.all(RULE_FILES.map(async (name) => {
    const url = new URL(`../../policies/capabilities/${name}.yaml`, import.meta.url);
    const parsed = parseRuleFile(await Deno.readTextFile(url), `${name}.yaml`);
    if (parsed.ok) return parsed.file;
    throw new Failure("bug", "rules_broken", `the shipped rules ${name}.yaml do not load`, {
      details: parsed.problems.map((problem) => showProblem(`${name}.yaml`, problem)),
    });
  }));
  return { rules: compileRules(files), digest: sha256(canonicalJson(files)) };
}
