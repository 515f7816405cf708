import type { PathHistory } from "../store/operations.ts";

/**
 * Which operations stand on a path of a folder: those that were applied, or done again, and not taken back. The last
 * one made what is there now.
 * @param history everything that was done to the path, oldest first
 */
export function standing(history: readonly PathHistory[]): readonly number[] {
  const stack: number[] = [];
  /** What each rollback took back here, oldest first. */
  const taken = new Map<number, readonly number[]>();
  for (const { operation, kind, targets } of history) {
    if (kind === "apply") stack.push(operation);
    else if (kind === "rollback") {
      const back: number[] = [];
      while (stack.length > 0 && targets.includes(stack.at(-1)!)) back.unshift(stack.pop()!);
      taken.set(operation, back);
    } else for (const target of targets) stack.push(...taken.get(target) ?? []);
  }
  return stack;
}

/**
 * The rollbacks of a path that can be done again, oldest first: those after which nothing else was applied there, and
 * that were not done again since.
 */
export function undone(history: readonly PathHistory[]): readonly number[] {
  const stack: number[] = [];
  for (const { operation, kind, targets } of history) {
    if (kind === "apply") stack.length = 0;
    else if (kind === "rollback") stack.push(operation);
    else for (const target of targets) if (stack.at(-1) === target) stack.pop();
  }
  return stack;
}
