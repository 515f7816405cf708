import type { MinimizationRecord } from "../bundle/record.ts";
import { minimize } from "../minimize/minimize.ts";
import type { Probe } from "../minimize/minimize.ts";
import { renderPatch } from "../patch/render.ts";
import { resultKey } from "../patch/tree.ts";
import { type PatchUnits, splitPatch } from "../patch/units.ts";
import type { FrozenBase } from "../sandbox/sandbox.ts";
import type { FileChange } from "../vocabulary/change.ts";
import type { BaseFiles } from "./base_files.ts";
import type { SessionPlan, SessionPorts } from "./ports.ts";
import { type Admitted, statsOf } from "./proposal.ts";
import { verifyTargets } from "./verification.ts";

export interface Reduction {
  /** The smallest patch found; the given one when nothing could go. */
  readonly smallest: Admitted;
  readonly record: Omit<MinimizationRecord, "kept" | "reason">;
}

/** Minimizes a passing patch by running the proof targets on what is left of it. */
export async function reducePatch(
  winner: Admitted,
  frozen: FrozenBase,
  base: BaseFiles,
  plan: SessionPlan,
  ports: Pick<SessionPorts, "syntax" | "now" | "emit" | "signal">,
  maxMs: number,
): Promise<Reduction> {
  const split = splitPatch(winner.patch, base.lookup);
  const { limits } = plan.config.policy;
  ports.emit({ kind: "minimization_started", units: split.units.atoms });

  const full = new Map(winner.changes.map((c) => [c.path as string, c]));

  const result = await minimize({
    units: split.units,
    key: (kept) => resultKey(split.changes(kept)),
    test: async (kept, signal): Promise<Probe> => {
      const changes = split.changes(kept);
      if (await isBroken(changes, full, ports)) return "unparsable";
      const verification = await verifyTargets(frozen, changes, plan.targets, {
        attempt: 0,
        timeoutMs: limits.per_command_timeout_sec * 1000,
        outputBytes: 4096,
        fresh: false,
        stopAtFailure: true,
        signal,
      });
      return verification.outcome === "passed"
        ? "passes"
        : verification.outcome === "timed_out"
        ? "timed_out"
        : "fails";
    },
    parallel: plan.spec.parallel,
    maxRuns: limits.minimize_runs,
    maxMs,
    now: ports.now,
    signal: ports.signal,
    onWave: (wave) =>
      ports.emit({
        kind: "wave_finished",
        wave: wave.wave,
        level: wave.level,
        tried: wave.tried.length,
        removed: wave.removed.length,
        remaining: wave.remaining,
        runs: wave.runs,
      }),
  });
  ports.emit({
    kind: "minimization_finished",
    remaining: result.kept.length,
    runs: result.runs,
    end: result.end,
  });
  const smallest = result.kept.length === split.units.atoms
    ? winner
    : reassembled(winner, split, result.kept);
  return { smallest, record: { result, atoms: split.atoms, before: statsOf(winner) } };
}

function reassembled(winner: Admitted, split: PatchUnits, kept: readonly number[]): Admitted {
  const patch = split.assemble(kept);
  return { ...winner, patch, rendered: renderPatch(patch), changes: split.changes(kept) };
}

/**
 * Whether a candidate cannot even be parsed where the full patch can. Only files that the full patch leaves valid
 * count, so that a grammar that does not know a dialect rejects nothing.
 */
async function isBroken(
  changes: readonly FileChange[],
  full: ReadonlyMap<string, FileChange>,
  ports: Pick<SessionPorts, "syntax">,
): Promise<boolean> {
  for (const change of changes) {
    const whole = full.get(change.path);
    if (change.kind !== "write" || whole?.kind !== "write") continue;
    if (await ports.syntax.check(change.path, change.bytes) !== "broken") continue;
    if (await ports.syntax.check(whole.path, whole.bytes) === "valid") return true;
  }
  return false;
}
