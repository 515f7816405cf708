import { type FolderStore, openFolderStore } from "../../src/store/folder/open.ts";
import { type Snapshot, snapshotWorkspace } from "../../src/store/folder/snapshot.ts";
import { createVersion } from "../../src/store/artifact/create.ts";
import { authorOf } from "../contract/store_contract.ts";

export const NOW = new Date("2026-01-02T03:04:05Z");

export function openAt(place: string, create = true): FolderStore {
  return openFolderStore({ named: place, env: {}, create, actor: "tester", now: NOW });
}

/** A store and a workspace, both empty, removed afterwards. */
export async function withStoreFolder(
  use: (store: FolderStore, workspace: string, place: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "veripatch-test-" }));
  const place = `${directory}/store`;
  Deno.mkdirSync(`${directory}/workspace`);
  const store = openAt(place);
  try {
    await use(store, `${directory}/workspace`, place);
  } finally {
    store.close();
    await Deno.remove(directory, { recursive: true });
  }
}

/** Stores a directory as the next version, as `pp artifact create` does. */
export async function createFrom(store: FolderStore, workspace: string, name = "a", actor = "tester") {
  const { captured, ...made } = await createVersion<Snapshot>(
    store,
    authorOf(store, actor),
    name,
    "",
    (unknownTrees) =>
      snapshotWorkspace(workspace, {
        blobs: store.blobs,
        store: store.folder,
        leftOut: new Set(),
        unknownTrees,
      }),
    {},
  );
  captured.remember();
  return { ...made, read: captured.read };
}

/**
 * Waits until files that were just written have rested as long as the stat cache asks for. The time of an inode's change
 * cannot be set.
 */
export function rested(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3_100));
}
