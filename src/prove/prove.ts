import { interrupted } from "../vocabulary/failure.ts";
import { makeAttempt } from "./attempt.ts";
import { conclude, type Concluded } from "./conclude.ts";
import { confirmed } from "./confirm.ts";
import { type Ending, flakyBase } from "./ending.ts";
import type { SessionPlan, SessionPorts } from "./ports.ts";
import type { Admitted } from "./proposal.ts";
import { reducePatch } from "./reduce.ts";
import { reportPaths } from "./reports.ts";
import { openSession, type Session } from "./session.ts";

/** What is asked of the sandbox at its end goes out before what follows keeps this thread busy. */
const CLOSING_MS = 5;

export interface SessionOutcome extends Concluded {
  /** Containers or directories kept for inspection. */
  readonly kept: readonly string[];
}

/**
 * One proving session: red baseline, attempts until green, minimization, confirmation in new copies.
 * Whatever happens, everything made in the sandbox is removed before this returns or throws.
 * @param deliver what is done with the result, while the sandbox is being removed
 * @throws Failure for broken machinery and for interruption by `ports.signal`; `no_answer` when the session's own
 *   deadline passes before the base is in the sandbox (later it is an ending, `budget_exhausted`); whatever `deliver`
 *   throws
 */
export async function prove<T>(
  plan: SessionPlan,
  ports: SessionPorts,
  deliver: (concluded: Concluded) => Promise<T>,
): Promise<{ readonly outcome: SessionOutcome; readonly delivered: T }> {
  const keptOut = [...plan.keptOut, ...reportPaths(plan.targets)];
  const session = await openSession({ ...plan, keptOut }, ports);
  const { frozen } = session.ground;
  const close = () => {
    session.emit({ kind: "phase", phase: "clean_up" });
    return frozen.close();
  };
  let closing: Promise<void> | undefined;
  try {
    const ending = await decide(session);
    closing = close();
    // Its failure is told below, when all else is done.
    closing.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, CLOSING_MS));
    if (ports.signal.aborted) throw interrupted(ports.signal.reason);
    const concluded = conclude(session, ending);
    const delivered = await deliver(concluded);
    await closing;
    return { outcome: { ...concluded, kept: frozen.kept() }, delivered };
  } finally {
    await (closing ?? close());
  }
}

/** The session's story. The deadline of the policy turns whatever was going on into `budget_exhausted`. */
async function decide(session: Session): Promise<Ending> {
  try {
    const settled = await provenRed(session);
    if (settled !== null) return settled;
    const winner = await firstGreen(session);
    if ("status" in winner) return winner;
    const smallest = await minimized(session, winner.admitted);
    return await confirmed(session, smallest, winner.admitted, winner.attempt);
  } catch (error) {
    if (!session.course.outOfTime()) throw error;
    return { status: "budget_exhausted", reason: session.course.timeUsedUp, code: "session_time_used_up" };
  }
}

/** @returns an ending when there is nothing to prove, null when the base is red every time */
async function provenRed(session: Session): Promise<Ending | null> {
  const { baseline, plan, emit } = session;
  emit({ kind: "phase", phase: "baseline" });
  for (let i = 0; i < plan.repeat; i++) baseline.push(await session.verify([], "base"));
  const passed = baseline.filter((v) => v.outcome === "passed").length;
  emit({ kind: "baseline", outcome: baseline[0]!.outcome });
  if (passed === baseline.length) {
    return { status: "already_passing", reason: "every proof target passes without any patch", code: null };
  }
  if (passed > 0) {
    const reason = `the unpatched base passed ${passed} of ${baseline.length} times`;
    return { status: "flaky", reason, code: "base_disagrees" };
  }
  return flakyBase(baseline);
}

async function firstGreen(session: Session): Promise<Ending | { admitted: Admitted; attempt: number }> {
  const { max_attempts } = session.plan.config.policy.limits;
  // A known supply is asked once even when it is empty: it says why.
  const most = Math.min(max_attempts, Math.max(1, session.ports.proposer.supply ?? max_attempts));
  let noMore = "";
  for (let attempt = 1; attempt <= most && noMore === ""; attempt++) {
    session.emit({ kind: "phase", phase: "attempt", detail: `${attempt} of ${most}` });
    const result = await makeAttempt(session, attempt);
    if (result.kind === "none") noMore = result.reason;
    else {
      session.attempts.push(result.record);
      const outcome = result.record.verification?.outcome ?? "refused";
      session.emit({ kind: "attempt_finished", attempt, outcome });
      if (outcome === "passed") return { admitted: result.admitted!, attempt };
    }
  }
  return unproved(session, noMore);
}

function unproved({ attempts }: Session, noMore: string): Ending {
  const tried = attempts.length;
  const ran = attempts.filter((a) => a.verification !== null);
  if (ran.length > 0 && ran.every((a) => a.verification!.outcome === "timed_out")) {
    const reason = "no patched run came to an end within the time limit";
    return { status: "timed_out", reason, code: "attempts_timed_out" };
  }
  if (tried === 0) return { status: "not_proved", reason: `no proposal: ${noMore}`, code: "no_proposal" };
  const why = noMore === "" ? "" : `; no further proposal: ${noMore}`;
  return {
    status: "not_proved",
    reason: `no green in ${tried} ${tried === 1 ? "attempt" : "attempts"}${why}`,
    code: "no_green",
  };
}

async function minimized(session: Session, winner: Admitted): Promise<Admitted> {
  const { plan, ports, ground, emit, signal } = session;
  const { policy } = plan.config;
  if (!policy.minimize) return winner;
  emit({ kind: "phase", phase: "minimize" });
  // A tenth of the session is kept back to confirm what was found.
  const left = policy.limits.session_sec * 1000 * 0.9 - (ports.now() - session.course.startedAt);
  const maxMs = Math.max(0, Math.min(policy.limits.minimize_sec * 1000, left));
  const world = { ...ports, emit, signal };
  const limits = { maxMs, reports: session.reports("attempt") };
  const reduction = await reducePatch(winner, ground.frozen, ground.base, plan, world, limits);
  const reason = reduction.refused ?? "not confirmed";
  session.minimization = { ...reduction.record, kept: false, reason, rejected: [] };
  return reduction.smallest;
}
