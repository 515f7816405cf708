import { entriesTar } from "../store/artifact/export.ts";
import { flatten, treeSource } from "../store/artifact/tree.ts";
import type { Blobs, Store } from "../store/store.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import {
  type ListedManifest,
  type Manifest,
  manifestDigest,
  type ManifestEntry,
} from "../vocabulary/manifest.ts";
import type { RelativePath } from "../vocabulary/path.ts";
import { printablePath } from "../vocabulary/printable.ts";
import type { TarPlacement } from "../vocabulary/tar_placement.ts";
import { IGNORE_FILE, type IgnoreRules, ignoreRules, isLeftOut } from "../workspace/ignore.ts";
import type { Workspace } from "../workspace/workspace.ts";

const MAX_IGNORE_BYTES = 256 * 1024;

/** A stored tree as a workspace: every byte is read from the store and checked, nothing is written anywhere. */
export interface StoredWorkspace extends Workspace {
  /** The same as `manifest()`, at once. */
  readonly tree: ListedManifest;
  /** Bytes of a file by its digest, at most as many. @throws RangeError past them; Failure `blob_missing`, `blob_corrupt` */
  bytes(digest: Sha256, maxBytes: number): Uint8Array;
}

/**
 * The tree of a version, or of a proposal's result, as a workspace to prove something about.
 * @param name said of it: `api@3`
 * @throws Failure `tree_missing`, `tree_corrupt` (malformed)
 */
export function storedWorkspace(store: Store, root: Sha256, name: string): StoredWorkspace {
  const entries = store.records.read((rows) => flatten(root, treeSource((digest) => rows.tree(digest))));
  return new TreeWorkspace(name, { entries, digest: manifestDigest(entries) }, store.blobs);
}

class TreeWorkspace implements StoredWorkspace {
  readonly #byPath: ReadonlyMap<string, ManifestEntry>;
  readonly #rules: IgnoreRules;

  constructor(readonly root: string, readonly tree: ListedManifest, readonly blobs: Blobs) {
    this.#byPath = new Map(tree.entries.map((entry) => [entry.path, entry]));
    this.#rules = ignoreRules(this.#ownRules(), new Set());
  }

  async *tar(placement: TarPlacement): AsyncGenerator<Uint8Array> {
    yield* entriesTar(this.blobs, this.tree.entries, placement, {});
  }

  bytes(digest: Sha256, maxBytes: number): Uint8Array {
    return this.blobs.read(digest, maxBytes);
  }

  manifest(): Promise<Manifest> {
    return Promise.resolve(this.tree);
  }

  skipped() {
    return [];
  }

  entry(path: string): ManifestEntry | undefined {
    return this.#byPath.get(path);
  }

  /** By the rules a walk of these files would follow. What git tracked all the same is part of the tree and stays it. */
  ignores(path: string): boolean {
    return !this.#byPath.has(path) && isLeftOut(this.#rules, path);
  }

  read(path: RelativePath, maxBytes: number): Promise<Uint8Array> {
    const entry = this.#byPath.get(path);
    if (entry === undefined || !entry.mode.startsWith("100")) {
      const message = `${printablePath(path)} is no file of ${this.root}`;
      return Promise.reject(new Failure("malformed", "not_a_workspace_file", message));
    }
    if (entry.size > maxBytes) {
      return Promise.reject(new RangeError(`${printablePath(path)} has ${entry.size} bytes`));
    }
    try {
      return Promise.resolve(this.blobs.read(entry.sha256, maxBytes));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  provenance() {
    const nothing = { commit: null, tree: null, branch: null, remote: null, dirty: null };
    return Promise.resolve({ ...nothing, diff: new Uint8Array() });
  }

  apply(): Promise<never> {
    return Promise.reject(new Failure("bug", "stored_workspace", "a stored version is never changed"));
  }

  #ownRules(): string | null {
    const entry = this.#byPath.get(IGNORE_FILE);
    if (entry === undefined || !entry.mode.startsWith("100") || entry.size > MAX_IGNORE_BYTES) return null;
    return new TextDecoder().decode(this.blobs.read(entry.sha256, MAX_IGNORE_BYTES));
  }
}
