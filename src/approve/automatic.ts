import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { type Glob, matchesAnyGlob, parseGlob } from "../policy/glob.ts";
import type { ApprovalPolicy, AutomaticRule, Policy } from "../policy/policy.ts";
import { protectionOf } from "../policy/protected.ts";
import type { Evidence } from "./evidence.ts";
import { type FileInUse, filesInUse, pathsOf } from "./in_use.ts";

/** What the actor of an automatic approval is: the hash of the rule as it stands, with every default filled in. */
export function ruleHash(rule: AutomaticRule): Sha256 {
  return sha256(`veripatch-rule/v1 ${canonicalJson(rule)}\n`);
}

export interface RuleVerdict {
  readonly rule: AutomaticRule;
  readonly hash: Sha256;
  /** Why it does not fit, for people; empty where it does. */
  readonly against: readonly string[];
}

/** A file whose change decides what is tested, run or allowed: never without a person, whatever a policy says. */
const POLICY_FILES = /(^|\/)((pp|trust)\.(ya?ml|json)|codeowners|\.ppignore)$/i;

/**
 * Which rules of a policy fit a change, and of those that do not why. What holds for every rule is not for a policy to
 * loosen: a passed proof, every check passed, nothing that the code newly can do or that nobody could look at, no
 * protected file.
 * @param inUse files of the folder that the call itself judges by
 */
export function judgeRules(
  evidence: Evidence,
  policy: Pick<Policy, "protect"> & { readonly approval: ApprovalPolicy },
  inUse: readonly FileInUse[],
): readonly RuleVerdict[] {
  if (policy.approval.automatic.length === 0) return [];
  const always = againstAny(evidence, policy, inUse);
  return policy.approval.automatic.map((rule) => ({
    rule,
    hash: ruleHash(rule),
    against: [...always, ...againstRule(evidence, rule)],
  }));
}

/** The first rule that fits; null when a person has to decide. */
export function fittingRule(verdicts: readonly RuleVerdict[]): RuleVerdict | null {
  return verdicts.find(({ against }) => against.length === 0) ?? null;
}

function againstAny(
  evidence: Evidence,
  policy: Pick<Policy, "protect">,
  inUse: readonly FileInUse[],
): string[] {
  const { checks, proof, safety } = evidence;
  const against: string[] = [];
  const outcomes = new Map(checks.map(({ kind, outcome }) => [kind, outcome]));
  // Targets that passed before, too, prove nothing of the change.
  const proved = proof !== null && proof.outcome === "proved" && proof.statement_sha256 !== null;
  if (!proved || outcomes.get("proof") !== "passed") {
    against.push("there is no passed proof");
  }
  for (const kind of ["patch", "syntax", "imports", "safety"] as const) {
    if (outcomes.get(kind) !== "passed") against.push(`the ${kind} check is not passed`);
  }
  if (outcomes.get("git") === "failed") against.push("git does not take the patch");
  if (safety.outcome !== "allowed") against.push("the safety check asks for a person");
  for (const [what, word] of SAFETY_COUNTS) {
    if (safety[what] > 0) against.push(`${word}: ${safety[what]}`);
  }
  const protection = protectionOf({ protect: { ...policy.protect, enabled: true, allow: [] } });
  const touched = pathsOf(evidence).filter((path) => POLICY_FILES.test(path) || protection(path) !== null);
  if (touched.length > 0) against.push(`protected files are touched: ${touched.length}`);
  for (const what of new Set(filesInUse(pathsOf(evidence), inUse).map(({ what }) => what))) {
    against.push(`the ${what} in use is touched`);
  }
  return against;
}

const SAFETY_COUNTS = [
  ["added", "capabilities added"],
  ["widened", "capabilities widened"],
  ["unanalyzed", "files not analyzed"],
  ["missing_imports", "missing imports"],
] as const;

function againstRule(evidence: Evidence, rule: AutomaticRule): string[] {
  const { files, additions, deletions } = evidence.patch;
  const against: string[] = [];
  const globs = rule.paths.map(parseGlob).flatMap((read): Glob[] => read.ok ? [read.glob] : []);
  const outside = pathsOf(evidence).filter((path) => !matchesAnyGlob(globs, path));
  if (outside.length > 0) against.push(`paths outside the rule: ${outside.length}`);
  if (additions + deletions > rule.max_lines) {
    against.push(`${additions + deletions} lines, more than ${rule.max_lines}`);
  }
  if (files.length > rule.max_files) against.push(`${files.length} files, more than ${rule.max_files}`);
  return against;
}
