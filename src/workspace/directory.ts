import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { isAbsolute, relative, resolve } from "node:path";
import type { FileChange } from "../vocabulary/change.ts";
import type { CheckoutState } from "../vocabulary/checkout.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { EntryTable } from "../vocabulary/entry_table.ts";
import {
  type Manifest,
  manifestDigest,
  type ManifestEntry,
  type SkippedEntry,
} from "../vocabulary/manifest.ts";
import type { RelativePath } from "../vocabulary/path.ts";
import type { TarPlacement } from "../vocabulary/tar_placement.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { applyChanges } from "./apply.ts";
import { openFile, statOpen } from "./directory_handles.ts";
import { gitProvenance } from "./git.ts";
import { isTracked } from "./git_tracked.ts";
import { checkoutState } from "./git_checkout.ts";
import { type IgnoreRules, isLeftOut } from "./ignore.ts";
import { ioFailed, workspaceChanged } from "./problems.ts";
import { realDirectory } from "./real_directory.ts";
import { tarStream } from "./tar_stream.ts";
import { walkTree } from "./walk.ts";
import type { GitProvenance, Workspace } from "./workspace.ts";

export interface DirectoryOptions {
  /** Where bundles are written, absolute or relative to the root; ignored when it lies inside. */
  readonly artifactsDir?: string;
  /** Files that are no part of the project unless git tracks them, such as the patches to be tried. */
  readonly strangers?: readonly string[];
  /** Where private directories for git are made; the system's temporary directory when left out. */
  readonly scratch?: string;
}

/** A workspace that may be a checkout of a repository. */
export interface CheckoutWorkspace extends Workspace {
  /** Whether all of it, but where bundles are written, is committed. */
  checkout(): Promise<CheckoutState>;
}

/**
 * The workspace in a directory.
 * @param root may be relative or reached through links; `root` of the result is absolute and has none
 * @throws Failure `workspace_missing` when it is not a directory; `artifacts_dir_malformed` when the artifacts
 *   directory is the workspace itself
 */
export async function directoryWorkspace(
  root: string,
  options: DirectoryOptions = {},
): Promise<CheckoutWorkspace> {
  const real = await realDirectory(root, "name the directory of the project");
  const artifacts = await artifactsInside(real, options.artifactsDir);
  const leftOut = new Set(await untracked(real, options.strangers ?? []));
  if (artifacts !== null) leftOut.add(artifacts);
  return new DirectoryWorkspace(real, artifacts, leftOut, options.scratch);
}

/** Those of some files that lie inside and that git does not track, as paths relative to the root. */
async function untracked(root: string, files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    const path = relative(root, await Deno.realPath(resolve(root, file)).catch(() => resolve(root, file)));
    if (path === "" || path.startsWith("..") || isAbsolute(path)) continue;
    if (!await isTracked(root, path)) found.push(path);
  }
  return found;
}

async function artifactsInside(root: string, directory: string | undefined): Promise<string | null> {
  if (directory === undefined) return null;
  const named = resolve(root, directory);
  // It may not exist yet, or be named through a link.
  const inside = relative(root, await Deno.realPath(named).catch(() => named));
  if (inside === "") {
    throw new Failure("usage", "artifacts_dir_malformed", "the artifacts directory is the workspace itself", {
      hint: "name a directory inside or outside of it",
    });
  }
  return inside === ".." || inside.startsWith("../") || isAbsolute(inside) ? null : inside;
}

interface Known {
  readonly manifest: Manifest & { readonly entries: EntryTable };
  readonly skipped: readonly SkippedEntry[];
  readonly rules: IgnoreRules;
}

class DirectoryWorkspace implements CheckoutWorkspace {
  #known: Known | undefined;
  #hashing: Promise<void> | undefined;

  constructor(
    readonly root: string,
    readonly artifacts: string | null,
    readonly leftOut: ReadonlySet<string>,
    readonly scratch: string | undefined,
  ) {}

  async *tar(placement: TarPlacement): AsyncGenerator<Uint8Array> {
    const walk = await walkTree(this.root, this.leftOut);
    this.#settle(yield* tarStream(this.root, walk.entries, placement), walk);
  }

  async manifest(): Promise<Manifest> {
    if (this.#known === undefined) {
      this.#hashing ??= this.#hashAll().finally(() => this.#hashing = undefined);
      await this.#hashing;
    }
    return this.#must().manifest;
  }

  ignores(path: string): boolean {
    return isLeftOut(this.#must().rules, path);
  }

  skipped(): readonly SkippedEntry[] {
    return this.#must().skipped;
  }

  entry(path: string): ManifestEntry | undefined {
    return this.#must().manifest.entries.find(path);
  }

  async read(path: RelativePath, maxBytes: number): Promise<Uint8Array> {
    await this.manifest();
    const entry = this.entry(path);
    if (entry === undefined || !entry.mode.startsWith("100")) {
      throw new Failure(
        "malformed",
        "not_a_workspace_file",
        `${printablePath(path)} is no file of the workspace`,
      );
    }
    if (entry.size > maxBytes) {
      throw new RangeError(`${printablePath(path)} has ${entry.size} bytes, more than ${maxBytes}`);
    }
    const bytes = readExactly(`${this.root}/${path}`, entry.size);
    if (bytes === null || createHash("sha256").update(bytes).digest("hex") !== entry.sha256) {
      throw workspaceChanged([path], "a file is not what was sent");
    }
    return bytes;
  }

  provenance(): Promise<GitProvenance> {
    return gitProvenance(this.root, this.scratch);
  }

  checkout(): Promise<CheckoutState> {
    const { root, artifacts, scratch } = this;
    return checkoutState(root, { artifacts, ...(scratch === undefined ? {} : { scratch }) });
  }

  async apply(changes: readonly FileChange[]): Promise<void> {
    await this.manifest();
    applyChanges(this.root, this.#must().manifest.entries.byPath, changes);
  }

  async #hashAll(): Promise<void> {
    const chunks = this.tar({ uid: 0, gid: 0, prefix: "" });
    while (!(await chunks.next()).done);
  }

  #settle(entries: EntryTable, { skipped, rules }: Pick<Known, "skipped" | "rules">): void {
    const manifest = { entries, digest: manifestDigest(entries) };
    const known = this.#known;
    if (known === undefined) {
      this.#known = { manifest, skipped, rules };
    } else if (known.manifest.digest !== manifest.digest) {
      const before = known.manifest.entries;
      const paths = new Set([...before.paths(), ...entries.paths()]);
      const differs = [...paths].filter((path) => {
        const a = before.find(path), b = entries.find(path);
        return a?.sha256 !== b?.sha256 || a?.mode !== b?.mode;
      });
      throw workspaceChanged(differs, "the workspace is not what was sent before");
    }
  }

  #must(): Known {
    if (this.#known === undefined) {
      throw new Failure("bug", "manifest_unknown", "the workspace was asked before its manifest was known");
    }
    return this.#known;
  }
}

/** A regular file of exactly `size` bytes, or null when it is not that. */
function readExactly(path: string, size: number): Uint8Array | null {
  let fd: number;
  try {
    fd = openFile(path);
  } catch {
    return null;
  }
  try {
    const state = statOpen(fd);
    if (!state.isFile || state.info.size !== size) return null;
    const bytes = new Uint8Array(size);
    let length = 0;
    for (let n; length < size && (n = readSync(fd, bytes, length, size - length, null)) > 0;) length += n;
    return length === size ? bytes : null;
  } catch (error) {
    throw ioFailed(path, error);
  } finally {
    closeSync(fd);
  }
}
