import type { AttemptRecord } from "../bundle/record.ts";
import type { FailingTarget, PreviousAttempt, ProposalRequest } from "../propose/proposer.ts";
import { displayText } from "../patch/bytes.ts";
import { writeCheck } from "../policy/writes.ts";
import type { CapturedOutput, VerificationResult } from "../vocabulary/verification.ts";
import type { BaseFiles } from "./base_files.ts";
import { buildContext } from "./context.ts";
import { assertions } from "./evidence.ts";
import type { SessionPlan, SessionPorts } from "./ports.ts";

/** Bytes of each stream a proposer is shown: the first and the last half. */
const SHOWN_OUTPUT_BYTES = 16 * 1024;

/** Everything a proposer gets to see for one attempt, redacted and bounded. */
export async function buildRequest(
  attempt: number,
  maxAttempts: number,
  plan: SessionPlan,
  baseline: VerificationResult,
  earlier: readonly AttemptRecord[],
  base: BaseFiles,
  ports: Pick<SessionPorts, "syntax" | "redact">,
): Promise<ProposalRequest> {
  const { policy } = plan.config;
  const refusalOf = writeCheck(policy);
  const context = await buildContext({
    results: baseline.targets,
    entries: base.entries,
    read: (path) => base.contextFile(path),
    syntax: ports.syntax,
    workdir: plan.spec.workdir,
    writeAllowed: (path: string) => refusalOf(path) === null,
  });
  const clean = async (text: string, name: string) => (await ports.redact(text, name)).text;
  const failing: FailingTarget[] = [];
  for (const result of baseline.targets) {
    if (result.outcome === "passed" || result.result === null) continue;
    const { stdout, stderr } = result.result;
    failing.push({
      target: result.target,
      command: plan.targets.find((t) => t.name === result.target)!.command,
      outcome: result.outcome,
      exitCode: result.result.exitCode,
      stdout: await clean(excerpt(stdout, SHOWN_OUTPUT_BYTES), "stdout.txt"),
      stderr: await clean(excerpt(stderr, SHOWN_OUTPUT_BYTES), "stderr.txt"),
    });
  }
  return {
    version: "veripatch-proposal-request/v1",
    session: plan.session,
    attempt,
    maxAttempts,
    failing,
    assertions: await Promise.all(context.assertions.map((a) => clean(a, "stdout.txt"))),
    snippets: await Promise.all(
      context.snippets.map(async (s) => ({ ...s, text: await clean(s.text, s.path) })),
    ),
    policy: {
      writeAllowlist: policy.write_allowlist,
      denyWrite: policy.deny_write,
      maxFilesChanged: policy.limits.max_files_changed,
      maxPatchBytes: policy.limits.max_patch_bytes,
    },
    previous: await Promise.all(earlier.map((a) => previousAttempt(a, clean))),
  };
}

/** Head and tail of a captured stream as text, with what is missing between them named. */
export function excerpt(output: CapturedOutput, maxBytes: number): string {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const kept = output.head.length + output.tail.length;
  if (kept === output.totalBytes && kept <= maxBytes) return decode(output.head) + decode(output.tail);
  const half = Math.floor(maxBytes / 2);
  const head = output.head.subarray(0, half);
  const end = output.tail.length > 0 ? output.tail : output.head.subarray(head.length);
  const tail = end.subarray(Math.max(0, end.length - half));
  const missing = output.totalBytes - head.length - tail.length;
  return `${decode(head)}\n[… ${missing} bytes left out …]\n${decode(tail)}`;
}

async function previousAttempt(
  record: AttemptRecord,
  clean: (text: string, name: string) => Promise<string>,
): Promise<PreviousAttempt> {
  const diff = record.applied === null ? record.proposal?.diff ?? "" : displayText(record.applied.patch);
  const failed = record.verification?.targets.find((t) => t.outcome !== "passed" && t.result !== null);
  const output = failed?.result == null
    ? ""
    : excerpt(failed.result.stdout, 8192) + excerpt(failed.result.stderr, 8192);
  const detail = record.refusals.length > 0
    ? record.refusals.map((r) => `${r.path === undefined ? "" : `${r.path}: `}${r.detail}`).join("\n")
    : assertions(output).slice(0, 20).join("\n");
  const outcome = record.refusals.length > 0
    ? `refused: ${record.refusals.map((r) => r.reason).join(", ")}`
    : record.verification?.outcome ?? "not_run";
  return {
    attempt: record.attempt,
    diff: await clean(diff, "proposal.patch"),
    outcome,
    detail: await clean(detail, "stdout.txt"),
  };
}
