import { interrupted } from "../vocabulary/failure.ts";
import { parseAnswer } from "./answer.ts";
import type { CommandOptions } from "./command_settings.ts";
import { foreignTail, withoutSecrets } from "./foreign_text.ts";
import { type ProgramResult, runProgram } from "./process.ts";
import type { Proposer, ProposerAnswer } from "./proposer.ts";

export { type CommandOptions, commandSettings } from "./command_settings.ts";
export { requireProgram } from "./process.ts";

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const STDERR_BYTES = 16 * 1024;
const SHOWN_STDERR = 4000;

/**
 * Proposes what a program answers: the request as one JSON document on its standard input; on its standard output
 * either JSON `{"diff", "rationale"?, "risk_notes"?, "confidence"?}` or `{"none": "reason"}`, or plain text, which
 * is taken as the diff byte by byte. It runs as the user, outside the sandbox.
 *
 * Invalid answers: `proposer_failed` (exit code not 0), `proposer_timeout`, `answer_too_large`, `answer_empty`,
 * `answer_malformed`. The end of its standard error stands in their detail.
 *
 * @throws Failure unavailable `command_missing`, `command_not_executable`; interrupted on abort
 */
export function commandProposer(argv: readonly string[], options: CommandOptions): Proposer {
  const maxOutput = options.maxOutputBytes ?? MAX_OUTPUT_BYTES;
  const source = argv[0] ?? "";
  return {
    name: "command",
    supply: null,
    async propose(request, signal): Promise<ProposerAnswer> {
      if (signal.aborted) throw interrupted(signal.reason);
      const result = await runProgram({
        argv,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        env: options.env,
        input: new TextEncoder().encode(`${JSON.stringify(request)}\n`),
        timeoutMs: options.timeoutSec * 1000,
        graceMs: options.graceMs ?? 2000,
        stdoutBytes: maxOutput,
        stderrBytes: STDERR_BYTES,
      }, signal);
      if (signal.aborted) throw interrupted(signal.reason);
      const told = (what: string) => what + stderrNote(result, options.secrets ?? []);
      const invalid = (reason: string, what: string) =>
        ({ kind: "invalid", reason, detail: told(what) }) as const;
      if (result.end === "timed_out") {
        return invalid("proposer_timeout", `${source} was killed after ${options.timeoutSec} s`);
      }
      if (result.end === "too_much_output") {
        return invalid("answer_too_large", `${source} printed more than ${maxOutput} bytes and was killed`);
      }
      if (result.exitCode !== 0) {
        return invalid("proposer_failed", `${source} ended with exit code ${result.exitCode}`);
      }
      const answer = parseAnswer(new TextDecoder().decode(result.stdout), { plain: true });
      if (answer.kind === "none") return answer;
      if (answer.kind === "invalid") return invalid(answer.reason, answer.detail);
      const { diff, rationale, riskNotes, confidence } = answer;
      if (diff.trim() === "") return invalid("empty_diff", `${source} answered with an empty diff`);
      const bytes = answer.plain ? { bytes: result.stdout } : {};
      return { kind: "proposal", diff, ...bytes, rationale, riskNotes, confidence, source };
    },
  };
}

function stderrNote(result: ProgramResult, secrets: readonly string[]): string {
  const text = withoutSecrets(new TextDecoder().decode(result.stderr), secrets);
  const tail = foreignTail(text, SHOWN_STDERR);
  return tail === "" ? "" : `; its standard error ends with:\n${tail}`;
}
