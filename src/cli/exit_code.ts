import { Failure, type FailureKind } from "../vocabulary/failure.ts";
import type { SessionStatus } from "../vocabulary/session.ts";

/** Exit codes of every verb, as the README has them. */
export const EXIT = {
  yes: 0,
  no: 2,
  noAnswer: 3,
  usage: 64,
  malformed: 65,
  unavailable: 69,
  bug: 70,
  denied: 77,
  interrupted: 130,
} as const;

const OF_FAILURE: Readonly<Record<FailureKind, number>> = {
  usage: EXIT.usage,
  malformed: EXIT.malformed,
  unavailable: EXIT.unavailable,
  no_answer: EXIT.noAnswer,
  denied: EXIT.denied,
  interrupted: EXIT.interrupted,
  bug: EXIT.bug,
};

/** Only a proof is exit 0: a command that passes already proves nothing about a patch. */
const OF_STATUS: Readonly<Record<SessionStatus, number>> = {
  proved: EXIT.yes,
  already_passing: EXIT.no,
  not_proved: EXIT.no,
  flaky: EXIT.noAnswer,
  timed_out: EXIT.noAnswer,
  budget_exhausted: EXIT.noAnswer,
};

/** The exit code of whatever was thrown; anything that is no Failure is a bug of ours. */
export function exitCodeOf(error: unknown): number {
  return error instanceof Failure ? OF_FAILURE[error.kind] : EXIT.bug;
}

/** How a session that ended so exits. */
export function exitCodeOfStatus(status: SessionStatus): number {
  return OF_STATUS[status];
}
