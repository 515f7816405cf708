import { join } from "node:path";
import { quoted } from "../vocabulary/printable.ts";
import { lookUp, readOnly } from "./git_private.ts";
import type { GitRepository } from "./git_repository.ts";
import type { Told } from "./history.ts";

const MAX_NAME = 1_000;
const FULL_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * The commit that a name stands for: a branch, a tag, a commit id, `HEAD`, each with `~N` and `^N` behind it. A name
 * that is an option, a range, a path or a search is refused, and so is one that several references have: who may push a
 * tag could otherwise choose what a branch's name means.
 * @param inObjects prints what a command that only reads prints where all objects are, those still in quarantine too;
 *   a whole id needs no references
 */
export async function commitNamed(
  repository: GitRepository,
  name: string,
  inObjects: (args: readonly string[]) => Promise<string | null>,
): Promise<Told<string>> {
  const shown = quoted(name, 200);
  const no = (reason: string, detail: string) => ({ ok: false, refusal: { reason, detail } }) as const;
  if (!isPlainName(name)) return no("ref_malformed", `${shown} cannot name a commit`);
  const stem = name.replace(/(?:[~^]\d*)+$/, "");
  const meanings = FULL_ID.test(stem) ? [] : await referencesNamed(repository, stem);
  if (meanings === null) return no("ref_ambiguous", `the references that ${shown} could be cannot be listed`);
  const abbreviates = /^[0-9a-f]{4,63}$/.test(stem) && !FULL_ID.test(stem) && meanings.length > 0;
  if (meanings.length > 1 || abbreviates) {
    const list = [...meanings, ...(abbreviates ? ["the start of a commit's id"] : [])].join(", ");
    return no("ref_ambiguous", `${shown} could be ${quoted(list, 400)}: write the reference in full`);
  }
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
  const commit = FULL_ID.test(stem) ? await inObjects(args) : await lookUp(repository, args);
  return commit !== null && FULL_ID.test(commit)
    ? { ok: true, value: commit }
    : no("ref_unknown", `there is no commit ${shown} in the repository`);
}

/** No option, range, path, search, time or pattern. */
function isPlainName(name: string): boolean {
  return name !== "" && name.length <= MAX_NAME && name.isWellFormed() && !/^[-^~]/.test(name) &&
    !/[\p{Cc}\p{Cf}\p{Z}:?*[\]\\{}]|\.\.|@\{/u.test(name);
}

/** @returns null when they cannot be told, such as when there are too many to list */
async function referencesNamed(repository: GitRepository, stem: string): Promise<string[] | null> {
  // Names such as HEAD are looked for in the git directory first, and there is one of each.
  const isPseudo = /^[A-Z_]+$/.test(stem) &&
    await Deno.lstat(join(repository.gitDir, stem)).then(({ isFile }) => isFile, () => false);
  if (isPseudo) return [];
  const places = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"].map((place) => place + stem);
  const full = new Set([...places, `refs/remotes/${stem}/HEAD`].filter((ref) => ref.startsWith("refs/")));
  const listed = await readOnly(repository, ["for-each-ref", "--format=%(refname)", ...full]);
  if (listed === null) return null;
  return new TextDecoder().decode(listed).split("\n").filter((ref) => full.has(ref));
}
