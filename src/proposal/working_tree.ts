import { applyPatch, type FileState } from "../patch/apply.ts";
import { collisionOf } from "../patch/collision.ts";
import { diffFiles, type FilePair } from "../patch/diff.ts";
import { renderPatch } from "../patch/render.ts";
import { resultManifest } from "../patch/tree.ts";
import { BaseFiles } from "../prove/base_files.ts";
import { ignoredChange } from "../prove/ignored.ts";
import type { FileChange } from "../vocabulary/change.ts";
import type { ListedManifest } from "../vocabulary/manifest.ts";
import type { ByteString, Patch, Refusal } from "../vocabulary/patch.ts";
import { comparePaths, type RelativePath } from "../vocabulary/path.ts";
import type { StoredWorkspace } from "./version_workspace.ts";

/** One canonical patch over a base, and what it makes of it. */
export interface ProposedChange {
  readonly patch: Patch;
  readonly rendered: ByteString;
  /** Sorted by path. */
  readonly changes: readonly FileChange[];
  readonly result: ListedManifest;
}

export type Changed<T> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  readonly refusal: Refusal;
};

/**
 * A stored tree and what was changed so far: each step of a proposal is read against what the steps before it left.
 * The whole becomes one canonical patch.
 */
export class WorkingTree {
  #changes = new Map<string, FileChange>();
  #patches: Patch[] = [];
  #files: BaseFiles;

  constructor(readonly base: StoredWorkspace) {
    this.#files = new BaseFiles(base, base.tree.entries);
  }

  /** The tree as it is now. */
  get files(): BaseFiles {
    return this.#files;
  }

  /**
   * Makes the tree what a canonical patch makes of it.
   * @returns why it does not apply: the refusals of `applyPatch`, `collisionOf` and `ignoredChange`, nothing changed then
   */
  async apply(patch: Patch): Promise<Refusal | null> {
    const applied = await exactly(patch, this.#files);
    if (!applied.ok) return applied.refusal;
    for (const change of applied.value) this.#changes.set(change.path, change);
    this.#patches.push(patch);
    const { entries } = resultManifest(this.base.tree, this.#now());
    const read = (path: RelativePath, maxBytes: number) => {
      const change = this.#changes.get(path);
      return change?.kind === "write" ? Promise.resolve(change.bytes) : this.base.read(path, maxBytes);
    };
    this.#files = new BaseFiles({ read, ignores: (path) => this.base.ignores(path) }, entries);
    return null;
  }

  /** @returns the one patch from the base to here; `no_op` when nothing is left to change */
  async change(): Promise<Changed<ProposedChange>> {
    const only = this.#patches.length === 1 ? this.#patches[0]! : null;
    const patch = only ?? diffFiles(await this.#pairs());
    if (patch.files.length === 0) {
      return { ok: false, refusal: { reason: "no_op", detail: "the proposal changes nothing" } };
    }
    return await changeOf(patch, this.base);
  }

  #now(): FileChange[] {
    return [...this.#changes.values()].sort((a, b) => comparePaths(a.path, b.path));
  }

  async #pairs(): Promise<FilePair[]> {
    const pairs: FilePair[] = [];
    const before = new BaseFiles(this.base, this.base.tree.entries);
    await before.load([...this.#changes.keys()]);
    for (const change of this.#now()) {
      const state = before.lookup(change.path);
      const old: FileState | null = typeof state === "object" ? state : null;
      const now: FileState | null = change.kind === "write" ? change : null;
      if (old === null && now === null) continue;
      const { path } = change;
      pairs.push({ oldPath: old && path, old, newPath: now && path, new: now });
    }
    return pairs;
  }
}

/**
 * What a canonical patch makes of a stored tree, exactly.
 * @returns or why it does not apply to it
 */
export async function changeOf(patch: Patch, base: StoredWorkspace): Promise<Changed<ProposedChange>> {
  const applied = await exactly(patch, new BaseFiles(base, base.tree.entries));
  if (!applied.ok) return applied;
  const result = resultManifest(base.tree, applied.value);
  return { ok: true, value: { patch, rendered: renderPatch(patch), changes: applied.value, result } };
}

async function exactly(patch: Patch, files: BaseFiles): Promise<Changed<readonly FileChange[]>> {
  const tooLarge = await files.load(patch.files.flatMap(({ oldPath }) => oldPath ?? []));
  if (tooLarge !== null) return { ok: false, refusal: tooLarge };
  const applied = applyPatch(patch, files.lookup);
  if (!applied.ok) return applied;
  const { changes } = applied;
  const refusal = collisionOf(changes, files.entries) ?? ignoredChange(changes, files);
  return refusal === null ? { ok: true, value: changes } : { ok: false, refusal };
}
