import { configuredTargets, sameArgv } from "../../policy/commands.ts";
import type { PolicyConfig } from "../../policy/policy.ts";
import type { ReplayClaim } from "./claim.ts";

/**
 * A claim as the verifier judges it: a test report that the verifier's own policy names for the same argv is the one
 * that counts. What the bundle tells of another one is then not asked for.
 */
export function withOwnReports(claim: ReplayClaim, config: PolicyConfig): ReplayClaim {
  const own = configuredTargets(config);
  const fixed = new Map(claim.fixed);
  const targets = claim.targets.map((target) => {
    const report = own.ok
      ? own.targets.findLast(({ argv }) => sameArgv(argv, target.argv))?.report
      : undefined;
    if (report === undefined) return target;
    const same = report.format === target.report?.format && report.path === target.report.path;
    if (!same) fixed.delete(target.name);
    return { ...target, report };
  });
  return { ...claim, targets, fixed };
}
