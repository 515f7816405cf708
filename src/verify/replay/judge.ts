import {
  disagreement,
  type TargetOutcome,
  type TargetResult,
  type VerificationResult,
} from "../../vocabulary/verification.ts";
import { printableLine } from "../../vocabulary/printable.ts";

/** Outcomes that a bundle records of the unpatched base, by target. */
export type RecordedBase = ReadonlyMap<string, ReadonlySet<TargetOutcome>>;

/** What one thing that a replay looks at came to. `unclear`: it was looked at, and nothing can be said. */
export interface Check {
  readonly check: CheckName;
  readonly verdict: "passed" | "failed" | "unclear" | "not_checked";
}

/** In the order in which they are made; what comes after a failed one is mostly not checked. */
export const CHECK_NAMES = [
  "signature",
  "integrity",
  "subject",
  "freshness",
  "base_tree",
  "patch",
  "base_red",
  "base_as_recorded",
  "patched_green",
  "tests_fixed",
  "negative_control",
  "minimal",
] as const;
export type CheckName = typeof CHECK_NAMES[number];
export type CheckVerdicts = Partial<Record<CheckName, Check["verdict"]>>;

export interface Judgement {
  /** Confirmed: red without, green with the patch, every time. Inconclusive: it could not be judged. */
  readonly verdict: "confirmed" | "contradicted" | "inconclusive";
  /** Stable snake_case. */
  readonly reason: string;
  readonly detail: string;
}

export interface RunsJudged extends Judgement {
  readonly checks: CheckVerdicts;
}

/** Every check by name; those that were not made are `not_checked`. */
export function checkList(verdicts: CheckVerdicts): readonly Check[] {
  return CHECK_NAMES.map((check) => ({ check, verdict: verdicts[check] ?? "not_checked" }));
}

/**
 * Red as recorded without and green with the patch, each time, is the only confirmation. Time limits are the verifier's
 * own and machines differ, so that a run into one refutes nothing.
 * @param base one result per repeat, and as many in `patched`
 */
export function judge(
  base: readonly VerificationResult[],
  patched: readonly VerificationResult[],
  recorded: RecordedBase,
): RunsJudged {
  const n = base.length;
  if (n === 0 || patched.length !== n) {
    return { verdict: "inconclusive", reason: "nothing_run", detail: "nothing was run", checks: {} };
  }
  const of = (list: readonly VerificationResult[], outcome: string) =>
    list.filter((v) => v.outcome === outcome).length;
  const greenBase = of(base, "passed"), greenPatched = of(patched, "passed");
  const likeness = likenessTo(recorded, base);
  const checks: CheckVerdicts = {
    base_red: greenBase === 0 ? "passed" : greenBase === n ? "failed" : "unclear",
    base_as_recorded: greenBase > 0 ? "not_checked" : likeness.verdict,
    patched_green: greenPatched === n
      ? "passed"
      : greenPatched > 0 || of(patched, "timed_out") > 0
      ? "unclear"
      : "failed",
  };
  const contradicted = (reason: string, detail: string) =>
    ({ verdict: "contradicted", reason, detail, checks }) as const;
  const inconclusive = (reason: string, detail: string) =>
    ({ verdict: "inconclusive", reason, detail, checks }) as const;
  if ((greenBase > 0 && greenBase < n) || (greenPatched > 0 && greenPatched < n)) {
    const detail = `the base passed ${greenBase} of ${n} times, the patched tree ${greenPatched} of ${n}`;
    return inconclusive("flaky", detail);
  }
  if (greenBase === n) return contradicted("base_passes", "the unpatched base passes here");
  if (of(patched, "timed_out") > 0) {
    return inconclusive("timed_out", "the patched tree ran into the time limit");
  }
  if (greenPatched === 0) return contradicted("patched_fails", "the patched tree fails here");
  if (likeness.verdict === "failed") return contradicted(likeness.reason, likeness.detail);
  if (likeness.verdict === "unclear") return inconclusive(likeness.reason, likeness.detail);
  const unsteady = disagreement(base);
  if (unsteady !== null) {
    const detail = `target ${printableLine(unsteady)} passed in one run and not in another of the same tree`;
    return inconclusive("flaky", detail);
  }
  return {
    verdict: "confirmed",
    reason: "confirmed",
    detail: "red without the patch, green with it",
    checks,
  };
}

type Likeness = { readonly verdict: "passed" } | {
  readonly verdict: "failed" | "unclear";
  readonly reason: string;
  readonly detail: string;
};

/** Whether a red base is red in the recorded way: the same targets fail, and what ran into a time limit is told apart. */
function likenessTo(recorded: RecordedBase, base: readonly VerificationResult[]): Likeness {
  const all = base.flatMap(({ targets }) =>
    targets.flatMap((t) => difference(recorded.get(t.target), t) ?? [])
  );
  const unclear = all.find((d) => d.verdict === "unclear");
  if (unclear !== undefined) return unclear;
  const [first] = all;
  if (first === undefined) return { verdict: "passed" };
  const times = all.filter((d) => d.target === first.target).length;
  if (times === base.length) return first;
  return { verdict: "unclear", reason: "flaky", detail: `${first.detail}, but not every time` };
}

const HERE = { passed: "passes", failed: "fails", timed_out: "runs into the time limit" } as const;
const THERE = {
  passed: "passed",
  failed: "failed",
  timed_out: "ran into its time limit",
  not_run: "was not run",
};

function difference(then: ReadonlySet<TargetOutcome> | undefined, { target, outcome }: TargetResult) {
  // Not run after one that was cut off: of it nothing is known.
  if (outcome === "not_run" || then?.has(outcome) === true) return null;
  const recorded = [...then ?? []].map((o) => THERE[o]).join(" or ") || "was not run";
  const detail = `without the patch ${printableLine(target)} ${HERE[outcome]}; in the bundle it ${recorded}`;
  const cutOff = outcome === "timed_out" || !(then?.has("failed") || then?.has("passed"));
  return cutOff
    ? { target, verdict: "unclear" as const, reason: "base_cut_off", detail }
    : { target, verdict: "failed" as const, reason: "base_fails_otherwise", detail };
}
