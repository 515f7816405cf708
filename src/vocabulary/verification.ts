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
