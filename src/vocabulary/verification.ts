import type { Sha256 } from "./digest.ts";
import type { ReportedTests } from "./test_report.ts";

/** One output stream, kept head and tail within a byte limit; the rest was read, counted and dropped. */
export interface CapturedOutput {
  readonly head: Uint8Array;
  /** Empty unless output went past the limit; then the last bytes. */
  readonly tail: Uint8Array;
  readonly totalBytes: number;
  /** Of the whole stream, dropped bytes included. */
  readonly sha256: Sha256;
}

export type CommandEnd =
  | "exited"
  | "timed_out"
  /** Killed for memory. */
  | "out_of_memory"
  /** Killed for filling the disk. */
  | "out_of_disk";

/** What one argv did in a pristine copy. */
export interface CommandResult {
  readonly argv: readonly string[];
  readonly end: CommandEnd;
  /** Null when it did not exit by itself. A command killed by signal N exits 128+N. */
  readonly exitCode: number | null;
  readonly durationMs: number;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
}

export type TargetOutcome = "passed" | "failed" | "timed_out" | "not_run";

export interface TargetResult {
  readonly target: string;
  readonly outcome: TargetOutcome;
  /** Null exactly when not run. */
  readonly result: CommandResult | null;
  /** Present exactly when the target names a test report and its command exited by itself. */
  readonly tests?: ReportedTests;
}

/** All proof targets on one pristine copy. Passed only if there is a target and every one passed. */
export interface VerificationResult {
  readonly outcome: "passed" | "failed" | "timed_out";
  readonly targets: readonly TargetResult[];
}

/** What one run came to, target by target. */
interface RunOutcomes {
  readonly targets: readonly { readonly target: string; readonly outcome: TargetOutcome }[];
}

/**
 * The first target that passed in one run of the same tree and did not in another; null when there is none. A target
 * that was not run says nothing, and failing and running out of time are both red.
 */
export function disagreement(runs: readonly RunOutcomes[]): string | null {
  const passed = new Map<string, boolean>();
  for (const { target, outcome } of runs.flatMap((run) => run.targets)) {
    if (outcome === "not_run") continue;
    const earlier = passed.get(target);
    if (earlier !== undefined && earlier !== (outcome === "passed")) return target;
    passed.set(target, outcome === "passed");
  }
  return null;
}

export type ControlOutcome = "failed" | "passed" | "timed_out" | "mixed";

/**
 * What runs with a negative control say: `failed`, as it should be, only if every named target failed in every run.
 * `passed` if some target passed in every run, `mixed` if one did now and then, else `timed_out`.
 * @param outcomes of each named target, run by run
 */
export function outcomeOfControl(outcomes: readonly (readonly TargetOutcome[])[]): ControlOutcome {
  if (outcomes.some((of) => of.length > 0 && of.every((outcome) => outcome === "passed"))) return "passed";
  if (outcomes.some((of) => of.includes("passed"))) return "mixed";
  const allFailed = outcomes.length > 0 &&
    outcomes.every((of) => of.length > 0 && of.every((outcome) => outcome === "failed"));
  return allFailed ? "failed" : "timed_out";
}
