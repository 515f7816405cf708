import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../vocabulary/failure.ts";
import { PROOF_ENVELOPE, TEST_RESULT_ENVELOPE } from "./claims.ts";
import type { Envelopes } from "./attest.ts";
import { syncDirectory, writeSynced } from "./synced.ts";
import { claimTemporary, removeStaleTemporaries } from "./temporary.ts";

/**
 * Runs work that reads and rewrites a bundle while no other `pp` does the same.
 * @throws Failure `bundle_busy` when another one is at it
 */
export async function holdingBundle<T>(bundle: string, work: () => Promise<T>): Promise<T> {
  const lock = await Deno.open(bundle).catch((error) => {
    throw new Failure("malformed", "bundle_missing", `cannot open ${bundle}: ${error.message}`);
  });
  try {
    if (!await lock.tryLock(true)) {
      throw new Failure("unavailable", "bundle_busy", `another program is working on ${bundle}`, {
        hint: "wait for it to end, then try again",
      });
    }
    try {
      return await work();
    } finally {
      // Closing alone would leave the lock to a child that another thread starts at this moment.
      lock.unlockSync();
    }
  } finally {
    lock.close();
  }
}

/**
 * Puts new envelopes into a bundle. Each is written and synced beside the bundle, then renamed into place, so that a
 * file is the old or the new one, whole. The one that vouches for all others comes last: a machine that stops in
 * between leaves a bundle that is invalid, never one that wrongly verifies, and that can be attested again.
 * @throws Failure `bundle_not_written`; the bundle is then as it was or lacks only some of the new envelopes
 */
export async function replaceEnvelopes(bundle: string, envelopes: Envelopes): Promise<void> {
  await changing(bundle, async (parent) => {
    await removeStaleTemporaries(parent);
    const { path: scratch, lock } = await claimTemporary(parent, { mode: 0o700 });
    try {
      const inOrder = [TEST_RESULT_ENVELOPE, PROOF_ENVELOPE].filter((name) => envelopes.has(name));
      for (const name of inOrder) await writeSynced(join(scratch, name), envelopes.get(name)!);
      for (const name of inOrder) await rename(join(scratch, name), join(bundle, name));
    } finally {
      await rm(scratch, { recursive: true, force: true });
      lock.close();
    }
  });
}

/**
 * Takes the envelopes out of a bundle, the one that vouches for the others first.
 * @returns the names of those that were there
 */
export async function removeEnvelopes(bundle: string): Promise<string[]> {
  const removed: string[] = [];
  await changing(bundle, async () => {
    for (const name of [PROOF_ENVELOPE, TEST_RESULT_ENVELOPE]) {
      try {
        await rm(join(bundle, name));
        removed.push(name);
      } catch (error) {
        if ((error as { code?: string }).code !== "ENOENT") throw error;
      }
    }
  });
  return removed;
}

async function changing(bundle: string, work: (parent: string) => Promise<void>): Promise<void> {
  try {
    await work(dirname(bundle));
    await syncDirectory(bundle);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw new Failure("denied", "bundle_not_written", `cannot change ${bundle}: ${error.message}`, {
      hint: "the bundle and the folder it lies in must be writable and on one file system",
      cause: error,
    });
  }
}
