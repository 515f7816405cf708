import type {
  Approval,
  Check,
  CheckKind,
  Proposal,
  ProposalFilter,
  ProposalSummary,
  ProposedRevision,
  Revision,
  RevisionHead,
  RevisionLine,
  WritableProposalRows,
} from "../proposals.ts";
import { CHECK_KINDS } from "../../vocabulary/proposal.ts";
import { Statements } from "./statements.ts";

const PROPOSAL = `SELECT p.number, a.name AS artifact, p.title, p.actor, p.created_at AS createdAt,
  p.last_revision AS lastRevision FROM proposals p JOIN artifacts a ON a.id = p.artifact`;
const LINE =
  `r.proposal, r.number, r.state, r.reason, r.changed_at AS changedAt, r.base_version AS baseVersion, r.files,
  r.additions, r.deletions, r.actor, r.created_at AS createdAt, r.evidence, r.expires_at AS expiresAt`;
const HEAD = `${LINE}, r.base_root AS baseRoot, r.base_manifest AS baseManifest, r.result_root AS resultRoot,
  r.result_manifest AS resultManifest, r.patch, r.patch_bytes AS patchBytes, r.instruction,
  r.proposer_key AS proposerKey`;
const REVISION =
  `SELECT ${HEAD}, r.source, r.envelope, r.evidence_document AS evidenceDocument FROM revisions r`;
const SUMMARY = `SELECT ${LINE}, p.artifact AS artifactId, p.title, p.actor AS proposalActor,
  p.created_at AS proposalCreatedAt,
  EXISTS (SELECT 1 FROM approvals b WHERE b.proposal = r.proposal AND b.revision = r.number
    AND b.decision = 'bypass') AS forced,
  (SELECT group_concat(c.kind) FROM checks c WHERE c.proposal = r.proposal AND c.revision = r.number
    AND c.outcome = 'failed') AS failed
  FROM proposals p`;
const NEWEST = "ON r.proposal = p.number AND r.number = p.last_revision";
const CHECK = "SELECT proposal, revision, kind, outcome, document, created_at AS createdAt FROM checks";
const APPROVAL =
  `SELECT id, proposal, revision, evidence, decision, principal, key_id AS keyId, envelope, reason,
  created_at AS createdAt, expires_at AS expiresAt, review_by AS reviewBy FROM approvals`;

/** Read at once when all are gone through. */
const PAGE = 1_000;

interface SummaryRow extends RevisionLine {
  readonly artifactId: number;
  readonly title: string;
  readonly proposalActor: string;
  readonly proposalCreatedAt: string;
  readonly forced: number;
  /** Kinds of checks with commas between them; null where none failed. */
  readonly failed: string | null;
}

const NONE: readonly CheckKind[] = [];

function summaryOf(r: SummaryRow, artifact: string): ProposalSummary {
  return {
    proposal: {
      number: r.proposal,
      artifact,
      title: r.title,
      actor: r.proposalActor,
      createdAt: r.proposalCreatedAt,
      lastRevision: r.number,
    },
    revision: {
      proposal: r.proposal,
      number: r.number,
      state: r.state,
      reason: r.reason,
      changedAt: r.changedAt,
      baseVersion: r.baseVersion,
      files: r.files,
      additions: r.additions,
      deletions: r.deletions,
      actor: r.actor,
      createdAt: r.createdAt,
      evidence: r.evidence,
      expiresAt: r.expiresAt,
    },
    forced: r.forced === 1,
    failed: r.failed === null ? NONE : CHECK_KINDS.filter((kind) => r.failed!.split(",").includes(kind)),
  };
}

/** The rows of proposals, their revisions, checks and approvals. */
export class SqliteProposalRows extends Statements implements WritableProposalRows {
  proposal(number: number): Proposal | null {
    return this.one<Proposal>(`${PROPOSAL} WHERE p.number = ?`, number);
  }

  lastProposal(): number {
    return this.one<{ n: number | null }>("SELECT max(number) AS n FROM proposals")?.n ?? 0;
  }

  proposals({ state, artifact, after, limit }: ProposalFilter = {}): readonly ProposalSummary[] {
    const conditions: string[] = [], values: (string | number)[] = [];
    const narrow = (condition: string, value: string | number | undefined) => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    narrow("r.state = ?", state);
    narrow("p.artifact = (SELECT id FROM artifacts WHERE name = ?)", artifact);
    narrow("p.number < ?", after);
    const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
    const most = limit === undefined ? "" : " LIMIT ?";
    if (limit !== undefined) values.push(limit);
    // Indices that hold all that is asked for, each in its order.
    const order = state === undefined ? "p.number" : "r.proposal";
    const index = state === undefined ? "revisions_listed" : "revisions_by_state";
    const sql =
      `${SUMMARY} JOIN revisions r INDEXED BY ${index} ${NEWEST}${where} ORDER BY ${order} DESC${most}`;
    const names = new Map(
      this.all<{ id: number; name: string }>("SELECT id, name FROM artifacts").map((
        { id, name },
      ) => [id, name]),
    );
    return this.raw<SummaryRow>(sql, ...values).map((row) => summaryOf(row, names.get(row.artifactId)!));
  }

  revision(proposal: number, number: number): Revision | null {
    return this.one<Revision>(`${REVISION} WHERE r.proposal = ? AND r.number = ?`, proposal, number);
  }

  revisions(proposal: number): readonly RevisionHead[] {
    const sql = `SELECT ${HEAD} FROM revisions r WHERE r.proposal = ? ORDER BY r.number DESC`;
    return this.all<RevisionHead>(sql, proposal);
  }

  *allRevisions(): Iterable<RevisionHead> {
    const sql = `SELECT ${HEAD} FROM revisions r WHERE (r.proposal, r.number) > (?, ?)
      ORDER BY r.proposal, r.number LIMIT ${PAGE}`;
    for (let at: readonly [number, number] = [0, 0];;) {
      const page = this.all<RevisionHead>(sql, ...at);
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      at = [last.proposal, last.number];
    }
  }

  checks(proposal: number, revision: number): readonly Check[] {
    const found = this.all<Check>(`${CHECK} WHERE proposal = ? AND revision = ?`, proposal, revision);
    return found.sort((a, b) => CHECK_KINDS.indexOf(a.kind) - CHECK_KINDS.indexOf(b.kind));
  }

  approvals(proposal: number, revision: number): readonly Approval[] {
    const sql = `${APPROVAL} WHERE proposal = ? AND revision = ? ORDER BY id`;
    return this.all<Approval>(sql, proposal, revision);
  }

  approval(id: number): Approval | null {
    return this.one<Approval>(`${APPROVAL} WHERE id = ?`, id);
  }

  *allApprovals(): Iterable<Approval> {
    for (let after = 0;;) {
      const page = this.all<Approval>(`${APPROVAL} WHERE id > ? ORDER BY id LIMIT ${PAGE}`, after);
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  }

  lastApproval(): number {
    return this.one<{ n: number | null }>("SELECT max(id) AS n FROM approvals")?.n ?? 0;
  }

  insertProposal({ number, artifact, title, actor, createdAt, lastRevision }: Proposal): void {
    const sql = `INSERT INTO proposals (number, artifact, title, actor, created_at, last_revision)
      VALUES (?, (SELECT id FROM artifacts WHERE name = ?), ?, ?, ?, ?)`;
    this.run(sql, number, artifact, title, actor, createdAt, lastRevision);
  }

  insertRevision(r: Revision): void {
    const columns = {
      ...{
        proposal: r.proposal,
        number: r.number,
        state: r.state,
        reason: r.reason,
        changed_at: r.changedAt,
      },
      ...{ base_version: r.baseVersion, base_root: r.baseRoot, base_manifest: r.baseManifest },
      ...{ result_root: r.resultRoot, result_manifest: r.resultManifest },
      ...{ patch: r.patch, patch_bytes: r.patchBytes },
      ...{ files: r.files, additions: r.additions, deletions: r.deletions },
      ...{ actor: r.actor, created_at: r.createdAt, proposer_key: r.proposerKey, evidence: r.evidence },
      ...{ expires_at: r.expiresAt, instruction: r.instruction, source: r.source, envelope: r.envelope },
      evidence_document: r.evidenceDocument,
    };
    const names = Object.keys(columns);
    const sql = `INSERT INTO revisions (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
    this.run(sql, ...Object.values(columns));
    this.run("UPDATE proposals SET last_revision = ? WHERE number = ?", r.number, r.proposal);
  }

  setProposed(proposal: number, number: number, what: ProposedRevision): void {
    const sql = `UPDATE revisions SET evidence = ?, evidence_document = ?, expires_at = ?, proposer_key = ?,
      envelope = ? WHERE proposal = ? AND number = ? AND state = 'draft' AND evidence IS NULL`;
    const { evidence, evidenceDocument, expiresAt, proposerKey, envelope } = what;
    const values = [evidence, evidenceDocument, expiresAt, proposerKey, envelope, proposal, number];
    if (this.run(sql, ...values) !== 1) throw new Error("only a draft is proposed, and once");
  }

  setRevisionState(
    proposal: number,
    number: number,
    from: Pick<Revision, "state" | "evidence">,
    to: Pick<Revision, "state" | "reason" | "changedAt">,
  ): boolean {
    const sql = `UPDATE revisions SET state = ?, reason = ?, changed_at = ?
      WHERE proposal = ? AND number = ? AND state = ? AND evidence IS ?`;
    const set = [to.state, to.reason, to.changedAt];
    return this.run(sql, ...set, proposal, number, from.state, from.evidence) === 1;
  }

  insertCheck({ proposal, revision, kind, outcome, document, createdAt }: Check): void {
    const sql = `INSERT INTO checks (proposal, revision, kind, outcome, created_at, document)
      VALUES (?, ?, ?, ?, ?, ?)`;
    this.run(sql, proposal, revision, kind, outcome, createdAt, document);
  }

  insertApproval(a: Approval): void {
    const sql =
      `INSERT INTO approvals (id, proposal, revision, evidence, decision, principal, key_id, envelope,
      reason, created_at, expires_at, review_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const what = [a.proposal, a.revision, a.evidence, a.decision, a.principal, a.keyId, a.envelope];
    this.run(sql, a.id, ...what, a.reason, a.createdAt, a.expiresAt, a.reviewBy);
  }
}
