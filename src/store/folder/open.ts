import type { Environment } from "../../vocabulary/environment.ts";
import { sqliteRecords } from "../sqlite/sqlite.ts";
import type { Store } from "../store.ts";
import { folderBlobs } from "./blobs.ts";
import { folderKeeper } from "./keeper.ts";
import { DATABASE, isFresh, preparePlace, storePlace } from "./place.ts";
import { onDisk } from "./store_failure.ts";

export interface FolderStore extends Store {
  /** Its folder, absolute and without links. */
  readonly folder: string;
}

export interface OpenOptions {
  /** As the call names it. */
  readonly named: string | undefined;
  readonly env: Environment;
  readonly create: boolean;
  readonly actor: string;
  readonly now: Date;
}

/**
 * Opens the store in a folder.
 * @throws Failure `store_missing`, `store_exposed`, `store_hostile`, `store_corrupt`, `store_newer` …
 */
export function openFolderStore({ named, env, create, actor, now }: OpenOptions): FolderStore {
  const place = storePlace(named, env);
  const folder = onDisk(place, () => preparePlace(place, create));
  const fresh = onDisk(folder, () => isFresh(folder));
  const records = sqliteRecords(`${folder}/${DATABASE}`, { create, fresh, actor, now });
  return {
    folder,
    records,
    blobs: folderBlobs(folder),
    keeper: folderKeeper(folder),
    close: () => records.close(),
  };
}
