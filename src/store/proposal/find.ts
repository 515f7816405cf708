import { Failure } from "../../vocabulary/failure.ts";
import type { ProposalName } from "../names.ts";
import type { Proposal, ProposalRows, Revision } from "../proposals.ts";

/** A proposal with one of its revisions. */
export interface FoundRevision {
  readonly proposal: Proposal;
  readonly revision: Revision;
}

/**
 * The revision that a call names; without a number, the newest.
 * @throws Failure `proposal_unknown`, `revision_unknown` (usage)
 */
export function requireRevision(
  rows: Pick<ProposalRows, "proposal" | "revision">,
  { proposal: number, revision: wanted }: ProposalName,
): FoundRevision {
  const proposal = rows.proposal(number);
  if (proposal === null || proposal.lastRevision === 0) {
    throw new Failure("usage", "proposal_unknown", `there is no proposal P${number}`, {
      hint: "pp proposal list shows those there are",
    });
  }
  const revision = rows.revision(number, wanted ?? proposal.lastRevision);
  if (revision !== null) return { proposal, revision };
  throw new Failure("usage", "revision_unknown", `there is no P${number}.${wanted}`, {
    hint: `the newest revision is P${number}.${proposal.lastRevision}`,
  });
}

/** `P1.2`. */
export function revisionName({ proposal, number }: Pick<Revision, "proposal" | "number">): string {
  return `P${proposal}.${number}`;
}
