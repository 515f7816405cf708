import type { ProposalRows, ProposalSummary, RevisionState } from "../store/proposals.ts";

export interface ListAsked {
  /** Of the newest revision; each that is given narrows the list. */
  readonly state?: RevisionState;
  readonly artifact?: string;
  /** Who proposed. */
  readonly actor?: string;
  /** At most as many. */
  readonly limit: number;
}

const PAGE = 1_000;

/** Proposals, newest first. @returns and whether there are more than were asked for */
export function listProposals(
  rows: Pick<ProposalRows, "proposals">,
  { state, artifact, actor, limit }: ListAsked,
): { readonly proposals: readonly ProposalSummary[]; readonly more: boolean } {
  const filter = {
    ...(state === undefined ? {} : { state }),
    ...(artifact === undefined ? {} : { artifact }),
  };
  if (actor === undefined) {
    const found = rows.proposals({ ...filter, limit: limit + 1 });
    return { proposals: found.slice(0, limit), more: found.length > limit };
  }
  const found: ProposalSummary[] = [];
  let after: number | undefined;
  while (found.length <= limit) {
    const page = rows.proposals({ ...filter, limit: PAGE, ...(after === undefined ? {} : { after }) });
    found.push(...page.filter(({ proposal }) => proposal.actor === actor));
    if (page.length < PAGE) break;
    after = page.at(-1)!.proposal.number;
  }
  return { proposals: found.slice(0, limit), more: found.length > limit };
}
