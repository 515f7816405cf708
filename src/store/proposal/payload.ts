import { sha256 } from "../../vocabulary/digest.ts";
import type { Approval, Check, Proposal, Revision } from "../proposals.ts";

/** What the log says of rows of proposals. Time and actor are those of the event. Long texts go in by their digest. */
type Payload = Readonly<Record<string, unknown>>;

export const PROPOSAL_CREATED = "proposal_created";
export const REVISION_CREATED = "revision_created";
export const PROPOSAL_PROPOSED = "proposal_proposed";
export const PROPOSAL_WITHDRAWN = "proposal_withdrawn";
export const DECISION_GIVEN = "decision_given";

/** Of a proposal what never changes. */
export function proposalPayload({ number, artifact, title }: Proposal): Payload {
  return { proposal: number, artifact, title };
}

/** Of a revision all that was there when it was made. */
export function revisionPayload(r: Revision): Payload {
  return {
    ...{ proposal: r.proposal, revision: r.number, base_version: r.baseVersion },
    ...{ base_root: r.baseRoot, base_manifest: r.baseManifest },
    ...{ result_root: r.resultRoot, result_manifest: r.resultManifest },
    ...{ patch: r.patch, patch_bytes: r.patchBytes },
    ...{ files: r.files, additions: r.additions, deletions: r.deletions },
    ...{ instruction_sha256: sha256(r.instruction), source_sha256: sha256(r.source) },
  };
}

/** What came with proposing it. */
export function proposedPayload(r: Revision, checks: readonly Check[]): Payload {
  return {
    ...{ proposal: r.proposal, revision: r.number, evidence: r.evidence, expires_at: r.expiresAt },
    proposer_key: r.proposerKey,
    envelope_sha256: r.envelope === null ? null : sha256(r.envelope),
    checks: checks.map(({ kind, outcome, document }) => ({
      kind,
      outcome,
      document_sha256: sha256(document),
    })),
  };
}

/** Of a decision all that is stored; the envelope by its digest. */
export function decisionPayload(a: Approval): Payload {
  return {
    ...{ id: a.id, proposal: a.proposal, revision: a.revision, evidence: a.evidence, decision: a.decision },
    ...{ principal: a.principal, key: a.keyId, reason: a.reason },
    envelope_sha256: a.envelope === null ? null : sha256(a.envelope),
    ...{ expires_at: a.expiresAt, review_by: a.reviewBy },
  };
}
