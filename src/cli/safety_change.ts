import { join, resolve } from "node:path";
import { applyPatch } from "../patch/apply.ts";
import { byteString } from "../patch/bytes.ts";
import { diffFiles } from "../patch/diff.ts";
import { parsePatch } from "../patch/parse.ts";
import { patchStats } from "../patch/stats.ts";
import { BaseFiles } from "../prove/base_files.ts";
import { readOver } from "../prove/read_over.ts";
import type { Tree } from "../safety/check.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { FileMode, ManifestEntry } from "../vocabulary/manifest.ts";
import type { ByteString, FilePatch, Patch, Refusal } from "../vocabulary/patch.ts";
import { parseRelativePath, type RelativePath } from "../vocabulary/path.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { readBoundedFile, readFileOrStdin } from "./bounded_file.ts";
import { readBundleAt } from "./bundle_input.ts";
import { wireWorkspace } from "./wire/store.ts";

const MAX_FILE = 64 << 20;
const MAX_PATCH = 16 << 20;

/** Folders and files as one tree; names as the caller gave them. */
export async function treeOf(paths: readonly string[]): Promise<Tree> {
  const entries = new Map<string, ManifestEntry>();
  const readers = new Map<string, () => Promise<Uint8Array>>();
  for (const given of paths) {
    const shown = join(given).replace(/\/+$/, "");
    const info = await Deno.stat(given).catch((cause) => {
      throw new Failure("usage", "path_missing", `there is no file or folder ${printablePath(given)}`, {
        hint: "name what is to be looked at, or nothing for this folder",
        cause,
      });
    });
    if (!info.isDirectory) {
      const { bytes } = await readBoundedFile(given, MAX_FILE, "file");
      entries.set(shown, { path: shown, mode: "100644", size: bytes.length, sha256: sha256(bytes) });
      readers.set(shown, () => Promise.resolve(bytes));
      continue;
    }
    const workspace = await wireWorkspace(given);
    for (const entry of (await workspace.manifest()).entries) {
      const path = shown === "." ? entry.path : `${shown}/${entry.path}`;
      entries.set(path, { ...entry, path });
      readers.set(path, () => readFrom(workspace, entry.path));
    }
  }
  const roots = paths.map((given) => join(given).replace(/\/+$/, ""));
  return {
    entries: [...entries.values()],
    ...(roots.includes(".") ? {} : { roots }),
    read: (path) => readers.get(path)!(),
  };
}

async function readFrom(workspace: Workspace, path: string): Promise<Uint8Array> {
  const parsed = parseRelativePath(path);
  if (parsed.ok) return await workspace.read(parsed.path, MAX_FILE);
  // Names a patch could not have; there is nothing to read under them by this way.
  return await Deno.readFile(`${workspace.root}/${path}`);
}

/** What is looked at: both sides of a change. */
export interface Change {
  readonly base: Tree;
  readonly result: Tree;
  readonly renames: ReadonlyMap<string, string>;
  readonly lines: { readonly files: number; readonly additions: number; readonly deletions: number };
  /** Whether the folder is the base that a bundle records; null where there is no bundle. */
  readonly recordedBase: boolean | null;
}

/**
 * The change that a call names, by exactly one of a bundle, a patch and a folder as it was before.
 * @param root the folder it is of
 * @param quiet nothing is said on the terminal
 */
export async function changeAsked(
  { bundle, patch, base }: Readonly<Record<"bundle" | "patch" | "base", string | undefined>>,
  root: string,
  quiet: boolean,
): Promise<Change> {
  const given = [bundle, patch, base].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new Failure(
      "usage",
      given.length === 0 ? "change_missing" : "change_twice",
      given.length === 0 ? "there is no change to look at" : "there is more than one change to look at",
      { hint: "name exactly one of --patch FILE, --base DIR and a BUNDLE" },
    );
  }
  if (base !== undefined) return await changeBetween(base, root);
  return patch === undefined
    ? await changeByPatch(root, { kind: "exact", ...await finalPatchOf(bundle!, quiet) }, undefined)
    : await changeByPatch(root, {
      kind: "proposal",
      text: byteString(await readFileOrStdin(patch, MAX_PATCH, "patch")),
    }, patch);
}

/** Two folders. */
async function changeBetween(before: string, after: string): Promise<Change> {
  const [base, result] = [await folderTree(before), await folderTree(after)];
  const [old, now] = [base, result].map(({ entries }) =>
    new Map(entries.filter(({ mode }) => mode.startsWith("100")).map((entry) => [entry.path, entry]))
  ) as [Map<string, ManifestEntry>, Map<string, ManifestEntry>];
  const pairs = [];
  for (const path of new Set([...old.keys(), ...now.keys()])) {
    const [a, b] = [old.get(path), now.get(path)];
    if (a?.sha256 === b?.sha256) continue;
    const state = async (tree: Tree, entry: ManifestEntry | undefined) =>
      entry === undefined ? null : { mode: entry.mode as FileMode, bytes: await tree.read(path) };
    const [was, is] = [await state(base, a), await state(result, b)];
    // Only lines are counted: a name that a patch could not have counts too.
    const name = path as RelativePath;
    pairs.push({ oldPath: was && name, old: was, newPath: is && name, new: is });
  }
  return { base, result, renames: new Map(), lines: patchStats(diffFiles(pairs)), recordedBase: null };
}

async function folderTree(folder: string): Promise<Tree & { readonly entries: readonly ManifestEntry[] }> {
  const workspace = await wireWorkspace(folder);
  const entries = [...(await workspace.manifest()).entries];
  return { entries, read: (path) => readFrom(workspace, path) };
}

type GivenPatch =
  /** As people and models write them. */
  | { readonly kind: "proposal"; readonly text: ByteString }
  /** As a bundle has it. */
  | { readonly kind: "exact"; readonly text: ByteString; readonly baseTree: string };

/** A folder and a patch over it; nothing is written. */
async function changeByPatch(root: string, given: GivenPatch, stranger: string | undefined): Promise<Change> {
  const workspace = await wireWorkspace(
    root,
    stranger === undefined || stranger === "-" ? [] : [resolve(stranger)],
  );
  const manifest = await workspace.manifest();
  const entries = [...manifest.entries];
  const files = new BaseFiles(workspace, manifest.entries);
  const patch = await patchOver(files, given);
  const applied = applyPatch(patch, files.lookup);
  if (!applied.ok) throw refused(applied.refusal, given.kind);
  const changes = new Map<string, FileChange>(applied.changes.map((change) => [change.path, change]));
  const kept = entries.filter(({ path }) => !changes.has(path));
  const written = [...changes.values()].flatMap((change): ManifestEntry[] =>
    change.kind === "delete"
      ? []
      : [{ path: change.path, mode: change.mode, size: change.bytes.length, sha256: sha256(change.bytes) }]
  );
  return {
    base: { entries, read: (path) => readFrom(workspace, path) },
    result: {
      entries: [...kept, ...written],
      read: (path) => {
        const change = changes.get(path);
        return change?.kind === "write" ? Promise.resolve(change.bytes) : readFrom(workspace, path);
      },
    },
    renames: new Map(patch.files.filter(isRename).map(({ oldPath, newPath }) => [oldPath!, newPath!])),
    lines: patchStats(patch),
    recordedBase: given.kind === "exact" ? given.baseTree === manifest.digest : null,
  };
}

async function patchOver(files: BaseFiles, { kind, text }: GivenPatch): Promise<Patch> {
  if (kind === "exact") {
    const parsed = parsePatch(text);
    if (!parsed.ok) throw refused(parsed.refusal, kind);
    const tooLarge = await files.load(parsed.patch.files.flatMap(({ oldPath }) => oldPath ?? []));
    if (tooLarge !== null) throw refused(tooLarge, kind);
    return parsed.patch;
  }
  const resolved = await readOver(text, files);
  if (!resolved.ok) throw refused(resolved.refusal, kind);
  return resolved.patch;
}

function isRename({ oldPath, newPath }: FilePatch): boolean {
  return oldPath !== null && newPath !== null && oldPath !== newPath;
}

function refused({ reason, detail }: Refusal, kind: GivenPatch["kind"]): Failure {
  const message = `the patch does not apply: ${reason}: ${printableLine(detail)}`;
  const hint = kind === "exact"
    ? "name the checkout that the bundle was made from with --cwd"
    : "name the folder that the patch is for with --cwd";
  return new Failure("malformed", "patch_refused", message, { hint });
}

async function finalPatchOf(path: string, quiet: boolean) {
  const { finalPatch, repro } = await readBundleAt(path, quiet);
  if (finalPatch !== null) return { text: finalPatch, baseTree: repro.base_tree };
  throw new Failure(
    "malformed",
    "bundle_without_proof",
    `${printablePath(path)} proves nothing: it has no patch`,
    {
      hint: "only a bundle of a proof has a patch to look at",
    },
  );
}
