import type { ReadBundle } from "../../bundle/read.ts";
import { sameArgv, targetFromArgv, targetFromCommand } from "../../policy/commands.ts";
import { reportSource } from "../../policy/report.ts";
import type { ManifestEntries } from "../../vocabulary/manifest.ts";
import type { ByteString, Refusal } from "../../vocabulary/patch.ts";
import type { ProofTarget } from "../../vocabulary/session.ts";
import type { TargetOutcome } from "../../vocabulary/verification.ts";
import type { RecordedFixes } from "./fixed_tests.ts";
import type { RecordedBase } from "./judge.ts";

/** What a bundle claims, as far as a replay needs it. */
export interface ReplayClaim {
  readonly targets: readonly ProofTarget[];
  readonly finalPatch: ByteString;
  readonly baseEntries: ManifestEntries;
  readonly baseTree: string;
  readonly resultTree: string;
  /** Tests that the patch fixed. */
  readonly fixed: RecordedFixes;
  /** How the unpatched base failed. */
  readonly base: RecordedBase;
  /** Whether its minimization record says that nothing can be left out, and in what words that ended; null: no record. */
  readonly minimization: { readonly certified: boolean; readonly end: string } | null;
  /** Where the claim was made; image id null on a host backend. */
  readonly sandbox: { readonly backend: string; readonly imageId: string | null };
}

type ClaimRead = { readonly ok: true; readonly claim: ReplayClaim } | {
  readonly ok: false;
  readonly refusal: Refusal;
};

/**
 * What a bundle claims, for a replay. Nothing in it says how the replay is made.
 * @returns `bundle_without_proof` when its session proved nothing, `bundle_inconsistent` when the command it shows is
 *   not the one it would have run, or a report lies where none can
 */
export function claimOf(bundle: ReadBundle): ClaimRead {
  const { repro, targets, manifest, finalPatch, minimization } = bundle;
  const no = (reason: string, detail: string, path?: string) =>
    ({ ok: false, refusal: { reason, detail, ...path === undefined ? {} : { path } } }) as const;
  if (finalPatch === null || repro.result_tree === null) {
    return no("bundle_without_proof", `this bundle holds no proof: its session ended ${repro.status}`);
  }
  if (!targets.every(readsAs)) {
    return no("bundle_inconsistent", "it shows another command than it runs", "repro.json");
  }
  for (const { report } of bundle.tests?.targets ?? []) {
    const read = reportSource(report.format, report.path);
    if (!read.ok) {
      return no("bundle_inconsistent", `a report that no policy names: ${read.detail}`, "tests.json");
    }
  }
  const base = new Map<string, Set<TargetOutcome>>();
  for (const { target, outcome } of bundle.baseRuns.flatMap((run) => run.targets)) {
    base.set(target, (base.get(target) ?? new Set()).add(outcome));
  }
  const reports = new Map(bundle.tests?.targets.map((t) => [t.target, t]));
  const claim: ReplayClaim = {
    targets: targets.map((target) => {
      const report = reports.get(target.name)?.report;
      return report === undefined ? target : { ...target, report };
    }),
    // What was redacted cannot be found again by its name.
    fixed: new Map([...reports].map(([name, { tests }]) => [
      name,
      tests.flatMap(({ id, change, redacted }) => change === "fixed" && redacted === undefined ? [id] : []),
    ])),
    finalPatch,
    baseEntries: manifest.entries,
    baseTree: manifest.digest,
    resultTree: repro.result_tree,
    base,
    minimization: minimization === null
      ? null
      : { certified: minimization.used && minimization.certificate !== null, end: minimization.end },
    sandbox: { backend: repro.sandbox_backend, imageId: repro.container_image_id },
  };
  return { ok: true, claim };
}

/** Whether the command people read is the argv that is run. */
function readsAs(target: ProofTarget): boolean {
  const line = targetFromCommand(target.name, target.command);
  const words = targetFromArgv(target.name, target.argv);
  return (line.ok && sameArgv(line.target.argv, target.argv)) ||
    (words.ok && words.target.command === target.command);
}
