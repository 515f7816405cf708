import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { CHECK_KINDS, CHECK_OUTCOMES } from "../vocabulary/proposal.ts";
import {
  checked,
  count,
  digestShape,
  exactly,
  flag,
  listOf,
  nullable,
  oneOf,
  type Shaped,
  text,
  where,
} from "../vocabulary/shape.ts";
import { instant, storeId } from "../vocabulary/store_shape.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";

export const EVIDENCE_FORMAT = "veripatch-evidence/v1";
/** Of the document, in bytes. */
export const MAX_EVIDENCE_BYTES = 1024 * 1024;
export const MAX_EVIDENCE_FILES = 10_000;
const MAX_VALUES = 200_000;

export const ordinal = where(count, (value) => value >= 1, "no number from 1");
const workspace = exactly({ root: digestShape, manifest: digestShape });

/** What a change does to one file. */
const fileShape = exactly({
  path: where(text(4_096), (value) => value !== "", "empty"),
  /** Of a rename, where it was; else null. */
  old_path: nullable(text(4_096)),
  change: oneOf("added", "modified", "deleted", "renamed"),
  additions: count,
  deletions: count,
});

const safetyShape = exactly({
  outcome: oneOf("allowed", "needs_approval", "denied"),
  /** Sites, files and imports, counted. */
  added: count,
  removed: count,
  widened: count,
  unanalyzed: count,
  missing_imports: count,
  /** Of the delta in RFC 8785 form. */
  delta_sha256: digestShape,
});

const proofShape = exactly({
  session: text(200),
  /** Of the bundle's statement. */
  statement_sha256: nullable(digestShape),
  outcome: text(100),
});

const shape = exactly({
  format: oneOf(EVIDENCE_FORMAT),
  store: storeId,
  proposal: ordinal,
  revision: ordinal,
  artifact: text(100),
  base_version: ordinal,
  base: workspace,
  result: workspace,
  title: text(1_000),
  instruction_sha256: digestShape,
  source_sha256: digestShape,
  patch: exactly({
    sha256: digestShape,
    bytes: count,
    additions: count,
    deletions: count,
    files: listOf(fileShape, 1, MAX_EVIDENCE_FILES),
  }),
  policy_sha256: digestShape,
  /** Who looked: the program and the rules of the safety check. */
  checker: exactly({ version: text(100), rules_sha256: digestShape }),
  safety: safetyShape,
  /** One of each kind, in the order of CHECK_KINDS; the documents lie beside the revision. */
  checks: listOf(
    exactly({ kind: oneOf(...CHECK_KINDS), outcome: oneOf(...CHECK_OUTCOMES), document_sha256: digestShape }),
    1,
    CHECK_KINDS.length,
  ),
  proof: nullable(proofShape),
  proposer: exactly({ actor: text(200), key_id: nullable(digestShape) }),
  /** The revision whose patch this is, made anew on another base; null of others. */
  rebased_from: nullable(exactly({
    revision: ordinal,
    evidence_sha256: digestShape,
    /** Whether no conflict had to be resolved. */
    clean: flag,
    /** Whether a check found something that it had not found there. */
    findings_grew: flag,
  })),
  created_at: instant,
  expires_at: nullable(instant),
});

/**
 * All that an approval is bound to, by its hash: which change to what, judged by which policy and which rules, with what
 * findings. Whatever is not the same makes another document and another hash.
 */
export type Evidence = Shaped<typeof shape>;
export type EvidenceFile = Evidence["patch"]["files"][number];

export type EvidenceRead =
  | { readonly ok: true; readonly evidence: Evidence }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * The one document of some evidence, RFC 8785 JSON, and its hash.
 * @throws RangeError for what `readEvidence` would refuse: nobody could ever approve it
 */
export function evidenceDocument(evidence: Evidence): { readonly document: string; readonly hash: Sha256 } {
  const document = canonicalJson(evidence);
  const read = readEvidence(document);
  if (!read.ok) throw new RangeError(`evidence: ${read.refusal.detail}`);
  return { document, hash: sha256(document) };
}

/** Reads evidence strictly: canonical, bounded, nothing that does not belong there; never throws. */
export function readEvidence(document: string): EvidenceRead {
  const no = (detail: string): EvidenceRead => ({
    ok: false,
    refusal: { reason: "evidence_malformed", detail },
  });
  const bytes = new TextEncoder().encode(document);
  if (bytes.length > MAX_EVIDENCE_BYTES) return no(`more than ${MAX_EVIDENCE_BYTES} bytes`);
  const json = parseStrictJson(bytes, 6, MAX_VALUES);
  if (!json.ok) return no(json.detail);
  const read = checked(shape, json.value);
  if (!read.ok) return no(`${read.at}: ${read.what}`);
  const { checks, patch } = read.value;
  const places = checks.map(({ kind }) => CHECK_KINDS.indexOf(kind));
  if (places.some((place, i) => i > 0 && place <= places[i - 1]!)) return no("checks: twice or out of order");
  if (new Set(patch.files.map(({ path }) => path)).size !== patch.files.length) {
    return no("patch.files: twice");
  }
  if (patch.files.some((file) => (file.change === "renamed") !== (file.old_path !== null))) {
    return no("patch.files: a rename, and only one, has an old path");
  }
  if (canonicalJson(read.value) !== document) return no("not in canonical form");
  return { ok: true, evidence: read.value };
}

/** The checks that are not passed; `not_run` counts only where the policy asks for a proof. */
export function uncleanChecks(evidence: Evidence, proofAsked: boolean): Evidence["checks"] {
  return evidence.checks.filter(({ kind, outcome }) =>
    outcome !== "passed" && !(outcome === "not_run" && (kind === "git" || (kind === "proof" && !proofAsked)))
  );
}
