import { bytesOf } from "../patch/bytes.ts";
import { buildTrees } from "../store/artifact/tree.ts";
import type { Store } from "../store/store.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import type { ProposedChange } from "./working_tree.ts";

/** A result whose bytes are in the store; its tree objects go in with the rows that refer to them. */
export interface StoredResult {
  readonly root: Sha256;
  readonly manifest: Sha256;
  /** Blob: the patch. */
  readonly patch: Sha256;
  readonly patchBytes: number;
  readonly trees: Iterable<readonly [Sha256, Uint8Array]>;
}

/**
 * Puts the patch and every file it writes into the store, flushed. Nothing refers to them yet: the caller holds the
 * store (`keeper.shared`) until rows do.
 */
export function storeResult(store: Store, { rendered, changes, result }: ProposedChange): StoredResult {
  const built = buildTrees(result.entries);
  const patch = bytesOf(rendered);
  const digest = sha256(patch);
  const writer = store.blobs.writer();
  try {
    writer.put(patch, digest);
    for (const change of changes) if (change.kind === "write") writer.put(change.bytes, sha256(change.bytes));
    writer.flush();
  } finally {
    writer.discard();
  }
  const known = store.records.read((rows) =>
    new Set([...built.trees.keys()].filter((tree) => rows.hasTree(tree)))
  );
  const trees = [...built.trees].filter(([tree]) => !known.has(tree)).map(([tree, { body }]) =>
    [tree, body] as const
  );
  return { root: built.root, manifest: result.digest, patch: digest, patchBytes: patch.length, trees };
}
