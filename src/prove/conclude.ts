import type { NegativeControlRecord, SessionRecord } from "../bundle/record.ts";
import { protectedFindings } from "../policy/protected.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import { disagreement } from "../vocabulary/verification.ts";
import type { Ending } from "./ending.ts";
import { controlOutcome } from "./negative_control.ts";
import type { Session } from "./session.ts";

/** What a session came to. */
export interface Concluded {
  readonly record: SessionRecord;
  /** What the final patch does to the workspace; empty unless proved. */
  readonly changes: readonly FileChange[];
}

/**
 * Makes the record of a session.
 * @throws Failure `ending_without_patch`, `proof_without_evidence` (bug) for an ending that the record does not bear out
 */
export function conclude(session: Session, ending: Ending): Concluded {
  const { plan, ports, ground } = session;
  const { final } = ending;
  const negativeControl = controlRecord(session);
  if ((ending.status === "proved") !== (final !== undefined)) {
    throw new Failure("bug", "ending_without_patch", `a session ended ${ending.status} against its record`);
  }
  if (final !== undefined && !isBorneOut(session, negativeControl)) {
    throw new Failure("bug", "proof_without_evidence", "a proof lacks its red or its green side");
  }
  session.emit({ kind: "session_finished", status: ending.status });
  const record: SessionRecord = {
    session: plan.session,
    toolVersion: plan.toolVersion,
    startedAt: new Date(session.course.startedAt).toISOString(),
    finishedAt: new Date(ports.now()).toISOString(),
    status: ending.status,
    reason: ending.reason,
    reasonCode: ending.code,
    targets: plan.targets,
    policy: plan.config,
    policyDigest: plan.policyDigest,
    policySource: plan.policySource,
    provider: ports.proposer.name,
    environment: ground.frozen.environment,
    manifest: ground.manifest,
    skipped: ports.workspace.skipped(),
    git: ground.git,
    baseline: session.baseline,
    attempts: session.attempts,
    minimization: session.minimization,
    confirmation: session.confirmation,
    baseAgain: session.baseAgain,
    negativeControl,
    findings: final === undefined ? [] : protectedFindings(final.admitted.touched),
    final: final === undefined ? null : {
      patch: final.admitted.rendered,
      resultTree: session.resultTree(final.admitted.changes),
      attempt: final.attempt,
      git: final.admitted.git,
    },
    events: session.course.events,
  };
  return { record, changes: final?.admitted.changes ?? [] };
}

/** Whether a proof has its red and its green side, as often as the plan asks for, and its control. */
function isBorneOut(session: Session, control: NegativeControlRecord | null): boolean {
  const { plan, confirmation, baseAgain } = session;
  const bases = [...session.baseline, ...baseAgain];
  const green = confirmation.length === plan.repeat && confirmation.every((v) => v.outcome === "passed");
  const red = baseAgain.length >= plan.repeat && bases.every((v) => v.outcome !== "passed");
  const controlled = control === null ||
    (control.outcome === "failed" && control.runs.length === plan.repeat);
  return green && red && controlled && disagreement(bases) === null;
}

function controlRecord({ ground, controlRuns: runs }: Session): NegativeControlRecord | null {
  if (ground.control === null) return null;
  const { changes, targets } = ground.control;
  const files = changes.flatMap((change) =>
    change.kind === "write" ? [{ path: change.path, sha256: sha256(change.bytes) }] : []
  );
  return { files, targets, runs, outcome: runs.length === 0 ? "not_run" : controlOutcome(runs, targets) };
}
