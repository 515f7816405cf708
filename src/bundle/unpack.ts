import { lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readCanonicalTar } from "../tar/canonical.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { fileChunks } from "./chunks.ts";
import { takeInventory } from "./inventory.ts";
import { BOUNDS, isKnownName, mostBytes, WORKSPACE_TAR } from "./layout.ts";
import { exists, notWritten, PPB_ROOT } from "./pack.ts";
import { type ReadBundle, readBundle } from "./read.ts";
import { unreadableBundle } from "./refused.ts";
import { syncDirectory, writeAll } from "./synced.ts";
import { claimTemporary, removeStaleTemporaries } from "./temporary.ts";

/** Headers and padding of as many files as a bundle may have, on top of their bytes. */
const MOST_BYTES = BOUNDS.totalBytes + BOUNDS.workspaceBytes + 1024 * (BOUNDS.files + 2);

/**
 * Unpacks a hostile `.ppb` into an empty directory of our own. Only what `packBundle` can have written is taken: a
 * canonical tar of regular files with names and sizes that bundles have. Whether they hold together is for a reader.
 * @param options.sync whether every file and directory is synced
 * @throws Failure `malformed` `ppb_refused` or `bundle_too_large`; `unavailable`; `interrupted`. What was written until then stays in `into`
 */
export async function unpackInto(
  ppb: string,
  into: string,
  { sync = false, signal }: { readonly sync?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  let files = 0, total = 0;
  const directories = new Set<string>();
  try {
    await readCanonicalTar(fileChunks(ppb, MOST_BYTES, signal), async (member, content) => {
      const name = member.name.startsWith(PPB_ROOT) ? member.name.slice(PPB_ROOT.length) : "";
      const shown = printablePath(member.name);
      if (member.kind !== "file" || !isKnownName(name)) throw refused(`${shown} is nothing a bundle has`);
      if (member.mode !== 0o644) throw refused(`${shown} has an odd mode`);
      if (++files > BOUNDS.files) throw refused(`more than ${BOUNDS.files} files`);
      if (name !== WORKSPACE_TAR) total += member.size;
      if (member.size > mostBytes(name) || total > BOUNDS.totalBytes) throw refused(`${shown} is too large`);
      for (const directory of above(name)) {
        if (!directories.has(directory)) await mkdir(join(into, directory), 0o755);
        directories.add(directory);
      }
      const handle = await open(join(into, name), "wx", 0o644);
      try {
        for await (const piece of content) await writeAll(handle, piece);
        if (sync) await handle.sync();
      } finally {
        await handle.close();
      }
    });
  } catch (error) {
    if (error instanceof Failure && error.code === "tar_not_canonical") throw refused(error.message);
    throw error;
  }
  if (!sync) return;
  for (const directory of [...directories].reverse()) await syncDirectory(join(into, directory));
  await syncDirectory(into);
}

/**
 * Unpacks a `.ppb` to a new folder, whole or not at all: under a temporary name beside it, synced, renamed. A file that
 * `packBundle` would not make again from it is refused.
 * @param target must not be there, unless `replace`, which takes a folder that holds nothing but a bundle's files
 * @throws Failure `malformed`; `pack_exists`, `pack_not_written`; `interrupted`
 */
export async function unpackBundle(
  ppb: string,
  target: string,
  signal?: AbortSignal,
  replace = false,
): Promise<ReadBundle> {
  const there = await lstat(target).catch(() => null);
  if (there !== null && !replace) throw exists(target);
  if (there !== null && !(there.isDirectory() && await holdsOnlyABundle(target))) {
    throw new Failure(
      "usage",
      "pack_exists",
      `${printablePath(target)} is no bundle: --force does not replace it`,
      {
        hint: "name another place with -o, or remove it yourself",
      },
    );
  }
  const home = dirname(target);
  await removeStaleTemporaries(home);
  const temporary = await claimTemporary(home).catch((error) => {
    throw notWritten(target, error);
  });
  try {
    await unpackInto(ppb, temporary.path, { sync: true, signal });
    const read = await readBundle(temporary.path);
    if (!read.ok) throw unreadableBundle(read.refusal);
    if (there === null) await rename(temporary.path, target);
    else await exchange(temporary.path, target);
    await syncDirectory(home);
    return read.bundle;
  } catch (error) {
    await rm(temporary.path, { recursive: true, force: true }).catch(() => {});
    if (error instanceof Failure || !(error instanceof Error) || !("code" in error)) throw error;
    throw notWritten(target, error);
  } finally {
    temporary.lock.close();
  }
}

async function holdsOnlyABundle(folder: string): Promise<boolean> {
  const taken = await takeInventory(folder);
  return taken.ok && taken.inventory.findings.length === 0 && taken.inventory.files.has("repro.json");
}

/** A folder takes another one's place, which is removed; where that fails, the other one is back. */
async function exchange(made: string, target: string): Promise<void> {
  const old = join(dirname(target), `.${basename(target)}.${crypto.randomUUID().slice(0, 8)}.old`);
  await rename(target, old);
  try {
    await rename(made, target);
  } catch (error) {
    await rename(old, target);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

/** The directories above a name, outermost first. */
function above(name: string): string[] {
  const parts = name.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

function refused(detail: string): Failure {
  return new Failure("malformed", "ppb_refused", `not a bundle as pp packs it: ${detail}`, {
    hint: "ask for the .ppb again, or for the folder proof_bundle",
  });
}
