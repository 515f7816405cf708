import { denyingChecks } from "../approve/judge.ts";
import type { Approval, ProposalSummary, RevisionState } from "../store/proposals.ts";
import { revisionName } from "../store/proposal/find.ts";
import type { RevisionView } from "./revision_view.ts";

/** A proposal in a list. @param state as it is now */
export function summaryJson({ proposal, revision, forced, failed }: ProposalSummary, state: RevisionState) {
  return {
    name: revisionName(revision),
    proposal: proposal.number,
    revision: revision.number,
    title: proposal.title,
    state,
    reason: revision.reason,
    forced,
    denied: denyingChecks(failed).length > 0,
    failed_checks: failed,
    artifact: proposal.artifact,
    base_version: revision.baseVersion,
    files: revision.files,
    additions: revision.additions,
    deletions: revision.deletions,
    actor: proposal.actor,
    created_at: proposal.createdAt,
    changed_at: revision.changedAt,
    expires_at: revision.expiresAt,
    evidence_sha256: revision.evidence,
  };
}

export function decisionJson(approval: Approval) {
  const { id, decision, principal, keyId, reason, createdAt, expiresAt, reviewBy, evidence } = approval;
  return {
    ...{ id, decision, principal, key_id: keyId, reason, evidence_sha256: evidence },
    ...{ created_at: createdAt, expires_at: expiresAt, review_by: reviewBy },
  };
}

/** All there is to see of a revision but its patch. */
export function revisionJson(view: RevisionView) {
  const { proposal, revision, state, forced, inUse, evidence, standing, damage, approvals, checks } = view;
  const failed = checks.filter(({ row }) => row.outcome === "failed").map(({ row }) => row.kind);
  return {
    ...summaryJson({ proposal, revision, forced, failed }, state),
    ...{ instruction: revision.instruction, proposer_key: revision.proposerKey, document: evidence },
    checks: checks.map(({ row, document }) => document ?? { kind: row.kind, outcome: row.outcome }),
    decisions: approvals.map(decisionJson),
    standing,
    files_in_use: inUse,
    ...{ trust_file: view.trust.file, trust_named: view.trust.named },
    damage: damage === null ? null : { code: damage.code, message: damage.message, details: damage.details },
  };
}
