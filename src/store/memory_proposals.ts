import type { Sha256 } from "../vocabulary/digest.ts";
import { CHECK_KINDS } from "../vocabulary/proposal.ts";
import {
  type Approval,
  type Check,
  MAX_DOCUMENT_BYTES,
  type Proposal,
  type ProposalFilter,
  type ProposalSummary,
  type ProposedRevision,
  type Revision,
  type RevisionHead,
  type RevisionLine,
  type WritableProposalRows,
} from "./proposals.ts";

export interface ProposalTables {
  proposals: Proposal[];
  revisions: Map<string, Revision>;
  checks: Check[];
  approvals: Approval[];
}

export function emptyProposals(): ProposalTables {
  return { proposals: [], revisions: new Map(), checks: [], approvals: [] };
}

export function copiedProposals({ proposals, revisions, checks, approvals }: ProposalTables): ProposalTables {
  return {
    proposals: [...proposals],
    revisions: new Map(revisions),
    checks: [...checks],
    approvals: [...approvals],
  };
}

/** What rows of proposals refer to. */
export interface Referred {
  hasArtifact(name: string): boolean;
  hasTree(digest: Sha256): boolean;
}

/** The rows of proposals in memory, with every refusal of the database. */
export abstract class MemoryProposalRows implements WritableProposalRows {
  constructor(readonly proposed: ProposalTables, readonly referred: Referred) {}

  proposal(number: number): Proposal | null {
    return this.proposed.proposals[number - 1] ?? null;
  }

  lastProposal(): number {
    return this.proposed.proposals.length;
  }

  proposals({ state, artifact, after, limit }: ProposalFilter = {}): readonly ProposalSummary[] {
    return this.proposed.proposals
      .filter(({ number, lastRevision }) => lastRevision > 0 && number < (after ?? Infinity))
      .filter((proposal) => artifact === undefined || proposal.artifact === artifact)
      .map((proposal) => ({
        proposal,
        revision: lineOf(this.revision(proposal.number, proposal.lastRevision)!),
        forced: this.approvals(proposal.number, proposal.lastRevision).some((a) => a.decision === "bypass"),
        failed: this.checks(proposal.number, proposal.lastRevision)
          .filter(({ outcome }) => outcome === "failed").map(({ kind }) => kind),
      }))
      .filter(({ revision }) => state === undefined || revision.state === state)
      .reverse()
      .slice(0, limit);
  }

  revision(proposal: number, number: number): Revision | null {
    return this.proposed.revisions.get(`${proposal}.${number}`) ?? null;
  }

  revisions(proposal: number): readonly RevisionHead[] {
    return this.allRevisions().filter((revision) => revision.proposal === proposal).reverse();
  }

  allRevisions(): readonly RevisionHead[] {
    return [...this.proposed.revisions.values()].map(headOf)
      .sort((a, b) => a.proposal - b.proposal || a.number - b.number);
  }

  checks(proposal: number, revision: number): readonly Check[] {
    return this.proposed.checks.filter((c) => c.proposal === proposal && c.revision === revision)
      .sort((a, b) => CHECK_KINDS.indexOf(a.kind) - CHECK_KINDS.indexOf(b.kind));
  }

  approvals(proposal: number, revision: number): readonly Approval[] {
    return this.proposed.approvals.filter((a) => a.proposal === proposal && a.revision === revision);
  }

  approval(id: number): Approval | null {
    return this.proposed.approvals[id - 1] ?? null;
  }

  allApprovals(): readonly Approval[] {
    return this.proposed.approvals;
  }

  lastApproval(): number {
    return this.proposed.approvals.length;
  }

  insertProposal(proposal: Proposal): void {
    if (proposal.number !== this.lastProposal() + 1 || proposal.lastRevision !== 0) {
      throw new Error("a proposal takes the next number, without a revision");
    }
    if (!this.referred.hasArtifact(proposal.artifact)) throw new Error("a proposal without its artifact");
    this.proposed.proposals.push(proposal);
  }

  insertRevision(revision: Revision): void {
    const proposal = this.proposal(revision.proposal);
    if (revision.state !== "draft" || revision.evidence !== null || revision.evidenceDocument !== null) {
      throw new Error("a revision begins as a draft");
    }
    if (revision.number !== (proposal?.lastRevision ?? NaN) + 1) {
      throw new Error("a revision takes the next number");
    }
    if (!this.referred.hasTree(revision.baseRoot) || !this.referred.hasTree(revision.resultRoot)) {
      throw new Error("a revision without its trees");
    }
    bounded(revision.instruction, revision.source, revision.envelope);
    this.proposed.revisions.set(`${revision.proposal}.${revision.number}`, revision);
    this.proposed.proposals[proposal!.number - 1] = { ...proposal!, lastRevision: revision.number };
  }

  setProposed(proposal: number, number: number, what: ProposedRevision): void {
    const revision = this.revision(proposal, number);
    if (revision?.state !== "draft" || revision.evidence !== null) {
      throw new Error("only a draft is proposed, and once");
    }
    bounded(what.evidenceDocument, what.envelope);
    this.proposed.revisions.set(`${proposal}.${number}`, { ...revision, ...what });
  }

  setRevisionState(
    proposal: number,
    number: number,
    from: Pick<Revision, "state" | "evidence">,
    to: Pick<Revision, "state" | "reason" | "changedAt">,
  ): boolean {
    const revision = this.revision(proposal, number);
    if (revision?.state !== from.state || revision.evidence !== from.evidence) return false;
    if (revision.evidence === null && !["draft", "rejected", "superseded"].includes(to.state)) {
      throw new Error("without evidence only a draft is rejected or superseded");
    }
    const { state, reason, changedAt } = to;
    this.proposed.revisions.set(`${proposal}.${number}`, { ...revision, state, reason, changedAt });
    return true;
  }

  insertCheck(check: Check): void {
    const { proposal, revision, kind } = check;
    if (this.revision(proposal, revision) === null) throw new Error("a check without its revision");
    if (this.checks(proposal, revision).some((other) => other.kind === kind)) {
      throw new Error("a check of that kind is there");
    }
    bounded(check.document);
    this.proposed.checks.push(check);
  }

  insertApproval(approval: Approval): void {
    const revision = this.revision(approval.proposal, approval.revision);
    if (approval.id !== this.lastApproval() + 1) throw new Error("an approval takes the next id");
    if (revision === null || revision.evidence !== approval.evidence) {
      throw new Error("an approval for the evidence there is");
    }
    const { decision, reviewBy, keyId, envelope } = approval;
    if ((decision === "bypass") !== (reviewBy !== null)) {
      throw new Error("a bypass, and only one, has a review");
    }
    if (decision !== "automatic" && (keyId === null || envelope === null)) {
      throw new Error("a decision is signed");
    }
    bounded(envelope);
    this.proposed.approvals.push(approval);
  }
}

function headOf({ source: _s, envelope: _e, evidenceDocument: _d, ...head }: Revision): RevisionHead {
  return head;
}

function lineOf(r: Revision): RevisionLine {
  return {
    ...{ proposal: r.proposal, number: r.number, state: r.state, reason: r.reason, changedAt: r.changedAt },
    ...{ baseVersion: r.baseVersion, files: r.files, additions: r.additions, deletions: r.deletions },
    ...{ actor: r.actor, createdAt: r.createdAt, evidence: r.evidence, expiresAt: r.expiresAt },
  };
}

function bounded(...documents: readonly (string | null)[]): void {
  for (const document of documents) {
    if (document !== null && new TextEncoder().encode(document).length > MAX_DOCUMENT_BYTES) {
      throw new Error("a document is longer than a row holds");
    }
  }
}
