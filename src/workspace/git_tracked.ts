import { lookUp } from "./git_private.ts";
import { findRepository } from "./git_repository.ts";

/**
 * Whether git has a file of a directory in its index. False without git or repository.
 * @param directory absolute, without links
 * @param path relative to it
 */
export async function isTracked(directory: string, path: string): Promise<boolean> {
  const repository = await findRepository(directory).catch(() => null);
  if (repository === null) return false;
  const full = repository.inside === "" ? path : `${repository.inside}/${path}`;
  return await lookUp(repository, ["ls-files", "--cached", "-z", "--", `:(literal,top)${full}`]) !== null;
}
