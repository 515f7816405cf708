import { join } from "node:path";
import { runGit } from "./git_command.ts";
import { withoutCredentials } from "./git_remote.ts";
import { findRepository, type GitRepository } from "./git_repository.ts";
import type { GitProvenance } from "./workspace.ts";

export const MAX_DIFF_BYTES = 10_000_000;

const LOOKUP = { timeoutMs: 15_000, maxBytes: 256 * 1024 };
const DIFF = { timeoutMs: 60_000, maxBytes: MAX_DIFF_BYTES };
const NOTHING: GitProvenance = {
  commit: null,
  tree: null,
  branch: null,
  remote: null,
  dirty: null,
  diff: new Uint8Array(),
};

/** Settings that decide what counts as a change; values git itself defines, none of them a command. */
const CARRIED_OVER = new Set([
  "core.autocrlf",
  "core.eol",
  "core.filemode",
  "core.ignorecase",
  "core.precomposeunicode",
  "core.symlinks",
  "extensions.objectformat",
]);

/**
 * What git says about a directory. In a subdirectory of a repository, tree, dirty and diff are of that
 * subdirectory, with paths relative to it. Dirty is about tracked files. A diff past MAX_DIFF_BYTES is cut after a
 * line and says so in its last one. All null without git or repository; never fails: what git cannot tell is null.
 *
 * Nothing the repository configures is executed. References are read with commands that only read; the diff is
 * made in a private git directory with a copy of the index, the repository's objects and none of its configuration,
 * so that no filter, driver, hook, monitor or foreign work tree can be named to it.
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
  const diff = await privateDiff(repository, config, commit, scratch).catch(() => null);
  if (diff === null) return { ...known, commit, tree };
  return { ...known, commit, tree, dirty: diff.length > 0, diff };
}

async function lookUp(repository: GitRepository, args: readonly string[]): Promise<string | null> {
  const result = await readOnly(repository, args);
  const text = result === null ? "" : new TextDecoder().decode(result).trim();
  return text === "" ? null : text;
}

async function readOnly(repository: GitRepository, args: readonly string[]): Promise<Uint8Array | null> {
  const result = await runGit(args, { cwd: "/", env: { GIT_DIR: repository.gitDir }, ...LOOKUP })
    .catch(() => null);
  return result === null || result.code !== 0 || result.truncated ? null : result.stdout;
}

/** The repository's own configuration, last value of each key; null when git is missing or cannot read it. */
async function readConfig(repository: GitRepository): Promise<ReadonlyMap<string, string> | null> {
  const listing = await readOnly(repository, ["config", "--local", "--no-includes", "--null", "--list"]);
  if (listing === null) return null;
  const config = new Map<string, string>();
  for (const item of new TextDecoder().decode(listing).split("\0")) {
    const end = item.indexOf("\n");
    if (item !== "") config.set(end < 0 ? item : item.slice(0, end), end < 0 ? "true" : item.slice(end + 1));
  }
  return config;
}

function remoteOf(config: ReadonlyMap<string, string>, branch: string | null): string | null {
  const tracked = branch === null ? undefined : config.get(`branch.${branch}.remote`);
  const first = [...config.keys()].find((key) => /^remote\..*\.url$/.test(key));
  const url = config.get(`remote.${tracked}.url`) ?? config.get("remote.origin.url") ??
    (first === undefined ? undefined : config.get(first));
  return url === undefined ? null : withoutCredentials(url);
}

async function privateDiff(
  repository: GitRepository,
  config: ReadonlyMap<string, string>,
  commit: string,
  scratch: string | undefined,
): Promise<Uint8Array | null> {
  const own = await Deno.makeTempDir({
    prefix: "veripatch-",
    ...(scratch === undefined ? {} : { dir: scratch }),
  });
  try {
    await copyIndex(repository.gitDir, own);
    const objects = join(repository.commonDir, "objects");
    await Deno.mkdir(join(own, "objects", "info"), { recursive: true });
    await Deno.mkdir(join(own, "refs"));
    // In the list of alternates a path with odd characters is quoted as in C.
    await Deno.writeTextFile(join(own, "objects", "info", "alternates"), `${JSON.stringify(objects)}\n`);
    await Deno.writeTextFile(join(own, "HEAD"), `${commit}\n`);
    const format = config.get("extensions.objectformat") === "sha256"
      ? "\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"
      : "\trepositoryformatversion = 0\n";
    await Deno.writeTextFile(join(own, "config"), `[core]\n${format}`);
    const carried = [...config].filter(([key]) => CARRIED_OVER.has(key) && key !== "extensions.objectformat");
    const result = await runGit([
      "diff",
      ...["--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-submodules=dirty"],
      ...["--binary", "--full-index", "--src-prefix=a/", "--dst-prefix=b/"],
      ...(repository.inside === "" ? [] : [`--relative=${repository.inside}/`]),
      commit,
      "--",
      ...(repository.inside === "" ? [] : ["."]),
    ], {
      cwd: join(repository.top, repository.inside),
      env: { GIT_DIR: own, GIT_WORK_TREE: repository.top, GIT_LITERAL_PATHSPECS: "1" },
      config: Object.fromEntries(carried),
      ...DIFF,
    });
    if (result === null) return null;
    if (result.truncated) return cut(result.stdout);
    return result.code === 0 ? result.stdout : null;
  } finally {
    await Deno.remove(own, { recursive: true });
  }
}

/**
 * git refreshes the index it works with; the user's must stay as it is. The copy keeps its time, to the second below:
 * git looks into files that are not older than the index, for what was edited right after it was written.
 */
async function copyIndex(gitDir: string, own: string): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(gitDir)) {
    if (isFile && (name === "index" || name.startsWith("sharedindex."))) {
      const written = Math.floor(((await Deno.stat(join(gitDir, name))).mtime?.getTime() ?? 0) / 1_000);
      await Deno.copyFile(join(gitDir, name), join(own, name));
      await Deno.utime(join(own, name), written, written);
    }
  }
}

function cut(diff: Uint8Array): Uint8Array {
  const whole = diff.subarray(0, diff.lastIndexOf(0x0a) + 1);
  const note = new TextEncoder().encode(`# cut: the diff is larger than ${MAX_DIFF_BYTES} bytes\n`);
  const out = new Uint8Array(whole.length + note.length);
  out.set(whole);
  out.set(note, whole.length);
  return out;
}
