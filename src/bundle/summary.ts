import { displayText } from "../patch/bytes.ts";
import { type SessionStatus, STATUS_TITLES } from "../vocabulary/session.ts";
import { evidence } from "./evidence_lines.ts";
import { block, code, firstLines, plain, plural } from "./markdown.ts";
import { environment, notes, replaying } from "./summary_context.ts";
import type { SessionRecord } from "./record.ts";
import type { SummaryFacts } from "./summary_facts.ts";
import { testsSection } from "./summary_tests.ts";
import { attempts, beforeAndAfter, minimization } from "./summary_runs.ts";

/** Lines of a patch that are shown; the rest is in final.patch. */
const PATCH_LINES = 400;
const RATIONALE_LINES = 20;

/** final_summary.md: the result first, then what a reviewer asks for, in the order it is asked. */
export function summary(facts: SummaryFacts): string {
  const sections = [
    `# ${STATUS_TITLES[facts.record.status]}`,
    verdict(facts),
    beforeAndAfter(facts.record),
    findings(facts.record),
    fix(facts),
    whatFailed(facts),
    testsSection(facts),
    minimization(facts),
    attempts(facts.record),
    replaying(facts.record),
    environment(facts.record),
    notes(facts),
  ];
  return sections.filter((section) => section !== "").join("\n\n") + "\n";
}

function verdict({ record }: SummaryFacts): string {
  const { status, targets, baseline, baseAgain, confirmation } = record;
  const reason = record.reason === "" ? "" : `\n\nReason: ${plain(record.reason)}`;
  const all = targets.length === 1 ? "the proof target" : `all ${targets.length} proof targets`;
  const times = (n: number) => n === 1 ? "once" : `${n} times out of ${n}`;
  const sentence: Record<SessionStatus, string> = {
    proved:
      `The patch below turns ${all} from red to green: red ${
        times(baseline.length + baseAgain.length)
      } without it, green ` +
      `${times(confirmation.length)} with it in newly created copies of the workspace.`,
    already_passing: `Without any patch, ${all} passed already. This is no proof of anything.`,
    not_proved: `No patch turned ${all} green. This bundle records what was tried.`,
    flaky: "The same tree gave different results, so neither red nor green can be trusted.",
    timed_out: "The targets ran into the time limit, so there is no answer.",
    budget_exhausted: "The session ended before there was an answer.",
  };
  return sentence[status] + reason;
}

/** Before the patch itself: what makes its green worth less. */
function findings({ findings }: SessionRecord): string {
  if (findings.length === 0) return "";
  const lines = findings.map(({ code: what, path, rule, detail }) =>
    `- ${path === null ? "" : `${code(path)}: `}${plain(detail)} (${
      plain(rule === null ? what : `${what}, ${rule}`)
    })`
  );
  return `## Findings\n\nThe green below depends on these; look at them first.\n\n${lines.join("\n")}`;
}

function fix({ record, finalStats }: SummaryFacts): string {
  if (record.final === null || finalStats === null) return "";
  const { files, additions, deletions } = finalStats;
  const shown = firstLines(displayText(record.final.patch), PATCH_LINES);
  const more = shown.more === 0 ? "" : `\n\n${plural(shown.more, "more line")} in \`final.patch\`.`;
  const { attempt } = record.final;
  const proposal = record.attempts.find((a) => a.attempt === attempt)?.proposal ?? null;
  const from = proposal === null ? "" : ` (${code(proposal.source)})`;
  const lines = deletions === 0
    ? `${plural(additions, "line")} added`
    : additions === 0
    ? `${plural(deletions, "line")} removed`
    : `${plural(additions, "line")} added and ${deletions} removed`;
  const rationale = proposal?.rationale.trim() ?? "";
  const why = rationale === ""
    ? ""
    : `\n\nThe proposer's reasons, in its own words and not checked:\n\n${
      block(firstLines(rationale, RATIONALE_LINES).text, "text")
    }`;
  return `## The fix\n\n${lines} in ${plural(files, "file")}, from attempt ${attempt}${from}.\n\n` +
    `${block(shown.text, "diff")}${more}${why}`;
}

function whatFailed({ record, baseline, output }: SummaryFacts): string {
  if (record.status === "already_passing") return "";
  const failing = (baseline.runs[0]?.targets ?? []).filter((t) =>
    t.outcome !== "passed" && t.result !== null
  );
  const parts = failing.map(({ target, result }) => {
    const texts = [result!.stdout, result!.stderr].map((s) => s.file === null ? "" : output(s.file));
    const lines = evidence(texts.join("\n"));
    const said = lines.length === 0 ? "It printed nothing." : block(lines.join("\n"), "text");
    return record.targets.length === 1 ? said : `Target ${plain(target)}:\n\n${said}`;
  });
  return parts.length === 0 ? "" : `## What failed before\n\n${parts.join("\n\n")}`;
}
