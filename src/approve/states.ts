import type { RevisionState } from "../vocabulary/proposal.ts";

/** Where each state may go. What is not here never happens. */
const NEXT: Readonly<Record<RevisionState, readonly RevisionState[]>> = {
  draft: ["proposed", "rejected", "superseded"],
  proposed: ["approved", "rejected", "expired", "stale", "superseded", "applying"],
  approved: ["applying", "rejected", "expired", "stale", "superseded"],
  // Recovery that finds the folder as it was gives the revision back the state it came from.
  applying: ["applied", "failed", "approved", "proposed"],
  stale: ["rejected", "superseded"],
  expired: ["superseded"],
  rejected: [],
  superseded: [],
  applied: [],
  failed: [],
};

/** What can still expire. */
export const WAITING: readonly RevisionState[] = ["proposed", "approved"];

/** Whether a revision may go from one state to another. */
export function mayBecome(from: RevisionState, to: RevisionState): boolean {
  return NEXT[from].includes(to);
}

/** Whether a revision stays in a state for good. */
export function isFinal(state: RevisionState): boolean {
  return NEXT[state].length === 0;
}

/** The state of a revision at a time: what has expired is, though nothing may have written that down yet. */
export function stateAt(
  revision: { readonly state: RevisionState; readonly expiresAt: string | null },
  now: Date,
): RevisionState {
  return hasExpired(revision, now) ? "expired" : revision.state;
}

/** Whether a revision has expired at a time, though nothing may have written that down yet. */
export function hasExpired(
  { state, expiresAt }: { readonly state: RevisionState; readonly expiresAt: string | null },
  now: Date,
): boolean {
  return WAITING.includes(state) && expiresAt !== null && Date.parse(expiresAt) <= now.getTime();
}
