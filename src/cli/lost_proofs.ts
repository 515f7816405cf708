import { revisionName } from "../store/proposal/find.ts";
import { subjectOf } from "../store/proposal/standing.ts";
import type { Revision, RevisionState } from "../store/proposals.ts";
import { Failure } from "../vocabulary/failure.ts";
import { boundBundle } from "./proof_bundle.ts";
import type { StoreUse } from "./store_asked.ts";

/** A proof whose bundle is not there, or not as it was kept. */
export interface LostProof {
  /** The revision's. */
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly details: readonly string[];
}

/** Nobody asks for the proof of these any more. */
const OVER: readonly RevisionState[] = ["superseded", "rejected"];

/**
 * Opens the bundle of every proof that evidence in the store is bound to. Bundles are no part of the store's versions:
 * nothing of them is lost when one is gone, but what it proves cannot be applied.
 * @param progress told of each, with how many there are
 */
export async function lostProofs(
  store: StoreUse["store"],
  progress: (done: number, of: number) => void,
  signal: AbortSignal,
): Promise<readonly LostProof[]> {
  const asked = store.records.read((rows) =>
    [...rows.allRevisions()].filter(({ state, evidence }) => evidence !== null && !OVER.includes(state))
  );
  const lost: LostProof[] = [];
  for (const [i, { proposal, number }] of asked.entries()) {
    signal.throwIfAborted();
    progress(i, asked.length);
    const revision = store.records.read((rows) => rows.revision(proposal, number))!;
    const failure = await failureOf(store, revision);
    if (failure === null) continue;
    const { code, message, details } = failure;
    lost.push({ name: revisionName(revision), code, message, details });
  }
  return lost;
}

async function failureOf(store: StoreUse["store"], revision: Revision): Promise<Failure | null> {
  try {
    const { evidence } = store.records.read((rows) => subjectOf(rows, store.records.storeId, revision));
    if (evidence.proof !== null) await boundBundle(store, revision, evidence.proof.session);
    return null;
  } catch (error) {
    // What was changed in the tables is told by the log.
    if (!(error instanceof Failure) || error.kind === "denied" || error.kind === "interrupted") throw error;
    return error.code.startsWith("proof_") ? error : null;
  }
}
