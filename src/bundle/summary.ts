import { displayText } from "../patch/bytes.ts";
import type { PatchStats } from "../patch/stats.ts";
import type { SessionStatus } from "../vocabulary/session.ts";
import type { TargetResult, VerificationResult } from "../vocabulary/verification.ts";
import { evidence } from "./evidence_lines.ts";
import { block, code, firstLines, plural, table } from "./markdown.ts";
import type { AttemptRecord, SessionRecord } from "./record.ts";
import type { Repro, TargetResultsDocument } from "./schema.ts";
import { environment, notes, replaying } from "./summary_context.ts";

/** What a summary is made from; all of it redacted. */
export interface SummaryFacts {
  readonly record: SessionRecord;
  readonly repro: Repro;
  readonly baseline: TargetResultsDocument;
  /** The text of an output file of the baseline. */
  readonly output: (file: string) => string;
  readonly finalStats: PatchStats | null;
}

/** Lines of a patch that are shown; the rest is in final.patch. */
const PATCH_LINES = 400;
const RATIONALE_LINES = 20;

const TITLES: Record<SessionStatus, string> = {
  proved: "Proved",
  already_passing: "Already passing: nothing to prove",
  not_proved: "Not proved",
  flaky: "No answer: flaky",
  timed_out: "No answer: timed out",
  budget_exhausted: "No answer: the budget was used up",
  interrupted: "No answer: interrupted",
};

/** final_summary.md: the verdict first, then all a reviewer asks for, in the order it is asked. */
export function summary(facts: SummaryFacts): string {
  const sections = [
    `# ${TITLES[facts.record.status]}`,
    verdict(facts),
    commands(facts),
    fix(facts),
    whatFailed(facts),
    beforeAndAfter(facts),
    attempts(facts),
    minimization(facts),
    environment(facts.record),
    replaying(facts.record),
    notes(facts),
  ];
  return sections.filter((section) => section !== "").join("\n\n") + "\n";
}

function verdict({ record }: SummaryFacts): string {
  const { status, targets, baseline, confirmation } = record;
  const reason = record.reason === "" ? "" : `\n\nReason: ${code(record.reason)}`;
  const all = plural(targets.length, "proof target");
  const sentence: Record<SessionStatus, string> = {
    proved: `The patch below turns ${all} from red to green. Without it the targets failed in ` +
      `${baseline.length} of ${plural(baseline.length, "run")}, with it they passed in ` +
      `${confirmation.length} of ${plural(confirmation.length, "run")}, each in a newly created copy.`,
    already_passing: `All of ${all} pass without any patch. This is no proof of anything.`,
    not_proved: `No patch turned ${all} green. This bundle records what was tried.`,
    flaky: `The same tree gave different results, so neither red nor green can be trusted.`,
    timed_out: `The targets ran into the time limit, so there is no answer.`,
    budget_exhausted: `The session ended before there was an answer.`,
    interrupted: `The session was stopped before there was an answer.`,
  };
  return sentence[status] + reason;
}

function commands({ record }: SummaryFacts): string {
  const list = record.targets.map((t) =>
    `- ${code(t.name)}: ${code(t.command)}${t.shell ? " (in `sh`)" : ""}`
  );
  return `## ${record.targets.length === 1 ? "Command" : "Commands"}\n\n${list.join("\n")}`;
}

function fix({ record, finalStats }: SummaryFacts): string {
  if (record.final === null || finalStats === null) return "";
  const { files, additions, deletions } = finalStats;
  const shown = firstLines(displayText(record.final.patch), PATCH_LINES);
  const more = shown.more === 0 ? "" : `\n\n${plural(shown.more, "more line")} in \`final.patch\`.`;
  const rationale = record.attempts.find((a) => a.attempt === record.final!.attempt)?.proposal?.rationale ??
    "";
  const why = rationale.trim() === ""
    ? ""
    : `\n\nThe proposer's reasons, in its own words and not checked:\n\n${
      block(firstLines(rationale.trim(), RATIONALE_LINES).text, "text")
    }`;
  return `## The fix\n\n${
    plural(files, "file")
  }, ${additions} added and ${deletions} removed lines, from attempt ` +
    `${record.final.attempt}.\n\n${block(shown.text, "diff")}${more}${why}`;
}

function whatFailed({ record, baseline, output }: SummaryFacts): string {
  if (record.status === "already_passing") return "";
  const failing = (baseline.runs[0]?.targets ?? []).filter((t) =>
    t.outcome !== "passed" && t.result !== null
  );
  const parts = failing.map(({ target, result }) => {
    const texts = [result!.stdout, result!.stderr].map((s) => s.file === null ? "" : output(s.file));
    const lines = evidence(texts.join("\n"));
    const how = result!.end === "exited" ? `exit ${result!.exit_code}` : result!.end.replaceAll("_", " ");
    return `Target ${code(target)}, ${how}:\n\n${
      lines.length === 0 ? "(it printed nothing)" : block(lines.join("\n"), "text")
    }`;
  });
  return parts.length === 0 ? "" : `## What failed\n\n${parts.join("\n\n")}`;
}

function beforeAndAfter({ record }: SummaryFacts): string {
  const lastTried = record.attempts.findLast((a) => a.verification !== null)?.verification;
  const after = record.confirmation.length > 0 ? record.confirmation : lastTried ? [lastTried] : [];
  const afterName = record.final !== null
    ? "After"
    : record.confirmation.length > 0
    ? "Confirmation"
    : "Last attempt";
  const rows = record.targets.map((target, i) => [
    code(target.name),
    cell(record.baseline, i),
    ...(after.length === 0 ? [] : [cell(after, i)]),
  ]);
  const head = ["Target", "Before", ...(after.length === 0 ? [] : [afterName])];
  return `## Before and after\n\n${table(head, rows)}`;
}

/** How one target went over several runs. */
function cell(runs: readonly VerificationResult[], index: number): string {
  const results = runs.map((run) => run.targets[index]).filter((t) => t !== undefined);
  if (results.length === 0) return "not run";
  const same = results.every((t) => t.outcome === results[0]!.outcome);
  if (!same) return results.map(oneRun).join(", ");
  return results.length === 1 ? oneRun(results[0]!) : `${oneRun(results[0]!)}, ${results.length} times`;
}

function oneRun({ outcome, result }: TargetResult): string {
  if (result === null) return "not run";
  const exit = result.end === "exited" ? `exit ${result.exitCode}` : result.end.replaceAll("_", " ");
  const word = outcome === "passed" ? "**passed**" : outcome === "failed" ? "**failed**" : "**timed out**";
  return `${word} (${exit}, ${(result.durationMs / 1000).toFixed(2)} s)`;
}

function attempts({ record }: SummaryFacts): string {
  if (record.attempts.length === 0) return "";
  const rows = record.attempts.map((a) => [
    String(a.attempt),
    code(a.proposal === null ? a.proposer : `${a.proposer}: ${a.proposal.source}`),
    a.verification?.outcome.replaceAll("_", " ") ?? (a.refusals.length > 0 ? "refused" : "not run"),
    why(a),
  ]);
  return `## Attempts\n\n${table(["#", "From", "Outcome", "Why"], rows)}`;
}

function why(attempt: AttemptRecord): string {
  if (attempt.refusals.length > 0) {
    const { reason, path, detail } = attempt.refusals[0]!;
    const more = attempt.refusals.length - 1;
    const where = path === undefined ? "" : `${code(path)}: `;
    return `${code(reason)}: ${where}${code(detail)}${more === 0 ? "" : ` and ${more} more`}`;
  }
  const stuck =
    attempt.verification?.targets.filter((t) => t.outcome !== "passed" && t.outcome !== "not_run") ?? [];
  if (stuck.length > 0) {
    return stuck.map((t) => `${code(t.target)} ${t.outcome.replaceAll("_", " ")}`).join(", ");
  }
  const notes = attempt.applied?.notes.filter((n) => n !== "exact") ?? [];
  return notes.length === 0 ? "" : `read with ${notes.map(code).join(", ")}`;
}

function minimization({ record, finalStats }: SummaryFacts): string {
  const { minimization } = record;
  if (minimization === null) return "";
  const { result, before, kept, reason } = minimization;
  const lines = (s: { additions: number; deletions: number }) => s.additions + s.deletions;
  const runs = plural(result.runs, "run");
  if (!kept) {
    return `## Minimization\n\nNot used after ${runs}: ${
      code(reason ?? "")
    }. The final patch is the one proposed.`;
  }
  const after = finalStats === null ? "" : ` → ${lines(finalStats)}`;
  const ends = {
    one_minimal:
      "1-minimal: taking away any single remaining change, with what depends on it, was tried and does " +
      "not pass",
    runs_exhausted:
      "ended early, because the budget of runs was used up: it may be possible to take away more",
    time_exhausted: "ended early, because the time was used up: it may be possible to take away more",
  };
  return `## Minimization\n\n${plural(lines(before), "changed line")}${after}, ${runs}, ${
    ends[result.end]
  }. ` +
    "Every candidate and what became of it is in `minimization.json`.";
}
