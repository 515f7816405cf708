import type { ReportSource, ReportVerdict } from "./test_report.ts";

/** The answer of a session. Only `proved` is a proof. */
export type SessionStatus =
  | "proved"
  | "already_passing"
  | "not_proved"
  | "flaky"
  | "timed_out"
  | "budget_exhausted";

/** What heads the story of a session that ended so. */
export const STATUS_TITLES: Readonly<Record<SessionStatus, string>> = {
  proved: "Proved",
  already_passing: "Already passing: nothing to prove",
  not_proved: "Not proved",
  flaky: "No answer: flaky",
  timed_out: "No answer: timed out",
  budget_exhausted: "No answer: the budget was used up",
};

/** A named command that must pass. */
export interface ProofTarget {
  readonly name: string;
  /** As the user wrote it, for display. */
  readonly command: string;
  /** What is executed; `["sh", "-c", command]` when the command needs a shell. */
  readonly argv: readonly string[];
  readonly shell: boolean;
  /** Where it leaves a test report that has to bear its green out; absent when none is asked for. */
  readonly report?: ReportSource;
}

export type Phase =
  | "workspace"
  | "baseline"
  | "attempt"
  | "minimize"
  | "confirm"
  | "bundle"
  | "clean_up";

/** What a verification is of: the base as it is, a proposal, or the final patch in newly created copies, alone or with a failing test. */
export type Side = "base" | "attempt" | "confirmation" | "negative_control";

/** What happens in a session, in order; shown live and written to events.jsonl with a time. */
export type SessionEvent =
  | { readonly kind: "session_started"; readonly session: string; readonly targets: readonly string[] }
  | { readonly kind: "phase"; readonly phase: Phase; readonly detail?: string }
  | {
    readonly kind: "sandbox_opened";
    readonly backend: string;
    /** Name and id; null on the host. */
    readonly image: { readonly name: string; readonly id: string } | null;
  }
  | {
    readonly kind: "workspace_streamed";
    readonly files: number;
    readonly bytes: number;
    readonly digest: string;
  }
  | {
    readonly kind: "target_started";
    readonly side: Side;
    /** 1-based for side `attempt`, else 0. */
    readonly attempt: number;
    readonly target: string;
  }
  | {
    readonly kind: "target_finished";
    readonly side: Side;
    readonly attempt: number;
    readonly target: string;
    readonly outcome: string;
    /** How it ended, as in a command's result. */
    readonly end: string;
    readonly exitCode: number | null;
    readonly durationMs: number;
    /** What its test report was worth, where one was asked for and could be looked for. */
    readonly report?: { readonly verdict: ReportVerdict; readonly detail: string };
  }
  | { readonly kind: "baseline"; readonly outcome: "passed" | "failed" | "timed_out" }
  | { readonly kind: "proposal_requested"; readonly attempt: number; readonly proposer: string }
  | {
    readonly kind: "proposal_refused";
    readonly attempt: number;
    readonly reason: string;
    readonly detail: string;
  }
  | {
    readonly kind: "proposal_applied";
    readonly attempt: number;
    readonly files: number;
    readonly additions: number;
    readonly deletions: number;
  }
  | {
    /** A part of a proposal that is no part of its patch. */
    readonly kind: "protected_left_out";
    readonly attempt: number;
    readonly path: string;
    readonly rule: string;
  }
  | { readonly kind: "attempt_finished"; readonly attempt: number; readonly outcome: string }
  | { readonly kind: "minimization_started"; readonly units: number }
  | {
    readonly kind: "wave_finished";
    readonly wave: number;
    readonly level: string;
    readonly tried: number;
    readonly removed: number;
    readonly remaining: number;
    readonly runs: number;
  }
  | {
    readonly kind: "minimization_finished";
    readonly remaining: number;
    readonly runs: number;
    readonly end: string;
  }
  | { readonly kind: "confirmation"; readonly run: number; readonly of: number; readonly outcome: string }
  | { readonly kind: "negative_control"; readonly run: number; readonly of: number; readonly outcome: string }
  | { readonly kind: "session_finished"; readonly status: SessionStatus };

export type Emit = (event: SessionEvent) => void;
