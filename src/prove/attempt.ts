import type { AttemptRecord } from "../bundle/record.ts";
import { refusalText } from "../vocabulary/printable.ts";
import { admitProposal, type Admitted, statsOf } from "./proposal.ts";
import { buildRequest } from "./request.ts";
import type { Session } from "./session.ts";

/** What came of asking once. */
export type Attempt =
  | { readonly kind: "none"; readonly reason: string }
  | { readonly kind: "tried"; readonly record: AttemptRecord; readonly admitted?: Admitted };

/**
 * Asks the proposer once, and runs the targets on what it proposes when that is admitted.
 * @param attempt counted from 1
 */
export async function makeAttempt(session: Session, attempt: number): Promise<Attempt> {
  const { plan, ports, emit } = session;
  const { base } = session.ground;
  const baseline = session.baseline.find((v) => v.outcome !== "passed")!;
  const most = plan.config.policy.limits.max_attempts;
  const request = await buildRequest(attempt, most, plan, baseline, session.attempts, base, ports);
  emit({ kind: "proposal_requested", attempt, proposer: ports.proposer.name });
  const answer = await ports.proposer.propose(request, session.signal);
  if (answer.kind === "none") return { kind: "none", reason: answer.reason };
  const empty = { attempt, proposer: ports.proposer.name, applied: null, verification: null };
  if (answer.kind === "invalid") {
    const { reason, detail } = answer;
    emit({ kind: "proposal_refused", attempt, reason, detail });
    return { kind: "tried", record: { ...empty, proposal: null, refusals: [{ reason, detail }] } };
  }
  const { source, diff, rationale, riskNotes, confidence } = answer;
  const proposal = { source, diff, rationale, riskNotes, confidence };
  const admission = await admitProposal(answer, base, plan, ports);
  if (!admission.ok) {
    for (const refusal of admission.refusals) {
      const [first = "", ...more] = refusal.detail.split("\n");
      const detail = [refusalText({ ...refusal, detail: first }), ...more].join("\n");
      emit({ kind: "proposal_refused", attempt, reason: refusal.reason, detail });
    }
    return { kind: "tried", record: { ...empty, proposal, refusals: admission.refusals } };
  }
  const { admitted, leftOut } = admission;
  for (const { path, rule } of leftOut) emit({ kind: "protected_left_out", attempt, path, rule });
  emit({ kind: "proposal_applied", attempt, ...statsOf(admitted) });
  const verification = await session.verify(admitted.changes, "attempt", { attempt });
  const applied = {
    patch: admitted.rendered,
    resultTree: session.resultTree(admitted.changes),
    notes: admitted.notes,
    git: admitted.git,
  };
  const record: AttemptRecord = { ...empty, proposal, refusals: [], applied, verification };
  return { kind: "tried", record, admitted };
}
