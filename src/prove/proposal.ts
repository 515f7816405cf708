import { applyPatch } from "../patch/apply.ts";
import { bytesOf, byteString, byteStringOfText, displayText } from "../patch/bytes.ts";
import { pathsNeeded, readProposal, resolveProposal } from "../patch/read.ts";
import { renderPatch } from "../patch/render.ts";
import { patchStats } from "../patch/stats.ts";
import { checkWrites } from "../policy/writes.ts";
import type { Policy } from "../policy/policy.ts";
import type { ProposerAnswer } from "../propose/proposer.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ByteString, Patch, Refusal } from "../vocabulary/patch.ts";
import type { BaseFiles } from "./base_files.ts";
import type { SessionPorts } from "./ports.ts";

/** A proposal in canonical form, admitted by the policy and applied to the base in memory. */
export interface Admitted {
  readonly patch: Patch;
  readonly rendered: ByteString;
  readonly changes: readonly FileChange[];
  readonly notes: readonly string[];
  readonly git: "agrees" | "no_git";
}

export type Admission =
  | { readonly ok: true; readonly admitted: Admitted }
  | { readonly ok: false; readonly refusals: readonly Refusal[] };

type Proposal = Extract<ProposerAnswer, { kind: "proposal" }>;

/**
 * Takes a proposer's diff through everything it must survive before a command is run on it: tolerant reading,
 * exact application, the policy's write rules, the secret scan, and git's own opinion.
 * @throws Failure `workspace_changed` when the workspace moved under us, `git_disagrees` (a bug of ours)
 */
export async function admitProposal(
  proposal: Pick<Proposal, "diff" | "bytes">,
  base: BaseFiles,
  policy: Policy,
  ports: Pick<SessionPorts, "gitAgrees" | "findSecrets">,
): Promise<Admission> {
  const text = proposal.bytes === undefined ? byteStringOfText(proposal.diff) : byteString(proposal.bytes);
  const raw = readProposal(text);
  if (!raw.ok) return refused(raw.refusal);
  const needed = pathsNeeded(raw.proposal, base.entries);
  if (!needed.ok) return refused(needed.refusal);
  const tooLarge = await base.load(needed.paths);
  if (tooLarge !== null) {
    return refused({
      reason: "file_too_large",
      path: tooLarge,
      detail: "files over 16 MiB cannot be patched",
    });
  }
  const resolved = resolveProposal(raw.proposal, base.entries, base.read);
  if (!resolved.ok) return refused(resolved.refusal);
  return await admitPatch(resolved.patch, resolved.notes, base, policy, ports);
}

/** The part of admission that every patch goes through, canonical ones read from a bundle included. */
export async function admitPatch(
  patch: Patch,
  notes: readonly string[],
  base: BaseFiles,
  policy: Policy,
  ports: Pick<SessionPorts, "gitAgrees" | "findSecrets">,
): Promise<Admission> {
  const rendered = renderPatch(patch);
  const violations = checkWrites(policy, patch, rendered.length);
  if (violations.length > 0) return { ok: false, refusals: violations };
  if (!policy.secrets.allow_in_patch) {
    const secrets = await ports.findSecrets(displayText(rendered), "proposal.patch");
    if (secrets.length > 0) {
      return refused({
        reason: "secret_in_patch",
        detail: `the patch or its context holds what looks like a secret (${
          secrets.map((s) => s.rule).join(", ")
        }); a bundle must not; set policy.secrets.allow_in_patch when it is none`,
      });
    }
  }
  const applied = applyPatch(patch, base.lookup);
  if (!applied.ok) return refused(applied.refusal);
  const git = await ports.gitAgrees(bytesOf(rendered), touchedFiles(patch, base), applied.changes);
  if (git.verdict === "disagrees") {
    throw new Failure(
      "bug",
      "git_disagrees",
      `git apply reads the canonical patch differently: ${git.detail}`,
      {
        hint: "nothing was run; please report it with the proposal",
      },
    );
  }
  return { ok: true, admitted: { patch, rendered, changes: applied.changes, notes, git: git.verdict } };
}

function touchedFiles(patch: Patch, base: BaseFiles) {
  const files = new Map<string, { mode: "100644" | "100755"; bytes: Uint8Array }>();
  for (const file of patch.files) {
    for (const path of [file.oldPath, file.newPath]) {
      const state = path === null ? null : base.lookup(path);
      if (path !== null && state !== null && typeof state === "object") files.set(path, state);
    }
  }
  return files;
}

function refused(...refusals: Refusal[]): Admission {
  return { ok: false, refusals };
}

/** For events and summaries. */
export function statsOf(admitted: Admitted) {
  const { files, additions, deletions } = patchStats(admitted.patch);
  return { files, additions, deletions };
}
