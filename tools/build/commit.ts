import type { BuildInfo } from "../../src/build_info.ts";

/** What git says of a checkout, or nothing where git is not there. */
export type Checkout = Pick<BuildInfo, "commit" | "modified">;

/** The commit that was named is not the one that is checked out. */
export class OtherCommit extends Error {}

/**
 * What a build says it was made from. Where git cannot say, as in a container that has the sources alone, whoever
 * builds may: nobody looked whether files were changed then.
 * @param named a full commit id, or null
 * @throws OtherCommit when git says another one
 */
export function builtFrom({ commit, modified }: Checkout, named: string | null): Checkout {
  if (named === null || named === commit) return { commit, modified };
  if (commit === null) return { commit: named, modified: null };
  throw new OtherCommit(`--commit ${named}: commit ${commit} is checked out`);
}

/** Whether a text is a full commit id. */
export function isCommit(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}
