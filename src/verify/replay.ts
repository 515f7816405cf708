import { dirname } from "node:path";
import { parsePatch } from "../patch/parse.ts";
import { resultManifest } from "../patch/tree.ts";
import { type PatchUnits, splitPatch } from "../patch/units.ts";
import type { Policy } from "../policy/policy.ts";
import { protectedFindings } from "../policy/protected.ts";
import { BaseFiles } from "../prove/base_files.ts";
import type { SessionPorts } from "../prove/ports.ts";
import { controlOutcome, type NegativeControl, negativeControlOf } from "../prove/negative_control.ts";
import { applyExactly, objectionsTo } from "../prove/proposal.ts";
import { partsCheck, refusalsOf, touchedBy } from "../prove/protection.ts";
import { reportPaths, type ReportRules, reportRules } from "../prove/reports.ts";
import { verifyTargets } from "../prove/verification.ts";
import type { FrozenBase, SandboxEnvironment, SandboxSpec } from "../sandbox/sandbox.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Finding } from "../vocabulary/finding.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import type { ByteString, Refusal } from "../vocabulary/patch.ts";
import { refusalText } from "../vocabulary/printable.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import { STDOUT } from "../vocabulary/test_report.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";
import { type RecordedFixes, withTests } from "./tests.ts";
import { withControl } from "./control.ts";
import { type CheckVerdicts, judge, type Judgement, type RecordedBase, type RunsJudged } from "./judge.ts";
import {
  type MinimalAsked,
  type RemovalPorts,
  type RemovalsTried,
  tryRemovals,
  withRemovals,
} from "./removals.ts";

/** What a bundle claims, as far as a replay needs it. */
export interface ReplayClaim {
  readonly targets: readonly ProofTarget[];
  readonly finalPatch: ByteString;
  readonly baseEntries: readonly ManifestEntry[];
  readonly baseTree: string;
  readonly resultTree: string;
  /** Tests that the patch fixed. */
  readonly fixed: RecordedFixes;
  /** How the unpatched base failed. */
  readonly base: RecordedBase;
  /** Whether its minimization record says that nothing can be left out, and in what words that ended; null: no record. */
  readonly minimization: { readonly certified: boolean; readonly end: string } | null;
  /** Where the claim was made; image id null on a host backend. */
  readonly sandbox: { readonly backend: string; readonly imageId: string | null };
}

/** How the verifier wants it run: everything in here is the verifier's own. */
export interface ReplayPlan {
  readonly policy: Policy;
  readonly spec: SandboxSpec;
  readonly repeat: number;
  /** Whether lines of the patch are left out by way of trial; null when nobody asked. */
  readonly minimal: MinimalAsked | null;
}

export type ReplayPorts = Omit<SessionPorts, "proposer" | "redact">;

export interface ReplayResult extends Judgement {
  readonly checks: CheckVerdicts;
  /** Null when nothing was run. */
  readonly environment: SandboxEnvironment | null;
  /** Whether that is where the claim was made. */
  readonly asRecorded: boolean;
  readonly base: readonly VerificationResult[];
  readonly patched: readonly VerificationResult[];
  /** With the negative control that the verifier's policy asks for beside the patch; empty when it asks for none. */
  readonly control: readonly VerificationResult[];
  /** Protected files that the patch touches, as the verifier's policy allows. */
  readonly findings: readonly Finding[];
  /** Null when no removal was tried. */
  readonly minimal: RemovalsTried | null;
}

/** Differences named in a message; more are counted. */
const NAMED_DIFFERENCES = 10;

/**
 * Runs a bundle's claim again: the checkout must be the recorded base, fail as it is, and pass with the final patch.
 * @throws Failure for broken machinery or interruption; `denied` when the verifier's policy does not admit the patch
 */
export async function replay(
  claim: ReplayClaim,
  plan: ReplayPlan,
  ports: ReplayPorts,
): Promise<ReplayResult> {
  const nothingRun = (judged: RunsJudged): ReplayResult => ({
    ...judged,
    environment: null,
    asRecorded: false,
    base: [],
    patched: [],
    control: [],
    findings: [],
    minimal: null,
  });
  const { workspace, emit } = ports;
  emit({ kind: "phase", phase: "workspace" });
  const manifest = await workspace.manifest();
  if (manifest.digest !== claim.baseTree) {
    const detail = describeDifferences(claim.baseEntries, manifest.entries);
    const checks = { base_tree: "unclear" } as const;
    return nothingRun({ verdict: "inconclusive", reason: "base_differs", detail, checks });
  }
  const unfit = (reason: string, detail: string, verdict: "contradicted" | "inconclusive" = "contradicted") =>
    nothingRun({
      ...{ verdict, reason, detail },
      checks: { base_tree: "passed", patch: verdict === "contradicted" ? "failed" : "unclear" },
    });
  const parsed = parsePatch(claim.finalPatch);
  if (!parsed.ok) return unfit("patch_malformed", parsed.refusal.detail);
  const objections = await objectionsTo(
    parsed.patch,
    plan.policy,
    reportPaths(claim.targets),
    ports.findSecrets,
  );
  if (objections.length > 0) throw notAdmitted(objections);
  const base = new BaseFiles(workspace, manifest.entries);
  const tooLarge = await base.load(parsed.patch.files.flatMap((f) => f.oldPath ?? []));
  if (tooLarge !== null) return unfit(tooLarge.reason, refusalText(tooLarge), "inconclusive");
  const touched = touchedBy(parsed.patch, plan.policy, base);
  if (touched.denied.length > 0) throw notAdmitted(refusalsOf(touched.denied));
  const control = negativeControlOf(plan.policy, claim.targets, base.entries);
  const application = await applyExactly(parsed.patch, base, ports.gitAgrees);
  if (!application.ok) {
    const { refusal } = application;
    // Git's silence and git's doubt are no evidence against the bundle.
    const verdict = refusal.reason.startsWith("git_") ? "inconclusive" : "contradicted";
    return unfit(refusal.reason, refusalText(refusal), verdict);
  }
  const { changes } = application.applied;
  if (resultManifest(manifest, changes).digest !== claim.resultTree) {
    return unfit("result_tree_differs", "base plus final.patch is not the recorded result tree");
  }
  const parts = () => ({
    split: splitPatch(parsed.patch, base.lookup),
    admits: partsCheck(parsed.patch, plan.policy, base),
  });
  const reports = (bases: readonly VerificationResult[]) =>
    reportRules(claim.targets, base.entries, plan.spec.workdir, bases);
  const result = await new Rerun(claim, parts, changes, control, reports, plan, ports).result();
  return { ...result, findings: protectedFindings(touched.allowed) };
}

function notAdmitted(objections: readonly Refusal[]): Failure {
  return new Failure("denied", objections[0]!.reason, "your policy does not admit the bundle's patch", {
    details: objections.map(refusalText),
    hint: "this says nothing about the proof; name a policy that admits the patch with --policy",
  });
}

/** The part of a replay that runs something. */
class Rerun {
  readonly #base: VerificationResult[] = [];
  readonly #patched: VerificationResult[] = [];
  readonly #control: VerificationResult[] = [];
  readonly #deadline: AbortSignal;
  readonly #signal: AbortSignal;

  constructor(
    readonly claim: ReplayClaim,
    readonly parts: () => { readonly split: PatchUnits; readonly admits: RemovalPorts["admits"] },
    readonly changes: readonly FileChange[],
    readonly control: NegativeControl | null,
    /** What test reports are held against: runs of the base here. */
    readonly reports: (bases: readonly VerificationResult[]) => ReportRules,
    readonly plan: ReplayPlan,
    readonly ports: ReplayPorts,
  ) {
    this.#deadline = AbortSignal.timeout(Math.max(0, plan.spec.deadline - ports.now()));
    this.#signal = AbortSignal.any([ports.signal, this.#deadline]);
  }

  async result(): Promise<Omit<ReplayResult, "findings">> {
    const { plan, ports, claim } = this;
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
      this.#patched.push(await this.#verify(frozen, this.changes, "confirmation"));
      await this.#controlled(frozen, i + 1);
    }
    const runs = judge(this.#base, this.#patched, this.claim.base);
    const tested = runs.verdict === "confirmed"
      ? withTests(runs, this.#base, this.#patched, this.claim.fixed)
      : runs;
    const judged = tested.verdict === "confirmed" && this.control !== null
      ? withControl(tested, this.#control, this.control.targets)
      : tested;
    const asked = this.plan.minimal;
    if (judged.verdict !== "confirmed" || asked === null) return { ...judged, minimal: null };
    const { minimization } = this.claim;
    if (minimization?.certified !== true) {
      const why = minimization === null
        ? "it was not minimized"
        : `its minimization ended ${minimization.end}`;
      return {
        ...{ verdict: "inconclusive", reason: "no_certificate", minimal: null },
        detail: `red without the patch, green with it; but nobody says that every line is needed: ${why}`,
        checks: { ...judged.checks, minimal: "unclear" },
      };
    }
    const { split, admits } = this.parts();
    const minimal = await tryRemovals(split, this.changes, asked, this.plan.spec.parallel, {
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
    if (this.control === null) return;
    const { changes, targets } = this.control;
    const result = await this.#verify(frozen, [...this.changes, ...changes], "negative_control");
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
    const needsStdout = this.claim.targets.some((t) => t.report?.path === STDOUT);
    return verifyTargets(frozen, what, this.claim.targets, {
      side: quiet ? "attempt" : side,
      attempt: 0,
      timeoutMs: limits.per_command_timeout_sec * 1000,
      outputBytes: quiet && !needsStdout ? 4096 : limits.output_bytes,
      fresh,
      stopAtFailure: quiet,
      reports: this.reports(side === "base" ? [] : this.#base),
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

function describeDifferences(recorded: readonly ManifestEntry[], found: readonly ManifestEntry[]): string {
  const before = new Map(recorded.map((e) => [e.path, e]));
  const differences: string[] = [];
  const strays = new Set<string>();
  for (const entry of found) {
    const old = before.get(entry.path);
    before.delete(entry.path);
    if (old === undefined) {
      // What lies below a folder that is no part of the base is said with the folder.
      if (!strays.has(dirname(entry.path))) differences.push(`not in the bundle: ${entry.path}`);
      strays.add(entry.path);
    } else if (old.sha256 !== entry.sha256 || old.mode !== entry.mode) {
      differences.push(`differs: ${entry.path}`);
    }
  }
  for (const path of before.keys()) differences.push(`missing here: ${path}`);
  const more = differences.length - NAMED_DIFFERENCES;
  const named = differences.slice(0, NAMED_DIFFERENCES).join("; ");
  return `the checkout is not the recorded base: ${named}${more > 0 ? `; and ${more} more` : ""}`;
}
