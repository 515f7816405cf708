import { fittingRule, judgeRules } from "../../approve/automatic.ts";
import type { ApprovalTerms, Standing } from "../../approve/judge.ts";
import { mayBecome } from "../../approve/states.ts";
import { readApproval } from "../../approve/statement.ts";
import type { Refusal } from "../../vocabulary/patch.ts";
import { type Author, record } from "../log/change.ts";
import type { Approval, Revision, RevisionState } from "../proposals.ts";
import type { WritableRows } from "../store.ts";
import { DECISION_GIVEN, decisionPayload } from "./payload.ts";
import { standingOf, subjectOf } from "./standing.ts";
import { look, move, type NotMoved, type Target } from "./transition.ts";

/** A decision that somebody signed. */
export interface SignedDecision {
  /** DSSE over an approval statement, as text. */
  readonly envelope: string;
  /** Of the key whose signature it is meant to count for. */
  readonly keyId: string;
}

export type Decided =
  | { readonly ok: true; readonly approval: Approval; readonly standing: Standing }
  | NotMoved
  | { readonly ok: false; readonly code: "refused"; readonly refusal: Refusal };

/**
 * Adds a signed decision to a revision, in the write transaction that is under way, with its event; and moves the revision
 * when that decides it: approved when enough principals approved, or one bypassed the rest; rejected by one. One that
 * would not count leaves nothing behind. After a bypass others may still approve or reject, which is its review.
 * @throws Failure as `transition` and `standingOf`
 */
export function decide(
  rows: WritableRows,
  by: Author,
  target: Target,
  { envelope, keyId }: SignedDecision,
  terms: ApprovalTerms,
): Decided {
  const seen = look(rows, by, target);
  if (!seen.ok) return seen;
  const read = readApproval(envelope, terms.trusted.keys);
  if (!read.ok) return { ok: false, code: "refused", refusal: read.refusal };
  const principal = terms.trusted.owners.get(keyId);
  if (principal === undefined) return refused("statement_untrusted", "its key is no approver's");
  const { decision, reason, expires_at: expiresAt, review_by: reviewBy } = read.statement;
  return add(rows, by, seen.revision, terms, {
    ...{ decision, principal, keyId, envelope, reason, expiresAt, reviewBy },
  });
}

function add(
  rows: WritableRows,
  by: Author,
  revision: Revision,
  terms: ApprovalTerms,
  decision: Omit<Approval, "id" | "proposal" | "revision" | "evidence" | "createdAt">,
): Decided {
  const before = standingOf(rows, by.storeId, revision, terms);
  const reviewing = before.decisions.some((one) =>
    one.decision === "bypass" && one.principal !== decision.principal
  );
  const open: readonly RevisionState[] = reviewing
    ? ["proposed", "approved", "applying", "applied", "failed"]
    : decision.decision === "reject"
    ? ["proposed", "approved"]
    : ["proposed"];
  if (!open.includes(revision.state)) return { ok: false, code: "state_differs", state: revision.state };
  if (decision.decision !== "reject" && before.outcome === "denied") {
    return refused("denied", before.missing.join("; "));
  }
  if (decision.decision === "bypass" && before.outcome !== "missing") {
    return refused("nothing_to_bypass", "no approval is missing");
  }
  if (
    before.decisions.some((one) =>
      one.refusal === null && one.principal === decision.principal && one.decision === decision.decision
    )
  ) return refused("already_given", `${decision.principal} has decided so already`);
  const approval: Approval = {
    ...decision,
    id: rows.lastApproval() + 1,
    proposal: revision.proposal,
    revision: revision.number,
    evidence: revision.evidence!,
    createdAt: by.now.toISOString(),
  };
  const after = standingOf(rows, by.storeId, revision, terms, [approval]);
  const refusal = after.decisions.find(({ id }) => id === approval.id)!.refusal;
  if (refusal !== null) return { ok: false, code: "refused", refusal };
  rows.insertApproval(approval);
  record(rows, by, DECISION_GIVEN, decisionPayload(approval));
  const forced = after.outcome === "forced";
  const to = decision.decision === "reject"
    ? "rejected"
    : forced || after.outcome === "approved"
    ? "approved"
    : null;
  // What was forced may be looked at when it is applied already: that is written down and moves nothing.
  if (to !== null && mayBecome(revision.state, to)) {
    const details = { by: after.by, forced, decision: approval.id };
    const moved = move(rows, by, revision, to, decision.reason, `proposal_${to}`, details);
    if (!moved.ok) throw new Error("a revision moved within one transaction");
  }
  return { ok: true, approval, standing: after };
}

function refused(reason: string, detail: string): Decided {
  return { ok: false, code: "refused", refusal: { reason, detail } };
}

/**
 * Lets the rules of the policy, and approvals that a clean rebase keeps, decide what was just proposed. The actor of what
 * a rule decides is `rule:` and its hash.
 * @returns what was approved by, or null when it waits for a person
 */
export function settle(
  rows: WritableRows,
  by: Author,
  target: Target,
  terms: ApprovalTerms,
): Standing | null {
  const seen = look(rows, by, target);
  if (!seen.ok || seen.revision.state !== "proposed") return null;
  const { revision } = seen;
  const subject = subjectOf(rows, by.storeId, revision);
  const kept = standingOf(rows, by.storeId, revision, terms);
  if (kept.outcome === "approved") {
    const reason = "approvals of the revision it is a clean rebase of";
    move(rows, by, revision, "approved", reason, "proposal_approved", {
      by: kept.by,
      forced: false,
      kept: true,
    });
    return kept;
  }
  const rule = fittingRule(judgeRules(subject.evidence, terms.policy, terms.inUse));
  if (rule === null) return null;
  const author = { ...by, actor: `rule:${rule.hash}` };
  const decided = add(rows, author, revision, terms, {
    ...{ decision: "automatic", principal: rule.hash, keyId: null, envelope: null },
    ...{ reason: `rule ${rule.rule.name}`, expiresAt: revision.expiresAt, reviewBy: null },
  });
  return decided.ok ? decided.standing : null;
}
