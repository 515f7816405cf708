import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Sha256 } from "../../vocabulary/digest.ts";
import { Failure } from "../../vocabulary/failure.ts";
import type { EntryMode, ManifestEntry } from "../../vocabulary/manifest.ts";
import { comparePaths } from "../../vocabulary/path.ts";

/** Digest of the tree of an empty directory. */
export const EMPTY_TREE = createHash("sha256").digest("hex");
const EMPTY = EMPTY_TREE;
/** As deep as a workspace is walked. */
const MAX_DEPTH = 256;
const LINE = /^(100644|100755|120000|040000) (0|[1-9]\d{0,15}) ([0-9a-f]{64}) /;
const MAX_NAME_BYTES = 255;
const MAX_TARGET_BYTES = 4_096;

/** One name in a directory. A directory's digest is that of its tree, its size 0; a link's bytes are its target. */
export interface TreeEntry {
  readonly mode: EntryMode;
  readonly size: number;
  readonly sha256: Sha256;
  readonly name: string;
  /** Links only. */
  readonly target?: string;
}

export interface BuiltTrees {
  readonly root: Sha256;
  /** Every tree object by its digest, with the path of a directory that has it. */
  readonly trees: ReadonlyMap<Sha256, { readonly body: Uint8Array; readonly path: string }>;
  /** Of every directory, by its path; the root is "". */
  readonly digests: ReadonlyMap<string, Sha256>;
}

const NOTHING_SETTLED: ReadonlyMap<string, Sha256> = new Map();

/**
 * One tree object for each directory: `mode SP size SP sha256 SP name NUL` for each name in byte order, and
 * `target NUL` after that of a link. Its SHA-256 is its name, so equal directories are stored once and a version
 * with one changed file costs the trees on the way to it.
 * @param entries of a manifest, sorted by `comparePaths`, each directory of a path among them
 * @param settled directories whose trees are known already, with all directories in them; they are not built again
 */
export function buildTrees(
  entries: readonly ManifestEntry[],
  settled: ReadonlyMap<string, Sha256> = NOTHING_SETTLED,
): BuiltTrees {
  const trees = new Map<Sha256, { body: Uint8Array; path: string }>();
  const names = new Map<string, ManifestEntry[]>([["", []]]);
  for (const entry of entries) {
    if (entry.mode === "040000" && !settled.has(entry.path)) names.set(entry.path, []);
  }
  for (const entry of entries) {
    const slash = entry.path.lastIndexOf("/");
    const parent = slash < 0 ? "" : entry.path.slice(0, slash);
    const directory = names.get(parent);
    if (directory !== undefined) directory.push(entry);
    else if (!settled.has(parent)) throw new TypeError("an entry without its directory");
  }
  const digests = new Map<string, Sha256>(settled);
  // Deeper ones first: a directory sorts before what is in it.
  for (const path of [...names.keys()].sort(comparePaths).reverse()) {
    const skip = path === "" ? 0 : path.length + 1;
    const lines = names.get(path)!.map((entry) => {
      const sha256 = entry.mode === "040000" ? digests.get(entry.path)! : entry.sha256;
      return treeLine(entry.mode, entry.size, sha256, entry.path.slice(skip), entry.target);
    });
    const body = Buffer.from(lines.join(""));
    const digest = createHash("sha256").update(body).digest("hex");
    digests.set(path, digest);
    if (!trees.has(digest)) trees.set(digest, { body, path });
  }
  return { root: digests.get("")!, trees, digests };
}

function treeLine(mode: EntryMode, size: number, sha256: Sha256, name: string, target?: string): string {
  return target === undefined
    ? `${mode} ${size} ${sha256} ${name}\0`
    : `${mode} ${size} ${sha256} ${name}\0${target}\0`;
}

/**
 * Reads a tree object, believing nothing: it must have its digest, be spelled as `buildTrees` spells it, and name
 * nothing that is not one name inside a directory. `.git` is never part of a version.
 * @throws Failure `tree_corrupt` (malformed)
 */
export function readTree(digest: Sha256, body: Uint8Array): TreeEntry[] {
  if (createHash("sha256").update(body).digest("hex") !== digest) {
    throw corrupt(digest, "its bytes have another digest");
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw corrupt(digest, "not valid UTF-8");
  }
  if (text === "") return [];
  if (!text.endsWith("\0")) throw corrupt(digest, "cut off");
  const parts = text.slice(0, -1).split("\0");
  const entries: TreeEntry[] = [];
  let last: string | null = null;
  for (let i = 0; i < parts.length; i++) {
    const line = LINE.exec(parts[i]!);
    if (line === null) throw corrupt(digest, "an entry cannot be read");
    const [head, mode, size, sha256] = line as unknown as [string, EntryMode, string, Sha256];
    const name = parts[i]!.slice(head.length);
    if (!isOneName(name)) throw corrupt(digest, "a name leads elsewhere");
    if (last !== null && comparePaths(last, name) >= 0) throw corrupt(digest, "names out of order");
    last = name;
    const entry = { mode, size: Number(size), sha256, name };
    if (!Number.isSafeInteger(entry.size)) throw corrupt(digest, "an impossible size");
    if (mode === "040000" && entry.size !== 0) throw corrupt(digest, "a directory with a size");
    if (mode !== "120000") {
      entries.push(entry);
      continue;
    }
    const target = parts[++i];
    if (target === undefined || target === "" || Buffer.byteLength(target) !== entry.size) {
      throw corrupt(digest, "a link without its target");
    }
    if (entry.size > MAX_TARGET_BYTES || createHash("sha256").update(target).digest("hex") !== sha256) {
      throw corrupt(digest, "a link with another target");
    }
    entries.push({ ...entry, target });
  }
  return entries;
}

function isOneName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && name !== ".git" && !name.includes("/") &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

function corrupt(digest: Sha256, why: string): Failure {
  return new Failure(
    "malformed",
    "tree_corrupt",
    `tree ${digest.slice(0, 12)} in the store is corrupt: ${why}`,
    {
      hint: "pp artifact fsck names the versions it is part of",
    },
  );
}

/** Where tree objects are read from. */
export type TreeSource = (digest: Sha256) => readonly TreeEntry[];

/**
 * A source over stored bodies that reads each tree once.
 * @throws Failure `tree_missing`, `tree_corrupt` when it is asked for one that is
 */
export function treeSource(body: (digest: Sha256) => Uint8Array | null): TreeSource {
  const read = new Map<Sha256, readonly TreeEntry[]>();
  return (digest) => {
    const known = read.get(digest);
    if (known !== undefined) return known;
    const bytes = body(digest);
    if (bytes === null) {
      throw new Failure("malformed", "tree_missing", `tree ${digest.slice(0, 12)} is not in the store`, {
        hint: "pp artifact fsck names the versions it is part of",
      });
    }
    const entries = readTree(digest, bytes);
    read.set(digest, entries);
    return entries;
  };
}

/** All entries below a root as a manifest has them, sorted by `comparePaths`. */
export function flatten(root: Sha256, trees: TreeSource): ManifestEntry[] {
  const entries: ManifestEntry[] = [];
  const visit = (digest: Sha256, prefix: string, depth: number) => {
    if (depth > MAX_DEPTH) throw corrupt(digest, "nested too deep");
    for (const { name, ...entry } of trees(digest)) {
      const path = prefix + name;
      if (entry.mode !== "040000") entries.push({ path, ...entry });
      else {
        entries.push({ path, mode: entry.mode, size: 0, sha256: EMPTY });
        visit(entry.sha256, `${path}/`, depth + 1);
      }
    }
  };
  visit(root, "", 1);
  return entries.sort((a, b) => comparePaths(a.path, b.path));
}

/** A path that is not the same in two versions; directories only where they have no counterpart. */
export interface ChangedEntry {
  readonly path: string;
  readonly before: Omit<TreeEntry, "name"> | null;
  readonly after: Omit<TreeEntry, "name"> | null;
}

/** What differs between two roots, sorted by path. Equal directories are not looked into. */
export function changedEntries(before: Sha256, after: Sha256, trees: TreeSource): ChangedEntry[] {
  const changed: ChangedEntry[] = [];
  const visit = (a: Sha256 | null, b: Sha256 | null, prefix: string, depth: number) => {
    if (a === b) return;
    if (depth > MAX_DEPTH) throw corrupt((a ?? b)!, "nested too deep");
    const olds = new Map((a === null ? [] : trees(a)).map((entry) => [entry.name, entry]));
    const news = new Map((b === null ? [] : trees(b)).map((entry) => [entry.name, entry]));
    for (const name of new Set([...olds.keys(), ...news.keys()])) {
      const path = prefix + name;
      const x = olds.get(name) ?? null, y = news.get(name) ?? null;
      if (x?.mode === y?.mode && x?.sha256 === y?.sha256) continue;
      const isTree = (entry: TreeEntry | null) => entry?.mode === "040000";
      if (!(isTree(x) && isTree(y))) changed.push({ path, before: x, after: y });
      if (isTree(x) || isTree(y)) {
        visit(isTree(x) ? x!.sha256 : null, isTree(y) ? y!.sha256 : null, `${path}/`, depth + 1);
      }
    }
  };
  visit(before, after, "", 1);
  return changed.sort((a, b) => comparePaths(a.path, b.path));
}
