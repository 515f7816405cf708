import { setTimeout as sleep } from "node:timers/promises";
import { interrupted } from "../../vocabulary/failure.ts";
import { errorCode } from "../../vocabulary/system_error.ts";
import type { HoldOptions, Keeper } from "../store.ts";
import { CACHE, LOCK } from "./place.ts";
import { INCOMING } from "./blobs.ts";
import { onDisk } from "./store_failure.ts";

const POLL_MS = 25;
/** What is not used for so long is of a workspace that nobody works with. */
const CACHE_AGE_MS = 30 * 86_400_000;

/**
 * Who works on a store, by a lock of the system (flock) on a file in it: the system lets go of it when the process ends,
 * however it ends.
 */
export function folderKeeper(store: string): Keeper {
  return {
    shared: (work, options) => holding(store, false, work, options),
    alone: (work, options) => holding(store, true, work, options),
    sweep: () => onDisk(store, () => sweep(store)),
  };
}

async function holding<T>(
  store: string,
  exclusive: boolean,
  work: () => Promise<T>,
  { signal, waiting }: HoldOptions,
): Promise<T> {
  using lock = onDisk(store, () => Deno.openSync(`${store}/${LOCK}`, { read: true, write: true }));
  for (let tries = 0; !await lock.tryLock(exclusive); tries++) {
    if (tries === 4) waiting?.();
    if (signal?.aborted) throw interrupted(signal.reason);
    await sleep(POLL_MS);
  }
  // Closing the file lets go of the lock.
  return await work();
}

/** Nobody else is there: whatever is half written has no writer any more. */
function sweep(store: string): { files: number; bytes: number } {
  let files = 0, bytes = 0;
  const remove = (path: string) => {
    try {
      const { size, isDirectory } = Deno.lstatSync(path);
      Deno.removeSync(path, { recursive: isDirectory });
      files++;
      bytes += size;
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  };
  for (const { name } of Deno.readDirSync(`${store}/${INCOMING}`)) remove(`${store}/${INCOMING}/${name}`);
  for (const { name } of Deno.readDirSync(`${store}/${CACHE}`)) {
    const path = `${store}/${CACHE}/${name}`;
    const age = Date.now() - (Deno.lstatSync(path).mtime?.getTime() ?? 0);
    if (name.includes(".tmp") || age > CACHE_AGE_MS) remove(path);
  }
  return { files, bytes };
}
