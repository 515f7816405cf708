// Adapters are built in this folder alone, each imported when it is needed: `pp doctor` does not pay for a language
// model's client, and a passing command not for grammars.

import type { Policy } from "../../policy/policy.ts";
import type { SessionPorts } from "../../prove/ports.ts";
import type { SandboxSpec } from "../../sandbox/sandbox.ts";
import type { Environment } from "../../vocabulary/environment.ts";
import type { Redact, Redaction } from "../../vocabulary/redaction.ts";
import type { History } from "../../workspace/history.ts";
import type { Workspace } from "../../workspace/workspace.ts";
import { type SandboxChosen, wireSandbox } from "./sandbox.ts";

/** Everything of the world that a session and a replay share. */
export interface World
  extends SandboxChosen, Pick<SessionPorts, "workspace" | "gitAgrees" | "redact" | "findSecrets"> {
  /** Removes what was made outside the sandbox. Idempotent. */
  dispose(): Promise<void>;
}

export interface WorldOptions {
  /** Where bundles go; left out of the workspace. */
  readonly artifacts: string;
  /** Patch files to be tried; left out of the workspace unless git tracks them. */
  readonly patches?: readonly string[];
  /** Whether the caller named an image: then only a container will do. */
  readonly container: boolean;
}

/**
 * Begins to load what a session in a container needs, for a call that has other things to load first. That is before a
 * policy is read: one that runs commands on this host loads it in vain.
 */
export function beginLoading(): void {
  const client = async () => await (await import("../../sandbox/docker/dockerode.ts")).loadClient();
  const all = [import("../../workspace/directory.ts"), import("../../sandbox/docker/docker.ts"), client()];
  // Whoever needs them meets the error again.
  for (const loading of all) loading.catch(() => {});
}

/**
 * Wires a checkout for one session: first what killed sessions left is removed, then the sandbox the policy asks for
 * is chosen. Git works in a folder of the session's own, whose owner is known to the next start.
 * @throws Failure `unavailable` naming what is missing when no backend can be used
 */
export async function wireWorld(
  root: string,
  policy: Policy,
  spec: SandboxSpec,
  env: Environment,
  options: WorldOptions,
): Promise<World> {
  const { directoryWorkspace } = await import("../../workspace/directory.ts");
  return await inScratch(spec, async (scratch, dispose) => {
    const workspace = await directoryWorkspace(root, {
      artifactsDir: options.artifacts,
      strangers: options.patches ?? [],
      scratch,
    });
    const checkout = () => workspace.checkout();
    const chosen = await wireSandbox(policy, checkout, options.container, spec.pull, env);
    return { ...chosen, workspace, ...await wireJudges(scratch, env), dispose };
  });
}

/** The same for a tree that is in a store. It is no checkout, and needs none: nobody can change it meanwhile. */
export async function wireStoredWorld(
  workspace: Workspace,
  policy: Policy,
  spec: SandboxSpec,
  env: Environment,
  options: Pick<WorldOptions, "container">,
): Promise<World> {
  const checkout = () => Promise.resolve({ state: "unknown", why: "no_checkout" } as const);
  const backend = policy.sandbox.backend === "git_worktree" ? "copy" : policy.sandbox.backend;
  const asked = { ...policy, sandbox: { ...policy.sandbox, backend } };
  return await inScratch(spec, async (scratch, dispose) => {
    const chosen = await wireSandbox(asked, checkout, options.container, spec.pull, env);
    return { ...chosen, workspace, ...await wireJudges(scratch, env), dispose };
  });
}

/** Who judges a patch before anything runs. @param scratch the caller's, who removes it */
async function wireJudges(
  scratch: string,
  env: Environment,
): Promise<Pick<World, "gitAgrees" | "redact" | "findSecrets">> {
  const { gitAgrees } = await import("../../workspace/git_apply.ts");
  return {
    gitAgrees: (patch, base, expected) => gitAgrees(patch, base, expected, scratch),
    ...wireSecrets(env),
  };
}

/** What checking a proposal needs where nothing is run. */
export async function wireChecks(
  spec: Pick<SandboxSpec, "session" | "deadline">,
  env: Environment,
): Promise<Pick<World, "gitAgrees" | "redact" | "findSecrets" | "dispose">> {
  return await inScratch(spec, async (scratch, dispose) => ({
    ...await wireJudges(scratch, env),
    dispose,
  }));
}

/** A private folder for one session; gone at once when `wire` throws, else by `dispose`. */
async function inScratch<T>(
  spec: Pick<SandboxSpec, "session" | "deadline">,
  wire: (scratch: string, dispose: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const { defaultTmpRoot, makeSessionDirectory, reapDirectories, removeTree } = await import(
    "../../sandbox/bubblewrap/host_directories.ts"
  );
  await reapDirectories();
  const scratch = await makeSessionDirectory(defaultTmpRoot(), spec.session, spec.deadline, null);
  try {
    return await wire(scratch, () => removeTree(scratch));
  } catch (error) {
    await removeTree(scratch);
    throw error;
  }
}

/**
 * What a gate needs of the world besides a sandbox.
 * @param directory of a working tree or a bare repository
 * @param scratch the caller's, who removes it
 * @throws Failure `no_repository` (usage), `git_missing` (unavailable)
 */
export async function wireGate(
  directory: string,
  scratch: string,
  env: Environment,
  signal: AbortSignal,
): Promise<{ readonly history: History } & Pick<SessionPorts, "findSecrets">> {
  const { gitHistory } = await import("../../workspace/git_history.ts");
  const { findSecrets } = wireSecrets(env);
  return { history: await gitHistory(directory, scratch, signal), findSecrets };
}

/** Scans and redacts when first asked to. */
function wireSecrets(env: Environment): {
  redact: Redact;
  findSecrets: (text: string, name: string) => Promise<readonly Redaction[]>;
} {
  let redact: Promise<Redact> | undefined;
  const load = async () => {
    const { knownSecrets, secretRedactor } = await import("../../prove/redact.ts");
    return await secretRedactor({ known: knownSecrets(env) });
  };
  const ready = () => redact ??= load();
  return {
    redact: async (text, name) => await (await ready())(text, name),
    findSecrets: async (text, name) => (await (await ready())(text, name)).redactions,
  };
}
