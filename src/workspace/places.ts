import { dirname, isAbsolute, join, relative } from "node:path";
import { findRepository, type GitRepository } from "./git_repository.ts";

/** As many as Linux follows. */
const MAX_LINKS = 40;

/**
 * Where a file lies in working trees, relative to their tops: every path there that has a say in what it leads to, links
 * on the way and links of its folders included.
 * @param path absolute
 * @param counts whether the working trees of a repository do
 */
export async function placesInWorkTrees(
  path: string,
  counts: (repository: GitRepository) => Promise<boolean>,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const place of await placesOf(path)) {
    const repository = await findRepository(dirname(place)).catch(() => null);
    if (repository !== null && await counts(repository)) found.add(relative(repository.top, place));
  }
  return [...found];
}

/** The path itself, each link on the way, and where it ends. */
async function placesOf(path: string): Promise<ReadonlySet<string>> {
  const places = new Set([path]);
  let left = path.split("/");
  let at = "/";
  for (let links = 0; left.length > 0;) {
    const [part, ...rest] = left as [string, ...string[]];
    const here = join(at, part);
    const target = links < MAX_LINKS ? await Deno.readLink(here).catch(() => null) : null;
    if (target === null) {
      [at, left] = [here, rest];
      continue;
    }
    links++;
    places.add(here);
    left = [...target.split("/"), ...rest];
    if (isAbsolute(target)) at = "/";
  }
  return places.add(at);
}
