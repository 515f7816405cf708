import type { VerificationResult } from "../vocabulary/verification.ts";
import type { SessionRecord } from "./record.ts";

type WithRuns = Pick<
  SessionRecord,
  "baseline" | "attempts" | "confirmation" | "baseAgain" | "negativeControl" | "minimization"
>;

/**
 * A record without the lists of tests in its verifications, and what puts them back. A hundred thousand names are
 * redacted together and once, for tests.json, not one by one with every other string of a record.
 */
export function apartFromTests<T extends WithRuns>(record: T): {
  readonly record: T;
  readonly putBack: <U extends WithRuns>(record: U) => U;
} {
  const taken: VerificationResult[] = [];
  const bare = mapRuns(record, (run) => {
    taken.push(run);
    return { ...run, targets: run.targets.map(({ tests: _tests, ...rest }) => rest) };
  });
  return {
    record: bare,
    putBack: (record) => {
      const left = taken.values();
      return mapRuns(record, (run) => {
        const raw = left.next().value!;
        const targets = run.targets.map((target, i) => {
          const { tests } = raw.targets[i]!;
          return tests === undefined ? target : { ...target, tests };
        });
        return { ...run, targets };
      });
    },
  };
}

/** Changes every verification of a record, always in the same order. */
function mapRuns<T extends WithRuns>(record: T, change: (run: VerificationResult) => VerificationResult): T {
  const { negativeControl: control, minimization } = record;
  return {
    ...record,
    baseline: record.baseline.map(change),
    attempts: record.attempts.map((attempt) => ({
      ...attempt,
      verification: attempt.verification === null ? null : change(attempt.verification),
    })),
    confirmation: record.confirmation.map(change),
    baseAgain: record.baseAgain.map(change),
    negativeControl: control === null ? null : { ...control, runs: control.runs.map(change) },
    minimization: minimization === null
      ? null
      : { ...minimization, rejected: minimization.rejected.map(change) },
  };
}
