import { join } from "node:path";
import type { CheckoutState, CheckoutUnknown } from "../vocabulary/checkout.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { findGit, type GitResult } from "./git_command.ts";
import { inPrivateGit, lookUp, type PrivateGit, readConfig } from "./git_private.ts";
import { findRepository, type GitRepository } from "./git_repository.ts";

export interface CheckoutOptions {
  /** Where bundles are written, relative to the directory; what lies there does not count. */
  readonly artifacts?: string | null;
  /** Where private directories for git are made; the system's temporary directory when left out. */
  readonly scratch?: string;
}

const STATUS = { timeoutMs: 60_000, maxBytes: 256 * 1024 };
/** For the whole index, about 100 bytes for each file. */
const LISTING = { timeoutMs: 60_000, maxBytes: 64 << 20 };
const MAX_SUBMODULES = 200;

/**
 * Whether everything below a directory is committed: no tracked file differs, and none is there that is neither
 * tracked nor ignored, in submodules too. `.pp-artifacts` does not count. The repository's own ignore files are
 * heeded, the user's are not. Nothing the repository configures is executed and nothing is written to it.
 * @param directory absolute, without links
 * @returns `unknown` without git, outside a repository, in a directory no commit holds, and past the bounds of time
 *   and size
 */
export function checkoutState(directory: string, options: CheckoutOptions = {}): Promise<CheckoutState> {
  return stateOf(directory, options, { submodules: MAX_SUBMODULES });
}

async function stateOf(
  directory: string,
  options: CheckoutOptions,
  left: { submodules: number },
): Promise<CheckoutState> {
  if (findGit() === null) return unknown("no_git");
  const repository = await findRepository(directory).catch(() => null);
  const config = repository === null ? null : await readConfig(repository);
  if (repository === null || config === null) return unknown("no_checkout");
  const commit = await lookUp(repository, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  if (repository.inside !== "" && !(await holds(repository, commit))) return unknown("no_checkout");

  const seen = await inPrivateGit(repository, config, commit, options.scratch, async (git) => {
    const changes = await changesOf(repository, git, options.artifacts ?? null);
    return typeof changes === "string" || changes.length > 0 ? { changes } : { links: await gitLinks(git) };
  });
  if (seen.changes !== undefined) return stateOfChanges(seen.changes);
  if (typeof seen.links === "string") return unknown(seen.links);
  for (const path of seen.links) {
    if (left.submodules-- <= 0) return unknown("too_large");
    const state = await stateOfSubmodule(directory, path, options, left);
    if (state.state !== "clean") return state;
  }
  return { state: "clean" };
}

/** An ignored directory of a repository would be called clean with nothing of it committed. */
async function holds(repository: GitRepository, commit: string | null): Promise<boolean> {
  const args = ["rev-parse", "--verify", "--quiet", `${commit}:${repository.inside}`];
  return commit !== null && await lookUp(repository, args) !== null;
}

async function changesOf(
  repository: GitRepository,
  git: PrivateGit,
  artifacts: string | null,
): Promise<readonly string[] | CheckoutUnknown> {
  const leftOut = [".pp-artifacts", ...(artifacts === null ? [] : [artifacts])];
  const result = await git([
    ...["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all"],
    // Looking into a submodule, git would run with that one's configuration.
    "--ignore-submodules=dirty",
    ...["--", ".", ...leftOut.map((path) => `:(exclude,literal)${path}`)],
  ], STATUS);
  const failed = failureOf(result);
  if (failed !== null && !(failed === "too_large" && result!.stdout.length > 0)) return failed;
  const lines = new TextDecoder().decode(result!.stdout).split("\0").filter((line) => line !== "");
  const prefix = repository.inside === "" ? "" : `${repository.inside}/`;
  return lines.map((line) => {
    const path = line.slice(3);
    return line.slice(0, 3) + printablePath(path.startsWith(prefix) ? path.slice(prefix.length) : path);
  });
}

/** Paths of the commits of other repositories in the index. */
async function gitLinks(git: PrivateGit): Promise<readonly string[] | CheckoutUnknown> {
  const result = await git(["ls-files", "--stage", "-z", "--", "."], LISTING);
  const failed = failureOf(result);
  if (failed !== null) return failed;
  const entries = new TextDecoder().decode(result!.stdout).split("\0");
  return entries.filter((entry) => entry.startsWith("160000 ")).map((entry) =>
    entry.slice(entry.indexOf("\t") + 1)
  );
}

async function stateOfSubmodule(
  directory: string,
  path: string,
  options: CheckoutOptions,
  left: { submodules: number },
): Promise<CheckoutState> {
  const at = join(directory, path);
  const shown = printablePath(path);
  if (await Deno.lstat(join(at, ".git")).catch(() => null) === null) {
    // Not checked out, which is how submodules are unless asked for.
    for await (const _ of Deno.readDir(at)) return stateOfChanges([`?? ${shown}/`]);
    return { state: "clean" };
  }
  const { artifacts: _, ...inner } = options;
  const state = await stateOf(at, inner, left);
  if (state.state !== "changed") return state;
  return stateOfChanges(state.changes.map((line) => `${line.slice(0, 3)}${shown}/${line.slice(3)}`));
}

function failureOf(result: GitResult | null): CheckoutUnknown | null {
  if (result === null) return "no_git";
  if (result.timedOut) return "timed_out";
  if (result.truncated) return "too_large";
  return result.code === 0 ? null : "no_checkout";
}

function stateOfChanges(changes: readonly string[] | CheckoutUnknown): CheckoutState {
  return typeof changes === "string" ? unknown(changes) : { state: "changed", changes };
}

function unknown(why: CheckoutUnknown): CheckoutState {
  return { state: "unknown", why };
}
