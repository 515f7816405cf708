import type { Evidence } from "../approve/evidence.ts";
import { type FileInUse, filesInUse, pathsOf } from "../approve/in_use.ts";
import type { Standing } from "../approve/judge.ts";
import { stateAt } from "../approve/states.ts";
import { requireAsShown } from "../proposal/shown.ts";
import { timeReached } from "../store/log/time_reached.ts";
import type { ProposalName } from "../store/names.ts";
import { requireRevision, revisionName } from "../store/proposal/find.ts";
import { standingOf, subjectOf } from "../store/proposal/standing.ts";
import type { Target } from "../store/proposal/transition.ts";
import type { Approval, Check, Proposal, Revision, RevisionState } from "../store/proposals.ts";
import type { Store } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { type LoadedTerms, trustText } from "./approval_terms.ts";
import { type CheckView, checkView } from "./check_text.ts";

/** All there is to see of a revision, read at one moment. */
export interface RevisionView {
  readonly name: string;
  readonly proposal: Proposal;
  readonly revision: Revision;
  /** As it is now: what has expired is, though nobody wrote it down yet. */
  readonly state: RevisionState;
  /** Null of a draft, and where `damage` says why. */
  readonly evidence: Evidence | null;
  readonly checks: readonly CheckView<Check>[];
  readonly approvals: readonly Approval[];
  /** Null as `evidence`. */
  readonly standing: Standing | null;
  /** Whether approvals were bypassed. */
  readonly forced: boolean;
  /** Of the files that the call judges by, those that the change touches. */
  readonly inUse: readonly FileInUse[];
  /** Whose keys count, and which file says so. */
  readonly trust: { readonly file: string | null; readonly named: boolean; readonly shown: string };
  /** Why the evidence is not what was proposed; null when it is. */
  readonly damage: Failure | null;
}

/**
 * Reads a revision, and judges it by the terms of the call.
 * @throws Failure `proposal_unknown`, `revision_unknown` (usage)
 */
export function revisionView(store: Store, name: ProposalName, terms: LoadedTerms): RevisionView {
  return store.records.read((rows) => {
    const { proposal, revision } = requireRevision(rows, name);
    const approvals = rows.approvals(proposal.number, revision.number);
    const { storeId } = store.records;
    let evidence: Evidence | null = null, standing: Standing | null = null, damage: Failure | null = null;
    try {
      if (revision.evidence !== null) {
        evidence = subjectOf(rows, storeId, revision).evidence;
        standing = standingOf(rows, storeId, revision, terms);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      damage = error;
    }
    return {
      ...{ name: revisionName(revision), proposal, revision, approvals, evidence, standing, damage },
      state: stateAt(revision, timeReached(rows, terms.now)),
      trust: { file: terms.trustFile, named: terms.trustNamed, shown: trustText(terms) },
      inUse: evidence === null ? [] : filesInUse(pathsOf(evidence), terms.inUse),
      checks: rows.checks(proposal.number, revision.number).map(checkView),
      forced: approvals.some(({ decision }) => decision === "bypass"),
    };
  });
}

/**
 * The same, and that the diff is what would be applied: what somebody may decide on.
 * @throws Failure as `revisionView`
 */
export async function soundView(store: Store, name: ProposalName, terms: LoadedTerms): Promise<RevisionView> {
  const view = revisionView(store, name, terms);
  if (view.damage !== null || view.evidence === null) return view;
  try {
    await requireAsShown(store, view);
    return view;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...view, evidence: null, standing: null, damage: error };
  }
}

/** What a decision about what is seen is bound to. */
export function targetOf({ revision }: RevisionView): Target {
  return { proposal: revision.proposal, revision: revision.number, evidence: revision.evidence };
}

/** The patch as text, whose bytes are what the evidence says. @throws Failure `blob_missing`, `blob_corrupt` */
export function patchText(store: Store, { revision }: RevisionView): string {
  return new TextDecoder().decode(store.blobs.read(revision.patch, revision.patchBytes));
}
