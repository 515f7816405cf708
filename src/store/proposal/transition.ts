import { hasExpired, isFinal, mayBecome } from "../../approve/states.ts";
import type { Sha256 } from "../../vocabulary/digest.ts";
import { type Author, expiredReason, recordState } from "../log/change.ts";
import { timeReached } from "../log/time_reached.ts";
import { closeConflicts } from "../operation/conflict.ts";
import type { Revision, RevisionState } from "../proposals.ts";
import type { WritableRows } from "../store.ts";
import { requireRevision } from "./find.ts";
import { PROPOSAL_WITHDRAWN } from "./payload.ts";

/** A revision as whoever wants to move it has seen it. */
export interface Target {
  readonly proposal: number;
  readonly revision: number;
  /** Null of a draft. */
  readonly evidence: Sha256 | null;
}

/** Why a revision was not moved, and where it stands. */
export interface NotMoved {
  readonly ok: false;
  readonly code: "state_differs" | "evidence_differs" | "superseded" | "expired";
  readonly state: RevisionState;
}

export type Moved = { readonly ok: true } | NotMoved;

/**
 * Moves a revision to another state, in the write transaction that is under way, with its event `proposal_<to>`. It must
 * be the newest of its proposal and have the evidence that was seen; what has expired is written down as expired
 * and goes nowhere else. Of several processes that want to move it from one state, one does.
 * @param details more for the event
 * @throws Failure `proposal_unknown`, `revision_unknown` (usage)
 */
export function transition(
  rows: WritableRows,
  by: Author,
  target: Target,
  to: RevisionState,
  reason: string,
  details: Readonly<Record<string, unknown>> = {},
): Moved {
  const seen = look(rows, by, target);
  if (!seen.ok) return seen;
  return move(rows, by, seen.revision, to, reason, `proposal_${to}`, details);
}

/** Takes a proposal back: rejected by whoever proposed it, with the event `proposal_withdrawn`. */
export function withdraw(rows: WritableRows, by: Author, target: Target, reason: string): Moved {
  const seen = look(rows, by, target);
  if (!seen.ok) return seen;
  return move(rows, by, seen.revision, "rejected", reason, PROPOSAL_WITHDRAWN, {});
}

/** The revision, if it is as it was seen and has not expired. */
export function look(
  rows: WritableRows,
  by: Author,
  target: Target,
): { readonly ok: true; readonly revision: Revision } | NotMoved {
  const { proposal, revision } = requireRevision(rows, target);
  const no = (code: NotMoved["code"], state = revision.state): NotMoved => ({ ok: false, code, state });
  if (expireIfDue(rows, by, revision)) return no("expired", "expired");
  if (revision.state === "expired") return no("expired");
  if (revision.number !== proposal.lastRevision) return no("superseded");
  if (revision.evidence !== target.evidence) return no("evidence_differs");
  return { ok: true, revision };
}

/**
 * Writes down that a revision has expired, if its time has come by the clock, or had come by the newest event of the log.
 * @returns whether it had
 */
export function expireIfDue(rows: WritableRows, by: Author, revision: Revision): boolean {
  if (!hasExpired(revision, timeReached(rows, by.now))) return false;
  move(rows, by, revision, "expired", expiredReason(revision), "proposal_expired", {});
  return true;
}

/**
 * Sets the state and appends the event, if the table of states lets it. What stays there for good has no open conflicts.
 */
export function move(
  rows: WritableRows,
  by: Author,
  revision: Revision,
  to: RevisionState,
  reason: string,
  kind: string,
  details: Readonly<Record<string, unknown>>,
): Moved {
  const { state } = revision;
  const moved = mayBecome(state, to) && recordState(rows, by, revision, to, reason, kind, details);
  if (!moved) return { ok: false, code: "state_differs", state };
  if (isFinal(to)) closeConflicts(rows, by, revision, reason === "" ? `it is ${to}` : reason);
  return { ok: true };
}
