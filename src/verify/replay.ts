import { dirname } from "node:path";
import { parsePatch } from "../patch/parse.ts";
import { resultDigest } from "../patch/tree.ts";
import { splitPatch } from "../patch/units.ts";
import { protectedFindings } from "../policy/protected.ts";
import { BaseFiles } from "../prove/base_files.ts";
import { negativeControlOf } from "../prove/negative_control.ts";
import { applyExactly, objectionsTo } from "../prove/proposal.ts";
import { partsCheck, refusalsOf, touchedBy } from "../prove/protection.ts";
import { reportPaths, reportRules } from "../prove/reports.ts";
import { entriesByPath } from "../vocabulary/entry_table.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Finding } from "../vocabulary/finding.ts";
import type { ManifestEntries } from "../vocabulary/manifest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { refusalText } from "../vocabulary/printable.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";
import type { ReplayClaim } from "./replay/claim.ts";
import type { RunsJudged } from "./replay/judge.ts";
import { type ReplayPlan, type ReplayPorts, rerun, type RunsResult } from "./replay/rerun.ts";

export interface ReplayResult extends RunsResult {
  /** Protected files that the patch touches, as the verifier's policy allows. */
  readonly findings: readonly Finding[];
  /** Where the checkout is not the recorded base; empty when it is. */
  readonly differences: readonly BaseDifference[];
}

/** A path at which a checkout is not the base. A folder that is no part of it stands for what lies in it. */
export interface BaseDifference {
  readonly kind: "not in the bundle" | "differs" | "missing here";
  readonly path: string;
}

/** Differences named in a message; more are counted. */
export const NAMED_DIFFERENCES = 10;

/**
 * Runs a bundle's claim again: the checkout must be the recorded base, fail as it is, and pass with the final patch.
 * @throws Failure for broken machinery or interruption; `denied` when the verifier's policy does not admit the patch
 */
export async function replay(
  claim: ReplayClaim,
  plan: ReplayPlan,
  ports: ReplayPorts,
): Promise<ReplayResult> {
  const nothingRun = (judged: RunsJudged, differences: readonly BaseDifference[] = []): ReplayResult => ({
    ...judged,
    environment: null,
    asRecorded: false,
    base: [],
    patched: [],
    control: [],
    findings: [],
    minimal: null,
    differences,
  });
  const { workspace, emit } = ports;
  emit({ kind: "phase", phase: "workspace" });
  const manifest = await workspace.manifest();
  if (manifest.digest !== claim.baseTree) {
    const differences = baseDifferences(claim.baseEntries, manifest.entries);
    const detail = describeDifferences(differences);
    const checks = { base_tree: "unclear" } as const;
    return nothingRun({ verdict: "inconclusive", reason: "base_differs", detail, checks }, differences);
  }
  const unfit = (reason: string, detail: string, verdict: "contradicted" | "inconclusive" = "contradicted") =>
    nothingRun({
      verdict,
      reason,
      detail,
      checks: { base_tree: "passed", patch: verdict === "contradicted" ? "failed" : "unclear" },
    });
  const parsed = parsePatch(claim.finalPatch);
  if (!parsed.ok) return unfit("patch_malformed", refusalText(parsed.refusal));
  const objections = await objectionsTo(
    parsed.patch,
    plan.policy,
    reportPaths(claim.targets),
    ports.findSecrets,
  );
  if (objections.length > 0) throw notAdmitted(objections);
  const base = new BaseFiles(workspace, manifest.entries);
  const tooLarge = await base.load(parsed.patch.files.flatMap((f) => f.oldPath ?? []));
  if (tooLarge !== null) return unfit(tooLarge.reason, refusalText(tooLarge), "inconclusive");
  const touched = touchedBy(parsed.patch, plan.policy, base);
  if (touched.denied.length > 0) throw notAdmitted(refusalsOf(touched.denied));
  const control = negativeControlOf(plan.policy, claim.targets, base.entries);
  const application = await applyExactly(parsed.patch, base, ports.gitAgrees);
  if (!application.ok) {
    const { refusal } = application;
    // Git's silence and git's doubt are no evidence against the bundle.
    const verdict = refusal.reason.startsWith("git_") ? "inconclusive" : "contradicted";
    return unfit(refusal.reason, refusalText(refusal), verdict);
  }
  const { changes } = application.applied;
  if (resultDigest(manifest, changes) !== claim.resultTree) {
    return unfit("result_tree_differs", "base plus final.patch is not the recorded result tree");
  }
  const parts = () => ({
    split: splitPatch(parsed.patch, base.lookup),
    admits: partsCheck(parsed.patch, plan.policy, base),
  });
  const reports = (bases: readonly VerificationResult[]) =>
    reportRules(claim.targets, base.entries, plan.spec.workdir, bases);
  const result = await rerun({ claim, changes, control, reports, parts }, plan, ports);
  return { ...result, findings: protectedFindings(touched.allowed), differences: [] };
}

function notAdmitted(objections: readonly Refusal[]): Failure {
  return new Failure("denied", objections[0]!.reason, "your policy does not admit the bundle's patch", {
    details: objections.map(refusalText),
    hint: "this says nothing about the proof; name a policy that admits the patch with --policy",
  });
}

function baseDifferences(
  recorded: ManifestEntries,
  found: ManifestEntries,
): readonly BaseDifference[] {
  const before = new Map(entriesByPath(recorded));
  const differences: BaseDifference[] = [];
  const strays = new Set<string>();
  for (const entry of found) {
    const old = before.get(entry.path);
    before.delete(entry.path);
    if (old === undefined) {
      // What lies below a folder that is no part of the base is said with the folder.
      if (!strays.has(dirname(entry.path))) differences.push({ kind: "not in the bundle", path: entry.path });
      strays.add(entry.path);
    } else if (old.sha256 !== entry.sha256 || old.mode !== entry.mode) {
      differences.push({ kind: "differs", path: entry.path });
    }
  }
  for (const path of before.keys()) differences.push({ kind: "missing here", path });
  return differences;
}

function describeDifferences(differences: readonly BaseDifference[]): string {
  const more = differences.length - NAMED_DIFFERENCES;
  const named = differences.slice(0, NAMED_DIFFERENCES).map(({ kind, path }) => `${kind}: ${path}`).join(
    "; ",
  );
  return `the checkout is not the recorded base: ${named}${more > 0 ? `; and ${more} more` : ""}`;
}
