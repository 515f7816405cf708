import type { ReadBundle } from "../bundle/read.ts";
import type { PatchStatsDocument, ProposedDocument, VerifyDocument } from "../bundle/schema.ts";
import { testsSentence } from "../bundle/summary_tests.ts";
import { displayText } from "../patch/bytes.ts";
import { parsePatch } from "../patch/parse.ts";
import { type PatchStats, patchStats } from "../patch/stats.ts";
import { comparePaths } from "../vocabulary/path.ts";
import { readBundleAt, shown } from "./bundle_input.ts";
import { EXIT } from "./exit_code.ts";
import { bytesText, type Colour, colour, colourDiff, count } from "./output.ts";
import { wrapWords } from "./page/wrap.ts";
import type { VerbResult } from "./verb.ts";

/** Lines of a diff, and rows of a list, that are shown. */
const MAX_DIFF_LINES = 400;
const MAX_ROWS = 200;
/** Lost tests shown of a target. */
const MAX_FINDINGS = 10;
/** Columns of what is said of a limit, beside its name. */
const LIMIT_WIDTH = 64;
/** Limits whose values are bytes. */
const BYTE_LIMITS = new Set(["memory", "file_size", "disk"]);

/** `pp bundle show`: what a bundle is, in a terminal. */
export async function bundleShow(path: string, flags: { readonly json?: boolean }): Promise<VerbResult> {
  const bundle = await readBundleAt(path, flags.json === true);
  return { exit: EXIT.yes, text: showText(bundle), json: showJson(bundle) };
}

function showText(bundle: ReadBundle): string {
  const c = colour(Deno.stdout);
  const { repro, environment, minimization } = bundle;
  const row = (name: string, value: string) => `${c.bold(name.padEnd(8))} ${value}`;
  const image = environment.image;
  const paint = repro.status === "proved" ? c.green : c.yellow;
  const stats = statsOf(bundle);
  const lines = [
    row("bundle", `${c.bold(paint(repro.status.replaceAll("_", " ")))}, session ${shown(repro.session)}`),
    ...(repro.reason === "" ? [] : [row("", shown(repro.reason))]),
    ...repro.proof_targets.slice(0, MAX_ROWS).map((t) =>
      row("target", `${shown(t.name)}: ${shown(t.command)}`)
    ),
    row("base", `${repro.base_tree.slice(0, 12)}${gitText(bundle)}, ${entriesText(bundle)}`),
    ...(repro.result_tree === null ? [] : [row("result", repro.result_tree.slice(0, 12))]),
    row(
      "sandbox",
      `${environment.backend}${
        image === null ? "" : ` of ${shown(image.name)} (${shown(image.id).slice(0, 19)})`
      }`,
    ),
    row("policy", `${shown(repro.policy_source ?? "built in")}, ${repro.policy_hash.slice(0, 12)}`),
    row(
      "signed",
      bundle.files.has("attestation.json") ? "an envelope is there; nothing of it was verified" : "no",
    ),
    ...repro.findings.slice(0, MAX_ROWS).map(({ code, path, detail }) =>
      row("finding", c.yellow(`${shown(code)}${path === null ? "" : ` ${shown(path)}`}: ${shown(detail)}`))
    ),
    ...(bundle.tests?.targets ?? []).slice(0, MAX_ROWS).flatMap((target) => [
      row("tests", `${shown(target.target)}: ${testsSentence(target)}`),
      ...target.findings.slice(0, MAX_FINDINGS).map(({ kind, id }) =>
        row("", c.yellow(`${kind.replaceAll("_", " ")} ${shown(id)}`))
      ),
    ]),
    "",
    c.bold("attempts"),
    ...attemptRows(bundle, c),
  ];
  if (minimization !== null) {
    const { before, after, runs, end, used, reason } = minimization;
    const size = (s: { additions: number; deletions: number }) => `+${s.additions} -${s.deletions}`;
    const result = used && after !== null
      ? `${size(before)} to ${size(after)} in ${count(runs, "run")}, ${
        end === "one_minimal" ? "1-minimal" : end.replaceAll("_", " ")
      }`
      : `not used: ${shown(reason ?? "")}`;
    lines.push("", row("minimal", result));
  }
  if (stats !== null) {
    lines.push("", row("patch", `+${stats.additions} -${stats.deletions} in ${count(stats.files, "file")}`));
    lines.push(...patchLines(bundle, c));
  }
  lines.push("", c.bold("enforced"));
  for (const { limit, value, by } of environment.enforced.slice(0, MAX_ROWS)) {
    const amount = BYTE_LIMITS.has(limit) && /^\d{1,15}$/.test(value)
      ? bytesText(Number(value))
      : shown(value);
    const [first, ...more] = wrapWords(`${amount} by ${shown(by)}`, LIMIT_WIDTH);
    lines.push(`  ${limit.replaceAll("_", " ").padEnd(13)} ${first}`);
    lines.push(...more.map((line) => `${" ".repeat(16)}${line}`));
  }
  lines.push("", c.bold("files"));
  const files = filesOf(bundle);
  const width = Math.max(...files.slice(0, MAX_ROWS).map(({ size }) => bytesText(size).length));
  for (const { name, size, sha256 } of files.slice(0, MAX_ROWS)) {
    lines.push(`  ${c.dim(sha256.slice(0, 12))}  ${bytesText(size).padStart(width)}  ${name}`);
  }
  if (files.length > MAX_ROWS) lines.push(`  and ${files.length - MAX_ROWS} more`);
  return lines.join("\n");
}

function gitText({ repro }: ReadBundle): string {
  if (repro.git_commit === null) return "";
  const branch = repro.git_branch === null ? "" : ` on ${shown(repro.git_branch)}`;
  return `, git ${shown(repro.git_commit).slice(0, 12)}${branch}${
    repro.git_dirty === true ? " with changes" : ""
  }`;
}

function entriesText({ manifest, embedded }: ReadBundle): string {
  const n = manifest.entries.length;
  return `${n} ${n === 1 ? "entry" : "entries"}${
    embedded === null ? "" : `, embedded (${bytesText(embedded.size)})`
  }`;
}

function attemptRows({ repro, documents }: ReadBundle, c: Colour): string[] {
  const verification = (directory: string) =>
    documents.get(`${directory}/verify.json`) as VerifyDocument | undefined;
  const line = (name: string, outcome: string, more: string) => {
    const paint = outcome === "passed"
      ? c.green
      : outcome === "failed" || outcome === "refused"
      ? c.red
      : c.yellow;
    return `  ${name.padEnd(13)} ${paint(outcome.replaceAll("_", " ").padEnd(9))} ${more}`.trimEnd();
  };
  const side = (name: string, directory: string) => {
    const verify = verification(directory);
    return verify === undefined
      ? []
      : [line(name, verify.outcome, `${verify.passed} of ${count(verify.runs.length, "run")} passed`)];
  };
  const attempts = Array.from({ length: Math.min(repro.attempts_used, MAX_ROWS) }, (_, i) => {
    const proposed = documents.get(`attempts/${i + 1}/proposed.json`) as ProposedDocument;
    const stats = documents.get(`attempts/${i + 1}/patch_stats.json`) as PatchStatsDocument | undefined;
    const size = stats === undefined ? "" : `+${stats.additions} -${stats.deletions} `;
    const [refusal] = proposed.refusals;
    const why = refusal === undefined ? "" : `${shown(refusal.reason)}: ${shown(refusal.detail)}`;
    const from = shown(proposed.proposal?.source ?? proposed.proposer);
    return line(
      `${i + 1}${repro.final_attempt === i + 1 ? " (final)" : ""}`,
      proposed.outcome,
      `${size}${from} ${why}`,
    );
  });
  return [
    ...side("base", "attempts/0_baseline"),
    ...attempts,
    ...side("base again", "base_again"),
    ...side("confirmation", "confirmation"),
  ];
}

function patchLines(bundle: ReadBundle, c: Colour): string[] {
  const diff = displayText(bundle.finalPatch!).trimEnd().split("\n");
  const painted = colourDiff(diff.slice(0, MAX_DIFF_LINES).join("\n"), c).split("\n").map((line) =>
    `    ${line}`
  );
  const more = diff.length - MAX_DIFF_LINES;
  return ["", ...painted, ...(more > 0 ? [`    … ${count(more, "more line")} in final.patch`] : [])];
}

function statsOf({ finalPatch }: ReadBundle): PatchStats | null {
  if (finalPatch === null) return null;
  const parsed = parsePatch(finalPatch);
  return parsed.ok ? patchStats(parsed.patch) : null;
}

function filesOf(bundle: ReadBundle): { name: string; size: number; sha256: string }[] {
  const { embedded, hashes } = bundle;
  const files = [...bundle.files].map(([name, bytes]) => ({
    name,
    size: bytes.length,
    sha256: hashes.get(name)!,
  }));
  if (embedded !== null) files.push({ name: "workspace.tar", size: embedded.size, sha256: embedded.sha256 });
  return files.sort((a, b) => comparePaths(a.name, b.name));
}

function showJson(bundle: ReadBundle): unknown {
  const { repro, environment, minimization, manifest, embedded } = bundle;
  const stats = statsOf(bundle);
  return {
    format: "veripatch-bundle-show/v1",
    session: repro.session,
    status: repro.status,
    success: repro.success,
    reason: repro.reason,
    targets: repro.proof_targets,
    base_tree: repro.base_tree,
    result_tree: repro.result_tree,
    git_commit: repro.git_commit,
    policy_hash: repro.policy_hash,
    entries: manifest.entries.length,
    embedded_workspace: embedded === null ? null : { size: embedded.size, sha256: embedded.sha256 },
    envelope: bundle.files.has("attestation.json"),
    findings: repro.findings,
    tests: (bundle.tests?.targets ?? []).map(({ target, report, base_reports, after, counts, findings }) => ({
      ...{ target, report, base_reports, after, counts, findings },
    })),
    patch: stats === null ? null : {
      sha256: repro.final_patch_sha256,
      files: stats.files,
      additions: stats.additions,
      deletions: stats.deletions,
      per_file: stats.perFile,
    },
    attempts: Array.from({ length: repro.attempts_used }, (_, i) => {
      const { outcome, refusals } = bundle.documents.get(
        `attempts/${i + 1}/proposed.json`,
      ) as ProposedDocument;
      return { attempt: i + 1, outcome, refusals };
    }),
    minimization: minimization === null ? null : {
      used: minimization.used,
      end: minimization.end,
      runs: minimization.runs,
      before: minimization.before,
      after: minimization.after,
    },
    environment: { backend: environment.backend, image: environment.image, enforced: environment.enforced },
    files: filesOf(bundle),
  };
}
