import type { FileLookup } from "../patch/apply.ts";
import { fileLookup } from "../patch/file_lookup.ts";
import type { Policy } from "../policy/policy.ts";
import { type Protection, protectionOf } from "../policy/protected.ts";
import { entriesByPath } from "../vocabulary/entry_table.ts";
import type { ManifestEntries, ManifestEntry } from "../vocabulary/manifest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { parseRelativePath } from "../vocabulary/path.ts";
import type { Workspace } from "../workspace/workspace.ts";

/** Larger files are not patched: no reviewer reads such a diff. */
export const MAX_PATCHED_FILE_BYTES = 16 * 1024 * 1024;

/** The base as a patch sees it: the manifest, and the bytes of those files that were asked for. */
export class BaseFiles {
  readonly entries: ReadonlyMap<string, ManifestEntry>;
  /** How the patch room looks at the base; only loaded files have bytes. */
  readonly lookup: FileLookup;
  #bytes = new Map<string, Uint8Array>();
  #protections = new Map<Policy, (path: string) => Protection | null>();

  constructor(
    private readonly workspace: Pick<Workspace, "read" | "ignores">,
    entries: ManifestEntries,
  ) {
    this.entries = entriesByPath(entries);
    this.lookup = fileLookup(this.entries, this.read);
  }

  /**
   * Loads the regular files among the paths; links, directories and absent paths are passed over.
   * @returns a refusal when one is too large to be patched, or null
   * @throws Failure `workspace_changed` when a file is no longer what the sandbox was given
   */
  async load(paths: readonly string[]): Promise<Refusal | null> {
    for (const path of paths) {
      const entry = this.entries.get(path);
      if (entry === undefined || !entry.mode.startsWith("100") || this.#bytes.has(path)) continue;
      if (entry.size > MAX_PATCHED_FILE_BYTES) {
        const detail = `files over ${MAX_PATCHED_FILE_BYTES / 2 ** 20} MiB cannot be patched`;
        return { reason: "file_too_large", path, detail };
      }
      const parsed = parseRelativePath(path);
      if (!parsed.ok) continue;
      this.#bytes.set(path, await this.workspace.read(parsed.path, MAX_PATCHED_FILE_BYTES));
    }
    return null;
  }

  /** Whether nobody who proves something about this base looks at a path. */
  ignores(path: string): boolean {
    return this.workspace.ignores(path);
  }

  /** Bytes of a loaded file. */
  readonly read = (path: string): Uint8Array | undefined => this.#bytes.get(path);

  /** What a policy protects in this base, links included; made once for each policy. */
  protectionUnder(policy: Policy): (path: string) => Protection | null {
    let made = this.#protections.get(policy);
    if (made === undefined) {
      const links = new Map(
        [...this.entries.values()].flatMap(({ path, target }) =>
          target === undefined ? [] : [[path, target] as const]
        ),
      );
      made = protectionOf(policy, links);
      this.#protections.set(policy, made);
    }
    return made;
  }

  /** Loads one file for context, or null when it is no regular file of a size a person would read. */
  async contextFile(path: string, maxBytes = 1024 * 1024): Promise<Uint8Array | null> {
    const entry = this.entries.get(path);
    if (entry === undefined || !entry.mode.startsWith("100") || entry.size > maxBytes) return null;
    await this.load([path]);
    return this.read(path) ?? null;
  }
}
