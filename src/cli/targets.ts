import { checkTarget, configuredTargets, targetFromArgv, targetFromCommand } from "../policy/commands.ts";
import { parseReportFlag } from "../policy/report.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { printableLine } from "../vocabulary/printable.ts";
import type { ProofTarget } from "../vocabulary/session.ts";

export type SessionCall =
  /** `literal`: the words came after `--` and are an argv even when there is only one. */
  | {
    readonly verb: "run";
    readonly words: readonly string[];
    readonly literal: boolean;
    /** `--report` as given. */
    readonly report?: string | undefined;
  }
  | { readonly verb: "prove" };

/**
 * What a call is to prove, each command admitted by the policy. A command of `run` that is a target of the policy is
 * that target.
 * @param source the policy file, null for the built-in policy
 * @throws Failure `usage` for a command that cannot be read or a policy without targets; `denied` for one not admitted
 */
export function targetsOf(
  call: SessionCall,
  config: PolicyConfig,
  source: string | null,
): readonly ProofTarget[] {
  if (call.verb === "prove") {
    return policyTargets(
      config,
      source,
      'write one with "pp init", or name a command: pp run "pytest -q"',
    );
  }
  const { words, literal } = call;
  const resolved = words.length === 1 && !literal
    ? targetFromCommand("command", words[0]!)
    : targetFromArgv("command", words);
  if (!resolved.ok) {
    throw commandFailure(resolved.refusal, 'give its words after --, such as: pp run -- grep "a b" file');
  }
  admit(config, resolved.target);
  const targets = sameCommand(config, resolved.target);
  if (call.report === undefined) return targets;
  const read = parseReportFlag(call.report);
  if (!read.ok) {
    throw new Failure("usage", "report_malformed", `--report: ${read.detail}`, {
      hint: "name format and file, such as --report junit:report.xml; tap alone is read from stdout",
    });
  }
  const { format, path } = read.report;
  const reported = targets.find(({ report }) => report !== undefined);
  if (reported === undefined) return [{ ...targets[0]!, report: read.report }];
  if (targets.every(({ report = read.report }) => report.format === format && report.path === path)) {
    return targets;
  }
  const message = `the policy names another report of this command (proof target ${
    printableLine(reported.name)
  })`;
  throw new Failure("usage", "report_of_policy", message, {
    hint: "leave out --report, or change the report of that target in the policy",
  });
}

/**
 * The proof targets that a policy names.
 * @param hint what to do where it names none
 * @throws Failure `no_targets` (usage), of commands the policy does not admit
 */
export function policyTargets(
  config: PolicyConfig,
  source: string | null,
  hint: string,
): readonly ProofTarget[] {
  const configured = configuredTargets(config);
  if (!configured.ok) {
    throw commandFailure(configured.refusal, "pp policy check shows what is wrong with each target");
  }
  if (configured.targets.length === 0) {
    const message = source === null
      ? "there is no pp.yaml, pp.yml or pp.json in this folder"
      : `${source} names no proof targets`;
    throw new Failure("usage", "no_targets", message, { hint });
  }
  for (const target of configured.targets) admit(config, target);
  return configured.targets;
}

/**
 * The targets of the policy that run exactly this command, with their names and reports: what the policy says about
 * them holds for `pp run` as it does for `pp prove`. The command alone where there is none.
 */
function sameCommand(config: PolicyConfig, target: ProofTarget): readonly ProofTarget[] {
  const configured = configuredTargets(config);
  if (!configured.ok) return [target];
  const same = configured.targets.filter(({ argv }) =>
    argv.length === target.argv.length && argv.every((word, i) => word === target.argv[i])
  );
  return same.length > 0 ? same : [target];
}

/**
 * Lets a command pass that the policy admits.
 * @param whose said before the reason, where the command is not the caller's own
 * @throws Failure `denied`
 */
export function admit(config: PolicyConfig, target: ProofTarget, whose = ""): void {
  const refusal = checkTarget(config, target);
  if (refusal === null) return;
  throw new Failure("denied", refusal.reason, whose + refusal.detail, {
    hint: "add exactly this command to policy.allowed_commands or policy.allowed_argv",
  });
}

function commandFailure(refusal: Refusal, hint: string): Failure {
  return new Failure("usage", refusal.reason, refusal.detail, { hint });
}
