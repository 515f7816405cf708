import { checkDocument } from "../approve/check.ts";
import type { Evidence } from "../approve/evidence.ts";
import type { ApprovalTerms, Standing } from "../approve/judge.ts";
import type { ProposalStatement } from "../approve/statement.ts";
import { propose } from "../store/proposal/change.ts";
import { settle } from "../store/proposal/decide.ts";
import { type FoundRevision, revisionName } from "../store/proposal/find.ts";
import type { NotMoved } from "../store/proposal/transition.ts";
import type { Author } from "../store/log/change.ts";
import type { Check } from "../store/proposals.ts";
import type { Store } from "../store/store.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import { CHECK_KINDS } from "../vocabulary/proposal.ts";
import { type ChangePorts, type CheckedChange, type CheckPlan, checkProposal } from "./checks.ts";
import { storedChange } from "./draft.ts";
import { type Checker, evidenceOf, findingsGrew } from "./evidence.ts";
import { boundedCheck, type FoundCheck } from "./found_check.ts";
import { noProof, type ProofFound } from "./proof.ts";

export interface ExaminePlan extends CheckPlan {
  readonly policyDigest: Sha256;
  readonly checker: Checker;
  /** Why nothing is proved, where nothing is. */
  readonly noProof: "no_targets" | "not_asked_for" | null;
  /** The revision that this is a rebase of. */
  readonly rebasedFrom:
    | { readonly evidence: Sha256; readonly revision: number; readonly clean: boolean }
    | null;
}

/** Who signs a proposal. */
export interface ProposalSigner {
  readonly keyId: Sha256;
  readonly sign: (statement: ProposalStatement) => string;
}

export interface ExaminePorts extends ChangePorts {
  /** Asked only where the policy lets the patch be tried. */
  readonly prove: (checked: CheckedChange, name: string) => Promise<ProofFound>;
  readonly signer: ProposalSigner | null;
  readonly now: () => Date;
  /** Told before each part of the work. */
  readonly doing?: (what: "checks" | "proof") => void;
}

/** A draft with everything that proposing it adds. */
export interface Examined {
  readonly evidence: Evidence;
  /** In the order of CHECK_KINDS. */
  readonly checks: readonly Pick<Check, "kind" | "outcome" | "document">[];
  readonly signature: { readonly envelope: string; readonly keyId: Sha256 } | null;
  readonly proof: ProofFound | null;
}

/**
 * Looks at a draft in the store: every check, the proof where one is asked for, the evidence and the proposer's
 * signature. Nothing is written.
 * @throws Failure as `storedChange`, and whatever a port throws
 */
export async function examine(
  store: Store,
  found: FoundRevision,
  plan: ExaminePlan,
  ports: ExaminePorts,
): Promise<Examined> {
  const { revision } = found;
  ports.doing?.("checks");
  const checked = await storedChange(store, found);
  const findings = await checkProposal(checked, plan, ports);
  const refused = findings.checks.some(({ kind, outcome }) =>
    (kind === "patch" || kind === "git") && outcome === "failed"
  );
  let proof: ProofFound | null = null;
  if (plan.noProof === null && !refused) {
    ports.doing?.("proof");
    proof = await ports.prove(checked, revisionName(revision));
  }
  const proofCheck = proof?.check ?? noProof(plan.noProof ?? "patch_refused");
  const all = CHECK_KINDS.flatMap((kind) =>
    [...findings.checks, proofCheck].filter((check) => check.kind === kind).map(boundedCheck)
  );
  const checks = all.map((check) => ({
    kind: check.kind,
    outcome: check.outcome,
    document: checkDocument(check),
  }));
  const at = ports.now();
  const { expires } = plan.config.policy.approval;
  const evidence = evidenceOf({
    ...{ storeId: store.records.storeId, found, patch: checked.change.patch, findings, proof, checks },
    policyDigest: plan.policyDigest,
    checker: plan.checker,
    keyId: ports.signer?.keyId ?? null,
    rebasedFrom: rebasedFrom(store, revision.proposal, plan, all),
    createdAt: at,
    expiresAt: new Date(at.getTime() + expires * 1000),
  });
  return { evidence, checks, signature: signed(evidence, ports.signer), proof };
}

function rebasedFrom(
  store: Store,
  proposal: number,
  { rebasedFrom: from }: ExaminePlan,
  checks: readonly FoundCheck[],
): Evidence["rebased_from"] {
  if (from === null) return null;
  const before = store.records.read((rows) => rows.checks(proposal, from.revision));
  return {
    revision: from.revision,
    evidence_sha256: from.evidence,
    clean: from.clean,
    findings_grew: findingsGrew(before, checks),
  };
}

function signed(evidence: Evidence, signer: ProposalSigner | null): Examined["signature"] {
  if (signer === null) return null;
  const envelope = signer.sign({
    format: "veripatch-proposal/v1",
    store: evidence.store,
    proposal: evidence.proposal,
    revision: evidence.revision,
    base_manifest: evidence.base.manifest,
    result_manifest: evidence.result.manifest,
    patch_sha256: evidence.patch.sha256,
    time: evidence.created_at,
  });
  return { envelope, keyId: signer.keyId };
}

export type ProposedDraft =
  | {
    readonly ok: true;
    readonly evidence: Sha256;
    /** What approved it at once: a rule, or approvals that a clean rebase keeps; null when it waits for a person. */
    readonly settled: Standing | null;
  }
  | NotMoved;

/**
 * Proposes an examined draft, in one transaction, and lets what needs no person decide.
 * @param terms by which that is judged; null leaves it waiting
 */
export function proposeDraft(
  store: Store,
  by: Author,
  { proposal, revision }: FoundRevision,
  examined: Examined,
  terms: ApprovalTerms | null,
): ProposedDraft {
  return store.records.write((rows) => {
    const target = { proposal: proposal.number, revision: revision.number };
    const proposed = propose(rows, by, target, examined);
    if (!proposed.ok) return proposed;
    const { evidence } = proposed;
    return {
      ok: true,
      evidence,
      settled: terms === null ? null : settle(rows, by, { ...target, evidence }, terms),
    };
  });
}
