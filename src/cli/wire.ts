/**
 * The one place that builds adapters. Everything is imported when it is needed, so that `pp doctor` does not pay for
 * a language model's client and a passing command does not pay for grammars.
 */
import type { Policy } from "../policy/policy.ts";
import type { EditPorts } from "../edit/edit.ts";
import type { SessionPorts } from "../prove/ports.ts";
import type { Proposer } from "../propose/proposer.ts";
import type { BackendName, Sandbox, SandboxSpec } from "../sandbox/sandbox.ts";
import { isAbsolute, relative } from "node:path";
import type { Source } from "../store/artifact/upkeep.ts";
import type { SnapshotOptions } from "../store/folder/snapshot.ts";
import type { Rules } from "../safety/rules.ts";
import type { Syntax } from "../syntax/syntax.ts";
import type { SyntaxTrees } from "../syntax/tree.ts";
import type { CheckoutState } from "../vocabulary/checkout.ts";
import type { Environment } from "../vocabulary/environment.ts";
import type { Redact, Redaction } from "../vocabulary/redaction.ts";
import type { History } from "../workspace/history.ts";
import type { TargetFolder } from "../workspace/target.ts";
import type { Workspace } from "../workspace/workspace.ts";

/** What a call says about putting a workspace into a store. */
export type CaptureAsked = Pick<SnapshotOptions, "unknownTrees" | "signal" | "progress" | "look">;

/** Everything of the world that a session and a replay share. */
export interface World
  extends Pick<SessionPorts, "sandbox" | "workspace" | "gitAgrees" | "redact" | "findSecrets"> {
  /** Why commands run on this host and not in a container, although the policy left it open; else null. */
  readonly fallback: string | null;
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
  const client = async () => await (await import("../sandbox/docker/dockerode.ts")).loadClient();
  const all = [import("../workspace/directory.ts"), import("../sandbox/docker/docker.ts"), client()];
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
  const { directoryWorkspace } = await import("../workspace/directory.ts");
  return await inScratch(spec, async (scratch, dispose) => {
    const workspace = await directoryWorkspace(root, {
      artifactsDir: options.artifacts,
      strangers: options.patches ?? [],
      scratch,
    });
    const checkout = () => workspace.checkout();
    const chosen = await sandboxFor(policy, checkout, options.container, spec.pull, env);
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
    const chosen = await sandboxFor(asked, checkout, options.container, spec.pull, env);
    return { ...chosen, workspace, ...await wireJudges(scratch, env), dispose };
  });
}

/** Who judges a patch before anything runs. @param scratch the caller's, who removes it */
async function wireJudges(
  scratch: string,
  env: Environment,
): Promise<Pick<World, "gitAgrees" | "redact" | "findSecrets">> {
  const { gitAgrees } = await import("../workspace/git_apply.ts");
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
    "../sandbox/bubblewrap/host_directories.ts"
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

async function sandboxFor(
  policy: Policy,
  checkout: () => Promise<CheckoutState>,
  container: boolean,
  pull: boolean,
  env: Environment,
): Promise<Pick<World, "sandbox" | "fallback">> {
  const asked = container
    ? { ...policy, sandbox: { ...policy.sandbox, backend: "container" as const } }
    : policy;
  const { sandbox, why } = await wireSandbox(asked, checkout, pull, env);
  const fallback = policy.sandbox.backend === "auto" && sandbox.backend !== "container" ? why : null;
  return { sandbox, fallback };
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
  const { gitHistory } = await import("../workspace/git_history.ts");
  const { findSecrets } = wireSecrets(env);
  return { history: await gitHistory(directory, scratch, signal), findSecrets };
}

/** The proposer the flags and the environment ask for; files and programs it needs are there. */
export async function wireProposer(
  provider: string | undefined,
  patches: readonly string[],
  env: Environment,
): Promise<Proposer> {
  const { providerName } = await import("../propose/select.ts");
  switch (providerName(provider, patches.length > 0, env)) {
    case "stub":
      return (await import("../propose/stub.ts")).stubProposer();
    case "patch": {
      const { patchFileProposer, requirePatchFiles } = await import("../propose/patch_file.ts");
      await requirePatchFiles(patches);
      return patchFileProposer(patches);
    }
    case "command": {
      const { commandProposer, commandSettings, requireProgram } = await import("../propose/command.ts");
      const { argv, options } = commandSettings(env);
      await requireProgram({ argv, ...options });
      return commandProposer(argv, options);
    }
    case "openai": {
      const { chatProposer, openaiSettings } = await import("../propose/openai.ts");
      return chatProposer(openaiSettings(env));
    }
    case "local": {
      const { chatProposer, localSettings } = await import("../propose/openai.ts");
      return chatProposer(localSettings(env));
    }
  }
}

/**
 * The sandbox a policy asks for.
 * @param pull whether a missing image counts as one that can be had
 * @throws Failure `unavailable` naming what is missing when no backend can be used
 */
async function wireSandbox(
  policy: Policy,
  checkout: () => Promise<CheckoutState>,
  pull: boolean,
  env: Environment,
): Promise<{ sandbox: Sandbox; why: string }> {
  const backend = policy.sandbox.backend;
  const chosen = backend === "auto"
    ? await chooseBackend(policy, checkout, pull, env)
    : { backend, why: "the policy names it" };
  return { sandbox: await sandboxOf(chosen.backend, policy, checkout, env), why: chosen.why };
}

/**
 * What `auto` comes to. A container is the only choice for who names an engine or asks for limits that only a container
 * can hold: then what is missing is an error, never a weaker sandbox.
 */
async function chooseBackend(
  policy: Policy,
  checkout: () => Promise<CheckoutState>,
  pull: boolean,
  env: Environment,
) {
  const { selectBackend } = await import("../sandbox/select.ts");
  const { Failure } = await import("../vocabulary/failure.ts");
  const { imageExists, probeDocker } = await import("../sandbox/docker/connect.ts");
  const { container_runtime: runtime, container_image: image } = policy.sandbox;
  if (pull || (env.DOCKER_HOST ?? "") !== "" || onlyContainersHold(policy)) {
    return { backend: "container" as const, why: "the policy or the call needs a container" };
  }
  const engine = await probeDocker(env, runtime);
  const imageThere = engine.reachable && await imageExists(env, runtime, image);
  const choice = selectBackend("auto", {
    engineReachable: engine.reachable,
    imageThere,
    image,
    // Only asked when there is no container: both cost a process.
    bubblewrapWorks: imageThere ? false : (await wireHostProbe()).works,
    gitClean: imageThere ? false : (await checkout()).state === "clean",
  });
  if (choice instanceof Failure) throw choice;
  return choice;
}

/** Whether a policy asks for limits that the host backends cannot enforce. */
export function onlyContainersHold({ limits, sandbox }: Policy): boolean {
  return containerLimits({ limits, sandbox }).length > 0;
}

/** The keys of a policy's limits that the host backends cannot enforce. */
export function containerLimits({ limits, sandbox }: Pick<Policy, "limits" | "sandbox">): readonly string[] {
  const { cpu_limit, memory_limit, runtime } = sandbox;
  const { pids, disk_bytes } = limits;
  const asked = { cpu_limit, memory_limit, runtime, pids, disk_bytes };
  return Object.entries(asked).filter(([, limit]) => limit !== null).map(([key]) => key);
}

/** Why the backend git_worktree would not take a folder; null when it would. */
export async function wireCheckoutProbe(root: string) {
  const { directoryWorkspace } = await import("../workspace/directory.ts");
  const { requireClean } = await import("../sandbox/bubblewrap/clean_checkout.ts");
  const { Failure } = await import("../vocabulary/failure.ts");
  try {
    requireClean(await (await directoryWorkspace(root, { artifactsDir: ".pp-artifacts" })).checkout());
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** Whether the host backends can be used. */
export async function wireHostProbe() {
  const { probeBubblewrap } = await import("../sandbox/bubblewrap/probe.ts");
  return await probeBubblewrap();
}

/** The store a call works on, and how a workspace gets into it. */
export async function wireStore(
  named: string | undefined,
  env: Environment,
  options: { readonly create: boolean; readonly actor: string; readonly now: Date },
) {
  const { openFolderStore } = await import("../store/folder/open.ts");
  const store = openFolderStore({ named, env, ...options });
  return {
    store,
    /** @param root of the workspace, absolute, without links */
    capture: async (root: string, asked: CaptureAsked) => {
      const { snapshotWorkspace } = await import("../store/folder/snapshot.ts");
      const inside = relative(root, store.folder);
      const leftOut = new Set(inside.startsWith("..") || isAbsolute(inside) ? [] : [inside]);
      return await snapshotWorkspace(root, { ...asked, blobs: store.blobs, store: store.folder, leftOut });
    },
    /** Bytes of files of a workspace, by their digests. */
    source: async (root: string): Promise<Source> => {
      const { workspaceSource } = await import("../store/folder/source.ts");
      return await workspaceSource(root);
    },
  };
}

/** A folder that changes are put into. */
export async function wireTarget(path: string): Promise<TargetFolder> {
  return await (await import("../workspace/target_folder.ts")).targetFolder(path);
}

/** Facts about the engine for `pp doctor`. */
export async function wireEngineProbe(policy: Policy, env: Environment) {
  const { imageExists, probeDocker } = await import("../sandbox/docker/connect.ts");
  const { container_runtime: runtime, container_image: image } = policy.sandbox;
  const engine = await probeDocker(env, runtime);
  return { engine, imageThere: engine.reachable && await imageExists(env, runtime, image) };
}

/** What killed sessions left behind, by backend. */
export async function wireOrphans(policy: Policy, engineReachable: boolean, env: Environment) {
  const { directoryOrphans } = await import("../sandbox/bubblewrap/host_directories.ts");
  const { dockerOrphans } = await import("../sandbox/docker/docker.ts");
  const found = [...await directoryOrphans()];
  if (engineReachable) found.push(...await dockerOrphans({ env, runtime: policy.sandbox.container_runtime }));
  return found;
}

async function sandboxOf(
  backend: Exclude<BackendName, "fake">,
  policy: Policy,
  checkout: () => Promise<CheckoutState>,
  env: Environment,
): Promise<Sandbox> {
  if (backend === "container") {
    const { dockerSandbox } = await import("../sandbox/docker/docker.ts");
    return dockerSandbox({ env, runtime: policy.sandbox.container_runtime });
  }
  const { bubblewrapSandbox } = await import("../sandbox/bubblewrap/bubblewrap.ts");
  return bubblewrapSandbox({ kind: backend, checkout });
}

/** Parses sources when first asked to. */
export function wireSyntax(): Syntax {
  const loaded = async () => (await import("../syntax/tree_sitter.ts")).treeSitterSyntax();
  let syntax: Promise<Syntax> | undefined;
  const ready = () => syntax ??= loaded();
  return {
    check: async (path, bytes) => await (await ready()).check(path, bytes),
    enclosing: async (path, bytes, line) => await (await ready()).enclosing(path, bytes, line),
    imports: async (path, bytes) => await (await ready()).imports(path, bytes),
  };
}

/** What the safety check needs: parsers and the shipped rules. */
export async function wireSafety(): Promise<{ readonly trees: SyntaxTrees; readonly rules: Rules }> {
  const { treeSitterTrees } = await import("../syntax/tree_sitter_trees.ts");
  const { capabilityRules } = await import("./capability_rules.ts");
  return { trees: treeSitterTrees(), rules: await capabilityRules() };
}

/** What makes patches of edits: parsers and the shipped templates. */
export async function wireEdits(): Promise<EditPorts> {
  const { treeSitterTrees } = await import("../syntax/tree_sitter_trees.ts");
  const { treeSitterQueries } = await import("../syntax/tree_sitter_queries.ts");
  const { shippedTemplates } = await import("./templates.ts");
  return { trees: treeSitterTrees(), queries: treeSitterQueries(), templates: await shippedTemplates() };
}

/**
 * A folder that is only read.
 * @param strangers files that are no part of it unless git tracks them
 */
export async function wireWorkspace(root: string, strangers: readonly string[] = []): Promise<Workspace> {
  const { directoryWorkspace } = await import("../workspace/directory.ts");
  return await directoryWorkspace(root, { artifactsDir: ".pp-artifacts", strangers });
}

/** Scans and redacts when first asked to. */
function wireSecrets(env: Environment): {
  redact: Redact;
  findSecrets: (text: string, name: string) => Promise<readonly Redaction[]>;
} {
  let redact: Promise<Redact> | undefined;
  const load = async () => {
    const { knownSecrets, secretRedactor } = await import("../prove/redact.ts");
    return await secretRedactor({ known: knownSecrets(env) });
  };
  const ready = () => redact ??= load();
  return {
    redact: async (text, name) => await (await ready())(text, name),
    findSecrets: async (text, name) => (await (await ready())(text, name)).redactions,
  };
}
