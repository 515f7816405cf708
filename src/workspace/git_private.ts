import { join } from "node:path";
import { type GitCall, type GitResult, runGit } from "./git_command.ts";
import type { GitRepository } from "./git_repository.ts";

/** A repository's own configuration, last value of each key. */
export type GitConfig = ReadonlyMap<string, string>;

/** Runs git on the repository's work tree, in the private directory. Null when there is no git. */
export type PrivateGit = (
  args: readonly string[],
  bounds: Pick<GitCall, "timeoutMs" | "maxBytes"> & { readonly env?: GitCall["env"] },
) => Promise<GitResult | null>;

const LOOKUP = { timeoutMs: 15_000, maxBytes: 256 * 1024 };
const MAX_EXCLUDE_BYTES = 1 << 20;

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

/** What a command that only reads prints, trimmed; null when it fails or prints nothing. */
export async function lookUp(repository: GitRepository, args: readonly string[]): Promise<string | null> {
  const result = await readOnly(repository, args);
  const text = result === null ? "" : new TextDecoder().decode(result).trim();
  return text === "" ? null : text;
}

/** What a command that only reads prints; null when it fails or prints too much. */
export async function readOnly(
  repository: GitRepository,
  args: readonly string[],
): Promise<Uint8Array | null> {
  const result = await runGit(args, { cwd: "/", env: { GIT_DIR: repository.gitDir }, ...LOOKUP })
    .catch(() => null);
  return result === null || result.code !== 0 || result.truncated ? null : result.stdout;
}

/** The repository's own configuration; null when git is missing or cannot read it. */
export async function readConfig(repository: GitRepository): Promise<GitConfig | null> {
  const listing = await readOnly(repository, ["config", "--local", "--no-includes", "--null", "--list"]);
  if (listing === null) return null;
  const config = new Map<string, string>();
  for (const item of new TextDecoder().decode(listing).split("\0")) {
    const end = item.indexOf("\n");
    if (item !== "") config.set(end < 0 ? item : item.slice(0, end), end < 0 ? "true" : item.slice(end + 1));
  }
  return config;
}

/**
 * Lets `work` look at a work tree through a private git directory: a copy of the index, the repository's objects and
 * excluded names and none of its configuration, so that no filter, driver, hook, monitor or foreign work tree can be
 * named to git. The repository itself is never written to; the directory is removed again.
 * @param commit what HEAD is; null for a repository without one
 * @param scratch where the directory is made; the system's temporary directory when left out
 */
export async function inPrivateGit<T>(
  repository: GitRepository,
  config: GitConfig,
  commit: string | null,
  scratch: string | undefined,
  work: (git: PrivateGit) => Promise<T>,
): Promise<T> {
  const own = await Deno.makeTempDir({
    prefix: "veripatch-",
    ...(scratch === undefined ? {} : { dir: scratch }),
  });
  try {
    await copyIndex(repository.gitDir, own);
    await copyExclude(repository.commonDir, own);
    const objects = join(repository.commonDir, "objects");
    await Deno.mkdir(join(own, "objects", "info"), { recursive: true });
    await Deno.mkdir(join(own, "refs"));
    // In the list of alternates a path with odd characters is quoted as in C.
    await Deno.writeTextFile(join(own, "objects", "info", "alternates"), `${JSON.stringify(objects)}\n`);
    await Deno.writeTextFile(join(own, "HEAD"), `${commit ?? "ref: refs/heads/none"}\n`);
    const format = config.get("extensions.objectformat") === "sha256"
      ? "\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"
      : "\trepositoryformatversion = 0\n";
    await Deno.writeTextFile(join(own, "config"), `[core]\n${format}`);
    const carried = [...config].filter(([key]) => CARRIED_OVER.has(key) && key !== "extensions.objectformat");
    return await work((args, { env, ...bounds }) =>
      runGit(args, {
        cwd: join(repository.top, repository.inside),
        env: { GIT_DIR: own, GIT_WORK_TREE: repository.top, ...env },
        config: Object.fromEntries(carried),
        ...bounds,
      })
    );
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

/** Patterns of names only; nothing in that file can be executed. */
async function copyExclude(commonDir: string, own: string): Promise<void> {
  const exclude = join(commonDir, "info", "exclude");
  const info = await Deno.lstat(exclude).catch(() => null);
  if (info === null || !info.isFile || info.size > MAX_EXCLUDE_BYTES) return;
  await Deno.mkdir(join(own, "info"));
  await Deno.copyFile(exclude, join(own, "info", "exclude"));
}
