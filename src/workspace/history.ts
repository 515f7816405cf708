import type { Manifest, ManifestEntry } from "../vocabulary/manifest.ts";
import type { Refusal } from "../vocabulary/patch.ts";

/** Git's modes: those of a workspace, and 160000 for a submodule. */
export type TreeMode = "100644" | "100755" | "120000" | "040000" | "160000";

export interface TreeEntry {
  readonly path: string;
  readonly mode: TreeMode;
  /** Of a blob, a tree, or the commit of a submodule. */
  readonly id: string;
}

/** Everything in the tree of a commit. */
export interface GitTree {
  readonly commit: string;
  readonly id: string;
  /** By path; directories come before what is in them. */
  readonly entries: ReadonlyMap<string, TreeEntry>;
}

/** What a tree is as a workspace. */
export interface TreeContents {
  /** Of what a workspace walk of a fresh checkout would send. */
  readonly manifest: Manifest;
  /** Every entry, also those that a walk ignores. */
  readonly all: readonly ManifestEntry[];
  /** Whether such a walk leaves a file of this path out. */
  readonly ignores: (path: string) => boolean;
}

export type Told<T> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  readonly refusal: Refusal;
};

/** Commits and trees of one git repository, read without a working tree. Nothing is ever written to it. */
export interface History {
  /**
   * Where a file lies in a working tree of this repository, linked ones included, or of another that has a commit:
   * each path that has a say in what it leads to there, relative to the working tree; none when it lies elsewhere.
   */
  placesOf(file: string, commit: string): Promise<readonly string[]>;
  /**
   * The commit a name stands for.
   * @returns `ref_malformed`, `ref_unknown`, `ref_ambiguous` otherwise
   */
  commit(name: string): Promise<Told<string>>;
  /**
   * The one best common ancestor of two commits.
   * @returns `shallow_clone` where history is cut off and it cannot be known, `no_merge_base`, `several_merge_bases`
   */
  mergeBase(base: string, head: string): Promise<Told<string>>;
  /** @returns `tree_malformed`, `name_not_utf8`, `tree_too_large` for a tree that is no sound one */
  tree(commit: string): Promise<Told<GitTree>>;
  /** Reads every blob of a tree once. @returns `ignore_file_malformed` for a `.ppignore` that no walk would take */
  contents(tree: GitTree): Promise<Told<TreeContents>>;
  /**
   * Blobs by id.
   * @param wanted greatest size in bytes by id; a larger blob is null and not read
   */
  blobs(wanted: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Uint8Array | null>>;
  /** Writes a tree into an empty directory as a checkout would have it, without filters; submodules are empty. */
  checkOut(tree: GitTree, directory: string): Promise<void>;
}
