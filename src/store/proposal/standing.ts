import { readEvidence } from "../../approve/evidence.ts";
import { type ApprovalTerms, judgeApprovals, type Standing, type Subject } from "../../approve/judge.ts";
import { sha256 } from "../../vocabulary/digest.ts";
import { Failure } from "../../vocabulary/failure.ts";
import type { Approval, Revision } from "../proposals.ts";
import { timeReached } from "../log/time_reached.ts";
import type { Rows } from "../store.ts";
import { evidenceDifference } from "./change.ts";
import { revisionName } from "./find.ts";

/** Rebases whose approvals may still count. */
const MAX_EARLIER = 32;

/**
 * Whether a revision is approved, from what is signed and not from the state that the table says: its evidence is what
 * its hash says and of this revision, and every decision is verified anew, at the time the log has reached. Who applies
 * asks this in the transaction in which it begins.
 * @param more decisions that are not in the store yet
 * @throws Failure `proposal_draft` (usage): nothing was proposed yet; `evidence_corrupt` (malformed)
 */
export function standingOf(
  rows: Rows,
  storeId: string,
  revision: Revision,
  terms: ApprovalTerms,
  more: readonly Approval[] = [],
): Standing {
  const subject = subjectOf(rows, storeId, revision);
  const earlier: Subject[] = [];
  const decisions = [...rows.approvals(revision.proposal, revision.number), ...more];
  let from = subject.evidence.rebased_from;
  while (from !== null && earlier.length < MAX_EARLIER && from.revision < revision.number) {
    const before = rows.revision(revision.proposal, from.revision);
    if (before === null || before.evidence === null) break;
    const other = subjectOf(rows, storeId, before);
    earlier.push(other);
    decisions.push(...rows.approvals(before.proposal, before.number));
    const next = other.evidence.rebased_from;
    if (next !== null && next.revision >= from.revision) break;
    from = next;
  }
  const now = timeReached(rows, terms.now);
  return judgeApprovals(subject, decisions, { ...terms, now }, earlier);
}

/** The evidence of a revision, which it is really of. @throws as `standingOf` */
export function subjectOf(rows: Rows, storeId: string, revision: Revision): Subject {
  const name = revisionName(revision);
  const { evidence: hash, evidenceDocument: document } = revision;
  if (hash === null || document === null) {
    throw new Failure("usage", "proposal_draft", `${name} is a draft: there is nothing to decide on yet`, {
      hint: "a proposal whose checks could not be made is withdrawn, or gets a new revision",
    });
  }
  const read = readEvidence(document);
  const proposal = rows.proposal(revision.proposal)!;
  const checks = rows.checks(revision.proposal, revision.number);
  const signature = revision.proposerKey === null ? null : { keyId: revision.proposerKey };
  const problem = sha256(document) !== hash
    ? "it has another hash"
    : !read.ok
    ? read.refusal.detail
    : read.evidence.expires_at !== revision.expiresAt
    ? "expires_at"
    : evidenceDifference(storeId, proposal, revision, read.evidence, checks, signature);
  if (!read.ok || problem !== null) {
    throw new Failure("malformed", "evidence_corrupt", `the evidence of ${name} is not what was proposed`, {
      details: [problem!],
      hint: "pp events --verify says what was changed in the store; nothing of it should be applied",
    });
  }
  return { evidence: read.evidence, hash, envelope: revision.envelope };
}
