import { readCheck } from "../approve/check.ts";
import { stateAt } from "../approve/states.ts";
import { displayText } from "../patch/bytes.ts";
import { renderPatch } from "../patch/render.ts";
import { fileStats } from "../patch/stats.ts";
import { type FoundRevision, requireRevision, revisionName } from "../store/proposal/find.ts";
import { timeReached } from "../store/log/time_reached.ts";
import type { ProposalName } from "../store/names.ts";
import type { Approval, Check, RevisionHead, RevisionState } from "../store/proposals.ts";
import type { Store } from "../store/store.ts";
import type { FilePatch, Hunk } from "../vocabulary/patch.ts";
import { storedChange } from "./draft.ts";
import type { ProposedChange } from "./working_tree.ts";

/** Everything that a store has of one revision. */
export interface ProposalView {
  readonly found: FoundRevision;
  readonly change: ProposedChange;
  readonly checks: readonly Check[];
  /** As they lie in the store; whether they count is for `pp approval show` to say. */
  readonly approvals: readonly Approval[];
  /** Of the proposal, newest first. */
  readonly revisions: readonly RevisionHead[];
  /** Number of the artifact's newest version; null when all of them are gone. */
  readonly newestVersion: number | null;
  /** As it is now. */
  readonly state: RevisionState;
}

/** Larger patches are not put into documents; `pp proposal diff -o` writes any. */
const MAX_SHOWN_BYTES = 4 << 20;

/**
 * Reads a revision back, its patch checked against its base and its result.
 * @throws Failure `proposal_unknown`, `revision_unknown` (usage); as `storedChange`
 */
export async function viewProposal(store: Store, name: ProposalName, now: Date): Promise<ProposalView> {
  const seen = store.records.read((rows) => {
    const found = requireRevision(rows, name);
    const { proposal, number } = found.revision;
    return {
      found,
      checks: rows.checks(proposal, number),
      approvals: rows.approvals(proposal, number),
      revisions: rows.revisions(proposal),
      newestVersion: rows.latest(found.proposal.artifact)?.number ?? null,
      state: stateAt(found.revision, timeReached(rows, now)),
    };
  });
  const { change } = await storedChange(store, seen.found);
  return { ...seen, change };
}

/** What `pp proposal show --json` prints: `veripatch-proposal-show/v1`. */
export function viewDocument(view: ProposalView): unknown {
  const { found: { proposal, revision }, change, checks, approvals } = view;
  const shown = revision.patchBytes <= MAX_SHOWN_BYTES;
  return {
    format: "veripatch-proposal-show/v1",
    name: revisionName(revision),
    proposal: proposal.number,
    revision: revision.number,
    title: proposal.title,
    state: view.state,
    reason: revision.reason,
    changed_at: revision.changedAt,
    artifact: proposal.artifact,
    base: {
      version: revision.baseVersion,
      newest_version: view.newestVersion,
      root: revision.baseRoot,
      manifest: revision.baseManifest,
    },
    result: { root: revision.resultRoot, manifest: revision.resultManifest },
    instruction: revision.instruction,
    source: JSON.parse(revision.source),
    actor: revision.actor,
    created_at: revision.createdAt,
    expires_at: revision.expiresAt,
    patch: {
      sha256: revision.patch,
      bytes: revision.patchBytes,
      files: revision.files,
      additions: revision.additions,
      deletions: revision.deletions,
      /** Null when it is too large for a document. */
      diff: shown ? displayText(renderPatch(change.patch)) : null,
    },
    files: change.patch.files.map((file) => fileDocument(file, checks, shown)),
    checks: checks.map((check) => readCheck(check.document) ?? { kind: check.kind, outcome: check.outcome }),
    evidence: revision.evidenceDocument === null
      ? null
      : { sha256: revision.evidence, document: JSON.parse(revision.evidenceDocument) },
    signature: revision.envelope === null
      ? null
      : { key_id: revision.proposerKey, envelope: revision.envelope },
    approvals: approvals.map((approval) => ({
      id: approval.id,
      decision: approval.decision,
      principal: approval.principal,
      key_id: approval.keyId,
      reason: approval.reason,
      created_at: approval.createdAt,
      expires_at: approval.expiresAt,
      review_by: approval.reviewBy,
    })),
    revisions: view.revisions.map(({ number, state, createdAt, actor, baseVersion }) => ({
      ...{ number, state, created_at: createdAt, actor, base_version: baseVersion },
    })),
  };
}

function fileDocument(file: FilePatch, checks: readonly Check[], shown: boolean): unknown {
  const { oldPath, oldMode, newMode, hunks } = file;
  const { path, change, additions, deletions } = fileStats(file);
  return {
    path,
    old_path: change === "renamed" ? oldPath : null,
    change: changeOfFile(file),
    old_mode: oldMode,
    new_mode: newMode,
    additions,
    deletions,
    syntax: syntaxOf(path, checks),
    hunks: shown ? hunks.map(hunkDocument) : null,
  };
}

/** As `fileStats` has it, and `mode` where nothing but the mode changes. */
export function changeOfFile(file: FilePatch): string {
  const { change } = fileStats(file);
  if (change === "created") return "added";
  return change === "modified" && file.hunks.length === 0 && file.oldMode !== file.newMode ? "mode" : change;
}

/** Lines from `start` to `end`, 1-based and inclusive; an empty side has an end before its start. */
function hunkDocument({ oldStart, oldCount, newStart, newCount, lines }: Hunk): unknown {
  const range = (start: number, count: number) =>
    count === 0 ? { start: start + 1, end: start } : { start, end: start + count - 1 };
  return {
    old: range(oldStart, oldCount),
    new: range(newStart, newCount),
    context: lines.filter(({ op }) => op === " ").length,
    changes: lines.filter(({ op }) => op !== " ").length,
    lines: lines.map(({ op, text, newline }) => ({ op, text: displayText(text), newline })),
  };
}

/** What the syntax check said of a file; null before there was one, and of a file that is gone. */
function syntaxOf(path: string, checks: readonly Check[]): unknown {
  const check = checks.find(({ kind }) => kind === "syntax");
  const details = check === undefined ? null : readCheck(check.document)?.details;
  const files = (details as { files?: readonly { path?: unknown }[] } | null)?.files;
  return Array.isArray(files) ? files.find((file) => file.path === path) ?? null : null;
}
