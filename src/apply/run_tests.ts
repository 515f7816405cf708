import type { Policy } from "../policy/policy.ts";
import { reportRules } from "../prove/reports.ts";
import { confirmTargets, verifyTargets } from "../prove/verification.ts";
import type { Sandbox, SandboxSpec } from "../sandbox/sandbox.ts";
import type { FileChange } from "../vocabulary/change.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import { entriesByPath } from "../vocabulary/entry_table.ts";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import type { Emit, ProofTarget } from "../vocabulary/session.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";
import type { Workspace } from "../workspace/workspace.ts";

export interface TestPorts {
  readonly sandbox: Sandbox;
  readonly workspace: Workspace;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

export interface TestPlan {
  /** At least one; each admitted by the policy. */
  readonly targets: readonly ProofTarget[];
  readonly policy: Policy;
  readonly spec: SandboxSpec;
  readonly repeat: number;
}

/** What came of the tests. Nothing run is nothing passed. */
export interface TestsRun {
  readonly outcome: "passed" | "failed" | "timed_out" | "flaky";
  readonly runs: readonly VerificationResult[];
}

/**
 * Runs the proof targets on a folder with changes, each time in a newly created pristine copy. The folder itself is only
 * read. Targets with a test report run once without the changes too, so that a test cannot get lost unseen.
 * @param manifest of the folder as it was looked at; tests of any other would say nothing
 * @throws Failure `workspace_changed` (malformed); as `Sandbox.open`; `interrupted`
 */
export async function runTests(
  manifest: Sha256,
  changes: readonly FileChange[],
  { targets, policy, spec, repeat }: TestPlan,
  { sandbox, workspace, emit, signal: asked }: TestPorts,
): Promise<TestsRun> {
  const { limits } = policy;
  const deadline = AbortSignal.timeout(limits.session_sec * 1000);
  const signal = AbortSignal.any([asked, deadline]);
  const runs: VerificationResult[] = [];
  try {
    const frozen = await sandbox.open(spec, (options) => workspace.tar(options), signal);
    try {
      const { entries, digest } = await workspace.manifest();
      if (digest !== manifest) throw changed();
      const byPath = entriesByPath(entries);
      const bounds = {
        ...{ timeoutMs: limits.per_command_timeout_sec * 1000, outputBytes: limits.output_bytes },
        ...{ signal, emit },
      };
      const rules = (bases: readonly VerificationResult[]) =>
        reportRules(targets, byPath, spec.workdir, bases);
      const bases: VerificationResult[] = [];
      if (targets.some(({ report }) => report !== undefined)) {
        const onBase = { ...bounds, side: "base", attempt: 0, fresh: true, stopAtFailure: false } as const;
        bases.push(await verifyTargets(frozen, [], targets, { ...onBase, reports: rules([]) }));
      }
      const confirmed = confirmTargets(frozen, changes, targets, {
        ...bounds,
        repeat,
        reports: rules(bases),
      });
      for await (const result of confirmed) runs.push(result);
    } finally {
      await frozen.close();
    }
  } catch (error) {
    if (asked.aborted) throw interrupted(asked.reason);
    if (!deadline.aborted) throw error;
    return { outcome: "timed_out", runs };
  }
  if (asked.aborted) throw interrupted(asked.reason);
  return { outcome: outcomeOf(runs), runs };
}

function outcomeOf(runs: readonly VerificationResult[]): TestsRun["outcome"] {
  const kinds = new Set(runs.map(({ outcome }) => outcome));
  if (kinds.size === 1) return runs[0]!.outcome;
  if (kinds.size === 0) return "failed";
  return kinds.has("passed") ? "flaky" : kinds.has("timed_out") ? "timed_out" : "failed";
}

function changed(): Failure {
  const message = "the folder changed while it was tested";
  return new Failure("malformed", "workspace_changed", message, {
    hint: "nothing was written; let nothing else write to the folder, then run again",
  });
}
