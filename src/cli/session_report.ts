import { displayText } from "../patch/bytes.ts";
import { parsePatch } from "../patch/parse.ts";
import { type PatchStats, patchStats } from "../patch/stats.ts";
import type { SessionRecord } from "../bundle/record.ts";
import type { TestsDocument } from "../bundle/schema.ts";
import { testsSentence } from "../bundle/summary_tests.ts";
import { leftOut } from "../bundle/summary_runs.ts";
import { quoteWords } from "../policy/shell_words.ts";
import type { SessionOutcome } from "../prove/prove.ts";
import { redactedOutput } from "../prove/redact_output.ts";
import { printableLine } from "../vocabulary/printable.ts";
import type { Redact } from "../vocabulary/redaction.ts";
import type { SessionStatus } from "../vocabulary/session.ts";
import type { AttestationMode } from "./attestation_keys.ts";
import { bytesText, type Colour, colour, colourDiff, count, shownPath } from "./output.ts";
import { EXIT, exitCodeOfStatus } from "./exit_code.ts";
import { folderWords } from "./start_folder.ts";

/** What flags and policy asked for, and who signed. */
interface AttestationDone {
  readonly enabled: boolean;
  readonly mode: AttestationMode;
  /** Ids of the keys that signed; empty for an unsigned bundle. */
  readonly keyIds: readonly string[];
}

/** What became of a session: its outcome, where the bundle is, whether the patch was put into the workspace. */
export interface Delivered {
  readonly outcome: SessionOutcome;
  /** Absolute. */
  readonly bundle: string;
  readonly applied: boolean;
  readonly attestation: AttestationDone;
  /** Patch files inside the workspace that were no part of the base; a replay there must leave them out too. */
  readonly leftOut: readonly string[];
  /** tests.json of the bundle; null when no target names a test report. */
  readonly tests: TestsDocument | null;
  /** Of `shownOutput`. */
  readonly output: readonly string[];
  /** What the call said that a replay of it has to say again. */
  readonly said: {
    readonly policy?: string;
    readonly image?: string;
    readonly allowProtected?: readonly string[];
  };
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
/** Lines of each stream shown when nothing was proved. */
const SHOWN_OUTPUT_LINES = 5;
const MAX_LINE_CHARACTERS = 2_000;
/** Lost tests named of each target. */
const SHOWN_FINDINGS = 10;
/** What gives an answer where there was none. */
const REMEDY: Readonly<Partial<Record<SessionStatus, string>>> = {
  flaky: "make the command depend on the workspace alone: it gave different results for the same files",
  timed_out: "see what hangs, or raise policy.limits.per_command_timeout_sec",
  budget_exhausted: "raise policy.limits.session_sec",
};
/** What a shell or a sandbox means by this exit code: there is no such program. */
const NOT_FOUND = 127;
/** Paths named in one line. */
const SHOWN_PATHS = 10;

/** What a person reads when a session is over. */
export function sessionText(delivered: Delivered, root: string): string {
  const c = colour(Deno.stdout);
  const { record } = delivered.outcome;
  const bundle = shownPath(delivered.bundle, root);
  const lines = [verdictLine(record, c)];
  if (record.reason !== "") lines.push(`         ${printableLine(record.reason)}`);
  lines.push(...findingLines(record, c), ...leftOutLines(record, c));
  if (record.final === null) lines.push(...outputLines(delivered.output, c));
  else lines.push(...patchLines(record, c));
  lines.push(...testLines(delivered.tests, c));
  lines.push(`${c.bold("bundle")}   ${bundle} ${c.dim(`(${signedText(delivered.attestation)})`)}`);
  if (record.embedded !== undefined) {
    lines.push(`         it holds the workspace's files as they are, ${bytesText(record.embedded.size)}`);
  }
  if (delivered.applied) lines.push(`${c.bold("applied")}  the workspace now holds the proved patch`);
  for (const kept of delivered.outcome.kept) lines.push(...keptLines(kept, c));
  lines.push(...nextLines(delivered, root, c));
  return lines.join("\n");
}

function signedText({ enabled, mode, keyIds }: AttestationDone): string {
  if (keyIds.length === 0) {
    return enabled && mode !== "none" ? "unsigned: only a proof is signed" : "unsigned";
  }
  return mode === "hmac-sha256"
    ? "signed with a shared secret"
    : `signed by ${keyIds.map((id) => `ed25519 ${id.slice(0, 16)}`).join(", ")}`;
}

/**
 * The end of what the deciding command printed, when there is no patch to look at. Redacted as in the bundle: what a
 * CI job shows is kept, and read by others.
 */
export async function shownOutput(record: SessionRecord, redact: Redact): Promise<readonly string[]> {
  const result = decidingResult(record)?.result;
  if (record.final !== null || record.status === "already_passing" || result == null) return [];
  const lines: string[] = [];
  for (const [name, stream] of [["stdout.txt", result.stdout], ["stderr.txt", result.stderr]] as const) {
    const { text } = await redactedOutput(stream, redact, name);
    const end = text.slice(-MAX_LINE_CHARACTERS).trimEnd();
    if (end !== "") lines.push(...end.split("\n").slice(-SHOWN_OUTPUT_LINES));
  }
  return lines;
}

function outputLines(output: readonly string[], c: Colour): string[] {
  return output.length === 0 ? [] : ["", ...output.map((line) => c.dim(`    ${printableLine(line)}`)), ""];
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

/** What became of the tests, and those that lost their say. */
function testLines(tests: TestsDocument | null, c: Colour): string[] {
  const targets = tests?.targets ?? [];
  return targets.flatMap((target) => {
    const name = targets.length === 1 ? "" : `${printableLine(target.target)}: `;
    const found = target.findings.slice(0, SHOWN_FINDINGS).map(({ kind, id }) =>
      `         ${c.yellow(kind.replaceAll("_", " "))} ${printableLine(id)}`
    );
    const more = target.findings.length - found.length;
    if (more > 0) found.push(`         … ${count(more, "more finding")} in tests.json`);
    return [`${c.bold("tests")}    ${name}${testsSentence(target)}`, ...found];
  });
}

function patchLines(record: SessionRecord, c: Colour): string[] {
  const stats = statsOfFinal(record);
  const size = `+${stats.additions} -${stats.deletions} in ${count(stats.files, "file")}`;
  const diff = displayText(record.final!.patch).trimEnd().split("\n");
  const shown = colourDiff(diff.slice(0, SHOWN_DIFF_LINES).join("\n"), c).split("\n");
  if (diff.length > SHOWN_DIFF_LINES) {
    shown.push(`… ${count(diff.length - SHOWN_DIFF_LINES, "more line")} in final.patch`);
  }
  return [
    `${c.bold("patch")}    ${size}${minimizationText(record)}`,
    "",
    ...shown.map((line) => `    ${line}`),
    "",
  ];
}

/** What makes the green worth less, before the patch that it is of. */
function findingLines({ findings }: SessionRecord, c: Colour): string[] {
  return findings.map(({ code, path, rule, detail }) => {
    const what = rule === null ? code : `${code}, ${rule}`;
    const where = path === null ? "" : `${printableLine(path)}: `;
    return `${c.bold(c.yellow("flagged"))}  ${where}${printableLine(detail)} ${c.dim(`(${what})`)}`;
  });
}

/** Files a proposal touches and its patch does not: of the final attempt, else of the last. */
function leftOutLines({ attempts, final }: SessionRecord, c: Colour): string[] {
  const attempt = final === null ? attempts.at(-1) : attempts[final.attempt - 1];
  const refused = attempt?.refusals.filter((refusal) => refusal.reason === "path_protected") ?? [];
  const paths = attempt === undefined ? [] : [...leftOut(attempt), ...refused.map((r) => r.path ?? "")];
  if (paths.length === 0) return [];
  const shown = paths.slice(0, SHOWN_PATHS).map(printableLine).join(", ");
  const more = paths.length - SHOWN_PATHS;
  return [
    `${c.bold("left out")} ${shown}${more > 0 ? ` and ${count(more, "more file")}` : ""}`,
    c.dim("         protected: policy.protect.allow or --allow-protected lets a patch touch them"),
  ];
}

function minimizationText({ minimization }: SessionRecord): string {
  if (minimization === null) return "";
  const { before, result, kept, reason } = minimization;
  if (!kept) return `, not minimized: ${reason}`;
  const end = result.end === "one_minimal" ? "1-minimal" : result.end.replace("_", " ");
  return `, from +${before.additions} -${before.deletions} in ${count(result.runs, "run")}, ${end}`;
}

/** Where it is, then how to get into it and rid of it. */
function keptLines(kept: string, c: Colour): string[] {
  const [what, ...calls] = kept.split("\n");
  return [
    `${c.bold("kept")}     ${printableLine(what!)}`,
    ...calls.map((call) => `${c.dim("next")}     ${printableLine(call)}`),
  ];
}

/** Calls that can be copied: from where this one was made, with what it said. */
function nextLines(
  { outcome, bundle, applied, leftOut, said }: Delivered,
  root: string,
  c: Colour,
): string[] {
  const { record } = outcome;
  const next = (text: string) => `${c.dim("next")}     ${text}`;
  const from = folderWords(Deno.args);
  const place = bundle.startsWith(`${root}/`) ? bundle.slice(root.length + 1) : bundle;
  const call = (...words: string[]) => next(printableLine(quoteWords(words)));
  if (record.status === "proved") {
    const image = said.image ?? (record.policySource === null ? record.environment.image?.name : undefined);
    return applied ? [] : [
      call(
        ...["pp", ...from, "replay", place],
        ...(said.policy === undefined ? [] : ["--policy", said.policy]),
        ...(image === undefined ? [] : ["--image", image]),
        ...(said.allowProtected ?? []).flatMap((glob) => ["--allow-protected", glob]),
        ...leftOut.flatMap((path) => ["--leave-out", path]),
      ),
      call("git", ...from, "apply", `${place}/final.patch`),
    ];
  }
  if (record.status === "already_passing") return [];
  const missing = record.environment.image !== null && decidingResult(record)?.result?.exitCode === NOT_FOUND;
  if (missing) {
    return [next("name an image that has the program, with --image or in policy.sandbox.container_image")];
  }
  if (record.provider === "stub") {
    return [next("name a patch with --patch FILE, or a proposer with --provider")];
  }
  const remedy = REMEDY[record.status];
  return [
    ...(remedy === undefined ? [] : [next(remedy)]),
    next(`read ${shownPath(bundle, root)}/final_summary.md`),
  ];
}

/** The target that decided the last verification: the first that did not pass, else the last. */
function decidingResult(record: SessionRecord) {
  const last = record.confirmation.at(-1) ??
    record.attempts.findLast((a) => a.verification !== null)?.verification ??
    record.baseline.at(-1);
  return last?.targets.find((t) => t.outcome !== "passed") ?? last?.targets.at(-1);
}

/** The same for programs. The Python tool's keys keep their meaning; `success` is true for a proof only. */
export function sessionJson(delivered: Delivered): unknown {
  const { outcome, bundle, applied } = delivered;
  const { record } = outcome;
  return {
    format: "veripatch-session/v1",
    session: record.session,
    status: record.status,
    success: record.status === "proved",
    reason: record.reason,
    reason_code: record.reasonCode,
    findings: record.findings,
    exit: exitCodeOfStatus(record.status),
    targets: record.targets.map((t) => ({ name: t.name, command: t.command, argv: t.argv })),
    attempts_used: record.attempts.length,
    attempts: record.attempts.map((a) => ({
      attempt: a.attempt,
      outcome: a.verification?.outcome ?? "refused",
      refusals: a.refusals,
      left_out: leftOut(a),
    })),
    final_exit_code: decidingResult(record)?.result?.exitCode ?? null,
    final_patch: record.final === null ? null : `${bundle}/final.patch`,
    proof_bundle: bundle,
    sandbox: {
      backend: record.environment.backend,
      engine: `${record.environment.engine} ${record.environment.engineVersion}`,
      image: record.environment.image?.name ?? null,
      image_id: record.environment.image?.id ?? null,
    },
    patch: record.final === null ? null : patchJson(statsOfFinal(record)),
    tests: (delivered.tests?.targets ?? []).map((
      { target, report, base_reports, after, counts, findings },
    ) => ({
      ...{ target, report, base_reports, after, counts, findings },
    })),
    minimization: record.minimization === null ? null : {
      runs: record.minimization.result.runs,
      end: record.minimization.result.end,
      used: record.minimization.kept,
      reason: record.minimization.reason,
    },
    negative_control: record.negativeControl === null ? null : {
      files: record.negativeControl.files.map((file) => file.path),
      targets: record.negativeControl.targets,
      runs: record.negativeControl.runs.length,
      outcome: record.negativeControl.outcome,
    },
    base_tree: record.manifest.digest,
    result_tree: record.final?.resultTree ?? null,
    embedded_workspace: record.embedded === undefined
      ? null
      : { size: record.embedded.size, sha256: record.embedded.sha256 },
    applied,
    kept_sandboxes: outcome.kept,
    attestation: {
      enabled: delivered.attestation.enabled,
      mode: delivered.attestation.mode,
      signed: delivered.attestation.keyIds.length > 0,
      key_ids: delivered.attestation.keyIds,
    },
  };
}

function patchJson({ files, additions, deletions, perFile }: PatchStats) {
  return { files, additions, deletions, per_file: perFile };
}
