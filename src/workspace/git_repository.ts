import { basename, dirname, join, relative, resolve } from "node:path";

/** Where a repository keeps what. All absolute. */
export interface GitRepository {
  /** Directory the tracked paths start from. */
  readonly top: string;
  /** HEAD and index. */
  readonly gitDir: string;
  /** Objects, refs and configuration; same as `gitDir` but for linked worktrees. */
  readonly commonDir: string;
  /** Path of the workspace below `top`, "" when it is the top. */
  readonly inside: string;
}

const MAX_POINTER_BYTES = 8_192;

/**
 * The repository a directory lies in, found without git and without reading configuration. A `.git` file counts
 * only when what it points to points back, as for linked worktrees and submodules: a copied-in `.git` must not make
 * another repository's history part of a bundle. For the same reason a link named `.git` does not count.
 */
export async function findRepository(directory: string): Promise<GitRepository | null> {
  for (let top = directory;; top = dirname(top)) {
    const dotGit = join(top, ".git");
    const info = await Deno.lstat(dotGit).catch(() => null);
    if (info !== null) {
      const gitDir = info.isDirectory ? dotGit : info.isFile ? await pointedTo(dotGit) : null;
      if (gitDir === null || !(await isFile(join(gitDir, "HEAD")))) return null;
      const common = await pointer(join(gitDir, "commondir"));
      const inside = relative(top, directory);
      return { top, gitDir, commonDir: common === null ? gitDir : resolve(gitDir, common), inside };
    }
    if (dirname(top) === top) return null;
  }
}

async function pointedTo(dotGit: string): Promise<string | null> {
  const text = await pointer(dotGit);
  if (text === null || !text.startsWith("gitdir:")) return null;
  const gitDir = resolve(dirname(dotGit), text.slice("gitdir:".length).trim());
  const back = await pointer(join(gitDir, "gitdir"));
  if (back !== null) {
    return await samePath(resolve(gitDir, back), dotGit) ? gitDir : null;
  }
  // A submodule's directory lies in `.git/modules` of a repository above and is named after it.
  const marker = `${join(".git", "modules")}/`;
  const owner = gitDir.lastIndexOf(`/${marker}`);
  const above = owner < 0 ? null : gitDir.slice(0, owner);
  const named = above !== null &&
    relative(above, dirname(dotGit)) === gitDir.slice(owner + marker.length + 1);
  return named && basename(gitDir) === basename(dirname(dotGit)) ? gitDir : null;
}

async function pointer(path: string): Promise<string | null> {
  const info = await Deno.lstat(path).catch(() => null);
  if (info === null || !info.isFile || info.size > MAX_POINTER_BYTES) return null;
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.trim() === "" ? null : text.trim();
}

async function isFile(path: string): Promise<boolean> {
  // HEAD may be a link in very old repositories.
  return (await Deno.stat(path).catch(() => null))?.isFile ?? false;
}

async function samePath(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([a, b].map((path) => Deno.realPath(path).catch(() => path)));
  return x === y;
}
