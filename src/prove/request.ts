import { type AttemptRecord, LEFT_OUT_NOTE } from "../bundle/record.ts";
import type { FailingTarget, PreviousAttempt, ProposalRequest } from "../propose/proposer.ts";
import { displayText } from "../patch/bytes.ts";
import type { Policy } from "../policy/policy.ts";
import { protectedGlobs } from "../policy/protected.ts";
import { type Redact, redactStrings } from "../vocabulary/redaction.ts";
import type { TargetResult, VerificationResult } from "../vocabulary/verification.ts";
import type { BaseFiles } from "./base_files.ts";
import { buildContext } from "./context.ts";
import { assertions } from "./evidence.ts";
import type { SessionPlan, SessionPorts } from "./ports.ts";
import { excerpt, type RedactedOutput, redactedOutput } from "./redact_output.ts";
import { writableBy } from "./writable.ts";

/** Bytes of each stream a proposer is shown: the first and the last half. */
const SHOWN_OUTPUT_BYTES = 16 * 1024;

/**
 * Everything a proposer gets to see for one attempt, redacted and bounded. Output and files are redacted as a whole
 * before anything is cut out of them, and every string of the request once more at the end.
 */
export async function buildRequest(
  attempt: number,
  maxAttempts: number,
  plan: SessionPlan,
  baseline: VerificationResult,
  earlier: readonly AttemptRecord[],
  base: Pick<BaseFiles, "entries" | "contextFile">,
  ports: Pick<SessionPorts, "syntax" | "redact">,
): Promise<ProposalRequest> {
  const { policy } = plan.config;
  const failing: FailingTarget[] = [];
  const outputs: string[] = [];
  for (const result of baseline.targets) {
    if (result.outcome === "passed" || result.result === null) continue;
    const { stdout, stderr } = await streamsOf(result.result, ports.redact);
    outputs.push(`${stdout.text}\n${stderr.text}`);
    failing.push({
      target: result.target,
      command: plan.targets.find((t) => t.name === result.target)!.command,
      outcome: result.outcome,
      exitCode: result.result.exitCode,
      stdout: excerpt(stdout, SHOWN_OUTPUT_BYTES),
      stderr: excerpt(stderr, SHOWN_OUTPUT_BYTES),
    });
  }
  const context = await buildContext({
    results: baseline.targets,
    output: outputs.join("\n\n"),
    entries: base.entries,
    read: (path) => base.contextFile(path),
    syntax: ports.syntax,
    redact: ports.redact,
    workdir: plan.spec.workdir,
    writeAllowed: writableBy(policy, plan.keptOut),
  });
  const request: ProposalRequest = {
    version: "veripatch-proposal-request/v1",
    session: plan.session,
    attempt,
    maxAttempts,
    failing,
    assertions: context.assertions,
    snippets: context.snippets,
    policy: toldPolicy(policy, base),
    previous: await Promise.all(earlier.map((a) => previousAttempt(a, ports.redact))),
  };
  return (await redactStrings(request, ports.redact, "request.json")).value;
}

/** What a proposer is told of a policy. */
export function toldPolicy(
  policy: Policy,
  { entries }: Pick<BaseFiles, "entries">,
): ProposalRequest["policy"] {
  return {
    writeAllowlist: policy.write_allowlist,
    denyWrite: policy.deny_write,
    protected: protectedGlobs(policy, entries.keys()),
    protectedAllowed: policy.protect.allow,
    maxFilesChanged: policy.limits.max_files_changed,
    maxPatchBytes: policy.limits.max_patch_bytes,
  };
}

async function streamsOf(
  { stdout, stderr }: NonNullable<TargetResult["result"]>,
  redact: Redact,
): Promise<{ stdout: RedactedOutput; stderr: RedactedOutput }> {
  return {
    stdout: await redactedOutput(stdout, redact, "stdout.txt"),
    stderr: await redactedOutput(stderr, redact, "stderr.txt"),
  };
}

async function previousAttempt(record: AttemptRecord, redact: Redact): Promise<PreviousAttempt> {
  const diff = record.applied === null ? record.proposal?.diff ?? "" : displayText(record.applied.patch);
  const outcome = record.refusals.length > 0
    ? `refused: ${record.refusals.map((r) => r.reason).join(", ")}`
    : record.verification?.outcome ?? "not_run";
  return {
    attempt: record.attempt,
    diff: (await redact(diff, "proposal.patch")).text,
    outcome,
    detail: await detailOf(record, redact),
  };
}

/** Why it was refused, or what was left out of it and what the first target that did not pass complained about. */
async function detailOf({ refusals, verification, applied }: AttemptRecord, redact: Redact): Promise<string> {
  if (refusals.length > 0) {
    const lines = refusals.map(({ path, detail }) => `${path === undefined ? "" : `${path}: `}${detail}`);
    return (await redact(lines.join("\n"), "stdout.txt")).text;
  }
  const leftOut = (applied?.notes ?? []).filter((note) => note.startsWith(LEFT_OUT_NOTE));
  const failed = verification?.targets.find((t) => t.outcome !== "passed" && t.result !== null);
  const said = failed?.result == null ? [] : await complaints(failed.result, redact);
  const tests = failed?.tests;
  const report = tests === undefined || tests.verdict === "good" ? [] : [`${tests.verdict}: ${tests.detail}`];
  return [...leftOut, ...report, ...said].join("\n");
}

async function complaints(result: NonNullable<TargetResult["result"]>, redact: Redact): Promise<string[]> {
  const { stdout, stderr } = await streamsOf(result, redact);
  return assertions(`${stdout.text}\n${stderr.text}`).slice(0, 20);
}
