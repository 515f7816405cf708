import { disagreement } from "../vocabulary/verification.ts";
import { type Ending, flakyBase } from "./ending.ts";
import { controlOutcome } from "./negative_control.ts";
import type { Admitted } from "./proposal.ts";
import type { Session } from "./session.ts";

/**
 * The smallest patch is final if new copies confirm it, else the winner as it was, else nothing is.
 * @param winner the patch of attempt number `attempt`, not minimized
 */
export async function confirmed(
  session: Session,
  smallest: Admitted,
  winner: Admitted,
  attempt: number,
): Promise<Ending> {
  session.emit({ kind: "phase", phase: "confirm" });
  const proved = (admitted: Admitted): Ending => ({
    status: "proved",
    reason: howRed(session),
    code: null,
    final: { admitted, attempt },
  });
  const { minimization } = session;
  let outcome = await confirm(session, smallest);
  if (outcome === "yes") {
    const uncontrolled = await controlled(session, smallest);
    if (minimization !== null && minimization.reason === "not confirmed") {
      session.minimization = uncontrolled === null
        ? { ...minimization, kept: true, reason: null }
        : { ...minimization, reason: "the negative control did not fail with it" };
    }
    return uncontrolled ?? proved(smallest);
  }
  if (outcome === "no" && smallest !== winner && minimization !== null) {
    const reason = "the minimized patch did not pass again in new copies";
    session.minimization = { ...minimization, reason, rejected: session.confirmation.splice(0) };
    outcome = await confirm(session, winner);
    if (outcome === "yes") return await controlled(session, winner) ?? proved(winner);
  }
  if (outcome === "base_disagrees") return flakyBase([...session.baseline, ...session.baseAgain])!;
  return outcome === "base_passes"
    ? {
      status: "flaky",
      reason: "the unpatched base failed at first and passed when it was run again",
      code: "base_disagrees",
    }
    : {
      status: "flaky",
      reason: "the patch passed once and did not pass again in new copies",
      code: "patch_disagrees",
    };
}

/**
 * Base and patch by turns in newly created copies. A base that is red only now and then, or only until some moment,
 * would make any patch look like a fix.
 */
async function confirm(
  session: Session,
  admitted: Admitted,
): Promise<"yes" | "no" | "base_passes" | "base_disagrees"> {
  const { repeat } = session.plan;
  for (let run = 1; run <= repeat; run++) {
    const base = await session.verify([], "base", { fresh: true });
    session.baseAgain.push(base);
    if (base.outcome === "passed") return "base_passes";
    if (disagreement([...session.baseline, ...session.baseAgain]) !== null) return "base_disagrees";
    const verification = await session.verify(admitted.changes, "confirmation", { fresh: true });
    session.confirmation.push(verification);
    session.emit({ kind: "confirmation", run, of: repeat, outcome: verification.outcome });
    if (verification.outcome !== "passed") return "no";
  }
  return "yes";
}

/**
 * Runs the confirmed patch with a failing test beside it, in newly created copies: a runner that does not notice it has
 * no say in whether other tests pass.
 * @returns null when every run failed as it should, or when no control is asked for
 */
async function controlled(session: Session, admitted: Admitted): Promise<Ending | null> {
  const { control } = session.ground;
  if (control === null) return null;
  const { repeat } = session.plan;
  const changes = [...admitted.changes, ...control.changes];
  for (let run = 1; run <= repeat; run++) {
    const result = await session.verify(changes, "negative_control", { fresh: true });
    session.controlRuns.push(result);
    const outcome = controlOutcome([result], control.targets);
    session.emit({ kind: "negative_control", run, of: repeat, outcome });
  }
  const files = control.changes.map((change) => change.path).join(", ");
  switch (controlOutcome(session.controlRuns, control.targets)) {
    case "failed":
      return null;
    case "passed": {
      const reason =
        `the negative control passed: with the failing test ${files} the targets pass all the same`;
      return { status: "not_proved", reason, code: "negative_control_passed" };
    }
    case "mixed": {
      const reason = `the negative control (${files}) passed in one run and not in another`;
      return { status: "flaky", reason, code: "negative_control_disagrees" };
    }
    case "timed_out": {
      const reason = `with the negative control (${files}) the targets did not come to an end of their own`;
      return { status: "timed_out", reason, code: "negative_control_timed_out" };
    }
  }
}

/** A base that never failed but was cut off deserves a word. */
function howRed({ baseline, plan }: Session): string {
  if (!baseline.every((v) => v.outcome === "timed_out")) return "";
  const { per_command_timeout_sec: limit } = plan.config.policy.limits;
  return `without the patch the command did not fail: it ran into the time limit of ${limit} s`;
}
