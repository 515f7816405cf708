import type { Refusal } from "../vocabulary/patch.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import { outputProblem } from "./output_problem.ts";
import { inconsistent as no, type ParsedBundle } from "./parsed.ts";
import type { TargetResultsDocument, VerifyDocument } from "./schema.ts";

type Run = TargetResultsDocument["runs"][number];
type RunTarget = Run["targets"][number];

/** Each verification directory is complete, adds up, and every output file in it is named by one result. */
export function verificationsProblem(bundle: ParsedBundle): Refusal | null {
  const { files } = bundle;
  const outputs = new Set([...files.keys()].filter((name) => /\.(stdout|stderr)\.txt$/.test(name)));
  const directories = new Set(
    [...files.keys()].map((n) => /^(.*)\/(verify|target_results)\.json$/.exec(n)?.[1]).filter((d) =>
      d !== undefined
    ),
  );
  for (const directory of directories) {
    const problem = directoryProblem(directory, bundle, outputs);
    if (problem !== null) return problem;
  }
  const [stray] = outputs;
  return stray === undefined ? null : no(stray, "no result names this file");
}

/** @param outputs output files nobody has named yet; those of this directory are taken out */
function directoryProblem(directory: string, bundle: ParsedBundle, outputs: Set<string>): Refusal | null {
  const { repro, all, files, hashes } = bundle;
  const verify = all.get(`${directory}/verify.json`) as VerifyDocument | undefined;
  const results = all.get(`${directory}/target_results.json`) as TargetResultsDocument | undefined;
  if (verify === undefined || results === undefined) return no(directory, "half of a verification");
  const name = `${directory}/target_results.json`;
  if (verify.runs.length !== results.runs.length) return no(name, "not the runs of verify.json");
  for (const [i, run] of results.runs.entries()) {
    const { run: number, outcome } = verify.runs[i]!;
    if (run.run !== i + 1 || number !== i + 1) return no(name, "runs are not numbered in order");
    const wrong = runProblem(run, repro.proof_targets);
    if (wrong !== null) return no(name, wrong);
    if (outcomeOfRun(run.targets) !== outcome) return no(name, "the targets contradict verify.json");
    for (const { result } of run.targets) {
      for (const stream of result === null ? [] : [result.stdout, result.stderr]) {
        const file = stream.file === null ? null : `${directory}/${stream.file}`;
        if (file !== null && !outputs.delete(file)) return no(name, `no file of its own: ${stream.file}`);
        const bytes = file === null ? null : files.get(file)!;
        if (stream.redacted && repro.redactions.length === 0) return no(name, "redacted where nothing was");
        const unlike = outputProblem(stream, bytes, file === null ? null : hashes.get(file)!);
        if (unlike !== null) return no(file ?? name, unlike);
      }
    }
  }
  const outcomes = new Set(verify.runs.map((r) => r.outcome));
  const outcome = outcomes.size === 1 ? [...outcomes][0] : "mixed";
  const passed = verify.runs.filter((r) => r.outcome === "passed").length;
  return verify.passed === passed && verify.outcome === outcome
    ? null
    : no(`${directory}/verify.json`, "does not add up");
}

/** Exactly the proof targets, in order, each run as it was to be; after the end of the copy, none. */
function runProblem({ targets }: Run, proofTargets: readonly ProofTarget[]): string | null {
  if (targets.length !== proofTargets.length) return "not the proof targets";
  for (const [i, target] of targets.entries()) {
    const { name, argv } = proofTargets[i]!;
    if (target.target !== name) return "not the proof targets";
    const { outcome, result } = target;
    if (outcome !== outcomeOfTarget(target)) return "the outcome of a target is not that of its result";
    const earlier = targets[i - 1];
    if (result === null) {
      if (earlier === undefined || earlier.outcome === "passed") return "a target was not run for no reason";
      continue;
    }
    if (earlier?.outcome === "not_run") return "a target was run after one that was not";
    if (result.argv.length !== argv.length || result.argv.some((arg, k) => arg !== argv[k])) {
      return "what was run is not the argv of the proof target";
    }
    if ((result.exit_code !== null) !== (result.end === "exited")) {
      return "an exit code is there exactly when it exited";
    }
  }
  return null;
}

function outcomeOfTarget({ result, report }: RunTarget): RunTarget["outcome"] {
  if (result === null) return "not_run";
  if (result.end === "timed_out") return "timed_out";
  if (result.end !== "exited" || result.exit_code !== 0) return "failed";
  return report === undefined || report.verdict === "good" ? "passed" : "failed";
}

function outcomeOfRun(targets: readonly RunTarget[]): "passed" | "failed" | "timed_out" {
  if (targets.some((t) => t.outcome === "timed_out")) return "timed_out";
  return targets.every((t) => t.outcome === "passed") ? "passed" : "failed";
}
