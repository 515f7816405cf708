import { printableLine, printablePath, quoted } from "../vocabulary/printable.ts";
import type { RevisionView } from "./revision_view.ts";
import { denyingChecks } from "../approve/judge.ts";
import type { CheckKind, ProposalSummary, RevisionState } from "../store/proposals.ts";
import { type Colour, count, timeText } from "./output.ts";

const MAX_FILES = 200;
export const FORCED = "FORCED";

/** A state in its colour. */
export function stateText(state: RevisionState, c: Colour): string {
  if (["approved", "applied"].includes(state)) return c.green(state);
  if (["rejected", "failed", "expired", "stale"].includes(state)) return c.red(state);
  return state === "superseded" ? c.dim(state) : c.yellow(state);
}

/** What a list says of a proposal that waits: that nobody can approve it, or which of its checks failed. */
function failedText(failed: readonly CheckKind[], state: RevisionState, c: Colour): string {
  if (failed.length === 0 || (state !== "proposed" && state !== "approved")) return "";
  const denying = denyingChecks(failed);
  const [word, kinds] = denying.length > 0 ? ["DENIED", denying] : ["FAILED", failed];
  return ` ${c.red(`${word} (${kinds.join(", ")})`)}`;
}

/** The marks of a list beside a state, each with a space before it. */
export function marksText(
  { forced, failed }: Pick<ProposalSummary, "forced" | "failed">,
  state: RevisionState,
  c: Colour,
): string {
  return `${forced ? ` ${c.red(FORCED)}` : ""}${failedText(failed, state, c)}`;
}

/** What a revision is: title, state, base, size, who and when, and what an approval is bound to. */
export function headLines(view: RevisionView, c: Colour): string[] {
  const { proposal, revision, state, forced, evidence, damage } = view;
  const mark = forced ? `  ${c.red(c.bold(FORCED))}` : "";
  const reason = revision.reason === "" || state !== revision.state
    ? ""
    : `: ${printableLine(revision.reason)}`;
  const lines = [
    `${c.bold(view.name)}  ${stateText(state, c)}${mark}${c.dim(reason)}`,
    `title     ${printableLine(proposal.title)}`,
    `changes   ${proposal.artifact}@${revision.baseVersion}: ${count(revision.files, "file")}, ${
      c.green(`+${revision.additions}`)
    } ${c.red(`-${revision.deletions}`)}`,
    `by        ${printableLine(revision.actor)}, ${timeText(revision.createdAt)}${
      revision.proposerKey === null ? "" : `, signed by key ${revision.proposerKey.slice(0, 12)}`
    }`,
  ];
  if (revision.expiresAt !== null) lines.push(`expires   ${timeText(revision.expiresAt)}`);
  if (revision.instruction !== "") lines.push(`asks for  ${quoted(revision.instruction, 300)}`);
  if (evidence !== null) {
    lines.push(
      `policy    ${evidence.policy_sha256.slice(0, 12)}, checked by pp ${
        printableLine(evidence.checker.version)
      }`,
      `result    manifest ${evidence.result.manifest}`,
      `patch     ${evidence.patch.sha256}`,
      `evidence  ${revision.evidence}`,
    );
  }
  lines.push(`trust     ${view.trust.shown}`, ...inUseLines(view, c));
  if (damage !== null) lines.push(c.red(`damaged   ${damage.message}: ${damage.details.join("; ")}`));
  return lines;
}

/** The files in use that a change touches: what is approved from then on is judged by what it makes of them. */
function inUseLines({ inUse }: RevisionView, c: Colour): string[] {
  return inUse.map(({ path, what }) => c.red(`careful   touches the ${what} in use: ${printablePath(path)}`));
}

/** The same, on the line of a screen. */
export function inUseMark({ inUse }: RevisionView, c: Colour): string {
  const [one] = inUse;
  return one === undefined ? "" : `  ${c.red(c.bold(`touches the ${one.what} in use`))}`;
}

/** The files a revision touches. */
export function fileLines({ evidence }: RevisionView, c: Colour): string[] {
  const files = evidence?.patch.files ?? [];
  const lines = files.slice(0, MAX_FILES).map(({ path, old_path, change, additions, deletions }) =>
    `${change.padEnd(8)}  ${old_path === null ? "" : `${printablePath(old_path)} -> `}${
      printablePath(path)
    }  ${c.green(`+${additions}`)} ${c.red(`-${deletions}`)}`
  );
  if (files.length > MAX_FILES) lines.push(`and ${files.length - MAX_FILES} more`);
  return lines;
}

/** Who decided what, whether it counts, and what is still missing. */
export function decisionLines(view: RevisionView, c: Colour): string[] {
  const judged = new Map(view.standing?.decisions.map((one) => [one.id, one.refusal]) ?? []);
  const lines = view.approvals.map((approval) => {
    const { id, decision, principal, createdAt, reason, reviewBy } = approval;
    const refusal = judged.get(id) ?? null;
    const word = decision === "bypass"
      ? c.red(FORCED)
      : decision === "reject"
      ? c.red("rejected")
      : c.green("approved");
    const who = decision === "automatic" ? `rule ${principal.slice(0, 12)}` : printableLine(principal);
    return `${word}  by ${who}, ${timeText(createdAt)}${reason === "" ? "" : `: ${printableLine(reason)}`}${
      reviewBy === null ? "" : `  ${c.yellow(reviewText(view, approval.id, reviewBy))}`
    }${refusal === null ? "" : c.red(`  does not count: ${printableLine(refusal.detail)}`)}`;
  });
  const { standing } = view;
  if (standing !== null) lines.push(standingLine(view, c));
  return lines;
}

/** What an approval comes to, in one line. */
export function standingLine({ standing }: RevisionView, c: Colour): string {
  switch (standing?.outcome) {
    case "approved":
      return `${c.green("enough")}    ${count(standing.by.length, "approval")} of ${standing.needed}`;
    case "forced":
      return `${c.red(FORCED)}    the approvals it needs were bypassed`;
    case "rejected":
      return `${c.red("rejected")}  by ${standing.by.map(printableLine).join(", ")}`;
    case "not_needed":
      return `${c.green("free")}      the policy asks for no approval`;
    case "denied":
      return `${c.red("denied")}    ${standing.missing.map(printableLine).join("; ")}`;
    case "missing":
      return `${c.yellow("missing")}   ${standing.missing.map(printableLine).join("; ")}`;
    case undefined:
      return "";
  }
}

/** When a bypass has to be looked at, or that somebody else did. */
function reviewText(
  { approvals }: Pick<RevisionView, "approvals">,
  id: number,
  reviewBy: string,
): string {
  const bypass = approvals.find((approval) => approval.id === id)!;
  const review = approvals.find((other) =>
    other.id > id && other.principal !== bypass.principal && ["approve", "reject"].includes(other.decision)
  );
  if (review === undefined) return `review due ${timeText(reviewBy)}`;
  return `reviewed by ${printableLine(review.principal)}: ${review.decision}`;
}
