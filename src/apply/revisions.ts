import type { Author } from "../store/log/change.ts";
import type { Operation } from "../store/operations.ts";
import { move, transition } from "../store/proposal/transition.ts";
import type { WritableRows } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";

/**
 * Moves the revisions of an operation to where it is: under way, applied, back to where they were, or failed. In the
 * transaction in which the operation itself moves.
 * @throws Failure `proposal_moved` (unavailable) when an operation begins and somebody was faster
 */
export function moveRevisions(rows: WritableRows, by: Author, operation: Operation): void {
  const details = { operation: operation.number };
  for (const { proposal, revision, evidence, from } of rows.operationRevisions(operation.number)) {
    if (operation.state === "applying") {
      const moved = transition(rows, by, { proposal, revision, evidence }, "applying", "", details);
      if (moved.ok) continue;
      const message =
        `P${proposal}.${revision} cannot be applied any more: ${moved.code}, it is ${moved.state}`;
      throw new Failure("unavailable", "proposal_moved", message, {
        hint: "nothing was written; pp proposal show says where it stands",
      });
    }
    const row = rows.revision(proposal, revision);
    if (row === null || row.state !== "applying") continue;
    const to = { done: "applied", undone: from, failed: "failed" } as const;
    const state = to[operation.state];
    move(rows, by, row, state, operation.reason, `proposal_${state}`, details);
  }
}
