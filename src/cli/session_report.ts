import { displayText } from "../patch/bytes.ts";
import { parsePatch } from "../patch/parse.ts";
import { type PatchStats, patchStats } from "../patch/stats.ts";
import type { SessionRecord } from "../bundle/record.ts";
import type { SessionOutcome } from "../prove/prove.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { type Colour, colour, colourDiff, shownPath } from "./output.ts";
import { EXIT, exitCodeOfStatus } from "./exit_code.ts";

/** What became of a session: its outcome, where the bundle is, whether the patch was put into the workspace. */
export interface Delivered {
  readonly outcome: SessionOutcome;
  /** Absolute. */
  readonly bundle: string;
  readonly applied: boolean;
}

const STATUS_TEXT = {
  proved: "proved",
  already_passing: "already passing: nothing to prove",
  not_proved: "not proved",
  flaky: "no answer: flaky",
  timed_out: "no answer: timed out",
  budget_exhausted: "no answer: budget used up",
} as const;

/** Lines of a diff shown on a terminal; the whole is in final.patch. */
const SHOWN_DIFF_LINES = 200;

/** What a person reads when a session is over. */
export function sessionText(delivered: Delivered, root: string): string {
  const c = colour(Deno.stdout);
  const { record } = delivered.outcome;
  const bundle = shownPath(delivered.bundle, root);
  const lines = [verdictLine(record, c)];
  if (record.reason !== "") lines.push(`         ${printableLine(record.reason)}`);
  if (record.final !== null) lines.push(...patchLines(record, c));
  lines.push(`${c.bold("bundle")}   ${bundle} ${c.dim("(unsigned)")}`);
  if (delivered.applied) lines.push(`${c.bold("applied")}  the workspace now holds the proved patch`);
  for (const kept of delivered.outcome.kept) lines.push(`${c.bold("kept")}     ${printableLine(kept)}`);
  lines.push(...nextLines(delivered, bundle, c));
  return lines.join("\n");
}

function verdictLine(record: SessionRecord, c: Colour): string {
  const paint = record.status === "proved"
    ? c.green
    : exitCodeOfStatus(record.status) === EXIT.no
    ? c.red
    : c.yellow;
  const commands = record.targets.map((t) => printableLine(t.command)).join(", ");
  return `${c.bold("result")}   ${c.bold(paint(STATUS_TEXT[record.status]))}: ${commands}`;
}

function statsOfFinal(record: SessionRecord): PatchStats {
  const parsed = parsePatch(record.final!.patch);
  if (!parsed.ok) throw new Error(`the final patch does not parse: ${parsed.refusal.detail}`);
  return patchStats(parsed.patch);
}

function patchLines(record: SessionRecord, c: Colour): string[] {
  const stats = statsOfFinal(record);
  const size = `+${stats.additions} -${stats.deletions} in ${stats.files} ${
    stats.files === 1 ? "file" : "files"
  }`;
  const { minimization } = record;
  let how = "";
  if (minimization !== null) {
    const { before, result, kept, reason } = minimization;
    how = kept
      ? `, from +${before.additions} -${before.deletions} in ${result.runs} runs` +
        (result.end === "one_minimal" ? ", 1-minimal" : `, ${result.end.replace("_", " ")}`)
      : `, not minimized: ${reason}`;
  }
  const diff = displayText(record.final!.patch).trimEnd().split("\n");
  const shown = colourDiff(diff.slice(0, SHOWN_DIFF_LINES).join("\n"), c).split("\n");
  if (diff.length > SHOWN_DIFF_LINES) {
    shown.push(`… ${diff.length - SHOWN_DIFF_LINES} more lines in final.patch`);
  }
  return [`${c.bold("patch")}    ${size}${how}`, "", ...shown.map((line) => `    ${line}`), ""];
}

function nextLines(delivered: Delivered, bundle: string, c: Colour): string[] {
  const { record } = delivered.outcome;
  const next = (text: string) => `${c.dim("next")}     ${text}`;
  if (record.status === "proved") {
    return delivered.applied ? [] : [next(`git apply ${bundle}/final.patch   or   pp replay ${bundle}`)];
  }
  if (record.status === "already_passing") return [];
  if (record.provider === "stub") {
    return [next("name a patch with --patch FILE, or a proposer with --provider")];
  }
  return [next(`read ${bundle}/final_summary.md`)];
}

/** The same for programs. The Python tool's keys keep their meaning; `success` is true for a proof only. */
export function sessionJson(delivered: Delivered): unknown {
  const { outcome, bundle, applied } = delivered;
  const { record } = outcome;
  const last = record.confirmation.at(-1) ??
    record.attempts.findLast((a) => a.verification !== null)?.verification ??
    record.baseline.at(-1);
  const deciding = last?.targets.find((t) => t.outcome !== "passed") ?? last?.targets.at(-1);
  return {
    format: "veripatch-session/v1",
    session: record.session,
    status: record.status,
    success: record.status === "proved",
    reason: record.reason,
    exit: exitCodeOfStatus(record.status),
    targets: record.targets.map((t) => ({ name: t.name, command: t.command, argv: t.argv })),
    attempts_used: record.attempts.length,
    attempts: record.attempts.map((a) => ({
      attempt: a.attempt,
      outcome: a.verification?.outcome ?? "refused",
      refusals: a.refusals,
    })),
    final_exit_code: deciding?.result?.exitCode ?? null,
    final_patch: record.final === null ? null : `${bundle}/final.patch`,
    proof_bundle: bundle,
    patch: record.final === null ? null : statsOfFinal(record),
    minimization: record.minimization === null ? null : {
      runs: record.minimization.result.runs,
      end: record.minimization.result.end,
      kept: record.minimization.kept,
      reason: record.minimization.reason,
    },
    base_tree: record.manifest.digest,
    result_tree: record.final?.resultTree ?? null,
    applied,
    kept: outcome.kept,
    attestation: null,
  };
}
