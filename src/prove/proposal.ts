import { LEFT_OUT_NOTE } from "../bundle/record.ts";
import { applyPatch } from "../patch/apply.ts";
import { bytesOf, byteString, byteStringOfText, displayText } from "../patch/bytes.ts";
import { collisionOf } from "../patch/collision.ts";
import { renderPatch } from "../patch/render.ts";
import { patchStats } from "../patch/stats.ts";
import type { Policy } from "../policy/policy.ts";
import type { ProtectedTouch } from "../policy/protected.ts";
import { checkWrites } from "../policy/writes.ts";
import type { ProposerAnswer } from "../propose/proposer.ts";
import type { FileChange } from "../vocabulary/change.ts";
import type { FileMode } from "../vocabulary/manifest.ts";
import type { ByteString, Patch, Refusal } from "../vocabulary/patch.ts";
import type { BaseFiles } from "./base_files.ts";
import { ignoredChange } from "./ignored.ts";
import { controlTrespasses } from "./negative_control.ts";
import type { SessionPlan, SessionPorts } from "./ports.ts";
import { refusalsOf, touchedBy, withoutDenied } from "./protection.ts";
import { readOver } from "./read_over.ts";
import { isKeptOut, isPolicyFile } from "./writable.ts";

/** A patch in canonical form that applies exactly to the base, in our eyes and in git's. */
export interface Applied {
  readonly patch: Patch;
  readonly rendered: ByteString;
  readonly changes: readonly FileChange[];
  /** What git said of exactly these bytes. */
  readonly git: "agrees" | "no_git";
}

/** An applied patch that the policy admits, and how its proposal was read. */
export interface Admitted extends Applied {
  readonly notes: readonly string[];
  /** Protected files it touches, as the policy allows. */
  readonly touched: readonly ProtectedTouch[];
}

export type Admission =
  | {
    readonly ok: true;
    readonly admitted: Admitted;
    /** Protected files that the proposal touches and the admitted patch does not. */
    readonly leftOut: readonly ProtectedTouch[];
  }
  | { readonly ok: false; readonly refusals: readonly Refusal[] };

type Proposal = Extract<ProposerAnswer, { kind: "proposal" }>;

/**
 * Takes a proposer's diff through everything it must survive before a command is run on it: tolerant reading, the
 * policy's write rules, the secret scan, exact application, and git's own opinion. Changes to protected files are left
 * out of it first.
 * @throws Failure `workspace_changed` when the workspace moved under us
 */
export async function admitProposal(
  proposal: Pick<Proposal, "diff" | "bytes">,
  base: BaseFiles,
  plan: Pick<SessionPlan, "config" | "keptOut">,
  ports: Pick<SessionPorts, "gitAgrees" | "findSecrets">,
): Promise<Admission> {
  const text = proposal.bytes === undefined ? byteStringOfText(proposal.diff) : byteString(proposal.bytes);
  const resolved = await readOver(text, base);
  if (!resolved.ok) return refused(resolved.refusal);
  const { denied } = touchedBy(resolved.patch, plan.config.policy, base);
  const patch = withoutDenied(resolved.patch, denied);
  if (denied.length > 0 && patch.files.length === 0) return { ok: false, refusals: refusalsOf(denied) };
  const notes = [...resolved.notes, ...denied.map(({ path }) => LEFT_OUT_NOTE + path)];
  const admission = await admitPatch(patch, notes, base, plan, ports);
  return admission.ok ? { ...admission, leftOut: denied } : admission;
}

/** The same for a patch that is canonical already and whose files are loaded; nothing is left out of it. */
export async function admitPatch(
  patch: Patch,
  notes: readonly string[],
  base: BaseFiles,
  plan: Pick<SessionPlan, "config" | "keptOut">,
  ports: Pick<SessionPorts, "gitAgrees" | "findSecrets">,
): Promise<Admission> {
  const objections = await objectionsTo(patch, plan.config.policy, plan.keptOut, ports.findSecrets);
  if (objections.length > 0) return { ok: false, refusals: objections };
  const touched = touchedBy(patch, plan.config.policy, base);
  if (touched.denied.length > 0) return { ok: false, refusals: refusalsOf(touched.denied) };
  const applied = await applyExactly(patch, base, ports.gitAgrees);
  if (!applied.ok) return refused(applied.refusal);
  return { ok: true, admitted: { ...applied.applied, notes, touched: touched.allowed }, leftOut: [] };
}

/**
 * What there is against a patch, whether it applies or not; empty when it is admitted.
 * @param keptOut folders or files that no patch may touch, whatever the policy says, relative to the workspace
 */
export async function objectionsTo(
  patch: Patch,
  policy: Policy,
  keptOut: readonly string[],
  findSecrets: SessionPorts["findSecrets"],
): Promise<readonly Refusal[]> {
  const rendered = renderPatch(patch);
  const written = checkWrites(policy, patch, rendered.length);
  const already = new Set(written.map((violation) => violation.path));
  const trespassed = [...trespasses(patch, keptOut), ...controlTrespasses(patch, policy)];
  const violations = [...written, ...trespassed.filter(({ path }) => !already.has(path))];
  if (violations.length > 0 || policy.secrets.allow_in_patch) return violations;
  const secrets = await findSecrets(displayText(rendered), "proposal.patch");
  if (secrets.length === 0) return [];
  const rules = secrets.map((s) => s.rule).join(", ");
  const detail =
    `the patch or its context holds what looks like a secret (${rules}), and a bundle must not; ` +
    "set policy.secrets.allow_in_patch when it is none";
  return [{ reason: "secret_in_patch", detail }];
}

function trespasses(patch: Patch, keptOut: readonly string[]): Refusal[] {
  const paths = new Set(patch.files.flatMap((f) => [f.oldPath, f.newPath]).filter((p) => p !== null));
  return [...paths].flatMap((path): Refusal[] => {
    if (isPolicyFile(path)) {
      return [{ reason: "path_policy_file", path, detail: "a patch can never write a policy" }];
    }
    return isKeptOut(path, keptOut)
      ? [{ reason: "path_kept_out", path, detail: "bundles, policies and test reports are kept here" }]
      : [];
  });
}

/**
 * Applies a canonical patch to loaded files, exactly, and asks git for its opinion of the same bytes: nothing may be
 * built on bytes that two readers understand differently.
 */
export async function applyExactly(
  patch: Patch,
  base: BaseFiles,
  gitAgrees: SessionPorts["gitAgrees"],
): Promise<{ ok: true; applied: Applied } | { ok: false; refusal: Refusal }> {
  const rendered = renderPatch(patch);
  const result = applyPatch(patch, base.lookup);
  if (!result.ok) return result;
  const collision = collisionOf(result.changes, base.entries);
  if (collision !== null) return { ok: false, refusal: collision };
  const ignored = ignoredChange(result.changes, base);
  if (ignored !== null) return { ok: false, refusal: ignored };
  const git = await gitAgrees(bytesOf(rendered), touchedFiles(patch, base), result.changes);
  if (git.verdict === "timed_out") {
    return { ok: false, refusal: { reason: "git_timed_out", detail: "git apply did not end in its time" } };
  }
  if (git.verdict === "disagrees") {
    const detail = `git apply reads the canonical patch differently: ${git.detail}`;
    return { ok: false, refusal: { reason: "git_disagrees", detail } };
  }
  return { ok: true, applied: { patch, rendered, changes: result.changes, git: git.verdict } };
}

function touchedFiles(patch: Patch, base: BaseFiles) {
  const files = new Map<string, { mode: FileMode; bytes: Uint8Array }>();
  for (const { oldPath } of patch.files) {
    const state = oldPath === null ? null : base.lookup(oldPath);
    if (oldPath !== null && state !== null && typeof state === "object") files.set(oldPath, state);
  }
  return files;
}

function refused(refusal: Refusal): Admission {
  return { ok: false, refusals: [refusal] };
}

/** For events and summaries. */
export function statsOf(applied: Applied) {
  const { files, additions, deletions } = patchStats(applied.patch);
  return { files, additions, deletions };
}
