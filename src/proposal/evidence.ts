import { readCheck } from "../approve/check.ts";
import { type Evidence, EVIDENCE_FORMAT, type EvidenceFile } from "../approve/evidence.ts";
import { fileStats } from "../patch/stats.ts";
import type { FoundRevision } from "../store/proposal/find.ts";
import type { Check } from "../store/proposals.ts";
import { deltaDocument } from "../safety/document.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import type { FilePatch, Patch } from "../vocabulary/patch.ts";
import type { ChangeFindings } from "./checks.ts";
import type { FoundCheck } from "./found_check.ts";
import type { ProofFound } from "./proof.ts";

/** Who looked: the program and the rules of its safety check. */
export interface Checker {
  readonly version: string;
  readonly rules: Sha256;
}

export interface EvidenceFacts {
  readonly storeId: string;
  readonly found: FoundRevision;
  readonly patch: Patch;
  readonly policyDigest: Sha256;
  readonly checker: Checker;
  readonly findings: ChangeFindings;
  readonly proof: ProofFound | null;
  /** All of them in the order of CHECK_KINDS, bounded, with their documents. */
  readonly checks: readonly Pick<Check, "kind" | "outcome" | "document">[];
  /** Key that signs the proposal. */
  readonly keyId: Sha256 | null;
  readonly rebasedFrom: Evidence["rebased_from"];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

/** All that an approval will be bound to. */
export function evidenceOf(facts: EvidenceFacts): Evidence {
  const { found: { proposal, revision }, findings, proof } = facts;
  const { delta } = findings.safety;
  return {
    format: EVIDENCE_FORMAT,
    store: facts.storeId,
    proposal: proposal.number,
    revision: revision.number,
    artifact: proposal.artifact,
    base_version: revision.baseVersion,
    base: { root: revision.baseRoot, manifest: revision.baseManifest },
    result: { root: revision.resultRoot, manifest: revision.resultManifest },
    title: proposal.title,
    instruction_sha256: sha256(revision.instruction),
    source_sha256: sha256(revision.source),
    patch: {
      sha256: revision.patch,
      bytes: revision.patchBytes,
      additions: revision.additions,
      deletions: revision.deletions,
      files: evidenceFiles(facts.patch),
    },
    policy_sha256: facts.policyDigest,
    checker: { version: facts.checker.version, rules_sha256: facts.checker.rules },
    safety: {
      outcome: findings.judgement.outcome,
      added: delta.added.length,
      removed: delta.removed.length,
      widened: delta.widened.length,
      unanalyzed: delta.unanalyzed.length,
      missing_imports: findings.safety.missingImports.length,
      delta_sha256: sha256(canonicalJson(deltaDocument(delta))),
    },
    checks: facts.checks.map(({ kind, outcome, document }) => ({
      kind,
      outcome,
      document_sha256: sha256(document),
    })),
    proof: proof === null
      ? null
      : { session: proof.session, statement_sha256: proof.statement, outcome: proof.outcome },
    proposer: { actor: revision.actor, key_id: facts.keyId },
    rebased_from: facts.rebasedFrom,
    created_at: facts.createdAt.toISOString(),
    expires_at: facts.expiresAt === null ? null : facts.expiresAt.toISOString(),
  };
}

/** The files of a patch as evidence names them. */
export function evidenceFiles({ files }: Patch): EvidenceFile[] {
  return files.map(evidenceFile);
}

function evidenceFile(file: FilePatch): EvidenceFile {
  const { path, change, additions, deletions } = fileStats(file);
  return {
    ...{ path, old_path: change === "renamed" ? file.oldPath : null },
    ...{ change: change === "created" ? "added" : change, additions, deletions },
  };
}

/**
 * Whether a rebased change has a finding that it did not have before. Lines do not count; what was left out of a document
 * could be anything.
 */
export function findingsGrew(before: readonly Check[], after: readonly FoundCheck[]): boolean {
  return after.some((check) => {
    const old = before.find(({ kind }) => kind === check.kind);
    const was = old === undefined ? null : readCheck(old.document);
    if (old === undefined || was === null) return check.outcome !== "passed";
    if (check.outcome !== "passed" && check.outcome !== old.outcome) return true;
    const details = was.details as FoundCheck["details"];
    if ("left_out" in details || "left_out" in check.details) return true;
    const known = counted([...was.findings.map(findingKey), ...siteKeys(details)]);
    return [...counted([...check.findings.map(findingKey), ...siteKeys(check.details)])]
      .some(([key, count]) => count > (known.get(key) ?? 0));
  });
}

function findingKey({ level, code, path, detail }: FoundCheck["findings"][number]): string {
  return level === "info" ? "info" : canonicalJson([level, code, path, detail]);
}

/** What code newly can do, of the details of a safety check. */
function siteKeys(details: FoundCheck["details"]): string[] {
  return ["added", "widened", "unanalyzed"].flatMap((name) => {
    const list = details[name];
    return Array.isArray(list) ? list.map((site) => canonicalJson([name, withoutLines(site)])) : [];
  });
}

function withoutLines(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutLines);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => key !== "line").map((
      [key, member],
    ) => [key, withoutLines(member)]),
  );
}

function counted(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) if (key !== "info") counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
