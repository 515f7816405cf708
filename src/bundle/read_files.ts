import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Refusal } from "../vocabulary/patch.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { BOUNDS, isKnownName, WORKSPACE_TAR } from "./layout.ts";

type FilesRead = {
  readonly ok: true;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Whether workspace.tar is there; it is not read here. */
  readonly embedded: boolean;
} | {
  readonly ok: false;
  readonly refusal: Refusal;
};

/** Ends the walk; never leaves this file. */
class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.detail);
  }
}

/**
 * Reads every file of a hostile directory once, in bounded number, size and depth. Links, special files
 * and unknown names are refused. Later use is of these bytes; nothing is opened again.
 */
export async function readBundleFiles(dir: string): Promise<FilesRead> {
  try {
    const files = new Map<string, Uint8Array>();
    const spent = { bytes: 0, entries: 0, embedded: false };
    await walk(dir, "", 1, files, spent);
    return { ok: true, files, embedded: spent.embedded };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, refusal: error.refusal };
    const code = (error as { code?: unknown }).code;
    if (typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code)) throw error;
    const reason = code === "ENOENT" || code === "ENOTDIR" ? "bundle_missing" : "bundle_unreadable";
    const detail = reason === "bundle_missing"
      ? `there is no bundle at ${dir}`
      : `cannot read ${dir}: ${(error as Error).message}`;
    return { ok: false, refusal: { reason, detail } };
  }
}

async function walk(
  root: string,
  prefix: string,
  depth: number,
  files: Map<string, Uint8Array>,
  spent: { bytes: number; entries: number; embedded: boolean },
): Promise<void> {
  const entries = await readdir(join(root, prefix), { withFileTypes: true });
  spent.entries += entries.length;
  // Directories count too: a bundle has no more of them than files.
  if (spent.entries > 2 * BOUNDS.files) refuse("bundle_too_many_files", "too many entries");
  if (entries.length === 0 && prefix !== "") refuse("bundle_unknown_file", "an empty directory", prefix);
  for (const entry of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isSymbolicLink()) refuse("bundle_link", "a link", name);
    if (entry.isDirectory()) {
      if (depth === BOUNDS.depth) refuse("bundle_too_deep", `nested deeper than ${BOUNDS.depth}`, name);
      if (!/^[a-z0-9_]{1,64}$/.test(entry.name)) {
        refuse("bundle_unknown_file", "a directory that no bundle has", name);
      }
      await walk(root, name, depth + 1, files, spent);
    } else if (!entry.isFile()) refuse("bundle_special_file", "neither a file nor a directory", name);
    else if (!isKnownName(name)) refuse("bundle_unknown_file", "a file that no bundle has", name);
    else if (name === WORKSPACE_TAR) spent.embedded = true;
    else {
      if (files.size === BOUNDS.files) refuse("bundle_too_many_files", `more than ${BOUNDS.files} files`);
      const bytes = await readOnce(join(root, name), name, BOUNDS.totalBytes - spent.bytes);
      spent.bytes += bytes.length;
      files.set(name, bytes);
    }
  }
}

async function readOnce(path: string, name: string, left: number): Promise<Uint8Array> {
  const most = Math.min(BOUNDS.bytes, left);
  // What was a file a moment ago may be a link or a pipe now.
  const handle = await open(
    path,
    constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
  );
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) refuse("bundle_special_file", "neither a file nor a directory", name);
    if (stat.size > most) refuse("bundle_too_large", `over ${most} bytes`, name);
    return await readExactly(handle, stat.size, name);
  } finally {
    await handle.close();
  }
}

async function readExactly(handle: FileHandle, size: number, name: string): Promise<Uint8Array> {
  // One byte more, so that a file that grows is noticed.
  const buffer = new Uint8Array(size + 1);
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  if (filled !== size) refuse("bundle_changed", "it changes while it is read", name);
  return buffer.subarray(0, size);
}

function refuse(reason: string, detail: string, path?: string): never {
  throw new Refused(path === undefined ? { reason, detail } : { reason, path: printableLine(path), detail });
}
