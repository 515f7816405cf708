import type { CheckFinding } from "../approve/check.ts";
import type { SessionRecord } from "../bundle/record.ts";
import { bytesOf, displayText } from "../patch/bytes.ts";
import { BaseFiles } from "../prove/base_files.ts";
import type { SessionPlan, SessionPorts } from "../prove/ports.ts";
import { prove } from "../prove/prove.ts";
import { reportPaths, reportRules } from "../prove/reports.ts";
import { confirmTargets } from "../prove/verification.ts";
import type { Proposer } from "../propose/proposer.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import { interrupted } from "../vocabulary/failure.ts";
import type { SessionStatus } from "../vocabulary/session.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";
import type { CheckedChange } from "./checks.ts";
import type { FoundCheck } from "./found_check.ts";

/** What came of proving a proposal. `still_passing` is no proof: the targets passed without the patch, too. */
export type ProofOutcome = SessionStatus | "still_passing" | "no_longer_passing";

/** A bundle that was kept. */
export interface KeptBundle {
  /** Where, for people. */
  readonly place: string;
  /** Of its files, by their names and digests. */
  readonly digest: Sha256;
  /** SHA-256 of the proof's statement; null for what is none, or is not signed. */
  readonly statement: Sha256 | null;
}

export interface ProofPorts extends Omit<SessionPorts, "proposer" | "workspace"> {
  /** Keeps the record of the session as a bundle. */
  readonly keep: (record: SessionRecord) => Promise<KeptBundle>;
}

export interface ProofFound {
  readonly outcome: ProofOutcome;
  readonly session: string;
  readonly statement: Sha256 | null;
  readonly check: FoundCheck;
}

/** The session a proposal is proved in: its patch is proved as it is, so nothing is minimized. */
export function exactly(plan: SessionPlan): SessionPlan {
  return { ...plan, config: { ...plan.config, policy: { ...plan.config.policy, minimize: false } } };
}

/**
 * Proves the patch of a proposal by a session on its base, as `pp prove` does. Where all targets pass without it, they
 * must still pass with it, in newly created copies, as often as the policy says.
 * @param plan made by `exactly`
 * @param name said of the patch: `P1.2`
 * @throws Failure as `prove`
 */
export async function proveProposal(
  { base, change }: Pick<CheckedChange, "base" | "change">,
  plan: SessionPlan,
  name: string,
  ports: ProofPorts,
): Promise<ProofFound> {
  const bytes = bytesOf(change.rendered);
  const proposer = oneAnswer(bytes, displayText(change.rendered), name);
  const { delivered } = await prove(plan, { ...ports, workspace: base, proposer }, async ({ record }) => {
    ports.emit({ kind: "phase", phase: "bundle" });
    if (ports.signal.aborted) throw interrupted(ports.signal.reason);
    return { record, kept: await ports.keep(record) };
  });
  const { record, kept } = delivered;
  const runs = record.status === "already_passing"
    ? await withPatch({ base, change }, plan, record, ports)
    : [];
  const [outcome, reason] = outcomeOf(record, runs, change.rendered, change.result.digest);
  const details = {
    outcome,
    reason,
    reason_code: record.reasonCode,
    session: plan.session,
    policy_sha256: plan.policyDigest,
    targets: plan.targets.map(({ name }) => name),
    repeat: plan.repeat,
    backend: record.environment.backend,
    image: record.environment.image?.id ?? null,
    with_patch: runs.map(({ outcome, targets }) => ({
      outcome,
      targets: targets.map(({ target, outcome }) => ({ target, outcome })),
    })),
    bundle: kept.place,
    bundle_sha256: kept.digest,
    statement_sha256: kept.statement,
  };
  return {
    ...{ outcome, session: plan.session, statement: kept.statement },
    check: {
      kind: "proof",
      outcome: CHECK_OF[outcome],
      summary: `${outcome.replaceAll("_", " ")}${reason === "" ? "" : `: ${reason}`}`,
      findings: findingsOf(record, runs),
      details,
    },
  };
}

/** No answer is for a person to judge; a no is a no. */
const CHECK_OF = {
  proved: "passed",
  still_passing: "passed",
  no_longer_passing: "failed",
  already_passing: "failed",
  not_proved: "failed",
  flaky: "needs_approval",
  timed_out: "needs_approval",
  budget_exhausted: "needs_approval",
} as const;

function outcomeOf(
  record: SessionRecord,
  runs: readonly VerificationResult[],
  rendered: string,
  resultTree: Sha256,
): [ProofOutcome, string] {
  const { status, reason, final } = record;
  if (status === "proved") {
    return final?.patch === rendered && final.resultTree === resultTree
      ? ["proved", reason]
      : ["not_proved", "what was proved is not this patch"];
  }
  if (status !== "already_passing") return [status, reason];
  const passed = runs.filter(({ outcome }) => outcome === "passed").length;
  if (runs.length > 0 && passed === runs.length) {
    return ["still_passing", "every proof target passes without the patch, and with it"];
  }
  if (passed > 0) return ["flaky", `with the patch the targets passed ${passed} of ${runs.length} times`];
  return runs.some(({ outcome }) => outcome === "timed_out")
    ? ["timed_out", "with the patch the targets did not come to an end of their own"]
    : ["no_longer_passing", "the proof targets pass without the patch, and not with it"];
}

/** The targets with the patch, on a base where they pass without it. */
async function withPatch(
  { base, change }: Pick<CheckedChange, "base" | "change">,
  plan: SessionPlan,
  record: SessionRecord,
  ports: ProofPorts,
): Promise<VerificationResult[]> {
  const { limits } = plan.config.policy;
  const signal = AbortSignal.any([ports.signal, AbortSignal.timeout(limits.session_sec * 1000)]);
  const frozen = await ports.sandbox.open(plan.spec, (options) => base.tar(options), signal);
  const runs: VerificationResult[] = [];
  try {
    const { entries } = new BaseFiles(base, base.tree.entries);
    const reports = reportRules(plan.targets, entries, plan.spec.workdir, record.baseline, null);
    const confirmed = confirmTargets(frozen, change.changes, plan.targets, {
      ...{ repeat: plan.repeat, reports, signal, emit: ports.emit },
      timeoutMs: limits.per_command_timeout_sec * 1000,
      outputBytes: limits.output_bytes,
    });
    for await (const result of confirmed) runs.push(result);
  } catch (error) {
    if (ports.signal.aborted || !signal.aborted) throw error;
    runs.push({ outcome: "timed_out", targets: [] });
  } finally {
    await frozen.close();
  }
  if (ports.signal.aborted) throw interrupted(ports.signal.reason);
  return runs;
}

/** Paths no patch may touch in such a session. */
export function keptOutOf(plan: Pick<SessionPlan, "keptOut" | "targets">): readonly string[] {
  return [...plan.keptOut, ...reportPaths(plan.targets)];
}

function oneAnswer(bytes: Uint8Array, diff: string, source: string): Proposer {
  let given = false;
  return {
    name: "patch",
    supply: 1,
    propose: () => {
      if (given) return Promise.resolve({ kind: "none", reason: "the patch was tried" });
      given = true;
      const nothing = { rationale: "", riskNotes: "", confidence: null };
      return Promise.resolve({ kind: "proposal", diff, bytes, source, ...nothing });
    },
  };
}

/** Targets that did not pass with the patch, and why a patch was not even tried. */
function findingsOf(record: SessionRecord, runs: readonly VerificationResult[]): CheckFinding[] {
  const refused = record.attempts.flatMap(({ refusals }) => refusals).map(({ reason, path = null, detail }) =>
    ({ level: "error", code: reason, path, line: null, detail }) as const
  );
  const tried = record.attempts.flatMap(({ verification }) => verification ?? []);
  const last = [...tried, ...record.confirmation, ...runs].at(-1);
  const red = (last?.targets ?? []).filter(({ outcome }) => outcome !== "passed").map(({ target, outcome }) =>
    ({ level: "error", code: `target_${outcome}`, path: null, line: null, detail: target }) as const
  );
  const said = record.findings.map(({ code, path, detail }) =>
    ({ level: "warning", code, path, line: null, detail }) as const
  );
  return [...refused, ...(record.status === "proved" ? [] : red), ...said];
}

/** What stands for a proof that was not made. */
export function noProof(why: keyof typeof NO_PROOF): FoundCheck {
  const details = { outcome: "not_run", reason: why };
  return { kind: "proof", outcome: "not_run", summary: NO_PROOF[why], findings: [], details };
}

const NO_PROOF = {
  no_targets: "the policy names no proof targets",
  not_asked_for: "not asked for (--no-proof)",
  patch_refused: "not run: the policy lets no patch write that",
} as const;
