import type { PatchUnits } from "../../patch/units.ts";
import type { Policy } from "../../policy/policy.ts";
import { controlOutcome, type NegativeControl } from "../../prove/negative_control.ts";
import type { SessionPorts } from "../../prove/ports.ts";
import type { ReportRules } from "../../prove/reports.ts";
import { verifyTargets } from "../../prove/verification.ts";
import type { FrozenBase, SandboxEnvironment, SandboxSpec } from "../../sandbox/sandbox.ts";
import type { FileChange } from "../../vocabulary/change.ts";
import { STDOUT } from "../../vocabulary/test_report.ts";
import type { VerificationResult } from "../../vocabulary/verification.ts";
import type { ReplayClaim } from "./claim.ts";
import { withControl } from "./control.ts";
import { withTests } from "./fixed_tests.ts";
import { type CheckVerdicts, judge, type Judgement, type RunsJudged } from "./judge.ts";
import {
  type MinimalAsked,
  type RemovalPorts,
  type RemovalsTried,
  tryRemovals,
  withRemovals,
} from "./removals.ts";

/** How the verifier wants it run: everything in here is the verifier's own. */
export interface ReplayPlan {
  readonly policy: Policy;
  readonly spec: SandboxSpec;
  readonly repeat: number;
  /** Whether lines of the patch are left out by way of trial; null when nobody asked. */
  readonly minimal: MinimalAsked | null;
}

export type ReplayPorts = Omit<SessionPorts, "proposer" | "redact">;

/** What came of the runs. */
export interface RunsResult extends Judgement {
  readonly checks: CheckVerdicts;
  /** Null when nothing was run. */
  readonly environment: SandboxEnvironment | null;
  /** Whether that is where the claim was made. */
  readonly asRecorded: boolean;
  readonly base: readonly VerificationResult[];
  readonly patched: readonly VerificationResult[];
  /** With the negative control that the verifier's policy asks for beside the patch; empty when it asks for none. */
  readonly control: readonly VerificationResult[];
  /** Null when no removal was tried. */
  readonly minimal: RemovalsTried | null;
}

/** What is to be run: a claim whose patch was found fit for its base. */
export interface FitClaim {
  readonly claim: ReplayClaim;
  /** What all of the patch does. */
  readonly changes: readonly FileChange[];
  readonly control: NegativeControl | null;
  /** What test reports are held against: runs of the base here. */
  readonly reports: (bases: readonly VerificationResult[]) => ReportRules;
  /** The patch taken apart, and which parts of it may be written; made only when removals are tried. */
  readonly parts: () => { readonly split: PatchUnits; readonly admits: RemovalPorts["admits"] };
}

/** Runs both sides by turns, as often as asked, then the removals, all within the verifier's time. */
export async function rerun(fit: FitClaim, plan: ReplayPlan, ports: ReplayPorts): Promise<RunsResult> {
  return await new Rerun(fit, plan, ports).result();
}

class Rerun {
  readonly #base: VerificationResult[] = [];
  readonly #patched: VerificationResult[] = [];
  readonly #control: VerificationResult[] = [];
  readonly #deadline: AbortSignal;
  readonly #signal: AbortSignal;

  constructor(readonly fit: FitClaim, readonly plan: ReplayPlan, readonly ports: ReplayPorts) {
    this.#deadline = AbortSignal.timeout(Math.max(0, plan.spec.deadline - ports.now()));
    this.#signal = AbortSignal.any([ports.signal, this.#deadline]);
  }

  async result(): Promise<RunsResult> {
    const { plan, ports, fit: { claim } } = this;
    let frozen: FrozenBase | null = null;
    let judged: RunsJudged & { readonly minimal: RemovalsTried | null };
    try {
      frozen = await ports.sandbox.open(plan.spec, (options) => ports.workspace.tar(options), this.#signal);
      const { backend, image } = frozen.environment;
      ports.emit({
        kind: "sandbox_opened",
        backend,
        image: image === null ? null : { name: image.name, id: image.id },
      });
      judged = await this.#judged(frozen);
    } catch (error) {
      if (!this.#deadline.aborted || ports.signal.aborted) throw error;
      const detail = `the ${plan.policy.limits.session_sec} s of policy.limits.session_sec were used up`;
      judged = { verdict: "inconclusive", reason: "budget_exhausted", detail, checks: {}, minimal: null };
    } finally {
      ports.emit({ kind: "phase", phase: "clean_up" });
      await frozen?.close();
    }
    const environment = frozen?.environment ?? null;
    const asRecorded = environment !== null && isRecorded(claim.sandbox, environment);
    return {
      ...judged,
      ...environment === null ? {} : qualified(judged, claim.sandbox, environment),
      checks: { base_tree: "passed", patch: "passed", ...judged.checks },
      environment,
      asRecorded,
      base: this.#base,
      patched: this.#patched,
      control: this.#control,
    };
  }

  async #judged(frozen: FrozenBase): Promise<RunsJudged & { readonly minimal: RemovalsTried | null }> {
    const { emit } = this.ports;
    for (let i = 0; i < this.plan.repeat; i++) {
      emit({ kind: "phase", phase: "baseline" });
      this.#base.push(await this.#verify(frozen, [], "base"));
      emit({ kind: "phase", phase: "confirm" });
      this.#patched.push(await this.#verify(frozen, this.fit.changes, "confirmation"));
      await this.#controlled(frozen, i + 1);
    }
    const runs = judge(this.#base, this.#patched, this.fit.claim.base);
    const tested = runs.verdict === "confirmed"
      ? withTests(runs, this.#base, this.#patched, this.fit.claim.fixed)
      : runs;
    const judged = tested.verdict === "confirmed" && this.fit.control !== null
      ? withControl(tested, this.#control, this.fit.control.targets)
      : tested;
    const asked = this.plan.minimal;
    if (judged.verdict !== "confirmed" || asked === null) return { ...judged, minimal: null };
    const { minimization } = this.fit.claim;
    if (minimization?.certified !== true) {
      const why = minimization === null
        ? "it was not minimized"
        : `its minimization ended ${minimization.end}`;
      return {
        verdict: "inconclusive",
        reason: "no_certificate",
        minimal: null,
        detail: `red without the patch, green with it; but nobody says that every line is needed: ${why}`,
        checks: { ...judged.checks, minimal: "unclear" },
      };
    }
    const { split, admits } = this.fit.parts();
    const minimal = await tryRemovals(split, this.fit.changes, asked, this.plan.spec.parallel, {
      admits,
      syntax: this.ports.syntax,
      signal: this.#signal,
      onTried: (tried, of) =>
        emit({ kind: "phase", phase: "minimize", detail: `left out part ${tried} of ${of}` }),
      run: (changes, again) => this.#verify(frozen, changes, "removal", again),
      again: this.plan.repeat,
    });
    return { ...withRemovals(judged, minimal), minimal };
  }

  /** The patch with the verifier's failing test beside it, where there is one. */
  async #controlled(frozen: FrozenBase, run: number): Promise<void> {
    if (this.fit.control === null) return;
    const { changes, targets } = this.fit.control;
    const result = await this.#verify(frozen, [...this.fit.changes, ...changes], "negative_control");
    this.#control.push(result);
    const outcome = controlOutcome([result], targets);
    this.ports.emit({ kind: "negative_control", run, of: this.plan.repeat, outcome });
  }

  #verify(
    frozen: FrozenBase,
    what: readonly FileChange[],
    side: "base" | "confirmation" | "negative_control" | "removal",
    fresh = true,
  ) {
    const { limits } = this.plan.policy;
    const quiet = side === "removal";
    const needsStdout = this.fit.claim.targets.some((t) => t.report?.path === STDOUT);
    return verifyTargets(frozen, what, this.fit.claim.targets, {
      side: quiet ? "attempt" : side,
      attempt: 0,
      timeoutMs: limits.per_command_timeout_sec * 1000,
      outputBytes: quiet && !needsStdout ? 4096 : limits.output_bytes,
      fresh,
      stopAtFailure: quiet,
      reports: this.fit.reports(side === "base" ? [] : this.#base),
      signal: this.#signal,
      ...quiet ? {} : { emit: this.ports.emit },
    });
  }
}

function isRecorded(claimed: ReplayClaim["sandbox"], here: SandboxEnvironment): boolean {
  return claimed.backend === here.backend && claimed.imageId === (here.image?.id ?? null);
}

/**
 * A claim was made of one sandbox. That it does not hold in another refutes nothing; that it holds there too is worth
 * saying.
 */
function qualified(judged: Judgement, claimed: ReplayClaim["sandbox"], here: SandboxEnvironment): Judgement {
  const { verdict, reason, detail } = judged;
  if (isRecorded(claimed, here)) return { verdict, reason, detail };
  const place = (backend: string, id: string | null) => id === null ? backend : `${backend} of image ${id}`;
  const differs =
    `this is another sandbox (${place(here.backend, here.image?.id ?? null)}) than the recorded one ` +
    `(${place(claimed.backend, claimed.imageId)})`;
  if (verdict === "contradicted") {
    return { verdict: "inconclusive", reason: "sandbox_differs", detail: `${detail}, but ${differs}` };
  }
  return { verdict, reason, detail: `${detail}; ${differs}` };
}
