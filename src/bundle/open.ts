import { lstat, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { interrupted } from "../vocabulary/failure.ts";
import { claimTemporary, removeStaleTemporaries } from "./temporary.ts";
import { unpackInto } from "./unpack.ts";

/** Start of the names of private folders; what a killed process left is found by it. */
const PREFIX = "veripatch-bundle-";

/**
 * A bundle as a folder, whatever form it has: the folder proof_bundle, the folder of the session around it, or a `.ppb`,
 * which is unpacked to a private temporary folder and removed when `use` is done, however it ends. Nothing of the bundle is checked
 * but that a `.ppb` is one; a path that is not there is handed on, for the reader to say so.
 * @param signal must be given where an interrupt would otherwise end the process at once
 * @throws Failure `malformed` `ppb_refused`; `interrupted`; whatever `use` throws
 */
export async function withBundleFolder<T>(
  path: string,
  use: (folder: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile() !== true) return await use(await bundleFolder(path));
  return await withPrivateFolder(async (folder) => {
    await unpackInto(path, folder, { signal });
    return await use(folder);
  }, signal);
}

/** A session's folder stands for the bundle in it. */
export async function bundleFolder(path: string): Promise<string> {
  const inside = `${path}/proof_bundle`;
  if (!await stat(inside).then((info) => info.isDirectory(), () => false)) return path;
  // A folder that looks like a bundle itself must not be judged by another one that lies in it.
  const own = await Promise.all(
    OF_A_BUNDLE.map((name) => lstat(`${path}/${name}`).then(() => true, () => false)),
  );
  return own.includes(true) ? path : inside;
}

/** Names that a session's folder does not have. */
const OF_A_BUNDLE = ["repro.json", "final.patch", "attestation.json", "final_summary.md"];

/**
 * An empty temporary folder that only this user can look into, removed afterwards; one that a killed process left is
 * removed by the next.
 */
export async function withPrivateFolder<T>(
  use: (folder: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const home = tmpdir();
  await removeStaleTemporaries(home, PREFIX);
  const claimed = await claimTemporary(home, { prefix: PREFIX, mode: 0o700 });
  try {
    if (signal?.aborted) throw interrupted(signal.reason);
    return await use(claimed.path);
  } finally {
    await rm(claimed.path, { recursive: true, force: true });
    claimed.lock.close();
  }
}
