import type { Clearance } from "../apply/apply.ts";
import type { ApprovalTerms } from "../approve/judge.ts";
import { revisionName } from "../store/proposal/find.ts";
import { standingOf } from "../store/proposal/standing.ts";
import type { Revision } from "../store/proposals.ts";
import type { Rows } from "../store/store.ts";

/**
 * Whether whoever had to decide on a revision did, judged anew from what is signed.
 * @param trust which trust file the terms are from, for people
 */
export function clearanceOf(
  rows: Rows,
  storeId: string,
  revision: Revision,
  terms: ApprovalTerms,
  trust: string,
): Clearance {
  const standing = standingOf(rows, storeId, revision, terms);
  switch (standing.outcome) {
    case "approved":
    case "forced":
      return { ok: true, exact: true, forced: standing.outcome === "forced", by: standing.by };
    case "not_needed":
      return { ok: true, exact: false, forced: false, by: [] };
    default: {
      const why = [
        ...standing.missing,
        ...standing.decisions.flatMap(({ principal, refusal }) =>
          refusal === null ? [] : [`what ${principal} decided does not count: ${refusal.detail}`]
        ),
      ];
      const detail = `${revisionName(revision)} is not approved: ${
        why.join("; ") || standing.outcome
      }; the trust file is ${trust}`;
      return { ok: false, reason: standing.outcome, detail };
    }
  }
}
