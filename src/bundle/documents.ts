import { bytesOf } from "../patch/bytes.ts";
import { parsePatch } from "../patch/parse.ts";
import { type PatchStats, patchStats } from "../patch/stats.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import { comparePaths } from "../vocabulary/path.ts";
import type { ByteString } from "../vocabulary/patch.ts";
import { refusalText } from "../vocabulary/printable.ts";
import type { Redact } from "../vocabulary/redaction.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";
import { cleanRecord } from "./clean_record.ts";
import { jsonDocument, jsonLine } from "./json.ts";
import { BOUNDS, type Bounds } from "./layout.ts";
import { minimizationDocument } from "./minimization_document.ts";
import { bundleOf } from "./read.ts";
import type { AttemptRecord, SessionRecord } from "./record.ts";
import { Redactor } from "./redactor.ts";
import { refusedBundle } from "./refused.ts";
import type {
  EnvironmentDocument,
  ManifestDocument,
  PatchStatsDocument,
  PolicyDocument,
  ProposedDocument,
  Repro,
} from "./schema.ts";
import { testsDocument } from "./tests_document.ts";
import { summary } from "./summary.ts";
import { verificationFiles } from "./verification_files.ts";

/**
 * Every file of a session's bundle, by name, sorted. The same record gives the same bytes. Text is redacted, patches
 * are exact. Whatever this returns, a reader takes.
 * @throws Failure `bundle_too_many_files` or `bundle_too_large` (malformed) for a session past the bounds of a bundle;
 *   `bug` when a record holds a patch that is not canonical, misses what its status promises or contradicts itself
 */
export async function bundleFiles(
  record: SessionRecord,
  redact: Redact,
  bounds: Bounds = BOUNDS,
): Promise<Map<string, Uint8Array>> {
  const { entries } = record.manifest;
  // Every entry is five values; a document of many more could not even be made.
  if (5 * entries.length > bounds.jsonValues) {
    const detail = `${entries.length} entries are more than a bundle can list`;
    throw refusedBundle({ reason: "bundle_too_large", path: "workspace_manifest.json", detail });
  }
  const files = await madeFiles(record, redact);
  const read = bundleOf(files, bounds, record.embedded ?? null);
  if (!read.ok) throw refusedBundle(read.refusal, "bundle_inconsistent");
  return files;
}

async function madeFiles(record: SessionRecord, redact: Redact): Promise<Map<string, Uint8Array>> {
  const redactor = new Redactor(redact);
  const clean = await cleanRecord(record, redactor);
  if ((clean.status === "proved") !== (clean.final !== null)) {
    throw new Failure("bug", "bundle_without_proof", `a record says ${clean.status} against its final patch`);
  }
  const files = new Map<string, Uint8Array>();
  const addAll = (more: ReadonlyMap<string, Uint8Array>) =>
    more.forEach((bytes, name) => files.set(name, bytes));
  const text = (name: string) => new TextDecoder().decode(files.get(name));

  files.set("policy.json", jsonDocument(policyDocument(clean)));
  files.set("environment.json", jsonDocument(environmentDocument(clean)));
  files.set("workspace_manifest.json", jsonDocument(manifestDocument(clean)));
  if (record.git.diff.length > 0) {
    const diff = await redactor.text(new TextDecoder().decode(record.git.diff), "source_git.diff");
    files.set("source_git.diff", new TextEncoder().encode(diff));
  }
  const baseline = await verificationFiles("attempts/0_baseline", clean.baseline, redactor);
  addAll(baseline.files);
  for (const attempt of clean.attempts) {
    const directory = `attempts/${attempt.attempt}`;
    files.set(`${directory}/proposed.json`, jsonDocument(proposedDocument(attempt)));
    if (attempt.applied !== null) {
      const { patch } = attempt.applied;
      files.set(`${directory}/applied.patch`, bytesOf(patch));
      files.set(`${directory}/patch_stats.json`, jsonDocument(patchStatsDocument(attempt.applied)));
    }
    if (attempt.verification !== null) {
      addAll((await verificationFiles(`${directory}/verify`, [attempt.verification], redactor)).files);
    }
  }
  if (clean.baseAgain.length > 0) {
    addAll((await verificationFiles("base_again", clean.baseAgain, redactor)).files);
  }
  if (clean.confirmation.length > 0) {
    addAll((await verificationFiles("confirmation", clean.confirmation, redactor)).files);
  }
  const control = clean.negativeControl;
  if (control !== null && control.runs.length > 0) {
    addAll((await verificationFiles("negative_control", control.runs, redactor)).files);
  }
  const finalStats = clean.final === null ? null : statsOf(clean.final.patch);
  if (clean.minimization !== null) {
    const document = minimizationDocument(clean.minimization, finalStats);
    files.set("minimization.json", jsonDocument(document));
    const { rejected } = clean.minimization;
    if (rejected.length > 0) {
      addAll((await verificationFiles("minimization_rejected", rejected, redactor)).files);
    }
  }
  if (clean.final !== null) files.set("final.patch", bytesOf(clean.final.patch));
  files.set("events.jsonl", eventLines(clean));
  const tests = await testsDocument(clean, redactor);
  if (tests !== null) files.set("tests.json", jsonDocument(tests));
  const repro = reproDocument(clean, files, redactor);
  files.set("repro.json", jsonDocument(repro));
  files.set(
    "final_summary.md",
    new TextEncoder().encode(summary({
      record: clean,
      repro,
      baseline: baseline.results,
      tests,
      output: (file) => text(`attempts/0_baseline/${file}`),
      finalStats,
    })),
  );
  return new Map([...files].sort(([a], [b]) => comparePaths(a, b)));
}

function reproDocument(
  record: SessionRecord,
  files: ReadonlyMap<string, Uint8Array>,
  redactor: Redactor,
): Repro {
  const { git, environment, final, negativeControl: control } = record;
  return {
    format: "veripatch-repro/v1",
    tool: { name: "veripatch", version: record.toolVersion },
    session: record.session,
    started_at: record.startedAt,
    finished_at: record.finishedAt,
    status: record.status,
    reason: record.reason,
    reason_code: record.reasonCode,
    success: record.status === "proved",
    command: record.targets.map((t) => t.command).join(" && "),
    proof_targets: record.targets.map(({ name, command, argv, shell }) => ({
      ...{ name, command, shell },
      argv: [...argv],
    })),
    policy_hash: record.policyDigest,
    policy_source: record.policySource,
    provider: record.provider,
    git_commit: git.commit,
    git_tree: git.tree,
    git_branch: git.branch,
    git_remote_url: git.remote,
    git_dirty: git.dirty,
    workspace_manifest_sha256: sha256(files.get("workspace_manifest.json")!),
    ...(record.embedded === undefined ? {} : { workspace_tar_sha256: record.embedded.sha256 }),
    base_tree: record.manifest.digest,
    result_tree: final?.resultTree ?? null,
    final_patch_sha256: final === null ? null : sha256(files.get("final.patch")!),
    final_attempt: final?.attempt ?? null,
    final_git: final?.git ?? null,
    final_exit_code: finalExitCode(record),
    attempts_used: record.attempts.length,
    findings: record.findings.map(({ code, path, rule, detail }) => ({ code, path, rule, detail })),
    negative_control: control === null ? null : {
      files: control.files.map((file) => ({ ...file })),
      targets: [...control.targets],
      outcome: control.outcome,
    },
    sandbox_backend: environment.backend,
    network_policy: record.policy.policy.network,
    container_image: environment.image?.name ?? null,
    container_image_id: environment.image?.id ?? null,
    redactions: redactor.redactions.map((r) => ({ ...r })),
  };
}

/** Of the last verification: 0 when it passed, else how its first target that did not pass exited. */
function finalExitCode(record: SessionRecord): number | null {
  const verified: (VerificationResult | null)[] = [
    ...record.baseline,
    ...record.attempts.map((a) => a.verification),
    ...record.confirmation,
  ];
  const last = verified.findLast((v) => v !== null);
  if (!last) return null;
  if (last.outcome === "passed") return 0;
  return last.targets.find((t) => t.outcome !== "passed")?.result?.exitCode ?? null;
}

function policyDocument(record: SessionRecord): PolicyDocument {
  return {
    format: "veripatch-policy/v1",
    digest: record.policyDigest,
    source: record.policySource,
    config: {
      proof_targets: [...record.policy.proof_targets],
      policy: { ...record.policy.policy },
    },
  };
}

function environmentDocument({ environment }: SessionRecord): EnvironmentDocument {
  const { backend, engine, engineVersion, platform, runtime, image, enforced } = environment;
  return {
    format: "veripatch-environment/v1",
    backend,
    engine,
    engine_version: engineVersion,
    platform,
    runtime,
    image: image === null ? null : { name: image.name, id: image.id, repo_digests: [...image.repoDigests] },
    enforced: enforced.map(({ limit, value, by }) => ({ limit, value, by })),
  };
}

function manifestDocument({ manifest, skipped }: SessionRecord): ManifestDocument {
  return {
    format: "veripatch-workspace-manifest/v1",
    digest: manifest.digest,
    // Targets of links may be paths of this machine; their size and digest say enough.
    entries: Array.from(manifest.entries, ({ path, mode, size, sha256 }) => ({ path, mode, size, sha256 })),
    skipped: skipped.map(({ path, reason }) => ({ path, reason })),
  };
}

function proposedDocument(attempt: AttemptRecord): ProposedDocument {
  const { proposal } = attempt;
  return {
    format: "veripatch-proposed/v1",
    attempt: attempt.attempt,
    proposer: attempt.proposer,
    proposal: proposal === null ? null : {
      source: proposal.source,
      diff: proposal.diff,
      rationale: proposal.rationale,
      risk_notes: proposal.riskNotes,
      confidence: proposal.confidence,
    },
    refusals: attempt.refusals.map(({ reason, path, detail }) => ({
      reason,
      ...(path === undefined ? {} : { path }),
      detail,
    })),
    outcome: attempt.verification?.outcome ?? (attempt.refusals.length > 0 ? "refused" : "not_run"),
  };
}

function patchStatsDocument(applied: NonNullable<AttemptRecord["applied"]>): PatchStatsDocument {
  const { files, additions, deletions, perFile } = statsOf(applied.patch);
  return {
    format: "veripatch-patch-stats/v1",
    files,
    additions,
    deletions,
    per_file: perFile.map((f) => ({ ...f })),
    patch_sha256: sha256(bytesOf(applied.patch)),
    result_tree: applied.resultTree,
    notes: [...applied.notes],
    git: applied.git,
  };
}

function statsOf(patch: ByteString): PatchStats {
  const parsed = parsePatch(patch);
  if (!parsed.ok) {
    throw new Failure(
      "bug",
      "patch_not_canonical",
      `a recorded patch cannot be read: ${refusalText(parsed.refusal)}`,
    );
  }
  return patchStats(parsed.patch);
}

function eventLines(record: SessionRecord): Uint8Array {
  const lines = [{ format: "veripatch-events/v1" }, ...record.events].map(jsonLine);
  return new TextEncoder().encode(lines.join("\n") + "\n");
}
