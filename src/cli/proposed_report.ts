import { type FoundRevision, revisionName } from "../store/proposal/find.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { checkLines, checkView, FEW_FINDINGS } from "./check_text.ts";
import { colour, count } from "./output.ts";
import type { ExaminedDraft } from "./proposal_examination.ts";
import { stateText } from "./revision_text.ts";

export interface ProposedFacts {
  readonly found: FoundRevision;
  /** Null for a draft that was only stored. */
  readonly done: ExaminedDraft | null;
  /** Why nobody can approve it. */
  readonly denials: readonly string[];
  /** Whether it can be applied only when it is approved. */
  readonly needsApproval: boolean;
}

/** What a person reads when a proposal was made. */
export function proposedText(
  { found: { proposal, revision }, done, denials, needsApproval }: ProposedFacts,
): string {
  const c = colour(Deno.stdout);
  const name = revisionName(revision);
  const lines = [
    `${c.bold(name)}  ${stateText(revision.state, c)}: ${printableLine(proposal.title)}`,
    `base     ${proposal.artifact}@${revision.baseVersion}`,
    `change   ${count(revision.files, "file")}, ${c.green(`+${revision.additions}`)} ${
      c.red(`-${revision.deletions}`)
    }`,
  ];
  if (done !== null) {
    lines.push(...checkLines(done.examined.checks.map(checkView), FEW_FINDINGS, c));
    if (done.bundle !== null) lines.push(`bundle   ${printablePath(done.bundle)}`);
    if (revision.evidence !== null) lines.push(`evidence ${revision.evidence}`);
    if (revision.reason !== "") lines.push(`because  ${printableLine(revision.reason)}`);
  }
  for (const denial of denials) lines.push(`${c.red("denied")}   ${printableLine(denial)}`);
  lines.push(`next     ${nextStep(name, revision.state, denials.length > 0, needsApproval)}`);
  return lines.join("\n");
}

function nextStep(name: string, state: string, denied: boolean, needsApproval: boolean): string {
  const proposal = name.replace(/\..*/, "");
  if (denied) {
    return `pp proposal show ${proposal}; only another revision can be approved: pp propose … --revise ${proposal}`;
  }
  if (state === "draft") return `pp proposal check ${proposal}`;
  return state === "approved" || !needsApproval
    ? `pp apply ${proposal}`
    : `pp approval show ${proposal}, then pp approval approve ${proposal} --key KEY`;
}

/** `--json` of `pp propose`, `pp proposal check` and `pp proposal rebase`. */
export function proposedJson({ found: { proposal, revision }, done, denials }: ProposedFacts): unknown {
  return {
    format: "veripatch-propose/v1",
    status: revision.state,
    name: revisionName(revision),
    proposal: proposal.number,
    revision: revision.number,
    title: proposal.title,
    artifact: proposal.artifact,
    base_version: revision.baseVersion,
    files: revision.files,
    additions: revision.additions,
    deletions: revision.deletions,
    patch_sha256: revision.patch,
    evidence_sha256: revision.evidence,
    expires_at: revision.expiresAt,
    reason: revision.reason,
    checks: (done?.examined.checks ?? []).map(({ document }) => JSON.parse(document)),
    denials,
    bundle: done?.bundle ?? null,
  };
}
