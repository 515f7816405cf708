import type { AttemptRecord, MinimizationRecord, TimedEvent } from "../bundle/record.ts";
import { resultDigest } from "../patch/tree.ts";
import type { FrozenBase } from "../sandbox/sandbox.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Manifest } from "../vocabulary/manifest.ts";
import type { SessionEvent, Side } from "../vocabulary/session.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";
import type { GitProvenance } from "../workspace/workspace.ts";
import { BaseFiles } from "./base_files.ts";
import { type NegativeControl, negativeControlOf } from "./negative_control.ts";
import type { SessionPlan, SessionPorts } from "./ports.ts";
import { type ReportRules, reportRules } from "./reports.ts";
import { verifyTargets } from "./verification.ts";

/** What a session is about: the workspace as it was streamed into the sandbox. */
interface Ground {
  readonly frozen: FrozenBase;
  readonly manifest: Manifest;
  readonly base: BaseFiles;
  readonly git: GitProvenance;
  readonly control: NegativeControl | null;
}

/** When a session began, until when it may last, and what is told of it. */
class Course {
  readonly startedAt: number;
  /** Interruption, or the session's own deadline. */
  readonly signal: AbortSignal;
  readonly events: TimedEvent[] = [];
  readonly #deadline: AbortSignal;
  readonly #seconds: number;

  constructor(plan: SessionPlan, private readonly ports: SessionPorts) {
    this.startedAt = ports.now();
    this.#seconds = plan.config.policy.limits.session_sec;
    this.#deadline = AbortSignal.timeout(this.#seconds * 1000);
    this.signal = AbortSignal.any([ports.signal, this.#deadline]);
  }

  readonly emit = (event: SessionEvent): void => {
    this.events.push({ at: new Date(this.ports.now()).toISOString(), event });
    this.ports.emit(event);
  };

  /** Whether the deadline ended what was going on, and nobody else. */
  outOfTime(): boolean {
    return this.#deadline.aborted && !this.ports.signal.aborted;
  }

  get timeUsedUp(): string {
    return `the session's ${this.#seconds} s were used up`;
  }
}

/** A session under way: what it is about, and what it found so far. */
export class Session {
  readonly emit: (event: SessionEvent) => void;
  readonly signal: AbortSignal;
  readonly baseline: VerificationResult[] = [];
  readonly attempts: AttemptRecord[] = [];
  minimization: MinimizationRecord | null = null;
  readonly confirmation: VerificationResult[] = [];
  /** The base by turns with the confirmation. */
  readonly baseAgain: VerificationResult[] = [];
  readonly controlRuns: VerificationResult[] = [];

  constructor(
    readonly plan: SessionPlan,
    readonly ports: SessionPorts,
    readonly course: Course,
    readonly ground: Ground,
  ) {
    this.emit = course.emit;
    this.signal = course.signal;
  }

  /** Runs the targets on a tree, and keeps nothing of it. @param fresh in a copy that is made for it */
  verify(
    changes: readonly FileChange[],
    side: Side,
    { attempt = 0, fresh = false }: { readonly attempt?: number; readonly fresh?: boolean } = {},
  ): Promise<VerificationResult> {
    const { limits } = this.plan.config.policy;
    return verifyTargets(this.ground.frozen, changes, this.plan.targets, {
      side,
      attempt,
      timeoutMs: limits.per_command_timeout_sec * 1000,
      outputBytes: limits.output_bytes,
      fresh,
      stopAtFailure: false,
      reports: this.reports(side),
      signal: this.signal,
      emit: this.emit,
    });
  }

  /** What the test reports of a patched tree are held against: every run of the base so far. */
  reports(side: Side): ReportRules {
    const { targets, spec } = this.plan;
    const ofBase = side === "base";
    const bases = ofBase ? [] : [...this.baseline, ...this.baseAgain];
    const winner = ofBase ? null : this.attempts.find((a) => a.verification?.outcome === "passed");
    const { entries } = this.ground.base;
    return reportRules(targets, entries, spec.workdir, bases, winner?.verification ?? null);
  }

  /** The digest of the tree that changes make of the base. */
  resultTree(changes: readonly FileChange[]): string {
    return resultDigest(this.ground.manifest, changes);
  }
}

/**
 * Streams the workspace into the sandbox once, and learns what git says of it.
 * @throws Failure `budget_exhausted` (no_answer) when the session's deadline passes before that is done
 */
export async function openSession(plan: SessionPlan, ports: SessionPorts): Promise<Session> {
  const course = new Course(plan, ports);
  try {
    return new Session(plan, ports, course, await frozenGround(plan, ports, course));
  } catch (error) {
    if (!course.outOfTime()) throw error;
    const message = `${course.timeUsedUp} before the base was in the sandbox`;
    throw new Failure("no_answer", "budget_exhausted", message, {
      hint: "raise policy.limits.session_sec, or leave large folders out with .ppignore",
    });
  }
}

async function frozenGround(
  plan: SessionPlan,
  { sandbox, workspace }: SessionPorts,
  { emit, signal }: Course,
): Promise<Ground> {
  emit({ kind: "session_started", session: plan.session, targets: plan.targets.map((t) => t.name) });
  emit({ kind: "phase", phase: "workspace" });
  const frozen = await sandbox.open(plan.spec, (options) => workspace.tar(options), signal);
  try {
    const { backend, image } = frozen.environment;
    const shown = image === null ? null : { name: image.name, id: image.id };
    emit({ kind: "sandbox_opened", backend, image: shown });
    const manifest = await workspace.manifest();
    const git = await workspace.provenance();
    const base = new BaseFiles(workspace, manifest.entries);
    const control = negativeControlOf(plan.config.policy, plan.targets, base.entries);
    let files = 0, bytes = 0;
    for (const { mode, size } of manifest.entries) {
      if (mode !== "040000") files++;
      bytes += size;
    }
    emit({ kind: "workspace_streamed", files, bytes, digest: manifest.digest });
    return { frozen, manifest, base, git, control };
  } catch (error) {
    await frozen.close();
    throw error;
  }
}
