import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, symlink } from "node:fs/promises";
import { join } from "node:path";
import { type CanonicalMember, readCanonicalTar } from "../tar/canonical.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import { manifestDigest, type ManifestEntry } from "../vocabulary/manifest.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { fileChunks } from "./chunks.ts";
import type { FileDigest } from "./claims.ts";
import { BOUNDS } from "./layout.ts";
import type { EmbeddedWorkspace } from "./record.ts";
import { writeAll } from "./synced.ts";

const EMPTY = sha256("");

/** What of an entry is compared; a bundle's manifest has no link targets. */
type ListedEntry = Pick<ManifestEntry, "path" | "mode" | "size" | "sha256">;

/** Is given each file's content in pieces while the tar is read. */
export interface Onlooker {
  piece(path: string, bytes: Uint8Array): Promise<void> | void;
  /** @param target of a link, else null */
  end(path: string, target: string | null): Promise<void> | void;
}

/**
 * Checks a hostile workspace.tar, reading it once: canonical, and entry by entry what a manifest lists.
 * @param entries in the manifest's order
 * @throws Failure `malformed` when it is not; `unavailable` when it cannot be read
 */
export async function checkEmbedded(
  path: string,
  entries: Iterable<ListedEntry>,
  onlooker: Onlooker | null = null,
  signal?: AbortSignal,
): Promise<EmbeddedWorkspace> {
  return await readEmbedded(path, entries, {
    enter: () => null,
    ...(onlooker === null ? {} : { onlooker }),
  }, signal);
}

/**
 * Digest of a workspace.tar that nothing is believed of yet; it is not looked into.
 * @throws Failure as `fileChunks`
 */
export async function hashEmbedded(path: string, signal?: AbortSignal): Promise<FileDigest> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of fileChunks(path, BOUNDS.workspaceBytes, signal)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest("hex") };
}

/**
 * Unpacks a checked workspace.tar into an empty directory of our own. Links are made last, so nothing is ever written
 * through one.
 * @throws Failure `malformed` when it is not what the manifest lists or not the bytes that were checked
 */
export async function unpackEmbedded(
  path: string,
  entries: Iterable<ListedEntry>,
  checked: EmbeddedWorkspace,
  into: string,
  signal?: AbortSignal,
): Promise<void> {
  const directories = new Set<string>([""]);
  const links: [path: string, target: string][] = [];
  const found = await readEmbedded(path, entries, {
    enter: async (member) => {
      const { name, kind } = member;
      if (!directories.has(name.slice(0, Math.max(0, name.lastIndexOf("/"))))) {
        throw refused(`${printablePath(name)} lies in no directory`);
      }
      if (kind === "directory") {
        directories.add(name);
        await mkdir(join(into, name), 0o755);
      } else if (kind === "link") links.push([name, member.target!]);
      else return await open(join(into, name), "wx", member.mode);
      return null;
    },
  }, signal);
  if (found.sha256 !== checked.sha256) throw refused("it changes while it is read");
  for (const [name, target] of links) await symlink(target, join(into, name));
}

interface Reading {
  /** What a file's content is written to, null for nowhere; closed here. */
  enter(member: CanonicalMember): Promise<FileHandle | null> | null;
  readonly onlooker?: Onlooker;
}

async function readEmbedded(
  path: string,
  entries: Iterable<ListedEntry>,
  { enter, onlooker }: Reading,
  signal?: AbortSignal,
): Promise<EmbeddedWorkspace> {
  const whole = createHash("sha256");
  let size = 0;
  const source = async function* () {
    for await (const chunk of fileChunks(path, BOUNDS.workspaceBytes, signal)) {
      whole.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  const list = entries[Symbol.iterator]();
  await readCanonicalTar(source(), async (member, content) => {
    const { value: listed } = list.next();
    const shown = printablePath(member.name);
    if (listed?.path !== member.name) throw refused(`${shown} is not the next entry of the manifest`);
    const target = member.target ?? null;
    const mode = modeOf(member);
    const listedSize = target === null ? member.size : new TextEncoder().encode(target).length;
    if (listed.mode !== mode || listed.size !== listedSize) {
      throw refused(`${shown} is not as the manifest says`);
    }
    let digest = target === null ? EMPTY : sha256(target);
    const out = await enter(member);
    try {
      if (member.kind === "file") {
        const hash = createHash("sha256");
        for await (const piece of content) {
          hash.update(piece);
          await onlooker?.piece(member.name, piece);
          if (out !== null) await writeAll(out, piece);
        }
        digest = hash.digest("hex");
      }
    } finally {
      await out?.close();
    }
    await onlooker?.end(member.name, target);
    if (digest !== listed.sha256) throw refused(`${shown} is not what the manifest says`);
  });
  if (!list.next().done) throw refused("entries of the manifest are missing");
  return { size, sha256: whole.digest("hex"), tree: manifestDigest(entries) };
}

function modeOf({ kind, mode }: CanonicalMember): ManifestEntry["mode"] {
  if (kind === "directory") return "040000";
  return kind === "link" ? "120000" : mode === 0o755 ? "100755" : "100644";
}

function refused(detail: string): Failure {
  return new Failure("malformed", "workspace_tar_refused", detail);
}
