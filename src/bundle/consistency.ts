import type { Sha256 } from "../vocabulary/digest.ts";
import { manifestDigest } from "../vocabulary/manifest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { comparePaths } from "../vocabulary/path.ts";
import type {
  EnvironmentDocument,
  ManifestDocument,
  MinimizationDocument,
  PatchStatsDocument,
  PolicyDocument,
  ProposedDocument,
  Repro,
  TargetResultsDocument,
  VerifyDocument,
} from "./schema.ts";
import { isSessionId } from "./session_id.ts";

export interface ParsedDocuments {
  readonly repro: Repro;
  readonly policy: PolicyDocument;
  readonly environment: EnvironmentDocument;
  readonly manifest: ManifestDocument;
  readonly minimization: MinimizationDocument | null;
  /** Every JSON document by file name. */
  readonly all: ReadonlyMap<string, unknown>;
}

/** The first point at which files of a bundle, each well-formed, contradict each other; null when there is none. */
export function consistencyProblem(
  documents: ParsedDocuments,
  files: ReadonlyMap<string, Uint8Array>,
  hashes: ReadonlyMap<string, Sha256>,
): Refusal | null {
  return manifestProblem(documents.manifest) ?? reproProblem(documents, hashes) ??
    attemptsProblem(documents, files, hashes) ?? verificationProblem(documents, files) ??
    proofProblem(documents);
}

function no(path: string, detail: string): Refusal {
  return { reason: "bundle_inconsistent", path, detail };
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

function reproProblem(documents: ParsedDocuments, hashes: ReadonlyMap<string, Sha256>): Refusal | null {
  const { repro, policy, environment, manifest } = documents;
  const proved = repro.status === "proved";
  const image = environment.image;
  const checks: [boolean, string][] = [
    [isSessionId(repro.session), "session is no session id"],
    [repro.success === proved, "success contradicts status"],
    [
      repro.workspace_manifest_sha256 === hashes.get("workspace_manifest.json"),
      "not of this workspace_manifest.json",
    ],
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
function attemptsProblem(
  { repro, all }: ParsedDocuments,
  files: ReadonlyMap<string, Uint8Array>,
  hashes: ReadonlyMap<string, Sha256>,
): Refusal | null {
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
  }
  return null;
}

/** Each verification directory is complete, adds up, and every output file in it is named by a result. */
function verificationProblem(
  { repro, all }: ParsedDocuments,
  files: ReadonlyMap<string, Uint8Array>,
): Refusal | null {
  const outputs = new Set([...files.keys()].filter((name) => /\.(stdout|stderr)\.txt$/.test(name)));
  const directories = new Set(
    [...files.keys()].map((n) => /^(.*)\/(verify|target_results)\.json$/.exec(n)?.[1]).filter((d) =>
      d !== undefined
    ),
  );
  for (const directory of directories) {
    const verify = all.get(`${directory}/verify.json`) as VerifyDocument | undefined;
    const results = all.get(`${directory}/target_results.json`) as TargetResultsDocument | undefined;
    if (verify === undefined || results === undefined) return no(directory, "half of a verification");
    const name = `${directory}/target_results.json`;
    if (verify.runs.length !== results.runs.length) return no(name, "not the runs of verify.json");
    for (const [i, run] of results.runs.entries()) {
      const { run: number, outcome } = verify.runs[i]!;
      if (run.run !== i + 1 || number !== i + 1) return no(name, "runs are not numbered in order");
      const names = run.targets.map((t) => t.target).join("\0");
      if (names !== repro.proof_targets.map((t) => t.name).join("\0")) {
        return no(name, "not the proof targets");
      }
      if (run.targets.every((t) => t.outcome === "passed") !== (outcome === "passed")) {
        return no(name, "the targets contradict verify.json");
      }
      for (const { outcome: targetOutcome, result } of run.targets) {
        if ((result === null) !== (targetOutcome === "not_run")) {
          return no(name, "a target without its result");
        }
        if (targetOutcome === "passed" && (result!.end !== "exited" || result!.exit_code !== 0)) {
          return no(name, "a target passed without exit 0");
        }
        for (const { file } of result === null ? [] : [result.stdout, result.stderr]) {
          if (file !== null && !outputs.delete(`${directory}/${file}`)) {
            return no(name, `no file of its own: ${file}`);
          }
        }
      }
    }
    const passed = verify.runs.filter((r) => r.outcome === "passed").length;
    const outcomes = new Set(verify.runs.map((r) => r.outcome));
    const outcome = outcomes.size === 1 ? [...outcomes][0] : "mixed";
    if (verify.passed !== passed || verify.outcome !== outcome) {
      return no(`${directory}/verify.json`, "does not add up");
    }
  }
  const [stray] = outputs;
  return stray === undefined ? null : no(stray, "no result names this file");
}

/** What `proved` promises is there: a red baseline, a green attempt, a green confirmation. */
function proofProblem({ repro, all }: ParsedDocuments): Refusal | null {
  if (repro.status !== "proved") return null;
  const of = (directory: string) => all.get(`${directory}/verify.json`) as VerifyDocument | undefined;
  const baseline = of("attempts/0_baseline")!;
  if (baseline.runs.length === 0 || baseline.passed > 0) {
    return no("attempts/0_baseline/verify.json", "the base is not red");
  }
  const attempt = of(`attempts/${repro.final_attempt}/verify`);
  if (attempt?.outcome !== "passed") return no("repro.json", "the final attempt did not pass");
  if (of("confirmation")?.outcome !== "passed") {
    return no("confirmation/verify.json", "the patch was not confirmed");
  }
  return null;
}
