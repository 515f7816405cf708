import type { FrozenBase, PristineCopy } from "../sandbox/sandbox.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { interrupted } from "../vocabulary/failure.ts";
import type { ReportedTests } from "../vocabulary/test_report.ts";
import type { Emit, ProofTarget, Side } from "../vocabulary/session.ts";
import type {
  CommandResult,
  TargetOutcome,
  TargetResult,
  VerificationResult,
} from "../vocabulary/verification.ts";

import { isTaken, reportedTests, type ReportRules } from "./reports.ts";

const NO_RULES: ReportRules = { stale: [], before: new Map(), fileNamed: () => null };

export interface VerificationOptions {
  /** For events. */
  readonly side: Side;
  /** For events: 1-based for side `attempt`, else 0. */
  readonly attempt: number;
  readonly timeoutMs: number;
  readonly outputBytes: number;
  /** A newly created copy instead of one from the pool. */
  readonly fresh: boolean;
  /** Do not run further targets after one that did not pass. */
  readonly stopAtFailure: boolean;
  /** What test reports are held against; needed when a target names one. */
  readonly reports?: ReportRules;
  readonly signal: AbortSignal;
  readonly emit?: Emit;
}

/** What a finished command means for its target: only a regular exit with code 0 and, if asked for, a good report. */
export function outcomeOf(result: CommandResult, tests?: ReportedTests): TargetOutcome {
  if (result.end === "timed_out") return "timed_out";
  if (result.end !== "exited" || result.exitCode !== 0) return "failed";
  return tests === undefined || tests.verdict === "good" ? "passed" : "failed";
}

/** Folds target results into one outcome. Nothing run is nothing passed. */
export function overallOutcome(targets: readonly TargetResult[]): VerificationResult["outcome"] {
  if (targets.some((t) => t.outcome === "timed_out")) return "timed_out";
  return targets.length > 0 && targets.every((t) => t.outcome === "passed") ? "passed" : "failed";
}

/**
 * Runs all proof targets, in order, in one pristine copy of base plus changes.
 * After a timeout or a kill the copy is dead and the remaining targets are `not_run`.
 * @throws Failure for broken machinery or interruption; never for what a command did
 */
export async function verifyTargets(
  base: FrozenBase,
  changes: readonly FileChange[],
  targets: readonly ProofTarget[],
  options: VerificationOptions,
): Promise<VerificationResult> {
  const stale = options.reports?.stale ?? [];
  const deleted = new Set<string>(changes.filter((c) => c.kind === "delete").map((c) => c.path));
  const copy = await base.checkout([...changes, ...stale], { fresh: options.fresh, signal: options.signal });
  try {
    const results: TargetResult[] = [];
    for (const target of targets) {
      results.push(await runTarget(copy, target, results, deleted, options));
    }
    return { outcome: overallOutcome(results), targets: results };
  } finally {
    // In the background: nobody waits for a container to go away, and close() sees to whatever is left.
    copy.discard().catch(() => {});
  }
}

/** How targets are confirmed; each run is one of side `confirmation`, in a newly created copy. */
export interface ConfirmationOptions
  extends Omit<VerificationOptions, "side" | "attempt" | "fresh" | "stopAtFailure"> {
  /** How many times, at least 1. */
  readonly repeat: number;
}

/**
 * Runs all proof targets on base plus changes again and again, whatever comes of them, and tells each run.
 * @returns the runs one by one, so that those before a failure are not lost
 * @throws Failure as `verifyTargets`
 */
export async function* confirmTargets(
  base: FrozenBase,
  changes: readonly FileChange[],
  targets: readonly ProofTarget[],
  { repeat, ...options }: ConfirmationOptions,
): AsyncGenerator<VerificationResult, void> {
  const confirming = {
    ...options,
    side: "confirmation",
    attempt: 0,
    fresh: true,
    stopAtFailure: false,
  } as const;
  for (let run = 1; run <= repeat; run++) {
    const result = await verifyTargets(base, changes, targets, confirming);
    options.emit?.({ kind: "confirmation", run, of: repeat, outcome: result.outcome });
    yield result;
  }
}

async function runTarget(
  copy: PristineCopy,
  target: ProofTarget,
  earlier: readonly TargetResult[],
  deleted: ReadonlySet<string>,
  options: VerificationOptions,
): Promise<TargetResult> {
  const dead = earlier.some((r) =>
    r.outcome === "not_run" || (r.result !== null && r.result.end !== "exited")
  );
  const pointless = options.stopAtFailure && earlier.some((r) => r.outcome !== "passed");
  if (dead || pointless) return { target: target.name, outcome: "not_run", result: null };
  const { side, attempt, emit } = options;
  emit?.({ kind: "target_started", side, attempt, target: target.name });
  const { report } = target;
  const taken = report !== undefined && await isTaken(copy, report);
  const result = await copy.exec(target.argv, {
    timeoutMs: options.timeoutMs,
    outputBytes: options.outputBytes,
    signal: options.signal,
  });
  const tests = report === undefined || result.end !== "exited"
    ? undefined
    : await reportedTests(copy, target.name, report, result, options.reports ?? NO_RULES, taken, deleted);
  // Whatever an interrupted copy still gave back is no answer.
  if (options.signal.aborted) throw interrupted(options.signal.reason);
  const outcome = outcomeOf(result, tests);
  const { end, exitCode, durationMs } = result;
  const said = tests === undefined ? {} : { report: { verdict: tests.verdict, detail: tests.detail } };
  emit?.({
    kind: "target_finished",
    ...{ side, attempt, target: target.name, outcome, end, exitCode, durationMs },
    ...said,
  });
  return { target: target.name, outcome, result, ...(tests === undefined ? {} : { tests }) };
}
