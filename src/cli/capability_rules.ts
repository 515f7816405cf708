import { showProblem } from "../document/problem.ts";
import { compileRules, type LanguageRules, parseRuleFile, type Rules } from "../safety/rules.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";

/** The shipped files of policies/capabilities, each with the languages its rules are for. */
export const RULE_FILES = {
  bash: ["bash"],
  c: ["c", "cpp"],
  csharp: ["csharp"],
  go: ["go"],
  java: ["java"],
  javascript: ["javascript", "typescript", "tsx"],
  php: ["php"],
  python: ["python"],
  ruby: ["ruby"],
  rust: ["rust"],
} as const;

let texts: Promise<ReadonlyMap<string, string>> | undefined;
const ready = new Map<string, LanguageRules>();

/** The shipped rules, read once from beside the program's modules. A language's file is parsed when it is asked for. */
export async function capabilityRules(): Promise<Rules> {
  const sources = await (texts ??= read());
  return {
    get(language) {
      const [name] = Object.entries(RULE_FILES).find(([, all]) => all.some((one) => one === language)) ?? [];
      if (name === undefined) return undefined;
      const rules = ready.get(name) ?? parsed(name, sources.get(name)!);
      ready.set(name, rules);
      return rules;
    },
  };
}

/** Of the shipped files' texts, an object by name in RFC 8785 form: other rules, other findings. */
export async function capabilityRulesDigest(): Promise<Sha256> {
  return sha256(canonicalJson(Object.fromEntries(await (texts ??= read()))));
}

async function read(): Promise<ReadonlyMap<string, string>> {
  return new Map(
    await Promise.all(
      Object.keys(RULE_FILES).map(async (name): Promise<[string, string]> => {
        const url = new URL(`../../policies/capabilities/${name}.yaml`, import.meta.url);
        return [name, await Deno.readTextFile(url)];
      }),
    ),
  );
}

function parsed(name: string, text: string): LanguageRules {
  const found = parseRuleFile(text, `${name}.yaml`);
  if (found.ok) return compileRules([found.value]).get(found.value.language)!;
  throw new Failure("bug", "rules_broken", `the shipped rules ${name}.yaml do not load`, {
    details: found.problems.map((problem) => showProblem(`${name}.yaml`, problem)),
  });
}
