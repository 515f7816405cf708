import type {
  AttemptRecord,
  MinimizationRecord,
  NegativeControlRecord,
  SessionRecord,
  TimedEvent,
} from "../bundle/record.ts";
import { resultManifest } from "../patch/tree.ts";
import { protectedFindings } from "../policy/protected.ts";
import type { FrozenBase } from "../sandbox/sandbox.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import type { SessionEvent, SessionStatus, Side } from "../vocabulary/session.ts";
import { disagreement, type VerificationResult } from "../vocabulary/verification.ts";
import type { GitProvenance } from "../workspace/workspace.ts";
import { BaseFiles } from "./base_files.ts";
import { controlOutcome, type NegativeControl, negativeControlOf } from "./negative_control.ts";
import type { SessionPlan, SessionPorts } from "./ports.ts";
import { admitProposal, type Admitted, statsOf } from "./proposal.ts";
import { reducePatch } from "./reduce.ts";
import { reportPaths, type ReportRules, reportRules } from "./reports.ts";
import { buildRequest } from "./request.ts";
import { verifyTargets } from "./verification.ts";

/** What is asked of the sandbox at its end goes out before what follows keeps this thread busy. */
const CLOSING_MS = 5;

/** What a session came to. */
export interface Concluded {
  readonly record: SessionRecord;
  /** What the final patch does to the workspace; empty unless proved. */
  readonly changes: readonly FileChange[];
}

export interface SessionOutcome extends Concluded {
  /** Containers or directories kept for inspection. */
  readonly kept: readonly string[];
}

/** How a session ends, decided step by step. */
interface Ending {
  readonly status: SessionStatus;
  readonly reason: string;
  /** Stable snake_case; null when the status says all. */
  readonly code: string | null;
  readonly final?: { readonly admitted: Admitted; readonly attempt: number };
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
  const session = new Session({ ...plan, keptOut }, ports);
  const frozen = await session.freeze();
  const close = () => {
    session.emit({ kind: "phase", phase: "clean_up" });
    return frozen.close();
  };
  let closing: Promise<void> | undefined;
  try {
    const ending = await session.decide(frozen);
    closing = close();
    // Its failure is told below, when all else is done.
    closing.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, CLOSING_MS));
    if (ports.signal.aborted) throw interrupted(ports.signal.reason);
    const concluded = await session.conclude(ending, frozen);
    const delivered = await deliver(concluded);
    await closing;
    return { outcome: { ...concluded, kept: frozen.kept() }, delivered };
  } finally {
    await (closing ?? close());
  }
}

class Session {
  readonly #startedAt: number;
  readonly #deadline: AbortSignal;
  readonly #signal: AbortSignal;
  readonly #events: TimedEvent[] = [];
  readonly #baseline: VerificationResult[] = [];
  readonly #attempts: AttemptRecord[] = [];
  readonly #confirmation: VerificationResult[] = [];
  readonly #baseAgain: VerificationResult[] = [];
  readonly #controlRuns: VerificationResult[] = [];
  #control: NegativeControl | null = null;
  #minimization: MinimizationRecord | null = null;
  #base!: BaseFiles;
  #git!: GitProvenance;

  constructor(readonly plan: SessionPlan, readonly ports: SessionPorts) {
    this.#startedAt = ports.now();
    this.#deadline = AbortSignal.timeout(plan.config.policy.limits.session_sec * 1000);
    this.#signal = AbortSignal.any([ports.signal, this.#deadline]);
  }

  readonly emit = (event: SessionEvent): void => {
    this.#events.push({ at: new Date(this.ports.now()).toISOString(), event });
    this.ports.emit(event);
  };

  /** Streams the workspace into the sandbox once, and learns what git says of it. */
  async freeze(): Promise<FrozenBase> {
    try {
      return await this.#frozen();
    } catch (error) {
      if (!this.#outOfTime()) throw error;
      throw new Failure(
        "no_answer",
        "budget_exhausted",
        `${this.#budget()} before the base was in the sandbox`,
        {
          hint: "raise policy.limits.session_sec, or leave large folders out with .ppignore",
        },
      );
    }
  }

  #outOfTime(): boolean {
    return this.#deadline.aborted && !this.ports.signal.aborted;
  }

  #budget(): string {
    return `the session's ${this.plan.config.policy.limits.session_sec} s were used up`;
  }

  async #frozen(): Promise<FrozenBase> {
    const { plan, ports } = this;
    this.emit({ kind: "session_started", session: plan.session, targets: plan.targets.map((t) => t.name) });
    this.emit({ kind: "phase", phase: "workspace" });
    const frozen = await ports.sandbox.open(
      plan.spec,
      (options) => ports.workspace.tar(options),
      this.#signal,
    );
    try {
      const { backend, image } = frozen.environment;
      const shown = image === null ? null : { name: image.name, id: image.id };
      this.emit({ kind: "sandbox_opened", backend, image: shown });
      const manifest = await ports.workspace.manifest();
      this.#git = await ports.workspace.provenance();
      this.#base = new BaseFiles(ports.workspace, manifest.entries);
      this.#control = negativeControlOf(plan.config.policy, plan.targets, this.#base.entries);
      const files = manifest.entries.filter((e) => e.mode !== "040000");
      const bytes = files.reduce((sum, e) => sum + e.size, 0);
      this.emit({ kind: "workspace_streamed", files: files.length, bytes, digest: manifest.digest });
      return frozen;
    } catch (error) {
      await frozen.close();
      throw error;
    }
  }

  /** The session's story. The deadline of the policy turns whatever was going on into `budget_exhausted`. */
  async decide(frozen: FrozenBase): Promise<Ending> {
    try {
      const settled = await this.#provenRed(frozen);
      if (settled !== null) return settled;
      const winner = await this.#firstGreen(frozen);
      if ("status" in winner) return winner;
      const smallest = await this.#minimized(winner.admitted, frozen);
      return await this.#confirmed(smallest, winner.admitted, winner.attempt, frozen);
    } catch (error) {
      if (this.#outOfTime()) {
        return { status: "budget_exhausted", reason: this.#budget(), code: "session_time_used_up" };
      }
      throw error;
    }
  }

  /** @returns an ending when there is nothing to prove, null when the base is red every time */
  async #provenRed(frozen: FrozenBase): Promise<Ending | null> {
    this.emit({ kind: "phase", phase: "baseline" });
    for (let i = 0; i < this.plan.repeat; i++) {
      this.#baseline.push(await this.#verify(frozen, [], "base"));
    }
    const passed = this.#baseline.filter((v) => v.outcome === "passed").length;
    this.emit({ kind: "baseline", outcome: this.#baseline[0]!.outcome });
    if (passed === this.#baseline.length) {
      return { status: "already_passing", reason: "every proof target passes without any patch", code: null };
    }
    if (passed > 0) {
      const reason = `the unpatched base passed ${passed} of ${this.#baseline.length} times`;
      return { status: "flaky", reason, code: "base_disagrees" };
    }
    return this.#flakyBase(this.#baseline);
  }

  /** A target that is red only now and then would make any patch look like a fix, whatever the others do. */
  #flakyBase(runs: readonly VerificationResult[]): Ending | null {
    const target = disagreement(runs);
    if (target === null) return null;
    const reason = `target ${target} of the unpatched base passed in one run and not in another`;
    return { status: "flaky", reason, code: "base_disagrees" };
  }

  async #firstGreen(frozen: FrozenBase): Promise<Ending | { admitted: Admitted; attempt: number }> {
    const { max_attempts } = this.plan.config.policy.limits;
    // A known supply is asked once even when it is empty: it says why.
    const most = Math.min(max_attempts, Math.max(1, this.ports.proposer.supply ?? max_attempts));
    let noMore = "";
    for (let attempt = 1; attempt <= most && noMore === ""; attempt++) {
      this.emit({ kind: "phase", phase: "attempt", detail: `${attempt} of ${most}` });
      const result = await this.#attempt(attempt, frozen);
      if (result.kind === "none") noMore = result.reason;
      else {
        this.#attempts.push(result.record);
        const outcome = result.record.verification?.outcome ?? "refused";
        this.emit({ kind: "attempt_finished", attempt, outcome });
        if (result.record.verification?.outcome === "passed") return { admitted: result.admitted!, attempt };
      }
    }
    return this.#unproved(noMore);
  }

  #unproved(noMore: string): Ending {
    const tried = this.#attempts.length;
    const ran = this.#attempts.filter((a) => a.verification !== null);
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

  async #attempt(
    attempt: number,
    frozen: FrozenBase,
  ): Promise<
    { kind: "none"; reason: string } | { kind: "tried"; record: AttemptRecord; admitted?: Admitted }
  > {
    const { plan, ports } = this;
    const { policy } = plan.config;
    const baseline = this.#baseline.find((v) => v.outcome !== "passed")!;
    const request = await buildRequest(
      attempt,
      policy.limits.max_attempts,
      plan,
      baseline,
      this.#attempts,
      this.#base,
      ports,
    );
    this.emit({ kind: "proposal_requested", attempt, proposer: ports.proposer.name });
    const answer = await ports.proposer.propose(request, this.#signal);
    if (answer.kind === "none") return { kind: "none", reason: answer.reason };
    const empty = { attempt, proposer: ports.proposer.name, applied: null, verification: null };
    if (answer.kind === "invalid") {
      const { reason, detail } = answer;
      this.emit({ kind: "proposal_refused", attempt, reason, detail });
      return { kind: "tried", record: { ...empty, proposal: null, refusals: [{ reason, detail }] } };
    }
    const { source, diff, rationale, riskNotes, confidence } = answer;
    const proposal = { source, diff, rationale, riskNotes, confidence };
    const admission = await admitProposal(answer, this.#base, plan, ports);
    if (!admission.ok) {
      for (const { reason, path, detail } of admission.refusals) {
        const where = path === undefined ? "" : `${path}: `;
        this.emit({ kind: "proposal_refused", attempt, reason, detail: where + detail });
      }
      return { kind: "tried", record: { ...empty, proposal, refusals: admission.refusals } };
    }
    const { admitted, leftOut } = admission;
    for (const { path, rule } of leftOut) this.emit({ kind: "protected_left_out", attempt, path, rule });
    this.emit({ kind: "proposal_applied", attempt, ...statsOf(admitted) });
    const verification = await this.#verify(frozen, admitted.changes, "attempt", { attempt });
    const applied = {
      patch: admitted.rendered,
      resultTree: await this.#resultTree(admitted),
      notes: admitted.notes,
      git: admitted.git,
    };
    const record: AttemptRecord = { ...empty, proposal, refusals: [], applied, verification };
    return { kind: "tried", record, admitted };
  }

  async #minimized(winner: Admitted, frozen: FrozenBase): Promise<Admitted> {
    const { plan, ports } = this;
    const { policy } = plan.config;
    if (!policy.minimize) return winner;
    this.emit({ kind: "phase", phase: "minimize" });
    // A tenth of the session is kept back to confirm what was found.
    const left = policy.limits.session_sec * 1000 * 0.9 - (ports.now() - this.#startedAt);
    const maxMs = Math.max(0, Math.min(policy.limits.minimize_sec * 1000, left));
    const reduction = await reducePatch(winner, frozen, this.#base, plan, {
      ...ports,
      emit: this.emit,
      signal: this.#signal,
    }, { maxMs, reports: this.#reports("attempt") });
    const reason = reduction.refused ?? "not confirmed";
    this.#minimization = { ...reduction.record, kept: false, reason, rejected: [] };
    return reduction.smallest;
  }

  /** The smallest patch is final if new copies confirm it, else the winner as it was, else nothing is. */
  async #confirmed(
    smallest: Admitted,
    winner: Admitted,
    attempt: number,
    frozen: FrozenBase,
  ): Promise<Ending> {
    this.emit({ kind: "phase", phase: "confirm" });
    const proved = (admitted: Admitted): Ending => ({
      status: "proved",
      reason: this.#howRed(),
      code: null,
      final: { admitted, attempt },
    });
    const minimization = this.#minimization;
    let confirmed = await this.#confirm(smallest, frozen);
    if (confirmed === "yes") {
      const uncontrolled = await this.#controlled(smallest, frozen);
      const taken = minimization !== null && minimization.reason === "not confirmed";
      if (taken) {
        this.#minimization = uncontrolled === null
          ? { ...minimization, kept: true, reason: null }
          : { ...minimization, reason: "the negative control did not fail with it" };
      }
      return uncontrolled ?? proved(smallest);
    }
    if (confirmed === "no" && smallest !== winner && minimization !== null) {
      const reason = "the minimized patch did not pass again in new copies";
      this.#minimization = { ...minimization, reason, rejected: this.#confirmation.splice(0) };
      confirmed = await this.#confirm(winner, frozen);
      if (confirmed === "yes") return await this.#controlled(winner, frozen) ?? proved(winner);
    }
    if (confirmed === "base_disagrees") return this.#flakyBase([...this.#baseline, ...this.#baseAgain])!;
    return confirmed === "base_passes"
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
   * Runs the confirmed patch with a failing test beside it, in newly created copies: a runner that does not notice it
   * has no say in whether other tests pass.
   * @returns null when every run failed as it should, or when no control is asked for
   */
  async #controlled(admitted: Admitted, frozen: FrozenBase): Promise<Ending | null> {
    const control = this.#control;
    if (control === null) return null;
    const { repeat } = this.plan;
    const changes = [...admitted.changes, ...control.changes];
    for (let run = 1; run <= repeat; run++) {
      const result = await this.#verify(frozen, changes, "negative_control", { fresh: true });
      this.#controlRuns.push(result);
      const outcome = controlOutcome([result], control.targets);
      this.emit({ kind: "negative_control", run, of: repeat, outcome });
    }
    const files = control.changes.map((change) => change.path).join(", ");
    switch (controlOutcome(this.#controlRuns, control.targets)) {
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
  #howRed(): string {
    if (!this.#baseline.every((v) => v.outcome === "timed_out")) return "";
    const { per_command_timeout_sec: limit } = this.plan.config.policy.limits;
    return `without the patch the command did not fail: it ran into the time limit of ${limit} s`;
  }

  /**
   * Base and patch by turns in newly created copies. A base that is red only now and then, or only until some moment,
   * would make any patch look like a fix.
   */
  async #confirm(
    admitted: Admitted,
    frozen: FrozenBase,
  ): Promise<"yes" | "no" | "base_passes" | "base_disagrees"> {
    const { repeat } = this.plan;
    for (let run = 1; run <= repeat; run++) {
      const base = await this.#verify(frozen, [], "base", { fresh: true });
      this.#baseAgain.push(base);
      if (base.outcome === "passed") return "base_passes";
      if (disagreement([...this.#baseline, ...this.#baseAgain]) !== null) return "base_disagrees";
      const verification = await this.#verify(frozen, admitted.changes, "confirmation", { fresh: true });
      this.#confirmation.push(verification);
      this.emit({ kind: "confirmation", run, of: repeat, outcome: verification.outcome });
      if (verification.outcome !== "passed") return "no";
    }
    return "yes";
  }

  #verify(
    frozen: FrozenBase,
    changes: readonly FileChange[],
    side: Side,
    { attempt = 0, fresh = false }: { readonly attempt?: number; readonly fresh?: boolean } = {},
  ) {
    const { limits } = this.plan.config.policy;
    return verifyTargets(frozen, changes, this.plan.targets, {
      side,
      attempt,
      timeoutMs: limits.per_command_timeout_sec * 1000,
      outputBytes: limits.output_bytes,
      fresh,
      stopAtFailure: false,
      reports: this.#reports(side),
      signal: this.#signal,
      emit: this.emit,
    });
  }

  /** What the test reports of a patched tree are held against: every run of the base so far. */
  #reports(side: Side): ReportRules {
    const { targets, spec } = this.plan;
    const ofBase = side === "base";
    const bases = ofBase ? [] : [...this.#baseline, ...this.#baseAgain];
    const winner = ofBase ? null : this.#attempts.find((a) => a.verification?.outcome === "passed");
    return reportRules(targets, this.#base.entries, spec.workdir, bases, winner?.verification ?? null);
  }

  async #resultTree(admitted: Admitted): Promise<string> {
    return resultManifest(await this.ports.workspace.manifest(), admitted.changes).digest;
  }

  /** Checks the session's own invariants and makes the record of it. */
  async conclude(ending: Ending, frozen: FrozenBase): Promise<Concluded> {
    const { plan, ports } = this;
    const final = ending.final;
    if ((ending.status === "proved") !== (final !== undefined)) {
      throw new Failure("bug", "ending_without_patch", `a session ended ${ending.status} against its record`);
    }
    const confirmed = this.#confirmation.length === plan.repeat &&
      this.#confirmation.every((v) => v.outcome === "passed");
    const bases = [...this.#baseline, ...this.#baseAgain];
    const red = this.#baseAgain.length >= plan.repeat && bases.every((v) => v.outcome !== "passed");
    const control = this.#controlRecord();
    const controlled = control === null ||
      (control.outcome === "failed" && control.runs.length === plan.repeat);
    if (final !== undefined && (!confirmed || !red || !controlled || disagreement(bases) !== null)) {
      throw new Failure("bug", "proof_without_evidence", "a proof lacks its red or its green side");
    }
    this.emit({ kind: "session_finished", status: ending.status });
    const record: SessionRecord = {
      session: plan.session,
      toolVersion: plan.toolVersion,
      startedAt: new Date(this.#startedAt).toISOString(),
      finishedAt: new Date(ports.now()).toISOString(),
      status: ending.status,
      reason: ending.reason,
      reasonCode: ending.code,
      targets: plan.targets,
      policy: plan.config,
      policyDigest: plan.policyDigest,
      policySource: plan.policySource,
      provider: ports.proposer.name,
      environment: frozen.environment,
      manifest: await ports.workspace.manifest(),
      skipped: ports.workspace.skipped(),
      git: this.#git,
      baseline: this.#baseline,
      attempts: this.#attempts,
      minimization: this.#minimization,
      confirmation: this.#confirmation,
      baseAgain: this.#baseAgain,
      negativeControl: control,
      findings: final === undefined ? [] : protectedFindings(final.admitted.touched),
      final: final === undefined ? null : {
        patch: final.admitted.rendered,
        resultTree: await this.#resultTree(final.admitted),
        attempt: final.attempt,
        git: final.admitted.git,
      },
      events: this.#events,
    };
    return { record, changes: final?.admitted.changes ?? [] };
  }

  #controlRecord(): NegativeControlRecord | null {
    if (this.#control === null) return null;
    const { changes, targets } = this.#control;
    const files = changes.flatMap((change) =>
      change.kind === "write" ? [{ path: change.path, sha256: sha256(change.bytes) }] : []
    );
    const runs = this.#controlRuns;
    return { files, targets, runs, outcome: runs.length === 0 ? "not_run" : controlOutcome(runs, targets) };
  }
}
