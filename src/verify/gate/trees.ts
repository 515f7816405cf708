import { parentsOf } from "../../vocabulary/path.ts";
import type { GitTree, History, Told, TreeContents } from "../../workspace/history.ts";
import { fail, findingOf, type GateCheck, type GateCheckName } from "./check.ts";

/** What a gate knows of the commits; null where it cannot be known. */
export interface Trees {
  readonly mergeBase: string | null;
  readonly base: GitTree | null;
  /** Of the commit the change goes into; the merge base is as old as whoever made the change wants it. */
  readonly tip: Told<GitTree>;
  readonly contents: TreeContents | null;
  readonly head: GitTree | null;
  /** What there is against each; shown by the check that needed it. */
  readonly problems: { readonly base: GateCheck | null; readonly head: GateCheck | null };
}

/** Finds the merge base and reads the trees on both sides of the change. */
export async function treesOf(history: History, base: string, head: string): Promise<Trees> {
  const refused = (id: GateCheckName, told: Told<unknown>) =>
    told.ok ? null : fail(id, [findingOf(told.refusal)]);
  const mergeBase = await history.mergeBase(base, head);
  const headTree = await history.tree(head);
  const baseTree = mergeBase.ok ? await history.tree(mergeBase.value) : mergeBase;
  const isTip = mergeBase.ok && mergeBase.value === base;
  const contents = baseTree.ok ? await history.contents(baseTree.value) : baseTree;
  return {
    mergeBase: mergeBase.ok ? mergeBase.value : null,
    base: baseTree.ok ? baseTree.value : null,
    tip: isTip ? baseTree : await history.tree(base),
    contents: contents.ok ? contents.value : null,
    head: headTree.ok ? headTree.value : null,
    problems: { base: refused("base", contents), head: refused("head", headTree) },
  };
}

/** Whether a path is another thing in head than in the base, or is reached through something that is. */
export function touchedBetween(base: GitTree, head: GitTree, path: string): boolean {
  return [...parentsOf([path]), path].some((part) => {
    const [old, now] = [base.entries.get(part), head.entries.get(part)];
    if (now === undefined || (now.mode === "040000" && part !== path)) return false;
    return old === undefined || old.id !== now.id || old.mode !== now.mode;
  });
}
