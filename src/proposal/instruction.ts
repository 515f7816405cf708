import type { PolicyConfig } from "../policy/policy.ts";
import type { PreviousAttempt, ProposalRequest, Proposer } from "../propose/proposer.ts";
import type { BaseFiles } from "../prove/base_files.ts";
import { buildContext } from "../prove/context.ts";
import type { SessionPorts } from "../prove/ports.ts";
import { admitProposal, type Admitted } from "../prove/proposal.ts";
import { toldPolicy } from "../prove/request.ts";
import { writableBy } from "../prove/writable.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { printablePath, refusalText } from "../vocabulary/printable.ts";
import { redactStrings } from "../vocabulary/redaction.ts";

/** Characters of an instruction. */
export const MAX_INSTRUCTION = 16_000;
export const MAX_NAMED_FILES = 40;
/** Text of files that a proposer is shown, in bytes. */
const CONTEXT_BYTES = 40 << 10;
const MAX_DETAIL = 2_000;

/** What is wanted, and the files that it is about. */
export interface Instruction {
  readonly instruction: string;
  readonly files: readonly string[];
}

export interface InstructionPlan {
  /** Names this asking to the proposer. */
  readonly session: string;
  readonly config: PolicyConfig;
  readonly keptOut: readonly string[];
}

export interface InstructionPorts
  extends Pick<SessionPorts, "syntax" | "redact" | "gitAgrees" | "findSecrets" | "signal"> {
  readonly proposer: Proposer;
  /** Told before each question. */
  readonly asking?: (attempt: number, of: number) => void;
}

/** A patch that the policy admits, and what the proposer said of it. */
export interface Answered {
  readonly ok: true;
  readonly admitted: Admitted;
  readonly source: string;
  readonly rationale: string;
  readonly riskNotes: string;
  readonly confidence: number | null;
  /** Of which the last was taken. */
  readonly attempts: number;
  /** Protected files that the answer touches and the patch does not. */
  readonly leftOut: readonly string[];
}

export interface Unanswered {
  readonly ok: false;
  /** `no_proposal`, `no_usable_answer`. */
  readonly refusal: Refusal;
}

/**
 * Asks a proposer for a patch that does what an instruction says. Answers are read as tolerantly, and admitted as
 * strictly, as in a session; one that cannot be used is told to the proposer, which is asked again, at most
 * `limits.max_attempts` times.
 * @throws Failure `file_unknown` (usage) for a named file that is not there; whatever the proposer throws
 */
export async function answerInstruction(
  asked: Instruction,
  files: BaseFiles,
  plan: InstructionPlan,
  ports: InstructionPorts,
): Promise<Answered | Unanswered> {
  const { policy } = plan.config;
  const unknown = asked.files.find((path) => !(files.entries.get(path)?.mode.startsWith("100") ?? false));
  if (unknown !== undefined) throw unknownFile(unknown);
  const most = Math.min(policy.limits.max_attempts, ports.proposer.supply ?? policy.limits.max_attempts);
  const previous: PreviousAttempt[] = [];
  for (let attempt = 1; attempt <= Math.max(1, most); attempt++) {
    ports.asking?.(attempt, most);
    const request = await instructionRequest(asked, files, plan, attempt, previous, ports);
    const answer = await ports.proposer.propose(request, ports.signal);
    if (answer.kind === "none") {
      const detail = previous.length === 0 ? answer.reason : `${answer.reason}; ${toldOf(previous)}`;
      return { ok: false, refusal: { reason: "no_proposal", detail: detail.slice(0, MAX_DETAIL) } };
    }
    if (answer.kind === "invalid") {
      const { reason, detail } = answer;
      previous.push({
        attempt,
        diff: "",
        outcome: `refused: ${reason}`,
        detail: detail.slice(0, MAX_DETAIL),
      });
      continue;
    }
    const admission = await admitProposal(answer, files, plan, ports);
    if (admission.ok) {
      const { source, rationale, riskNotes, confidence } = answer;
      const leftOut = admission.leftOut.map(({ path }) => path);
      return {
        ...{ ok: true, admitted: admission.admitted, attempts: attempt, leftOut },
        ...{ source, rationale, riskNotes, confidence },
      };
    }
    const { refusals } = admission;
    previous.push({
      attempt,
      diff: answer.diff,
      outcome: `refused: ${refusals.map(({ reason }) => reason).join(", ")}`,
      detail: refusals.map(refusalText).join("\n").slice(0, MAX_DETAIL),
    });
  }
  return { ok: false, refusal: { reason: "no_usable_answer", detail: toldOf(previous) } };
}

function toldOf(previous: readonly PreviousAttempt[]): string {
  const lines = previous.map(({ attempt, outcome, detail }) => `answer ${attempt} was ${outcome}: ${detail}`);
  return lines.join("; ").slice(0, MAX_DETAIL);
}

/** What a proposer is given for an instruction: redacted and bounded like the request of a session. */
async function instructionRequest(
  asked: Instruction,
  files: BaseFiles,
  plan: InstructionPlan,
  attempt: number,
  previous: readonly PreviousAttempt[],
  ports: Pick<InstructionPorts, "syntax" | "redact">,
): Promise<ProposalRequest> {
  const { policy } = plan.config;
  const context = await buildContext({
    results: [],
    output: asked.instruction,
    named: [...new Set([...asked.files, ...mentioned(asked.instruction, files)])].slice(0, MAX_NAMED_FILES),
    entries: files.entries,
    read: (path) => files.contextFile(path),
    syntax: ports.syntax,
    redact: ports.redact,
    workdir: policy.sandbox.container_workdir,
    writeAllowed: writableBy(policy, plan.keptOut),
    budgetBytes: CONTEXT_BYTES,
  });
  const request: ProposalRequest = {
    version: "veripatch-proposal-request/v1",
    session: plan.session,
    attempt,
    maxAttempts: policy.limits.max_attempts,
    instruction: asked.instruction,
    failing: [],
    assertions: [],
    snippets: context.snippets,
    policy: toldPolicy(policy, files),
    previous,
  };
  return (await redactStrings(request, ports.redact, "request.json")).value;
}

/** Files whose whole path stands in a text. */
function mentioned(text: string, { entries }: Pick<BaseFiles, "entries">): string[] {
  const words = text.split(/[\s"'`,;()<>[\]{}]+/).slice(0, 4_000).map((word) => word.replace(/[.:]+$/, ""));
  return words.filter((word) => entries.get(word)?.mode.startsWith("100") ?? false);
}

function unknownFile(path: string): Failure {
  return new Failure("usage", "file_unknown", `there is no file ${printablePath(path)} in the version`, {
    hint: "files are named as pp artifact files shows them",
  });
}
