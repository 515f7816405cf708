import type { SessionStatus } from "../vocabulary/session.ts";
import { disagreement, type VerificationResult } from "../vocabulary/verification.ts";
import type { Admitted } from "./proposal.ts";

/** How a session ends. */
export interface Ending {
  readonly status: SessionStatus;
  readonly reason: string;
  /** Stable snake_case; null when the status says all. */
  readonly code: string | null;
  readonly final?: { readonly admitted: Admitted; readonly attempt: number };
}

/**
 * A target that is red only now and then would make any patch look like a fix, whatever the others do.
 * @returns null when no target of the unpatched base disagrees with itself
 */
export function flakyBase(runs: readonly VerificationResult[]): Ending | null {
  const target = disagreement(runs);
  if (target === null) return null;
  const reason = `target ${target} of the unpatched base passed in one run and not in another`;
  return { status: "flaky", reason, code: "base_disagrees" };
}
