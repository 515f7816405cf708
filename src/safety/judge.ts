import type { Policy } from "../policy/policy.ts";
import type { SafetyDelta } from "./delta.ts";
import type { ImportFinding } from "./imports/resolve.ts";
import type { Site } from "./site.ts";

export type SafetyOutcome = "allowed" | "needs_approval" | "denied";

export interface SafetyReason {
  readonly outcome: Exclude<SafetyOutcome, "allowed">;
  /** Stable snake_case: `capability_denied`, `capability_needs_approval`, `unanalyzed`, `missing_import`, `diff_too_large`. */
  readonly code: string;
  readonly path: string | null;
  readonly line: number | null;
  /** The key of the policy that says so; null for what always holds. */
  readonly rule: string | null;
  readonly detail: string;
}

export interface SafetyJudgement {
  readonly outcome: SafetyOutcome;
  /** Those that deny first. */
  readonly reasons: readonly SafetyReason[];
}

export interface SafetyFindings {
  readonly delta: SafetyDelta;
  /** Imports that the change makes lead nowhere. */
  readonly missingImports: readonly ImportFinding[];
  /** Added and removed lines together. */
  readonly diffLines: number;
}

/**
 * What a policy says about what a change newly enables: added and widened sites count, moved, narrowed and removed ones
 * do not. What could not be analyzed needs approval, unless the policy denies it: it is never allowed.
 */
export function judgeSafety(findings: SafetyFindings, policy: Policy["safety"]): SafetyJudgement {
  const reasons: SafetyReason[] = [];
  const { delta, missingImports, diffLines } = findings;
  const listed = (term: Policy["safety"]["deny"][number]) =>
    policy.deny.includes(term) ? "denied" : policy.require_approval.includes(term) ? "needs_approval" : null;
  const ruleOf = (outcome: SafetyReason["outcome"]) =>
    outcome === "denied" ? "policy.safety.deny" : "policy.safety.require_approval";
  const newly = [
    ...delta.added.map((site) => ({ site, word: "added" })),
    ...delta.widened.map(({ after }) => ({ site: after, word: "widened" })),
  ];
  for (const { site, word } of newly) {
    const outcome = listed(site.capability);
    if (outcome === null) continue;
    reasons.push({
      outcome,
      code: outcome === "denied" ? "capability_denied" : "capability_needs_approval",
      ...placeOf(site),
      rule: ruleOf(outcome),
      detail: `${site.capability} is ${word}: ${site.symbol} in ${site.function}`,
    });
  }
  for (const { path, reason, line } of delta.unanalyzed) {
    const outcome = listed("unanalyzed") ?? "needs_approval";
    reasons.push({
      ...{ outcome, code: "unanalyzed", path, line },
      rule: listed("unanalyzed") === null ? null : ruleOf(outcome),
      detail: `${UNANALYZED_TEXT[reason]}: nobody knows what it can do`,
    });
  }
  for (const { file, line, specifier } of missingImports) {
    const outcome = listed("missing_import");
    if (outcome === null) continue;
    reasons.push({
      ...{ outcome, code: "missing_import", path: file, line, rule: ruleOf(outcome) },
      detail: `imports ${JSON.stringify(specifier)}, which is not there`,
    });
  }
  if (diffLines > policy.max_diff_lines) {
    reasons.push({
      ...{
        outcome: "denied",
        code: "diff_too_large",
        path: null,
        line: null,
        rule: "policy.safety.max_diff_lines",
      },
      detail: `${diffLines} lines are changed, more than ${policy.max_diff_lines}`,
    });
  }
  const denied = reasons.filter(({ outcome }) => outcome === "denied");
  const rest = reasons.filter(({ outcome }) => outcome !== "denied");
  return {
    outcome: denied.length > 0 ? "denied" : rest.length > 0 ? "needs_approval" : "allowed",
    reasons: [...denied, ...rest],
  };
}

function placeOf({ file, line }: Site) {
  return { path: file, line };
}

/** Why a file was not analyzed, for people. */
export const UNANALYZED_TEXT: Readonly<Record<SafetyDelta["unanalyzed"][number]["reason"], string>> = {
  unknown_language: "no grammar or no rules for it",
  does_not_parse: "does not parse",
  too_large: "larger than 1 MiB",
  too_deep: "nested too deeply",
  too_complex: "too much to follow",
  timed_out: "takes too long to parse",
  not_text: "no UTF-8 text",
  link: "a symbolic link",
};
