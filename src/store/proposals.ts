import type { Sha256 } from "../vocabulary/digest.ts";
import type { CheckKind, CheckOutcome, Decision, RevisionState } from "../vocabulary/proposal.ts";

export { REVISION_STATES } from "../vocabulary/proposal.ts";
export type { CheckKind, CheckOutcome, Decision, RevisionState } from "../vocabulary/proposal.ts";

/** Of each document in a row (evidence, a check's, an envelope), in bytes of UTF-8. */
export const MAX_DOCUMENT_BYTES = 1024 * 1024;

/** A change to an artifact that somebody wants. P1, P2 … in one store; never removed. */
export interface Proposal {
  /** From 1, without a gap. */
  readonly number: number;
  readonly artifact: string;
  readonly title: string;
  readonly actor: string;
  readonly createdAt: string;
  /** Of its newest revision; 0 only inside the transaction that makes it. */
  readonly lastRevision: number;
}

/** One patch of a proposal. All but its state never changes once it is proposed. */
export interface Revision {
  readonly proposal: number;
  /** From 1, without a gap. */
  readonly number: number;
  readonly state: RevisionState;
  /** Why it is in that state; may be empty. */
  readonly reason: string;
  readonly changedAt: string;
  readonly baseVersion: number;
  readonly baseRoot: Sha256;
  readonly baseManifest: Sha256;
  readonly resultRoot: Sha256;
  readonly resultManifest: Sha256;
  /** Blob: the canonical patch. */
  readonly patch: Sha256;
  readonly patchBytes: number;
  /** That the patch changes. */
  readonly files: number;
  readonly additions: number;
  readonly deletions: number;
  readonly instruction: string;
  /** RFC 8785 JSON: how it was made. */
  readonly source: string;
  readonly actor: string;
  readonly createdAt: string;
  /** Id of the key that signed `envelope`. */
  readonly proposerKey: string | null;
  /** The proposer's DSSE envelope. */
  readonly envelope: string | null;
  /** SHA-256 of `evidenceDocument`: what approvals are bound to. Null while it is a draft. */
  readonly evidence: Sha256 | null;
  /** RFC 8785 JSON. */
  readonly evidenceDocument: string | null;
  /** Null: never. */
  readonly expiresAt: string | null;
}

/** What a list of proposals shows of a revision. */
export type RevisionLine = Pick<
  Revision,
  | "proposal"
  | "number"
  | "state"
  | "reason"
  | "changedAt"
  | "baseVersion"
  | "files"
  | "additions"
  | "deletions"
  | "actor"
  | "createdAt"
  | "evidence"
  | "expiresAt"
>;

/** All of a revision but its documents. */
export type RevisionHead = Omit<Revision, "source" | "envelope" | "evidenceDocument">;

export interface ProposalSummary {
  readonly proposal: Proposal;
  /** The newest. */
  readonly revision: RevisionLine;
  /** Whether somebody bypassed the approvals of that revision. */
  readonly forced: boolean;
  /** Its checks that failed, in the order of their kinds. */
  readonly failed: readonly CheckKind[];
}

/** What is set once, when a draft is proposed. */
export interface ProposedRevision {
  readonly evidence: Sha256;
  readonly evidenceDocument: string;
  readonly expiresAt: string | null;
  readonly proposerKey: string | null;
  readonly envelope: string | null;
}

/** What a check found; one of each kind. */
export interface Check {
  readonly proposal: number;
  readonly revision: number;
  readonly kind: CheckKind;
  readonly outcome: CheckOutcome;
  /** RFC 8785 JSON. */
  readonly document: string;
  readonly createdAt: string;
}

/** What somebody, or a rule, decided. Never changed, never removed. */
export interface Approval {
  /** From 1 in one store. */
  readonly id: number;
  readonly proposal: number;
  readonly revision: number;
  /** What was shown to whoever decided. */
  readonly evidence: Sha256;
  readonly decision: Decision;
  /** As the trust file names who signed; of a rule, its hash. */
  readonly principal: string;
  readonly keyId: string | null;
  /** The DSSE envelope of the statement; null of a rule. */
  readonly envelope: string | null;
  readonly reason: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** When somebody must have looked at a bypass; null of others. */
  readonly reviewBy: string | null;
}

/** Which proposals a list has; each that is given narrows it. */
export interface ProposalFilter {
  /** Of the newest revision. */
  readonly state?: RevisionState;
  readonly artifact?: string;
  /** The list goes on after this number: those with smaller ones. */
  readonly after?: number;
  readonly limit?: number;
}

/** What can be read of proposals. */
export interface ProposalRows {
  proposal(number: number): Proposal | null;
  /** Of the newest proposal; 0 when there is none. */
  lastProposal(): number;
  /** Newest first, each with its newest revision. */
  proposals(filter?: ProposalFilter): readonly ProposalSummary[];
  revision(proposal: number, number: number): Revision | null;
  /** Newest first. */
  revisions(proposal: number): readonly RevisionHead[];
  /** Of all proposals, by number. */
  allRevisions(): Iterable<RevisionHead>;
  /** In the order of their kinds. */
  checks(proposal: number, revision: number): readonly Check[];
  /** In the order they were given. */
  approvals(proposal: number, revision: number): readonly Approval[];
  approval(id: number): Approval | null;
  /** Of all proposals, by id. */
  allApprovals(): Iterable<Approval>;
  /** 0 when there is none. */
  lastApproval(): number;
}

/** What can be changed of proposals. Functions of `store/proposal/` call these and append the event. */
export interface WritableProposalRows extends ProposalRows {
  /** Its number must be the next one, its artifact must be there. */
  insertProposal(proposal: Proposal): void;
  /**
   * A draft. Its number must be the next one of its proposal, which then has it as the newest; its trees must be there.
   */
  insertRevision(revision: Revision): void;
  /** Only once, while it is a draft. */
  setProposed(proposal: number, number: number, what: ProposedRevision): void;
  /** Compares and sets. @returns whether it took; false leaves everything as it is */
  setRevisionState(
    proposal: number,
    number: number,
    from: Pick<Revision, "state" | "evidence">,
    to: Pick<Revision, "state" | "reason" | "changedAt">,
  ): boolean;
  /** One of its kind must not be there. */
  insertCheck(check: Check): void;
  /** Its id must be the next one; the revision must have that evidence. */
  insertApproval(approval: Approval): void;
}
