import { dirname, isAbsolute, join } from "node:path";
import { gitFailed } from "./git_blobs.ts";
import type { GitRepository } from "./git_repository.ts";

const MAX_SHALLOW_BYTES = 16 << 20;

/** A bare repository that is the directory itself; null when it is none. */
export async function bareRepository(directory: string): Promise<GitRepository | null> {
  const kinds = await Promise.all(
    ["HEAD", "objects", "refs"].map((name) => Deno.stat(join(directory, name)).catch(() => null)),
  );
  const [head, objects, refs] = kinds;
  if (!head?.isFile || !objects?.isDirectory || !refs?.isDirectory) return null;
  return { top: directory, gitDir: directory, commonDir: directory, inside: "" };
}

/**
 * Makes a private git directory that has a repository's objects and none of its configuration, references, hooks,
 * replacements or grafts. Where history is cut off is known there, too.
 * @param objectFormat `sha1` or `sha256`
 * @param scratch the caller's, who removes it
 */
export async function privateObjects(
  { commonDir }: GitRepository,
  objectFormat: string,
  scratch: string,
): Promise<string> {
  const own = await Deno.makeTempDir({ dir: scratch, prefix: "history-" });
  await Deno.mkdir(join(own, "objects", "info"), { recursive: true });
  await Deno.mkdir(join(own, "refs"));
  // In the list of alternates a path with odd characters is quoted as in C.
  const objects = [join(commonDir, "objects"), ...await quarantine(commonDir)];
  const alternates = objects.map((path) => `${JSON.stringify(path)}\n`).join("");
  await Deno.writeTextFile(join(own, "objects", "info", "alternates"), alternates);
  await Deno.writeTextFile(join(own, "HEAD"), "ref: refs/heads/none\n");
  const format = objectFormat === "sha256"
    ? "\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"
    : "\trepositoryformatversion = 0\n";
  await Deno.writeTextFile(join(own, "config"), `[core]\n${format}`);
  const shallow = await Deno.lstat(join(commonDir, "shallow")).catch(() => null);
  if (shallow !== null && shallow.size > 0) {
    if (!shallow.isFile || shallow.size > MAX_SHALLOW_BYTES) throw gitFailed("its file shallow is odd");
    await Deno.copyFile(join(commonDir, "shallow"), join(own, "shallow"));
  }
  return own;
}

/** Where git has what is being pushed while a server's hook decides about it: below the repository's own objects. */
async function quarantine(commonDir: string): Promise<string[]> {
  const named = Deno.env.get("GIT_QUARANTINE_PATH");
  if (named === undefined || !isAbsolute(named)) return [];
  const inside = await sameDirectory(dirname(named), join(commonDir, "objects"));
  return inside ? [named] : [];
}

/** Whether two paths lead to one directory. */
export async function sameDirectory(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([a, b].map((path) => Deno.realPath(path).catch(() => path)));
  return x === y;
}
