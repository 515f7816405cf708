import assert from "node:assert/strict";
import { checkDocument } from "../../src/approve/check.ts";
import { type Evidence, EVIDENCE_FORMAT, evidenceDocument } from "../../src/approve/evidence.ts";
import type { ApprovalTerms, StoredDecision, Subject } from "../../src/approve/judge.ts";
import { type ApprovalStatement, signApproval } from "../../src/approve/statement.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { policyDigest } from "../../src/policy/digest.ts";
import type { ApprovalPolicy, PolicyConfig } from "../../src/policy/policy.ts";
import { type PrivateKey, privateKeyOf } from "../../src/sign/key.ts";
import type { TrustedKeys } from "../../src/sign/trust_file.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { CheckKind, CheckOutcome } from "../../src/vocabulary/proposal.ts";

export const NOW = new Date("2026-01-02T03:04:05Z");
export const STORE = "ab".repeat(16);

export function keyOf(seed: number): PrivateKey {
  const made = privateKeyOf(new Uint8Array(32).fill(seed));
  assert.ok(made.ok);
  return made.key;
}

export const ANN = keyOf(1), BOB = keyOf(2), EVE = keyOf(3), ANN_TOO = keyOf(4);

/** Trusts ann with two keys and bob with one. */
export function trusted(over: Partial<TrustedKeys> = {}): TrustedKeys {
  const named = [[ANN, "ann"], [ANN_TOO, "ann"], [BOB, "bob"]] as const;
  return {
    keys: named.map(([key]) => key.publicKey),
    owners: new Map(named.map(([key, name]) => [key.publicKey.id, name])),
    refused: [],
    ...over,
  };
}

export function policyWith(approval: Partial<ApprovalPolicy> = {}): PolicyConfig {
  const { policy, ...rest } = defaultPolicy();
  return { ...rest, policy: { ...policy, approval: { ...policy.approval, ...approval } } };
}

export function termsOf(
  approval: Partial<ApprovalPolicy> = {},
  over: Partial<ApprovalTerms> = {},
): ApprovalTerms {
  const config = policyWith(approval);
  return {
    ...{
      trusted: trusted(),
      proposers: trusted(),
      threshold: 1,
      policy: config.policy,
      policyDigest: policyDigest(config),
    },
    ...{ proofAsked: true, inUse: [], now: NOW },
    ...over,
  };
}

export const checkOf = (kind: CheckKind, outcome: CheckOutcome = "passed") => ({
  ...{ kind, outcome },
  document: checkDocument({ kind, outcome, summary: `${kind} ${outcome}`, findings: [], details: null }),
});

export const CHECKS = (["patch", "syntax", "imports", "safety", "proof", "git"] as const)
  .map((kind) => checkOf(kind));

/** Evidence of a small clean change with a passed proof. */
export function evidenceOf(terms: ApprovalTerms, over: Partial<Evidence> = {}): Evidence {
  const d = (text: string) => sha256(text);
  return {
    format: EVIDENCE_FORMAT,
    ...{ store: STORE, proposal: 1, revision: 1, artifact: "a", base_version: 1, title: "t" },
    base: { root: d("base root"), manifest: d("base") },
    result: { root: d("result root"), manifest: d("result") },
    ...{ instruction_sha256: d("instruction"), source_sha256: d("source") },
    patch: {
      ...{ sha256: d("patch"), bytes: 10, additions: 1, deletions: 1 },
      files: [{ path: "src/a.py", old_path: null, change: "modified", additions: 1, deletions: 1 }],
    },
    policy_sha256: terms.policyDigest,
    checker: { version: "1.0.0", rules_sha256: d("rules") },
    safety: {
      ...{ outcome: "allowed", added: 0, removed: 0, widened: 0, unanalyzed: 0, missing_imports: 0 },
      delta_sha256: d("delta"),
    },
    checks: CHECKS.map(({ kind, outcome, document }) => ({ kind, outcome, document_sha256: d(document) })),
    proof: { session: "s", statement_sha256: d("statement"), outcome: "proved" },
    proposer: { actor: "maker", key_id: null },
    rebased_from: null,
    ...{ created_at: NOW.toISOString(), expires_at: null },
    ...over,
  };
}

export function subjectOf(evidence: Evidence, envelope: string | null = null): Subject {
  return { evidence, hash: evidenceDocument(evidence).hash, envelope };
}

export function statementOf(
  { evidence, hash }: Subject,
  over: Partial<ApprovalStatement> = {},
): ApprovalStatement {
  return {
    format: "veripatch-approval/v1",
    ...{ store: evidence.store, proposal: evidence.proposal, revision: evidence.revision },
    ...{ evidence_sha256: hash, decision: "approve", reason: "" },
    ...{ time: NOW.toISOString(), expires_at: null, review_by: null },
    ...over,
  };
}

let lastId = 0;

export function decisionBy(
  subject: Subject,
  principal: string,
  key: PrivateKey,
  over: Partial<ApprovalStatement> = {},
): StoredDecision {
  const statement = statementOf(subject, over);
  return {
    ...{ id: ++lastId, decision: statement.decision, evidence: statement.evidence_sha256, principal },
    ...{ keyId: key.publicKey.id, envelope: signApproval(statement, [key]) },
  };
}
