import { runTests, type TestsRun } from "../apply/run_tests.ts";
import type { FolderTree } from "../apply/folder_tree.ts";
import type { LoadedPolicy } from "../policy/load.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { sessionProgress } from "./progress.ts";
import { freshSessionId, sandboxSpec, withFlags } from "./session_plan.ts";
import { policyTargets } from "./targets.ts";
import { wireWorld } from "./wire/world.ts";

export interface TestFlags {
  readonly image?: string;
  readonly pull?: boolean;
  readonly json?: boolean;
}

const NO_TARGETS =
  "--run-tests runs the proof_targets of the policy: add some (pp init writes a pp.yaml), or leave it out";

/**
 * How the policy's proof targets are run on a folder with changes.
 * @param store its folder, which is no part of the workspace
 * @throws Failure `no_targets` (usage), of commands the policy does not admit
 */
export function testRunner(
  root: string,
  store: string,
  policy: LoadedPolicy,
  flags: TestFlags,
  signal: AbortSignal,
): (tree: FolderTree, changes: readonly FileChange[]) => Promise<TestsRun> {
  const targets = policyTargets(policy.config, policy.source, NO_TARGETS);
  const config = withFlags(policy.config, flags.image === undefined ? {} : { image: flags.image });
  return async (tree, changes) => {
    const spec = sandboxSpec(freshSessionId(), config, { pull: flags.pull === true, keep: false });
    const world = await wireWorld(root, config.policy, spec, Deno.env.toObject(), {
      artifacts: store,
      container: flags.image !== undefined,
    });
    const progress = sessionProgress({ quiet: flags.json === true });
    try {
      if (world.fallback !== null) progress.say(`sandbox  no container: ${world.fallback}`);
      const plan = { targets, policy: config.policy, spec, repeat: config.policy.verify.repeat };
      return await runTests(tree.digest, changes, plan, { ...world, emit: progress.emit, signal });
    } finally {
      progress.end();
      await world.dispose();
    }
  };
}
