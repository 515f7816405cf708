import { type GitConfig, inPrivateGit, lookUp, readConfig } from "./git_private.ts";
import { withoutCredentials } from "./git_remote.ts";
import { findRepository, type GitRepository } from "./git_repository.ts";
import type { GitProvenance } from "./workspace.ts";

export const MAX_DIFF_BYTES = 10_000_000;

const DIFF = { timeoutMs: 60_000, maxBytes: MAX_DIFF_BYTES };
const NOTHING: GitProvenance = {
  commit: null,
  tree: null,
  branch: null,
  remote: null,
  dirty: null,
  diff: new Uint8Array(),
};

/**
 * What git says about a directory. In a subdirectory of a repository, tree, dirty and diff are of that
 * subdirectory, with paths relative to it. Dirty is about tracked files. A diff past MAX_DIFF_BYTES is cut after a
 * line and says so in its last one. All null without git or repository; never fails: what git cannot tell is null.
 *
 * Nothing the repository configures is executed: references are read with commands that only read, the diff is made
 * in a private git directory.
 * @param scratch where that directory is made; the system's temporary directory when left out
 */
export async function gitProvenance(directory: string, scratch?: string): Promise<GitProvenance> {
  const repository = await findRepository(directory).catch(() => null);
  if (repository === null) return NOTHING;
  const config = await readConfig(repository);
  if (config === null) return NOTHING;
  const [commit, branch] = await Promise.all([
    lookUp(repository, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]),
    lookUp(repository, ["symbolic-ref", "--quiet", "--short", "HEAD"]),
  ]);
  const known = { ...NOTHING, branch, remote: remoteOf(config, branch) };
  if (commit === null || !/^[0-9a-f]{40,64}$/.test(commit)) return known;
  const at = repository.inside === "" ? `${commit}^{tree}` : `${commit}:${repository.inside}`;
  const tree = await lookUp(repository, ["rev-parse", "--verify", "--quiet", at]);
  const diff = await diffOf(repository, config, commit, scratch).catch(() => null);
  if (diff === null) return { ...known, commit, tree };
  return { ...known, commit, tree, dirty: diff.length > 0, diff };
}

function remoteOf(config: GitConfig, branch: string | null): string | null {
  const tracked = branch === null ? undefined : config.get(`branch.${branch}.remote`);
  const first = [...config.keys()].find((key) => /^remote\..*\.url$/.test(key));
  const url = config.get(`remote.${tracked}.url`) ?? config.get("remote.origin.url") ??
    (first === undefined ? undefined : config.get(first));
  return url === undefined ? null : withoutCredentials(url);
}

async function diffOf(
  repository: GitRepository,
  config: GitConfig,
  commit: string,
  scratch: string | undefined,
): Promise<Uint8Array | null> {
  return await inPrivateGit(repository, config, commit, scratch, async (git) => {
    const result = await git([
      "diff",
      ...["--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-submodules=dirty"],
      ...["--binary", "--full-index", "--src-prefix=a/", "--dst-prefix=b/"],
      ...(repository.inside === "" ? [] : [`--relative=${repository.inside}/`]),
      commit,
      "--",
      ...(repository.inside === "" ? [] : ["."]),
    ], { ...DIFF, env: { GIT_LITERAL_PATHSPECS: "1" } });
    if (result === null) return null;
    if (result.truncated) return cut(result.stdout);
    return result.code === 0 ? result.stdout : null;
  });
}

function cut(diff: Uint8Array): Uint8Array {
  const whole = diff.subarray(0, diff.lastIndexOf(0x0a) + 1);
  const note = new TextEncoder().encode(`# cut: the diff is larger than ${MAX_DIFF_BYTES} bytes\n`);
  const out = new Uint8Array(whole.length + note.length);
  out.set(whole);
  out.set(note, whole.length);
  return out;
}
