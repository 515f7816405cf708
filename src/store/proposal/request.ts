import type { ApprovalTerms, Standing } from "../../approve/judge.ts";
import { type Author, record } from "../log/change.ts";
import type { WritableRows } from "../store.ts";
import { settle } from "./decide.ts";
import { standingOf } from "./standing.ts";
import { look, type NotMoved, type Target } from "./transition.ts";

const APPROVAL_REQUESTED = "approval_requested";

/**
 * Asks for the approval of what is proposed: rules and kept approvals may decide it at once; else the log says what is
 * missing, for whoever follows it.
 * @throws Failure as `standingOf`
 */
export function requestApproval(
  rows: WritableRows,
  by: Author,
  target: Target,
  terms: ApprovalTerms,
): { readonly ok: true; readonly standing: Standing } | NotMoved {
  const seen = look(rows, by, target);
  if (!seen.ok) return seen;
  const { revision } = seen;
  if (!["proposed", "approved"].includes(revision.state)) {
    return { ok: false, code: "state_differs", state: revision.state };
  }
  const settled = revision.state === "proposed" ? settle(rows, by, target, terms) : null;
  const standing = settled ?? standingOf(rows, by.storeId, revision, terms);
  if (standing.outcome === "missing") {
    const { proposal, number, evidence } = revision;
    const { needed, missing, by: approved } = standing;
    record(rows, by, APPROVAL_REQUESTED, { proposal, revision: number, evidence, needed, approved, missing });
  }
  return { ok: true, standing };
}
