import { requireRevision, revisionName } from "../store/proposal/find.ts";
import type { Approval, Proposal, Revision } from "../store/proposals.ts";
import type { Rows } from "../store/store.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { oneRow } from "./cells.ts";
import { EXIT } from "./exit_code.ts";
import { terminalColumns } from "./help_layout.ts";
import { moreThan } from "./number_asked.ts";
import { type Colour, colour, timeText } from "./output.ts";
import { FORCED, stateText } from "./revision_text.ts";
import { type StoreFlags, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";

/** A bypass, and who looked at it since. */
interface Forced {
  readonly bypass: Approval;
  readonly proposal: Proposal;
  readonly revision: Revision;
  /** Somebody else decided on the same evidence afterwards; null while nobody did. */
  readonly review: Approval | null;
  /** Nobody did, and the time for it is over. */
  readonly overdue: boolean;
}

/** `pp approval list --forced`: what was applied, or may be, by a bypass; what is due first. */
export async function forcedList(flags: StoreFlags, limit: number): Promise<VerbResult> {
  return await withStore(flags, false, ({ store, by }) => {
    const some = store.records.read((rows) => forcedOf(rows, by.now));
    const found = some.slice(0, limit), more = some.length > limit;
    const columns = terminalColumns();
    const c = colour(Deno.stdout);
    return Promise.resolve({
      exit: EXIT.yes,
      text: found.length === 0
        ? "nothing was forced"
        : found.map((one) => oneRow(forcedLine(one, c), columns)).join("\n"),
      ...(more ? { note: moreThan(limit) } : {}),
      json: {
        format: "veripatch-approval-forced/v1",
        store: store.records.storeId,
        forced: found.map(forcedJson),
        more,
      },
    });
  });
}

/** Every bypass: those that wait for a review by when it is due, then those that had one, newest first. */
export function forcedOf(rows: Rows, now: Date): readonly Forced[] {
  const found: Forced[] = [];
  for (const bypass of rows.allApprovals()) {
    if (bypass.decision !== "bypass") continue;
    const { proposal, revision } = requireRevision(rows, bypass);
    const review = rows.approvals(proposal.number, revision.number).find((one) =>
      one.id > bypass.id && one.principal !== bypass.principal && one.evidence === bypass.evidence &&
      (one.decision === "approve" || one.decision === "reject")
    ) ?? null;
    const overdue = review === null && bypass.reviewBy! <= now.toISOString();
    found.push({ bypass, proposal, revision, review, overdue });
  }
  return [
    ...found.filter(({ review }) => review === null)
      .sort((a, b) => a.bypass.reviewBy! < b.bypass.reviewBy! ? -1 : 1),
    ...found.filter(({ review }) => review !== null).reverse(),
  ];
}

function forcedLine({ bypass, proposal, revision, review, overdue }: Forced, c: Colour): string {
  const due = review !== null
    ? c.green(
      `${review.decision === "approve" ? "approved" : "rejected"} by ${printableLine(review.principal)}`,
    )
    : overdue
    ? c.red(`review OVERDUE since ${timeText(bypass.reviewBy!)}`)
    : c.yellow(`review due ${timeText(bypass.reviewBy!)}`);
  return `${c.bold(revisionName(revision).padEnd(7))} ${stateText(revision.state, c)} ${
    c.red(FORCED)
  }  ${due}  by ${printableLine(bypass.principal)}: ${printableLine(bypass.reason)}  ${
    c.dim(printableLine(proposal.title))
  }`;
}

function forcedJson({ bypass, proposal, revision, review, overdue }: Forced) {
  return {
    ...{ name: revisionName(revision), state: revision.state, artifact: proposal.artifact },
    ...{ title: proposal.title, principal: bypass.principal, reason: bypass.reason },
    ...{ created_at: bypass.createdAt, review_by: bypass.reviewBy, overdue },
    review: review === null ? null : {
      ...{ decision: review.decision, principal: review.principal, reason: review.reason },
      created_at: review.createdAt,
    },
  };
}
