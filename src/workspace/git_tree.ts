import { makeManifest, type ManifestEntry } from "../vocabulary/manifest.ts";
import { comparePaths } from "../vocabulary/path.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { GitTree, Told, TreeContents, TreeEntry, TreeMode } from "./history.ts";
import { IGNORE_FILE, ignoreRules, isLeftOut, MAX_IGNORE_FILE_BYTES } from "./ignore.ts";
import { MAX_ENTRIES } from "./walk.ts";

/** What a tree needs to know of a blob. */
export interface BlobDigest {
  readonly size: number;
  readonly sha256: string;
  /** The bytes of a link's blob, where they are few enough for a link. */
  readonly target: Uint8Array | null;
}

const MODES: ReadonlySet<string> = new Set(["100644", "100755", "120000", "040000", "160000"]);
const KINDS: Readonly<Record<string, string>> = { "040000": "tree", "160000": "commit" };
const NOTHING = sha256("");

/**
 * Reads what `git ls-tree -r -t -z` prints. Trees that git would never write are refused: a name twice, a name that is
 * `.`, `..` or some spelling of `.git`, a name with a slash in it.
 */
export function parseTree(listing: Uint8Array, commit: string, id: string): Told<GitTree> {
  const no = (reason: string, detail: string) => ({ ok: false, refusal: { reason, detail } }) as const;
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const found: TreeEntry[] = [];
  for (let from = 0; from < listing.length;) {
    const end = listing.indexOf(0, from);
    if (end < 0) return no("tree_malformed", "git's list of a tree is cut");
    const line = listing.subarray(from, end);
    from = end + 1;
    const tab = line.indexOf(0x09);
    const head = /^(\d{6}) ([a-z]+) ([0-9a-f]{40}|[0-9a-f]{64})$/.exec(latin1(line.subarray(0, tab)));
    let path: string;
    try {
      path = utf8.decode(line.subarray(tab + 1));
    } catch {
      return no(
        "name_not_utf8",
        `a name is not valid UTF-8: ${printablePath(latin1(line.subarray(tab + 1)))}`,
      );
    }
    const [, mode = "", kind = "", entryId = ""] = head ?? [];
    if (head === null || !MODES.has(mode) || kind !== (KINDS[mode] ?? "blob")) {
      return no("tree_malformed", `${printablePath(path)} is of a kind that no tree has`);
    }
    found.push({ path, mode: mode as TreeMode, id: entryId });
    if (found.length > MAX_ENTRIES) return no("tree_too_large", `a tree of more than ${MAX_ENTRIES} entries`);
  }
  const entries = new Map<string, TreeEntry>();
  for (const entry of found.sort((a, b) => comparePaths(a.path, b.path))) {
    const { path } = entry;
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    if (entries.has(path)) return no("tree_malformed", `${printablePath(path)} is there twice`);
    if (slash >= 0 && entries.get(path.slice(0, slash))?.mode !== "040000") {
      return no("tree_malformed", `${printablePath(path)} lies in no directory`);
    }
    if (name === "" || name === "." || name === ".." || /^\.git$/i.test(name)) {
      return no("tree_malformed", `${printablePath(path)} is a name that no tree has`);
    }
    entries.set(path, entry);
  }
  return { ok: true, value: { commit, id, entries } };
}

/**
 * A tree as the workspace that a fresh checkout of it is: the same rules about what is ignored, directories of their
 * own, submodules as the empty directories they are until somebody fills them.
 * @param ignoreFile bytes of `.ppignore`; null when the tree has none
 */
export function contentsOf(
  tree: GitTree,
  digests: ReadonlyMap<string, BlobDigest>,
  ignoreFile: Uint8Array | null,
): Told<TreeContents> {
  const no = (detail: string) =>
    ({ ok: false, refusal: { reason: "ignore_file_malformed", path: IGNORE_FILE, detail } }) as const;
  const own = tree.entries.get(IGNORE_FILE);
  if (own !== undefined && !own.mode.startsWith("100")) return no(`${IGNORE_FILE} is not a regular file`);
  if (ignoreFile !== null && ignoreFile.length > MAX_IGNORE_FILE_BYTES) {
    return no(`${IGNORE_FILE} is larger than ${MAX_IGNORE_FILE_BYTES} bytes`);
  }
  const rules = rulesOf(ignoreFile);
  if (typeof rules === "string") return no(rules);
  const ignored = new Set<string>();
  const all: ManifestEntry[] = [];
  const sent: ManifestEntry[] = [];
  for (const { path, mode, id } of tree.entries.values()) {
    const entry = entryOf(path, mode, mode === "040000" || mode === "160000" ? null : digests.get(id)!);
    all.push(entry);
    const slash = path.lastIndexOf("/");
    const skipped = (slash >= 0 && ignored.has(path.slice(0, slash))) ||
      rules.ignores(path, path.slice(slash + 1), entry.mode === "040000");
    if (skipped) ignored.add(path);
    else sent.push(entry);
  }
  return {
    ok: true,
    value: { manifest: makeManifest(sent), all, ignores: (path) => isLeftOut(rules, path) },
  };
}

function entryOf(path: string, mode: TreeMode, blob: BlobDigest | null): ManifestEntry {
  if (blob === null || mode === "160000" || mode === "040000") {
    return { path, mode: "040000", size: 0, sha256: NOTHING };
  }
  const { size, sha256, target } = blob;
  if (mode !== "120000" || target === null) return { path, mode, size, sha256 };
  return { path, mode, size, sha256, target: new TextDecoder().decode(target) };
}

function rulesOf(ignoreFile: Uint8Array | null): ReturnType<typeof ignoreRules> | string {
  try {
    return ignoreRules(ignoreFile === null ? null : new TextDecoder().decode(ignoreFile), new Set());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `${error.message}: ${error.details[0] ?? ""}`;
  }
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
