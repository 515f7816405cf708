import { canonicalJson } from "../vocabulary/canonical_json.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import {
  checked,
  digestShape,
  exactly,
  nullable,
  oneOf,
  type Shape,
  type Shaped,
  text,
} from "../vocabulary/shape.ts";
import { instant, storeId } from "../vocabulary/store_shape.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";
import { parseEnvelope, renderEnvelope } from "../sign/dsse.ts";
import type { SigningKey, VerificationKey } from "../sign/key.ts";
import { signaturesBy, signEnvelope } from "../sign/sign.ts";
import { ordinal } from "./evidence.ts";

export const APPROVAL_TYPE = "application/vnd.veripatch.approval+json";
export const PROPOSAL_TYPE = "application/vnd.veripatch.proposal+json";
export const MAX_REASON = 2_000;
/** A statement has a dozen short members. */
export const MAX_STATEMENT_BYTES = 64 * 1024;

const approval = exactly({
  format: oneOf("veripatch-approval/v1"),
  store: storeId,
  proposal: ordinal,
  revision: ordinal,
  evidence_sha256: digestShape,
  decision: oneOf("approve", "reject", "bypass"),
  reason: text(MAX_REASON),
  time: instant,
  expires_at: nullable(instant),
  /** When somebody must have looked at a bypass; null of others. */
  review_by: nullable(instant),
});

const proposal = exactly({
  format: oneOf("veripatch-proposal/v1"),
  store: storeId,
  proposal: ordinal,
  revision: ordinal,
  base_manifest: digestShape,
  result_manifest: digestShape,
  patch_sha256: digestShape,
  time: instant,
});

/** What an approver signs. */
export type ApprovalStatement = Shaped<typeof approval>;
/** What a proposer signs. */
export type ProposalStatement = Shaped<typeof proposal>;

export type StatementRead<S> =
  | { readonly ok: true; readonly statement: S; readonly signers: readonly VerificationKey[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** A DSSE envelope over the RFC 8785 form of an approval. */
export function signApproval(statement: ApprovalStatement, keys: readonly SigningKey[]): string {
  return signed(APPROVAL_TYPE, approval, statement, keys);
}

/** A DSSE envelope over the RFC 8785 form of what a proposer says. */
export function signProposal(statement: ProposalStatement, keys: readonly SigningKey[]): string {
  return signed(PROPOSAL_TYPE, proposal, statement, keys);
}

/** Reads an approval that at least one of the keys signed. Nothing of it is parsed before that is known. */
export function readApproval(
  envelope: string,
  keys: readonly VerificationKey[],
): StatementRead<ApprovalStatement> {
  const read = statementOf(APPROVAL_TYPE, approval, envelope, keys);
  if (!read.ok) return read;
  const { decision, review_by } = read.statement;
  if ((decision === "bypass") === (review_by !== null)) return read;
  return refused("statement_malformed", "review_by: a bypass, and only one, has a review");
}

/** The same of what a proposer says. */
export function readProposal(
  envelope: string,
  keys: readonly VerificationKey[],
): StatementRead<ProposalStatement> {
  return statementOf(PROPOSAL_TYPE, proposal, envelope, keys);
}

function signed<S>(type: string, shape: Shape<S>, statement: S, keys: readonly SigningKey[]): string {
  const read = checked(shape, statement);
  if (!read.ok) throw new RangeError(`statement: ${read.at}: ${read.what}`);
  const payload = new TextEncoder().encode(canonicalJson(statement));
  return new TextDecoder().decode(renderEnvelope(signEnvelope(type, payload, keys)));
}

function statementOf<S>(
  type: string,
  shape: Shape<S>,
  text: string,
  keys: readonly VerificationKey[],
): StatementRead<S> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 4 * MAX_STATEMENT_BYTES) {
    return refused("statement_too_large", "the envelope is too large");
  }
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return parsed;
  const { envelope } = parsed;
  if (envelope.payloadType !== type) {
    return refused("statement_other_type", "the envelope holds something else");
  }
  const signers = signaturesBy(envelope, keys);
  if (signers.length === 0) return refused("statement_untrusted", "none of the trusted keys signed it");
  if (envelope.payload.length > MAX_STATEMENT_BYTES) {
    return refused("statement_too_large", "the statement is too large");
  }
  const json = parseStrictJson(envelope.payload, 2, 64);
  if (!json.ok) return refused("statement_malformed", json.detail);
  const read = checked(shape, json.value);
  if (!read.ok) return refused("statement_malformed", `${read.at}: ${read.what}`);
  if (canonicalJson(read.value) !== new TextDecoder().decode(envelope.payload)) {
    return refused("statement_malformed", "not in canonical form");
  }
  return { ok: true, statement: read.value, signers };
}

function refused(reason: string, detail: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { reason, detail } };
}
