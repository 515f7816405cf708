import { parseDocument } from "../document/parse.ts";
import type { DocumentProblem } from "../document/problem.ts";
import type { PolicyConfig } from "./policy.ts";
import { KNOWN_KEYS, policySchema } from "./schema.ts";

export type PolicyParse =
  | { readonly ok: true; readonly config: PolicyConfig }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

/**
 * Reads a policy. Strict JSON if `fileName` ends in `.json`, YAML otherwise.
 * @returns the policy with every default filled in, or every problem of the file in the order of its lines, bounded;
 * never throws on any text
 */
export function parsePolicy(text: string, fileName: string): PolicyParse {
  const parsed = parseDocument(text, fileName, {
    schema: policySchema,
    known: KNOWN_KEYS,
    empty: "the file is empty; `pp init` writes one",
  });
  return parsed.ok ? { ok: true, config: parsed.value } : parsed;
}
