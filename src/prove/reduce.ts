import type { MinimizationRecord } from "../bundle/record.ts";
import { minimize, type Probe } from "../minimize/minimize.ts";
import { smallestRemovals } from "../minimize/units.ts";
import { resultKey } from "../patch/tree.ts";
import { type PatchUnits, splitPatch } from "../patch/units.ts";
import type { FrozenBase } from "../sandbox/sandbox.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { STDOUT } from "../vocabulary/test_report.ts";
import type { BaseFiles } from "./base_files.ts";
import type { ReportRules } from "./reports.ts";
import type { SessionPlan, SessionPorts } from "./ports.ts";
import { admitPatch, type Admitted, statsOf } from "./proposal.ts";
import { partsCheck } from "./protection.ts";
import { verifyTargets } from "./verification.ts";

/** A candidate's run gets at least this long, however little is left of the minimization's time. */
const LEAST_RUN_MS = 1_000;

export interface Reduction {
  /** The smallest patch found; the given one when nothing could go. */
  readonly smallest: Admitted;
  /** Why the smallest one found is not taken; null when it is. */
  readonly refused: string | null;
  readonly record: Pick<MinimizationRecord, "result" | "atoms" | "before">;
}

/**
 * Minimizes a passing patch by running the proof targets on what is left of it. What comes out was read, applied and
 * checked from its own bytes like any proposal.
 * @param limits.reports what a candidate's test reports are held against
 * @param limits.maxMs wall time after which no candidate is running any more, give or take LEAST_RUN_MS
 */
export async function reducePatch(
  winner: Admitted,
  frozen: FrozenBase,
  base: BaseFiles,
  plan: SessionPlan,
  ports: Pick<SessionPorts, "syntax" | "now" | "emit" | "signal" | "gitAgrees" | "findSecrets">,
  { maxMs, reports }: { readonly maxMs: number; readonly reports: ReportRules },
): Promise<Reduction> {
  const { policy } = plan.config;
  const split = splitPatch(winner.patch, base.lookup);
  const full = new Map(winner.changes.map((c) => [c.path as string, c]));
  const endsAt = ports.now() + maxMs;
  const staysFree = partsCheck(winner.patch, policy, base);
  ports.emit({ kind: "minimization_started", units: split.units.atoms });

  const result = await minimize({
    units: split.units,
    key: (kept) => resultKey(split.changes(kept)),
    test: async (kept, signal): Promise<Probe> => {
      const changes = split.changes(kept);
      if (!staysFree(changes) || await isBroken(changes, full, ports.syntax)) return "unparsable";
      const left = Math.max(LEAST_RUN_MS, endsAt - ports.now());
      const { outcome } = await verifyTargets(frozen, changes, plan.targets, {
        side: "attempt",
        attempt: 0,
        timeoutMs: Math.min(policy.limits.per_command_timeout_sec * 1000, left),
        outputBytes: plan.targets.some((t) => t.report?.path === STDOUT) ? policy.limits.output_bytes : 4096,
        reports,
        fresh: false,
        stopAtFailure: true,
        signal,
      });
      return ({ passed: "passes", failed: "fails", timed_out: "timed_out" } as const)[outcome];
    },
    parallel: plan.spec.parallel,
    maxRuns: policy.limits.minimize_runs,
    maxMs,
    now: ports.now,
    signal: ports.signal,
    onWave: ({ wave, level, tried, removed, remaining, runs }) =>
      ports.emit({
        kind: "wave_finished",
        ...{ wave, level, tried: tried.length, removed: removed.length, remaining, runs },
      }),
  });
  const { kept, runs } = result;
  const left = split.assemble(kept);
  const realigned = result.end === "one_minimal" && kept.length < split.units.atoms &&
    !wereTried(splitPatch(left, base.lookup), split, kept);
  const end = realigned ? "realigned" : result.end;
  ports.emit({ kind: "minimization_finished", remaining: kept.length, runs, end });
  const record = { result: { ...result, end }, atoms: split.atoms, before: statsOf(winner) } as const;
  if (kept.length === split.units.atoms) return { smallest: winner, refused: null, record };
  const admission = await admitPatch(left, winner.notes, base, plan, ports);
  if (admission.ok) return { smallest: admission.admitted, refused: null, record };
  const refused = `the minimized patch was refused: ${admission.refusals.map((r) => r.reason).join(", ")}`;
  return { smallest: winner, refused, record };
}

/**
 * Whether what is left of a patch falls into parts each of which was tried: where lines come more than once, a diff
 * written anew may pair them otherwise, and nothing is known of its own lines.
 */
function wereTried(left: PatchUnits, split: PatchUnits, kept: readonly number[]): boolean {
  const isKept = new Set(kept);
  const key = (of: PatchUnits, here: readonly number[], removed: readonly number[]) => {
    const gone = new Set(removed);
    return resultKey(of.changes(here.filter((atom) => !gone.has(atom))));
  };
  const tried = new Set(
    smallestRemovals(split.units).filter(([first]) => isKept.has(first!)).map((r) => key(split, kept, r)),
  );
  const all = left.atoms.map((_, atom) => atom);
  return smallestRemovals(left.units).every((removed) => tried.has(key(left, all, removed)));
}

/**
 * Whether a candidate cannot even be parsed where the full patch can. Only files that the full patch leaves valid
 * count, so that a grammar that does not know a dialect rejects nothing.
 */
export async function isBroken(
  changes: readonly FileChange[],
  full: ReadonlyMap<string, FileChange>,
  syntax: SessionPorts["syntax"],
): Promise<boolean> {
  for (const change of changes) {
    const whole = full.get(change.path);
    if (change.kind !== "write" || whole?.kind !== "write") continue;
    if (await syntax.check(change.path, change.bytes) !== "broken") continue;
    if (await syntax.check(whole.path, whole.bytes) === "valid") return true;
  }
  return false;
}
