import type { Policy } from "../policy/policy.ts";
import type { TrustedKeys } from "../sign/trust_file.ts";
import { principalsOf } from "../sign/trust_file.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { CHECK_KINDS, type CheckKind, type Decision } from "../vocabulary/proposal.ts";
import { judgeRules } from "./automatic.ts";
import { type Evidence, uncleanChecks } from "./evidence.ts";
import { type FileInUse, filesInUse, pathsOf } from "./in_use.ts";
import { type ApprovalStatement, readApproval, readProposal } from "./statement.ts";

/** A decision as a store has it. */
export interface StoredDecision {
  readonly id: number;
  readonly decision: Decision;
  readonly evidence: Sha256;
  readonly principal: string;
  readonly keyId: string | null;
  readonly envelope: string | null;
}

/** What approvals are judged by: the side of whoever judges, never what a proposal says. */
export interface ApprovalTerms {
  /** Keys in the role of approvers at this moment, of the trust file. */
  readonly trusted: TrustedKeys;
  /** Keys in any role at this moment: who may sign proposals, where the policy wants them signed. */
  readonly proposers: TrustedKeys;
  /** The trust file's threshold for approvers. */
  readonly threshold: number;
  readonly policy: Pick<Policy, "protect" | "approval">;
  /** Of the whole policy. */
  readonly policyDigest: Sha256;
  /** Whether the policy names something to prove. */
  readonly proofAsked: boolean;
  /** Files of the folder that these terms were read from. */
  readonly inUse: readonly FileInUse[];
  readonly now: Date;
}

/** A revision as far as approving goes. */
export interface Subject {
  readonly evidence: Evidence;
  /** Of its document. */
  readonly hash: Sha256;
  /** What the proposer signed, as the store has it; null of an unsigned one. */
  readonly envelope: string | null;
}

export interface CountedDecision {
  readonly id: number;
  readonly decision: Decision;
  readonly principal: string;
  /** Null: it counts. */
  readonly refusal: Refusal | null;
}

export interface Standing {
  /** `forced`: only because of a bypass. `denied`: nobody can approve it. */
  readonly outcome: "approved" | "rejected" | "missing" | "not_needed" | "forced" | "denied";
  /** Principals whose approval counts, distinct; rules by their hash. */
  readonly by: readonly string[];
  readonly needed: number;
  readonly decisions: readonly CountedDecision[];
  /** What is still missing, for people; empty where nothing is. */
  readonly missing: readonly string[];
}

/**
 * Whether a revision is approved: every decision is verified anew against the trusted keys of this moment. A revoked
 * or expired key, an expired approval, one of other evidence, one by whoever proposed: none of them counts. One
 * rejection that counts outweighs every approval, and nobody can approve what the policy denies.
 * @param earlier the revisions it is a rebase of, nearest first; their approvals count where the policy says so
 */
export function judgeApprovals(
  subject: Subject,
  decisions: readonly StoredDecision[],
  terms: ApprovalTerms,
  earlier: readonly Subject[] = [],
): Standing {
  const subjects = [subject, ...keptBy(subject, earlier, terms)];
  const counted = decisions.map((stored) => countedDecision(subjects, stored, terms));
  const valid = counted.filter(({ refusal }) => refusal === null);
  const principals = (decision: Decision) => [
    ...new Set(valid.filter((one) => one.decision === decision).map(({ principal }) => principal)),
  ];
  const approvers = principals("approve");
  const needed = Math.max(1, terms.threshold, terms.policy.approval.threshold);
  const standing = (
    outcome: Standing["outcome"],
    by: readonly string[],
    missing: readonly string[] = [],
  ) => ({
    ...{ outcome, by, missing, needed, decisions: counted },
  });
  const denials = [...denialsOf(subject.evidence, terms), ...signatureDenials(subject, terms)];
  if (denials.length > 0) return standing("denied", [], denials);
  if (principals("reject").length > 0) return standing("rejected", principals("reject"));
  if (approvers.length >= needed) return standing("approved", approvers);
  const rules = principals("automatic");
  if (rules.length > 0) return standing("approved", rules);
  if (!isApprovalNeeded(subject.evidence, terms)) return standing("not_needed", []);
  const forced = principals("bypass");
  if (forced.length > 0) return standing("forced", forced);
  const more = needed - approvers.length;
  const able = principalsOf(terms.trusted, terms.trusted.keys).filter((name) =>
    !approvers.includes(name) && proposerRefusal(subject.evidence, name, null, terms.trusted) === null
  );
  const missing = [`${more} more of ${needed} ${needed === 1 ? "approver" : "approvers"}`];
  if (able.length < more) missing.push(`the trust file has ${able.length} who could approve it`);
  return standing("missing", approvers, missing);
}

/** Why nobody can approve a change, for people: what its policy denies, or that it was judged by another policy. */
export function denialsOf(
  evidence: Evidence,
  { policyDigest }: Pick<ApprovalTerms, "policyDigest">,
): readonly string[] {
  const denials: string[] = [];
  if (evidence.policy_sha256 !== policyDigest) {
    denials.push(
      `it was judged by another policy, ${
        evidence.policy_sha256.slice(0, 12)
      }: name that one with --policy FILE`,
    );
  }
  const failed = new Set(
    evidence.checks.filter(({ outcome }) => outcome === "failed").map(({ kind }) => kind),
  );
  if (evidence.safety.outcome === "denied") failed.add("safety");
  return [...denials, ...denyingChecks([...failed]).map((kind) => DENIALS.get(kind)!)];
}

const DENIALS: ReadonlyMap<CheckKind, string> = new Map([
  ["patch", "the policy lets no patch write that"],
  ["safety", "the safety policy denies it"],
  ["git", "git does not take the patch"],
]);

/** Of the checks that failed, those after which nobody can approve a change; the others leave that to whoever decides. */
export function denyingChecks(failed: readonly CheckKind[]): readonly CheckKind[] {
  return CHECK_KINDS.filter((kind) => DENIALS.has(kind) && failed.includes(kind));
}

/** Why a proposal is not signed as the policy wants it: by whom the trust file names, and about this revision. */
function signatureDenials({ evidence, envelope }: Subject, { policy, proposers }: ApprovalTerms): string[] {
  if (!policy.approval.signed_proposals) return [];
  const { proposer: { key_id }, base, result, patch } = evidence;
  if (key_id === null || envelope === null) return ["the policy wants proposals to be signed, and it is not"];
  const read = readProposal(envelope, proposers.keys);
  if (!read.ok || !read.signers.some(({ id }) => id === key_id)) {
    return [
      "the policy wants proposals to be signed, and no key of the trust file that counts now signed it",
    ];
  }
  const { statement } = read;
  const same = statement.store === evidence.store && statement.proposal === evidence.proposal &&
    statement.revision === evidence.revision && statement.base_manifest === base.manifest &&
    statement.result_manifest === result.manifest && statement.patch_sha256 === patch.sha256;
  return same ? [] : ["its proposer signed something else"];
}

/** The earlier revisions whose approvals this one keeps: an unbroken line of clean rebases without new findings. */
function keptBy(
  subject: Subject,
  earlier: readonly Subject[],
  { policy }: ApprovalTerms,
): readonly Subject[] {
  const kept: Subject[] = [];
  if (!policy.approval.keep_on_clean_rebase) return kept;
  let { evidence } = subject;
  for (const before of earlier) {
    const from = evidence.rebased_from;
    if (from === null || !from.clean || from.findings_grew) break;
    if (from.evidence_sha256 !== before.hash || from.revision !== before.evidence.revision) break;
    if (grew(before.evidence, evidence)) break;
    kept.push(before);
    evidence = before.evidence;
  }
  return kept;
}

/** What can be seen of it in the evidence itself, whatever it says. */
function grew(before: Evidence, after: Evidence): boolean {
  const counts = ["added", "widened", "unanalyzed", "missing_imports"] as const;
  const worse = (kind: string) => {
    const of = ({ checks }: Evidence) => checks.find((check) => check.kind === kind)?.outcome;
    return of(after) !== "passed" && of(after) !== of(before);
  };
  return before.policy_sha256 !== after.policy_sha256 || before.proposal !== after.proposal ||
    before.checker.rules_sha256 !== after.checker.rules_sha256 ||
    before.patch.additions !== after.patch.additions || before.patch.deletions !== after.patch.deletions ||
    counts.some((name) => after.safety[name] > before.safety[name]) ||
    after.checks.some(({ kind }) => worse(kind));
}

/**
 * Whether a policy lets a change be applied only when it is approved. What its safety part keeps for a person always is,
 * and so is a change of the files in use.
 */
export function isApprovalNeeded(
  evidence: Evidence,
  { policy, proofAsked, inUse }: Pick<ApprovalTerms, "policy" | "proofAsked" | "inUse">,
): boolean {
  if (filesInUse(pathsOf(evidence), inUse).length > 0) return true;
  if (evidence.safety.outcome !== "allowed" || policy.approval.required === "always") return true;
  return policy.approval.required === "findings" && uncleanChecks(evidence, proofAsked).length > 0;
}

/**
 * Why somebody may not approve: it is their own proposal. The same key, another key of the same principal, or a principal
 * of the name that the proposer gave.
 * @param keyId of whoever decides; null when it is not known
 */
export function proposerRefusal(
  { proposer: { actor, key_id } }: Evidence,
  principal: string,
  keyId: string | null,
  trusted: TrustedKeys,
): Refusal | null {
  const own = (detail: string): Refusal => ({ reason: "own_proposal", detail });
  if (keyId !== null && keyId === key_id) return own("the key that signed a proposal cannot approve it");
  if (plain(principal) === plain(actor)) return own(`whoever proposed cannot approve it: ${actor}`);
  if (key_id !== null && ownerOf(trusted, key_id) === principal) {
    return own("another key of this principal signed the proposal");
  }
  return null;
}

/** Keys that are refused now still tell whose they are. */
function ownerOf(trusted: TrustedKeys, keyId: string): string | undefined {
  return trusted.owners.get(keyId) ?? trusted.refused.find(({ key }) => key.id === keyId)?.principal;
}

function countedDecision(
  [subject, ...kept]: readonly Subject[],
  stored: StoredDecision,
  terms: ApprovalTerms,
): CountedDecision {
  const { id, decision, principal } = stored;
  const verdict = (refusal: Refusal | null): CountedDecision => ({ id, decision, principal, refusal });
  const no = (reason: string, detail: string) => verdict({ reason, detail });
  const own = stored.evidence === subject!.hash;
  const about = own ? subject! : kept.find(({ hash }) => hash === stored.evidence);
  if (about === undefined || !(own || decision === "approve")) {
    return no("other_evidence", "it was given for other evidence");
  }
  if (decision === "automatic") {
    const fits = judgeRules(about.evidence, terms.policy, terms.inUse).some(({ hash, against }) =>
      hash === principal && against.length === 0
    );
    return fits ? verdict(null) : no("rule_differs", "no rule of the policy that fits has this hash");
  }
  if (stored.envelope === null) return no("unsigned", "it is not signed");
  const read = readApproval(stored.envelope, terms.trusted.keys);
  if (!read.ok) return verdict(read.refusal);
  const differs = statementDifference(about, read.statement, decision);
  if (differs !== null) return no("statement_differs", differs);
  const mine = read.signers.filter(({ id }) => id === stored.keyId);
  if (!principalsOf(terms.trusted, mine).includes(principal)) {
    return no("other_signer", "somebody else signed it");
  }
  const { time, expires_at, reason, review_by } = read.statement;
  const given = Date.parse(time);
  if (given > terms.now.getTime() + MAX_SKEW_MS) return no("from_the_future", "it was given in the future");
  if (decision === "reject") return verdict(null);
  const { approval } = terms.policy;
  const longest = given + approval.expires * 1000;
  const until = expires_at === null ? longest : Math.min(longest, Date.parse(expires_at));
  if (until <= terms.now.getTime()) return no("approval_expired", "it has expired");
  for (const { evidence } of [subject!, about]) {
    const refusal = proposerRefusal(evidence, principal, stored.keyId, terms.trusted);
    if (refusal !== null) return verdict(refusal);
  }
  if (decision !== "bypass") return verdict(null);
  if (!approval.bypass) return no("bypass_denied", "the policy allows no bypass (policy.approval.bypass)");
  if (reason.trim() === "") return no("bypass_without_reason", "a bypass has a reason");
  if (review_by === null || Date.parse(review_by) > given + approval.review_within * 1000) {
    return no(
      "review_too_late",
      "its review is later than the policy allows (policy.approval.review_within)",
    );
  }
  return verdict(null);
}

/** Clocks of people differ a little. */
const MAX_SKEW_MS = 5 * 60_000;

function statementDifference(
  { evidence, hash }: Subject,
  statement: ApprovalStatement,
  decision: Decision,
): string | null {
  if (statement.store !== evidence.store) return "it is of another store";
  if (statement.proposal !== evidence.proposal) return "it is of another proposal";
  if (statement.revision !== evidence.revision) return "it is of another revision";
  if (statement.evidence_sha256 !== hash) return "it is of other evidence";
  if (statement.decision !== decision) return "it says another decision";
  return null;
}

/** Names that people take for the same. */
function plain(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
