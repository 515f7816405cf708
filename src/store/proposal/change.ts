import { type Evidence, evidenceDocument } from "../../approve/evidence.ts";
import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../../vocabulary/digest.ts";
import { Failure } from "../../vocabulary/failure.ts";
import { type Author, record } from "../log/change.ts";
import { type Check, MAX_DOCUMENT_BYTES, type Proposal, type Revision } from "../proposals.ts";
import type { WritableRows } from "../store.ts";
import { requireRevision, revisionName } from "./find.ts";
import {
  PROPOSAL_CREATED,
  PROPOSAL_PROPOSED,
  proposalPayload,
  proposedPayload,
  REVISION_CREATED,
  revisionPayload,
} from "./payload.ts";
import { expireIfDue, move, type NotMoved } from "./transition.ts";

/** UTF-16 code units. */
export const MAX_TITLE = 1_000;

/** What is to become the next revision of a proposal. Its blobs are in the store and flushed. */
export interface NewRevision extends
  Pick<
    Revision,
    | "baseVersion"
    | "baseRoot"
    | "baseManifest"
    | "resultRoot"
    | "resultManifest"
    | "patch"
    | "patchBytes"
    | "files"
    | "additions"
    | "deletions"
    | "instruction"
  > {
  /** How it was made: plain JSON. */
  readonly source: unknown;
  /** Tree objects the store may not have yet. */
  readonly trees: Iterable<readonly [Sha256, Uint8Array]>;
}

/**
 * Adds a proposal with its first revision, a draft.
 * @throws Failure `artifact_unknown` (usage), `document_too_large` (malformed)
 */
export function addProposal(
  rows: WritableRows,
  by: Author,
  { artifact, title, revision }: {
    readonly artifact: string;
    readonly title: string;
    readonly revision: NewRevision;
  },
): { readonly proposal: Proposal; readonly revision: Revision } {
  if (rows.artifact(artifact) === null) {
    throw new Failure("usage", "artifact_unknown", `there is no artifact ${artifact}`, {
      hint: `pp artifact create ${artifact} makes it`,
    });
  }
  const number = rows.lastProposal() + 1;
  const createdAt = by.now.toISOString();
  const proposal = {
    ...{ number, artifact, title: title.slice(0, MAX_TITLE).toWellFormed(), actor: by.actor, createdAt },
    lastRevision: 0,
  };
  rows.insertProposal(proposal);
  record(rows, by, PROPOSAL_CREATED, proposalPayload(proposal));
  return { proposal: { ...proposal, lastRevision: 1 }, revision: insert(rows, by, number, 1, revision) };
}

/**
 * Adds the next revision of a proposal, a draft; the one before is superseded.
 * @returns the new revision, or why there is none: the one before is being applied, applied or rejected
 * @throws Failure `proposal_unknown` (usage), `document_too_large` (malformed)
 */
export function addRevision(
  rows: WritableRows,
  by: Author,
  proposal: number,
  what: NewRevision,
): { readonly ok: true; readonly revision: Revision } | NotMoved {
  let { revision: before } = requireRevision(rows, { proposal, revision: null });
  if (expireIfDue(rows, by, before)) before = rows.revision(proposal, before.number)!;
  const number = before.number + 1;
  const reason = `${revisionName({ proposal, number })} takes its place`;
  const moved = move(rows, by, before, "superseded", reason, "proposal_superseded", {});
  if (!moved.ok) return moved;
  return { ok: true, revision: insert(rows, by, proposal, number, what) };
}

function insert(
  rows: WritableRows,
  by: Author,
  proposal: number,
  number: number,
  { trees, source, ...what }: NewRevision,
): Revision {
  for (const [digest, body] of trees) rows.insertTree(digest, body);
  const createdAt = by.now.toISOString();
  const revision: Revision = {
    ...what,
    ...{ proposal, number, state: "draft", reason: "", changedAt: createdAt, createdAt, actor: by.actor },
    source: canonicalJson(source),
    ...{ proposerKey: null, envelope: null, evidence: null, evidenceDocument: null, expiresAt: null },
  };
  requireBounded(revision.source, revision.instruction);
  rows.insertRevision(revision);
  record(rows, by, REVISION_CREATED, revisionPayload(revision));
  return revision;
}

/** What proposing a draft adds to it. */
export interface Proposing {
  readonly evidence: Evidence;
  /** One of each kind that the evidence names, in any order. */
  readonly checks: readonly Pick<Check, "kind" | "outcome" | "document">[];
  /** The proposer's DSSE envelope, and the id of the key that signed it. */
  readonly signature: { readonly envelope: string; readonly keyId: Sha256 } | null;
}

/**
 * Proposes a draft: attaches its checks and its evidence, from which on nothing of it changes.
 * @returns the evidence's hash, or why it was not moved
 * @throws Failure `evidence_differs` (bug): the evidence is of something else than the draft and its checks
 */
export function propose(
  rows: WritableRows,
  by: Author,
  target: { readonly proposal: number; readonly revision: number },
  { evidence, checks, signature }: Proposing,
): { readonly ok: true; readonly evidence: Sha256 } | NotMoved {
  const found = requireRevision(rows, target);
  const { revision, proposal } = found;
  const no = (code: "superseded" | "state_differs") => ({ ok: false as const, code, state: revision.state });
  if (revision.number !== proposal.lastRevision) return no("superseded");
  if (revision.state !== "draft") return no("state_differs");
  const difference = evidenceDifference(by.storeId, proposal, revision, evidence, checks, signature);
  if (difference !== null) {
    throw new Failure("bug", "evidence_differs", `the evidence of ${revisionName(revision)} is not of it`, {
      details: [difference],
    });
  }
  const { document, hash } = evidenceDocument(evidence);
  requireBounded(...checks.map((check) => check.document), signature?.envelope ?? "");
  const createdAt = by.now.toISOString();
  for (const check of checks) {
    rows.insertCheck({ ...check, proposal: proposal.number, revision: revision.number, createdAt });
  }
  rows.setProposed(proposal.number, revision.number, {
    evidence: hash,
    evidenceDocument: document,
    expiresAt: evidence.expires_at,
    proposerKey: signature?.keyId ?? null,
    envelope: signature?.envelope ?? null,
  });
  const now = rows.revision(proposal.number, revision.number)!;
  const details = proposedPayload(now, rows.checks(proposal.number, revision.number));
  const moved = move(rows, by, now, "proposed", "", PROPOSAL_PROPOSED, details);
  return moved.ok ? { ok: true, evidence: hash } : moved;
}

/** The first thing that evidence says otherwise than the rows it is about; null when it is of them. */
export function evidenceDifference(
  storeId: string,
  proposal: Proposal,
  revision: Revision,
  evidence: Evidence,
  checks: readonly Pick<Check, "kind" | "outcome" | "document">[],
  signature: { readonly keyId: Sha256 } | null,
): string | null {
  const { base, result, patch } = evidence;
  const same: readonly (readonly [string, unknown, unknown])[] = [
    ["store", evidence.store, storeId],
    ["proposal", evidence.proposal, proposal.number],
    ["revision", evidence.revision, revision.number],
    ["artifact", evidence.artifact, proposal.artifact],
    ["title", evidence.title, proposal.title],
    ["base_version", evidence.base_version, revision.baseVersion],
    ["base.root", base.root, revision.baseRoot],
    ["base.manifest", base.manifest, revision.baseManifest],
    ["result.root", result.root, revision.resultRoot],
    ["result.manifest", result.manifest, revision.resultManifest],
    ["instruction_sha256", evidence.instruction_sha256, sha256(revision.instruction)],
    ["source_sha256", evidence.source_sha256, sha256(revision.source)],
    ["patch.sha256", patch.sha256, revision.patch],
    ["patch.bytes", patch.bytes, revision.patchBytes],
    ["patch.files", patch.files.length, revision.files],
    ["patch.additions", patch.additions, revision.additions],
    ["patch.deletions", patch.deletions, revision.deletions],
    ["proposer.actor", evidence.proposer.actor, revision.actor],
    ["proposer.key_id", evidence.proposer.key_id, signature?.keyId ?? null],
    ["checks", evidence.checks.length, checks.length],
    ...evidence.checks.flatMap(({ kind, outcome, document_sha256 }) => {
      const check = checks.find((other) => other.kind === kind);
      return [
        [`checks.${kind}`, outcome, check?.outcome],
        [`checks.${kind}.document`, document_sha256, check === undefined ? null : sha256(check.document)],
      ] as const;
    }),
  ];
  return same.find(([, said, is]) => said !== is)?.[0] ?? null;
}

function requireBounded(...documents: readonly string[]): void {
  for (const document of documents) {
    if (new TextEncoder().encode(document).length <= MAX_DOCUMENT_BYTES) continue;
    throw new Failure("malformed", "document_too_large", "a document of the proposal is larger than 1 MiB", {
      hint: "propose a smaller change",
    });
  }
}
