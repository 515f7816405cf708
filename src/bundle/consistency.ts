import { manifestDigest } from "../vocabulary/manifest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { comparePaths } from "../vocabulary/path.ts";
import { type ControlOutcome, disagreement, outcomeOfControl } from "../vocabulary/verification.ts";
import { inconsistent as no, type ParsedBundle } from "./parsed.ts";
import type {
  ManifestDocument,
  PatchStatsDocument,
  ProposedDocument,
  TargetResultsDocument,
  VerifyDocument,
} from "./schema.ts";
import { isSessionId } from "./session_id.ts";
import { testsProblem } from "./tests_problem.ts";
import { verificationsProblem } from "./verification_problem.ts";

/** The first point at which files of a bundle, each well-formed, contradict each other; null when there is none. */
export function consistencyProblem(bundle: ParsedBundle): Refusal | null {
  return manifestProblem(bundle.manifest) ?? reproProblem(bundle) ?? attemptsProblem(bundle) ??
    verificationsProblem(bundle) ?? testsProblem(bundle) ?? minimizationProblem(bundle) ??
    controlProblem(bundle) ??
    proofProblem(bundle);
}

function manifestProblem({ entries, digest }: ManifestDocument): Refusal | null {
  const name = "workspace_manifest.json";
  for (const [i, entry] of entries.entries()) {
    if (!staysInside(entry.path)) {
      return no(name, "a path that no workspace has");
    }
    if (i > 0 && comparePaths(entries[i - 1]!.path, entry.path) >= 0) {
      return no(name, "paths are not in order");
    }
  }
  return manifestDigest(entries) === digest ? null : no(name, "its digest is not that of its entries");
}

/** A walk may meet names a patch may not touch (control characters, backslashes); never ones that lead elsewhere. */
function staysInside(path: string): boolean {
  return !path.includes("\0") &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function reproProblem(
  { repro, policy, environment, manifest, hashes, embedded }: ParsedBundle,
): Refusal | null {
  const proved = repro.status === "proved";
  const image = environment.image;
  const checks: [boolean, string][] = [
    [isSessionId(repro.session), "session is no session id"],
    [repro.success === proved, "success contradicts status"],
    [
      repro.workspace_manifest_sha256 === hashes.get("workspace_manifest.json"),
      "not of this workspace_manifest.json",
    ],
    [repro.workspace_tar_sha256 === embedded?.sha256, "workspace_tar_sha256 is not of workspace.tar"],
    [(embedded?.tree ?? manifest.digest) === manifest.digest, "workspace.tar is not the base"],
    [repro.base_tree === manifest.digest, "base_tree is not the manifest's digest"],
    [repro.policy_hash === policy.digest, "policy_hash is not that of policy.json"],
    [repro.sandbox_backend === environment.backend, "sandbox_backend is not that of environment.json"],
    [repro.container_image === (image?.name ?? null), "container_image is not that of environment.json"],
    [repro.container_image_id === (image?.id ?? null), "container_image_id is not that of environment.json"],
    [
      (hashes.get("final.patch") ?? null) === repro.final_patch_sha256,
      "final_patch_sha256 is not of final.patch",
    ],
    [
      (repro.final_patch_sha256 !== null) === proved,
      "a final patch there is exactly when something was proved",
    ],
    [(repro.result_tree !== null) === proved, "a result tree there is exactly when something was proved"],
    [(repro.final_attempt !== null) === proved, "a final attempt there is exactly when something was proved"],
    [
      (repro.final_git !== null) === proved,
      "what git said of a final patch is there exactly when something was proved",
    ],
    [
      proved || repro.findings.every(({ code }) => code !== "protected_touched"),
      "a protected file is touched by no final patch",
    ],
    [(repro.final_attempt ?? 0) <= repro.attempts_used, "final_attempt is no attempt"],
    [
      new Set(repro.proof_targets.map((t) => t.name)).size === repro.proof_targets.length,
      "a target comes twice",
    ],
  ];
  const failed = checks.find(([holds]) => !holds);
  return failed === undefined ? null : no("repro.json", failed[1]);
}

/** Attempts are numbered 1 to attempts_used, each with all its files and no others. */
function attemptsProblem({ repro, all, files, hashes }: ParsedBundle): Refusal | null {
  for (const name of files.keys()) {
    const number = /^attempts\/(\d+)\//.exec(name)?.[1];
    if (number !== undefined && Number(number) > repro.attempts_used) {
      return no(name, "of no attempt that was made");
    }
  }
  if (repro.attempts_used > files.size) return no("repro.json", "attempts_used without their files");
  for (let attempt = 1; attempt <= repro.attempts_used; attempt++) {
    const at = (name: string) => `attempts/${attempt}/${name}`;
    const proposed = all.get(at("proposed.json")) as ProposedDocument | undefined;
    if (proposed === undefined) return no(at("proposed.json"), "not in the bundle");
    if (proposed.attempt !== attempt) return no(at("proposed.json"), "of another attempt");
    const stats = all.get(at("patch_stats.json")) as PatchStatsDocument | undefined;
    if ((hashes.get(at("applied.patch")) ?? null) !== (stats?.patch_sha256 ?? null)) {
      return no(at("patch_stats.json"), "not of this applied.patch");
    }
    const verified = all.get(at("verify/verify.json")) as VerifyDocument | undefined;
    if ((verified !== undefined) !== ["passed", "failed", "timed_out"].includes(proposed.outcome)) {
      return no(at("proposed.json"), "its outcome contradicts its verification");
    }
    if (verified !== undefined && (stats === undefined || verified.outcome !== proposed.outcome)) {
      return no(at("verify/verify.json"), "contradicts the attempt");
    }
    if (verified !== undefined && verified.runs.length !== 1) {
      return no(at("verify/verify.json"), "an attempt is verified once");
    }
  }
  return null;
}

/** A minimized patch is used by a proof or not at all; its rejected runs are there only when it is not. */
function minimizationProblem({ repro, minimization, all }: ParsedBundle): Refusal | null {
  const name = "minimization.json";
  const rejected = all.get("minimization_rejected/verify.json") as VerifyDocument | undefined;
  if (rejected !== undefined) {
    const at = "minimization_rejected/verify.json";
    if (minimization === null || minimization.used) return no(at, "no minimized patch was rejected");
    if (rejected.runs.length === 0 || rejected.outcome === "passed") return no(at, "it did not fail");
  }
  if (minimization === null) return null;
  const { used, reason, after } = minimization;
  if (used && repro.status !== "proved") return no(name, "used without a proof");
  if ((after !== null) !== used) return no(name, "after is there exactly when it is used");
  return (reason === null) === used ? null : no(name, "a reason is there exactly when it is not used");
}

/** A negative control is of proof targets, and its runs say what repro.json says of it. */
function controlProblem({ repro, all }: ParsedBundle): Refusal | null {
  const name = "negative_control/verify.json";
  const control = repro.negative_control;
  const ran = all.has(name);
  if (control === null) return ran ? no(name, "of no negative control") : null;
  const targets = new Set(repro.proof_targets.map((target) => target.name));
  if (new Set(control.targets).size !== control.targets.length) {
    return no("repro.json", "a target comes twice");
  }
  if (!control.targets.every((target) => targets.has(target))) {
    return no("repro.json", "the negative control names a target that is not proved");
  }
  if (new Set(control.files.map((file) => file.path)).size !== control.files.length) {
    return no("repro.json", "a file of the negative control comes twice");
  }
  if (ran === (control.outcome === "not_run")) return no("repro.json", "contradicts its negative control");
  if (!ran) return null;
  const { runs } = all.get("negative_control/target_results.json") as TargetResultsDocument;
  return controlOutcome(runs, control.targets) === control.outcome
    ? null
    : no("repro.json", "contradicts its negative control");
}

function controlOutcome(runs: TargetResultsDocument["runs"], names: readonly string[]): ControlOutcome {
  return outcomeOfControl(names.map((name) =>
    runs.map((run) => {
      const { outcome, result, report } = run.targets.find((t) => t.target === name)!;
      if (outcome !== "failed" || result?.exit_code !== 0) return outcome;
      // Red only for want of a report: the failing test was not noticed.
      return report?.tests != null && report.tests.failed + report.tests.error > 0 ? "failed" : "passed";
    })
  ));
}

/** What `proved` promises is there: a red baseline, a green attempt, as many green confirmations, and their patch. */
function proofProblem(bundle: ParsedBundle): Refusal | null {
  const { repro, all, minimization, hashes } = bundle;
  if (repro.status !== "proved") return null;
  const of = (directory: string) => all.get(`${directory}/verify.json`) as VerifyDocument | undefined;
  const baseline = of("attempts/0_baseline")!;
  if (baseline.runs.length === 0 || baseline.passed > 0) {
    return no("attempts/0_baseline/verify.json", "the base is not red");
  }
  const attempt = `attempts/${repro.final_attempt}`;
  if (of(`${attempt}/verify`)?.outcome !== "passed") {
    return no("repro.json", "the final attempt did not pass");
  }
  const confirmation = of("confirmation");
  if (confirmation?.outcome !== "passed") {
    return no("confirmation/verify.json", "the patch was not confirmed");
  }
  if (confirmation.runs.length !== baseline.runs.length) {
    return no("confirmation/verify.json", "not confirmed as often as the base was red");
  }
  const again = of("base_again");
  if (again === undefined || again.passed > 0 || again.runs.length < confirmation.runs.length) {
    return no("base_again/verify.json", "the base was not red again before each confirmation");
  }
  const results = (directory: string) =>
    (all.get(`${directory}/target_results.json`) as TargetResultsDocument | undefined)?.runs ?? [];
  if (disagreement([...results("attempts/0_baseline"), ...results("base_again")]) !== null) {
    return no("base_again/target_results.json", "a target of the base passed in one run and not in another");
  }
  if (repro.negative_control !== null) {
    const control = of("negative_control");
    if (repro.negative_control.outcome !== "failed" || control?.runs.length !== confirmation.runs.length) {
      return no(
        "negative_control/verify.json",
        "the negative control did not fail as often as the patch was confirmed",
      );
    }
  }
  if (repro.final_exit_code !== 0) return no("repro.json", "final_exit_code is not 0");
  if (minimization?.used === true) return null;
  const stats = all.get(`${attempt}/patch_stats.json`) as PatchStatsDocument;
  if (hashes.get("final.patch") !== hashes.get(`${attempt}/applied.patch`)) {
    return no("final.patch", "neither minimized nor that of the final attempt");
  }
  return repro.result_tree === stats.result_tree
    ? null
    : no("repro.json", "result_tree is not that of the final attempt");
}
