import { parsePatch } from "../patch/parse.ts";
import { resultManifest } from "../patch/tree.ts";
import type { Policy } from "../policy/policy.ts";
import { BaseFiles } from "../prove/base_files.ts";
import type { SessionPorts } from "../prove/ports.ts";
import { applyExactly, objectionsTo } from "../prove/proposal.ts";
import { verifyTargets } from "../prove/verification.ts";
import type { SandboxEnvironment, SandboxSpec } from "../sandbox/sandbox.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import type { ByteString, Refusal } from "../vocabulary/patch.ts";
import type { ProofTarget, Side } from "../vocabulary/session.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";

/** What a bundle claims, as far as a replay needs it. */
export interface ReplayClaim {
  readonly targets: readonly ProofTarget[];
  readonly finalPatch: ByteString;
  readonly baseEntries: readonly ManifestEntry[];
  readonly baseTree: string;
  readonly resultTree: string;
  /** Where the claim was made; image id null on a host backend. */
  readonly sandbox: { readonly backend: string; readonly imageId: string | null };
}

/** How the verifier wants it run: everything in here is the verifier's own. */
export interface ReplayPlan {
  readonly policy: Policy;
  readonly spec: SandboxSpec;
  readonly repeat: number;
}

export type ReplayPorts = Omit<SessionPorts, "proposer" | "syntax" | "redact">;

export interface ReplayResult {
  /** Confirmed: red without, green with the patch, every time. Inconclusive: it could not be judged. */
  readonly verdict: "confirmed" | "contradicted" | "inconclusive";
  /** Stable snake_case. */
  readonly reason: string;
  readonly detail: string;
  readonly environment: SandboxEnvironment | null;
  readonly base: readonly VerificationResult[];
  readonly patched: readonly VerificationResult[];
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
  const none = { environment: null, base: [], patched: [] };
  const { workspace, emit } = ports;
  emit({ kind: "phase", phase: "workspace" });
  const manifest = await workspace.manifest();
  if (manifest.digest !== claim.baseTree) {
    const detail = describeDifferences(claim.baseEntries, manifest.entries);
    return { verdict: "inconclusive", reason: "base_differs", detail, ...none };
  }
  const parsed = parsePatch(claim.finalPatch);
  if (!parsed.ok) {
    return { verdict: "contradicted", reason: "patch_malformed", detail: parsed.refusal.detail, ...none };
  }
  const objections = await objectionsTo(parsed.patch, plan.policy, [], ports.findSecrets);
  if (objections.length > 0) {
    throw new Failure("denied", objections[0]!.reason, "your policy does not admit the bundle's patch", {
      details: objections.map(shown),
      hint: "this says nothing about the proof; name a policy that admits the patch with --policy",
    });
  }
  const base = new BaseFiles(workspace, manifest.entries);
  const tooLarge = await base.load(parsed.patch.files.flatMap((f) => f.oldPath ?? []));
  if (tooLarge !== null) {
    return { verdict: "inconclusive", reason: tooLarge.reason, detail: shown(tooLarge), ...none };
  }
  const application = await applyExactly(parsed.patch, base, ports.gitAgrees);
  if (!application.ok) {
    const { refusal } = application;
    // Git's silence and git's doubt are no evidence against the bundle.
    const verdict = refusal.reason.startsWith("git_") ? "inconclusive" : "contradicted";
    return { verdict, reason: refusal.reason, detail: shown(refusal), ...none };
  }
  const { changes } = application.applied;
  if (resultManifest(manifest, changes).digest !== claim.resultTree) {
    const detail = "base plus final.patch is not the recorded result tree";
    return { verdict: "contradicted", reason: "result_tree_differs", detail, ...none };
  }
  return await rerun(claim, changes, plan, ports);
}

function shown({ path, detail }: Refusal): string {
  return path === undefined ? detail : `${path}: ${detail}`;
}

async function rerun(
  claim: ReplayClaim,
  changes: readonly FileChange[],
  plan: ReplayPlan,
  ports: ReplayPorts,
): Promise<ReplayResult> {
  const { workspace, emit, signal } = ports;
  const frozen = await ports.sandbox.open(plan.spec, (options) => workspace.tar(options), signal);
  try {
    const verify = (what: readonly FileChange[], side: Side) =>
      verifyTargets(frozen, what, claim.targets, {
        side,
        attempt: 0,
        timeoutMs: plan.policy.limits.per_command_timeout_sec * 1000,
        outputBytes: plan.policy.limits.output_bytes,
        fresh: true,
        stopAtFailure: false,
        signal,
        emit,
      });
    const base: VerificationResult[] = [];
    const patched: VerificationResult[] = [];
    for (let i = 0; i < plan.repeat; i++) {
      emit({ kind: "phase", phase: "baseline" });
      base.push(await verify([], "base"));
      emit({ kind: "phase", phase: "confirm" });
      patched.push(await verify(changes, "confirmation"));
    }
    const judged = qualified(judge(base, patched), claim.sandbox, frozen.environment);
    return { ...judged, environment: frozen.environment, base, patched };
  } finally {
    emit({ kind: "phase", phase: "clean_up" });
    await frozen.close();
  }
}

/** Red without and green with the patch, each time, is the only confirmation. */
export function judge(
  base: readonly VerificationResult[],
  patched: readonly VerificationResult[],
): Pick<ReplayResult, "verdict" | "reason" | "detail"> {
  const of = (list: readonly VerificationResult[], outcome: string) =>
    list.filter((v) => v.outcome === outcome).length;
  const n = base.length;
  if (n === 0 || patched.length !== n) {
    return { verdict: "inconclusive", reason: "nothing_run", detail: "nothing was run" };
  }
  const greenBase = of(base, "passed"), greenPatched = of(patched, "passed");
  if (greenBase === 0 && greenPatched === n) {
    return { verdict: "confirmed", reason: "confirmed", detail: "red without the patch, green with it" };
  }
  if ((greenBase > 0 && greenBase < n) || (greenPatched > 0 && greenPatched < n)) {
    const detail = `the base passed ${greenBase} of ${n} times, the patched tree ${greenPatched} of ${n}`;
    return { verdict: "inconclusive", reason: "flaky", detail };
  }
  if (greenBase === n) {
    return { verdict: "contradicted", reason: "base_passes", detail: "the unpatched base passes here" };
  }
  if (of(patched, "timed_out") > 0) {
    return {
      verdict: "inconclusive",
      reason: "timed_out",
      detail: "the patched tree ran into the time limit",
    };
  }
  return { verdict: "contradicted", reason: "patched_fails", detail: "the patched tree fails here" };
}

type Judgement = Pick<ReplayResult, "verdict" | "reason" | "detail">;

/**
 * A claim was made of one sandbox. That it does not hold in another refutes nothing; that it holds there too is worth
 * saying.
 */
function qualified(judged: Judgement, claimed: ReplayClaim["sandbox"], here: SandboxEnvironment): Judgement {
  const imageId = here.image?.id ?? null;
  if (claimed.backend === here.backend && claimed.imageId === imageId) return judged;
  const place = (backend: string, id: string | null) => id === null ? backend : `${backend} of image ${id}`;
  const differs = `this is another sandbox (${place(here.backend, imageId)}) than the recorded one ` +
    `(${place(claimed.backend, claimed.imageId)})`;
  if (judged.verdict === "contradicted") {
    return { verdict: "inconclusive", reason: "sandbox_differs", detail: `${judged.detail}, but ${differs}` };
  }
  return { ...judged, detail: `${judged.detail}; ${differs}` };
}

function describeDifferences(recorded: readonly ManifestEntry[], found: readonly ManifestEntry[]): string {
  const before = new Map(recorded.map((e) => [e.path, e]));
  const differences: string[] = [];
  for (const entry of found) {
    const old = before.get(entry.path);
    before.delete(entry.path);
    if (old === undefined) differences.push(`not in the bundle: ${entry.path}`);
    else if (old.sha256 !== entry.sha256 || old.mode !== entry.mode) {
      differences.push(`differs: ${entry.path}`);
    }
  }
  for (const path of before.keys()) differences.push(`missing here: ${path}`);
  const more = differences.length - NAMED_DIFFERENCES;
  const named = differences.slice(0, NAMED_DIFFERENCES).join("; ");
  return `the checkout is not the recorded base: ${named}${more > 0 ? `; and ${more} more` : ""}`;
}
