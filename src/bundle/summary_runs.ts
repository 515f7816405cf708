import type { TargetResult, VerificationResult } from "../vocabulary/verification.ts";
import { code, plain, plural, table } from "./markdown.ts";
import { type AttemptRecord, LEFT_OUT_NOTE, type SessionRecord } from "./record.ts";
import type { SummaryFacts } from "./summary_facts.ts";

/** Every target with its command and how it went without and with a patch. */
export function beforeAndAfter(record: SessionRecord): string {
  const lastTried = record.attempts.findLast((a) => a.verification !== null)?.verification;
  const after = record.confirmation.length > 0 ? record.confirmation : lastTried ? [lastTried] : [];
  const afterName = record.final !== null
    ? "After"
    : record.confirmation.length > 0
    ? "Confirmation"
    : "Last attempt";
  const rows = record.targets.map((target, i) => [
    plain(target.name),
    `${code(target.command)}${target.shell ? " in a shell" : ""}`,
    cell([...record.baseline, ...record.baseAgain], i),
    ...(after.length === 0 ? [] : [cell(after, i)]),
  ]);
  return table(["Target", "Command", "Before", ...(after.length === 0 ? [] : [afterName])], rows);
}

/** How one target went over several runs. */
function cell(runs: readonly VerificationResult[], index: number): string {
  const results = runs.map((run) => run.targets[index]).filter((t) => t !== undefined);
  if (results.length === 0) return "not run";
  const same = results.every((t) => t.outcome === results[0]!.outcome);
  if (!same) return results.map(oneRun).join(", ");
  return results.length === 1 ? oneRun(results[0]!) : `${oneRun(results[0]!)}, ${results.length} times`;
}

function oneRun({ outcome, result, tests }: TargetResult): string {
  if (result === null) return "not run";
  const seconds = `${(result.durationMs / 1000).toFixed(2)} s`;
  if (outcome === "timed_out") return `**timed out** (${seconds})`;
  const exit = result.end === "exited" ? `exit ${result.exitCode}` : result.end.replaceAll("_", " ");
  return `**${outcome}** (${exit}${
    tests === undefined || tests.verdict === "good" || result.exitCode !== 0
      ? ""
      : ` but ${tests.verdict.replaceAll("_", " ")}`
  }, ${seconds})`;
}

/** What was proposed and what became of it; nothing when the first proposal passed as it was. */
export function attempts({ attempts, final }: SessionRecord): string {
  if (attempts.length === 0 || (final !== null && attempts.length === 1 && why(attempts[0]!) === "")) {
    return "";
  }
  const rows = attempts.map((a) => [
    String(a.attempt),
    a.proposal === null ? plain(a.proposer) : `${plain(a.proposer)}: ${code(a.proposal.source)}`,
    a.verification?.outcome.replaceAll("_", " ") ?? (a.refusals.length > 0 ? "refused" : "not run"),
    why(a),
  ]);
  return `## Attempts\n\n${table(["#", "From", "Outcome", "Why"], rows)}`;
}

/** Protected files that a proposal touches and its patch does not. */
export function leftOut(attempt: AttemptRecord): string[] {
  return (attempt.applied?.notes ?? []).filter((note) => note.startsWith(LEFT_OUT_NOTE))
    .map((note) => note.slice(LEFT_OUT_NOTE.length));
}

function why(attempt: AttemptRecord): string {
  if (attempt.refusals.length > 0) {
    const { reason, path, detail } = attempt.refusals[0]!;
    const more = attempt.refusals.length - 1;
    const where = path === undefined ? "" : `${code(path)}: `;
    return `${where}${plain(detail)} (${plain(reason)})${more === 0 ? "" : ` and ${more} more`}`;
  }
  const stuck =
    attempt.verification?.targets.filter((t) => t.outcome !== "passed" && t.outcome !== "not_run") ?? [];
  if (stuck.length > 0) {
    return stuck.map((t) => `${plain(t.target)} ${t.outcome.replaceAll("_", " ")}${reportWord(t)}`).join(
      ", ",
    );
  }
  const left = leftOut(attempt);
  const notes = (attempt.applied?.notes ?? []).filter((n) => n !== "exact" && !n.startsWith(LEFT_OUT_NOTE));
  return [
    ...(notes.length === 0 ? [] : [`read with ${notes.map(plain).join(", ")}`]),
    ...(left.length === 0 ? [] : [`left out, as protected: ${left.map(code).join(", ")}`]),
  ].join("; ");
}

/** Why an exit 0 was no green, and the names of the tests are elsewhere. */
function reportWord({ result, tests }: TargetResult): string {
  return tests === undefined || tests.verdict === "good" || result?.exitCode !== 0
    ? ""
    : ` (${tests.verdict})`;
}

/** How much smaller the patch became, or why it did not. */
export function minimization({ record, repro, finalStats }: SummaryFacts): string {
  if (record.minimization === null) return "";
  const { result, before, kept, reason, rejected } = record.minimization;
  const lines = (s: { additions: number; deletions: number }) => s.additions + s.deletions;
  const runs = plural(result.runs, "run");
  if (!kept || finalStats === null) {
    const passed = rejected.filter((v) => v.outcome === "passed").length;
    const again = rejected.length === 0
      ? ""
      : ` In new copies it passed ${passed} of ${
        plural(rejected.length, "run")
      }; what it printed there is in ` +
        "`minimization_rejected/`.";
    const instead = repro.success ? " The final patch is the one proposed." : "";
    return `## Minimization\n\nThe patch found in ${runs} is not used: ${
      plain(reason ?? "no patch was confirmed")
    }.${again}${instead}`;
  }
  const ends = {
    one_minimal:
      "It is 1-minimal: taking away any single remaining change, with what depends on it, was tried " +
      "and does not pass.",
    runs_exhausted: "It ended early, as the budget of runs was used up: more could perhaps be taken away.",
    time_exhausted: "It ended early, as the time was used up: more could perhaps be taken away.",
    realigned:
      "Written down, it pairs repeated lines otherwise than those that were tried: whether each of its " +
      "own lines is needed was not tried.",
  };
  const smaller = lines(before) === lines(finalStats)
    ? `None of ${plural(lines(before), "changed line")} could be taken away`
    : `From ${plural(lines(before), "changed line")} to ${lines(finalStats)}`;
  return `## Minimization\n\n${smaller}, in ${runs}. ${ends[result.end]} ` +
    "Every candidate is in `minimization.json`.";
}
