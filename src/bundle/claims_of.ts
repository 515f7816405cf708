import type { Refusal } from "../vocabulary/patch.ts";
import {
  atLeast,
  checked,
  count,
  digestShape,
  exactly,
  flag,
  listOf,
  maybe,
  nullable,
  oneOf,
  type Shape,
  text,
} from "../vocabulary/shape.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";
import {
  backendShape,
  type Claims,
  claimShapes,
  type Evidence,
  nameShape,
  networkShape,
  shortShape,
  targetMembers,
  timeShape,
  toolShape,
} from "./claims.ts";
import { WORKSPACE_TAR } from "./layout.ts";

const MAX_DEPTH = 16;
const MAX_VALUES = 4_000_000;

const reproPart = atLeast({
  tool: toolShape,
  session: nameShape,
  started_at: timeShape,
  finished_at: timeShape,
  status: shortShape,
  success: flag,
  proof_targets: listOf(atLeast(targetMembers), 1, 1000),
  policy_hash: digestShape,
  git_commit: nullable(shortShape),
  git_tree: nullable(shortShape),
  git_dirty: nullable(flag),
  workspace_manifest_sha256: digestShape,
  workspace_tar_sha256: maybe(digestShape),
  base_tree: digestShape,
  result_tree: nullable(digestShape),
  final_patch_sha256: nullable(digestShape),
  sandbox_backend: backendShape,
  network_policy: networkShape,
  container_image: nullable(shortShape),
  container_image_id: nullable(shortShape),
  findings: listOf(atLeast({ code: nameShape, path: nullable(shortShape) }), 0, 10_000),
});
const policyPart = atLeast({ digest: digestShape });
const environmentPart = atLeast({
  backend: backendShape,
  image: nullable(atLeast({ name: shortShape, id: shortShape })),
});
const verifyPart = atLeast({
  outcome: oneOf("passed", "failed", "timed_out", "mixed"),
  passed: count,
  runs: listOf(atLeast({ outcome: oneOf("passed", "failed", "timed_out") })),
});
const minimizationPart = atLeast({
  used: flag,
  end: oneOf("one_minimal", "runs_exhausted", "time_exhausted", "realigned"),
  atoms: listOf(atLeast({})),
  kept: text(),
});

type Drawn = {
  readonly ok: true;
  readonly claims: Claims;
  /** Digest of final.patch. */
  readonly patch: string;
} | { readonly ok: false; readonly refusal: Refusal };

/** Ends the drawing; never leaves this file. */
class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.detail);
  }
}

/**
 * Draws the claims of a bundle from its documents. Only a proof has claims: a red base, a green confirmation, a final
 * patch; and every document that says the same thing must say the same.
 * @returns the claims, or the first reason there are none: `not_proved`, `document_missing`, `document_malformed`,
 *   `documents_contradict`
 */
export function claimsOf(evidence: Evidence): Drawn {
  try {
    return { ok: true, ...drawn(evidence) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

function drawn(evidence: Evidence): { claims: Claims; patch: string } {
  const repro = read(evidence, "repro.json", reproPart);
  const policy = read(evidence, "policy.json", policyPart);
  const environment = read(evidence, "environment.json", environmentPart);
  const { status, result_tree, final_patch_sha256: patch } = repro;
  if (status !== "proved" || !repro.success || result_tree === null || patch === null) {
    refuse("not_proved", "repro.json", "its session proved nothing");
  }
  const image = environment.image === null
    ? null
    : { name: environment.image.name, id: environment.image.id };
  same("repro.json", "policy_hash", repro.policy_hash, policy.digest);
  same("repro.json", "sandbox_backend", repro.sandbox_backend, environment.backend);
  same("repro.json", "container_image", repro.container_image, image?.name ?? null);
  same("repro.json", "container_image_id", repro.container_image_id, image?.id ?? null);
  const hash = (name: string) => evidence.files.get(name)?.sha256 ?? null;
  same("repro.json", "final_patch_sha256", patch, hash("final.patch"));
  same(
    "repro.json",
    "workspace_manifest_sha256",
    repro.workspace_manifest_sha256,
    hash("workspace_manifest.json"),
  );
  same("repro.json", "workspace_tar_sha256", repro.workspace_tar_sha256 ?? null, hash(WORKSPACE_TAR));
  // Of a changed working copy git's names would tell of another tree.
  const clean = repro.git_dirty === false;
  const claims = {
    tool: repro.tool,
    session: repro.session,
    started_at: repro.started_at,
    finished_at: repro.finished_at,
    status,
    base: {
      tree: repro.base_tree,
      git_commit: clean ? repro.git_commit : null,
      git_tree: clean ? repro.git_tree : null,
    },
    result: { tree: result_tree },
    targets: repro.proof_targets,
    sandbox: { backend: repro.sandbox_backend, image, network: repro.network_policy },
    policy_digest: repro.policy_hash,
    before: side(evidence, "attempts/0_baseline/verify.json"),
    after: side(evidence, "confirmation/verify.json"),
    minimization: evidence.files.has("minimization.json") ? minimizationOf(evidence) : null,
    findings: repro.findings.map(({ code, path }) => ({ code, path })),
  };
  const whole = checked(exactly(claimShapes), claims);
  if (!whole.ok) refuse("not_proved", undefined, `${whole.at}: ${whole.what}`);
  return { claims: whole.value, patch };
}

function side(evidence: Evidence, name: string) {
  const { outcome, passed, runs } = read(evidence, name, verifyPart);
  same(name, "passed", passed, runs.filter((run) => run.outcome === "passed").length);
  return { outcome, runs: runs.length, passed };
}

/** Of final.patch: when the minimized patch was not used, nothing was left out and nothing is known to be minimal. */
function minimizationOf(evidence: Evidence) {
  const name = "minimization.json";
  const { used, end, atoms, kept } = read(evidence, name, minimizationPart);
  return {
    used,
    one_minimal: used && end === "one_minimal",
    atoms_before: atoms.length,
    atoms_after: used ? atomCount(name, kept, atoms.length) : atoms.length,
    record_sha256: evidence.files.get(name)!.sha256,
  };
}

/** How many atoms `0-3,7` is. */
function atomCount(document: string, ranges: string, atoms: number): number {
  if (ranges === "") return 0;
  let last = -1;
  let counted = 0;
  for (const range of ranges.split(",")) {
    const match = /^(0|[1-9]\d{0,8})(?:-([1-9]\d{0,8}))?$/.exec(range);
    const from = Number(match?.[1]), to = Number(match?.[2] ?? match?.[1]);
    if (match === null || from <= last || to < from || to >= atoms) {
      refuse("document_malformed", document, "kept: no ranges of its atoms");
    }
    counted += to - from + 1;
    last = to;
  }
  return counted;
}

function read<T>(evidence: Evidence, name: string, part: Shape<T>): T {
  const bytes = evidence.documents.get(name);
  if (bytes === undefined) {
    if (!evidence.files.has(name)) refuse("document_missing", name, "not in the bundle");
    refuse("document_malformed", name, "larger than a statement can be about");
  }
  const json = parseStrictJson(bytes, MAX_DEPTH, MAX_VALUES);
  if (!json.ok) refuse("document_malformed", name, json.detail);
  const shaped = checked(part, json.value);
  if (!shaped.ok) refuse("document_malformed", name, `${shaped.at}: ${shaped.what}`);
  return shaped.value;
}

function same(document: string, member: string, one: unknown, other: unknown): void {
  if (one !== other) refuse("documents_contradict", document, `${member} is not what the bundle holds`);
}

function refuse(reason: string, path: string | undefined, detail: string): never {
  throw new Refused(path === undefined ? { reason, detail } : { reason, path, detail });
}
