import type { Policy } from "../policy/policy.ts";
import { isFailure } from "../testreport/compare.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import type { Patch, Refusal } from "../vocabulary/patch.ts";
import { parentsOf, parseRelativePath, type RelativePath } from "../vocabulary/path.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import {
  type ControlOutcome,
  outcomeOfControl,
  type TargetOutcome,
  type TargetResult,
  type VerificationResult,
} from "../vocabulary/verification.ts";

/** A failing test to lay beside a patch, and who has to notice it. */
export interface NegativeControl {
  readonly changes: readonly FileChange[];
  /** Names of targets, at least one. */
  readonly targets: readonly string[];
}

/**
 * The negative control a policy asks for, fit for one base.
 * @returns null when the policy asks for none
 * @throws Failure `malformed`: `negative_control_exists` when the base has something where a file of it would go,
 *   `negative_control_target_unknown` for a target that is not proved
 */
export function negativeControlOf(
  policy: Policy,
  targets: readonly ProofTarget[],
  base: ReadonlyMap<string, ManifestEntry>,
): NegativeControl | null {
  const config = policy.verify.negative_control;
  if (config === null) return null;
  const names = targets.map((target) => target.name);
  const unknown = config.targets.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const message = `policy.verify.negative_control.targets names ${
      JSON.stringify(unknown)
    }, which is not proved`;
    throw new Failure("malformed", "negative_control_target_unknown", message, {
      hint: `the targets are ${names.map((name) => JSON.stringify(name)).join(", ")}`,
    });
  }
  const folders = new Set(parentsOf([...base.keys()]));
  const changes = Object.entries(config.files).map(([name, text]): FileChange => {
    const path = controlPath(name);
    const there = base.has(path) || folders.has(path)
      ? path
      : parentsOf([path]).find((parent) => (base.get(parent)?.mode ?? "040000") !== "040000");
    if (there !== undefined) {
      const message = `policy.verify.negative_control.files: the base has ${JSON.stringify(there)} already`;
      throw new Failure("malformed", "negative_control_exists", message, {
        hint: "give the failing test a path that nothing in the workspace has",
      });
    }
    return { kind: "write", path, mode: "100644", bytes: new TextEncoder().encode(text) };
  });
  return { changes, targets: config.targets.length === 0 ? names : config.targets };
}

/** What a patch would do to the place of a negative control: nothing may stand there but the control. */
export function controlTrespasses(patch: Patch, policy: Policy): Refusal[] {
  const files = Object.keys(policy.verify.negative_control?.files ?? {}).map(plain);
  if (files.length === 0) return [];
  const taken = new Set([...files, ...parentsOf(files)]);
  const paths = new Set(patch.files.flatMap((f) => [f.oldPath, f.newPath]).filter((p) => p !== null));
  return [...paths].flatMap((path): Refusal[] => {
    const name = plain(path);
    if (!taken.has(name) && !files.some((file) => name.startsWith(`${file}/`))) return [];
    const detail = "the policy's negative control is laid here";
    return [{ reason: "path_negative_control", path, detail }];
  });
}

/** What runs with a negative control say of it, as `outcomeOfControl` does. */
export function controlOutcome(
  runs: readonly VerificationResult[],
  names: readonly string[],
): ControlOutcome {
  return outcomeOfControl(
    names.map((name) => runs.map((run) => noticed(run.targets.find((t) => t.target === name)))),
  );
}

/** A target that is red only for want of a report has not noticed the failing test. */
function noticed(target: TargetResult | undefined): TargetOutcome {
  if (target === undefined) return "not_run";
  const { outcome, result, tests } = target;
  if (outcome !== "failed" || result?.exitCode !== 0) return outcome;
  return tests?.cases?.some((test) => isFailure(test.outcome)) === true ? "failed" : "passed";
}

function plain(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

function controlPath(name: string): RelativePath {
  const parsed = parseRelativePath(name);
  if (!parsed.ok) throw new RangeError(`the schema let ${JSON.stringify(name)} pass`);
  return parsed.path;
}
