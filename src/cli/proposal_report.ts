import { displayText } from "../patch/bytes.ts";
import { renderPatch } from "../patch/render.ts";
import { fileStats } from "../patch/stats.ts";
import { changeOfFile, type ProposalView } from "../proposal/view.ts";
import { revisionName } from "../store/proposal/find.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { checkLines, checkView, FEW_FINDINGS } from "./check_text.ts";
import { type Colour, colourDiff, timeText } from "./output.ts";
import { stateText } from "./revision_text.ts";

/** Lines of a diff, and files, shown; the whole is printed by `pp proposal diff`. */
const MAX_DIFF_LINES = 400;
const MAX_FILES = 60;

/** Everything about a proposal, for people. */
export function viewText(view: ProposalView, c: Colour): string {
  const { found: { proposal, revision }, change, checks, approvals } = view;
  const name = revisionName(revision);
  const lines = [
    `${c.bold(name)}  ${stateText(view.state, c)}: ${printableLine(proposal.title)}`,
    ...(revision.reason === "" ? [] : [`because  ${printableLine(revision.reason)}`]),
    `base     ${proposal.artifact}@${revision.baseVersion}${olderText(view, c)}`,
    `made     ${timeText(revision.createdAt)} by ${printableLine(revision.actor)}${
      revision.proposerKey === null ? "" : c.dim(`, signed by key ${revision.proposerKey.slice(0, 12)}`)
    }`,
    ...(revision.expiresAt === null ? [] : [`expires  ${timeText(revision.expiresAt)}`]),
    ...(revision.instruction === "" ? [] : [
      ...revision.instruction.split("\n").slice(0, 20).map((line, i) =>
        `${i === 0 ? "asked   " : "        "} ${printableLine(line)}`
      ),
    ]),
    ...fileLines(view, c),
    ...checkLines(checks.map(checkView), FEW_FINDINGS, c),
    ...(revision.evidence === null ? [] : [`evidence ${revision.evidence}`]),
    ...approvals.map(({ decision, principal, createdAt, reason }) =>
      `decision ${decision} by ${printableLine(principal)}, ${timeText(createdAt)}${
        reason === "" ? "" : `: ${printableLine(reason)}`
      }`
    ),
    ...(view.revisions.length < 2 ? [] : [
      `others   ${
        view.revisions.filter(({ number }) => number !== revision.number).slice(0, 20)
          .map((other) => `${revisionName(other)} ${other.state}`).join(", ")
      }`,
    ]),
    "",
    ...diffLines(displayText(renderPatch(change.patch)), name, c),
  ];
  return lines.join("\n");
}

function olderText({ found: { revision }, newestVersion }: ProposalView, c: Colour): string {
  if (newestVersion === null || newestVersion === revision.baseVersion) return "";
  return c.yellow(`, the newest is @${newestVersion}: pp proposal rebase P${revision.proposal}`);
}

function fileLines({ change: { patch } }: ProposalView, c: Colour): string[] {
  const more = patch.files.length - MAX_FILES;
  return [
    ...patch.files.slice(0, MAX_FILES).map((file) => {
      const { oldPath, hunks } = file;
      const { path, change, additions, deletions } = fileStats(file);
      const shown = change === "renamed"
        ? `${printablePath(oldPath!)} -> ${printablePath(path)}`
        : printablePath(path);
      const places = hunks.slice(0, 8).map(({ newStart, newCount }) =>
        newCount === 0 ? `${newStart}` : `${newStart}-${newStart + newCount - 1}`
      );
      const where = places.length === 0
        ? ""
        : c.dim(` lines ${places.join(", ")}${hunks.length > 8 ? ` and ${hunks.length - 8} more` : ""}`);
      return `${changeOfFile(file).padEnd(8)} ${shown} ${c.green(`+${additions}`)} ${
        c.red(`-${deletions}`)
      }${where}`;
    }),
    ...(more > 0 ? [`         and ${more} more files`] : []),
  ];
}

function diffLines(diff: string, name: string, c: Colour): string[] {
  const lines = diff.split("\n");
  const shown = colourDiff(lines.slice(0, MAX_DIFF_LINES).join("\n").trimEnd(), c);
  const more = lines.length - MAX_DIFF_LINES;
  return more > 0 ? [shown, c.yellow(`${more} more lines: pp proposal diff ${name}`)] : [shown];
}
