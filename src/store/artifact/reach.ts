import type { Sha256 } from "../../vocabulary/digest.ts";
import { Failure } from "../../vocabulary/failure.ts";
import type { RevisionHead } from "../proposals.ts";
import type { Rows, Version } from "../store.ts";
import { readTree, type TreeEntry } from "./tree.ts";

/** What has trees and blobs that must stay: a version, a revision of a proposal, an operation, a conflict. */
export interface Holder {
  readonly version?: Version;
  readonly revision?: Pick<RevisionHead, "proposal" | "number">;
  readonly operation?: number;
  /** Each with what it is called; empty of a version. */
  readonly roots: readonly { readonly digest: Sha256; readonly as: string }[];
  /** Of its own, beside those in its trees. */
  readonly blobs: readonly { readonly digest: Sha256; readonly size: number; readonly as: string }[];
}

/** Everything that keeps trees and blobs: versions, revisions, operations that are under way, backups and conflicts. */
export function holders(rows: Rows): readonly Holder[] {
  const found: Holder[] = rows.versions().map((version) => ({
    version,
    roots: [{ digest: version.root, as: "" }],
    blobs: [],
  }));
  for (const revision of rows.allRevisions()) {
    found.push({
      revision,
      roots: [{ digest: revision.baseRoot, as: "base/" }, { digest: revision.resultRoot, as: "result/" }],
      blobs: [{ digest: revision.patch, size: revision.patchBytes, as: "its patch" }],
    });
  }
  for (const { number, afterRoot } of rows.operations({ state: "applying" })) {
    found.push({ operation: number, roots: [{ digest: afterRoot, as: "after/" }], blobs: [] });
  }
  for (const { operation, path, ...blob } of rows.operationBlobs()) {
    found.push({ operation, roots: [], blobs: [{ ...blob, as: path }] });
  }
  for (const state of ["open", "resolved"] as const) {
    for (const { proposal, revision, path, base, ours, theirs, result } of rows.conflicts({ state })) {
      const sides = [base, ours, theirs, result].filter((side) => side !== null);
      const blobs = sides.map(({ sha256, size }) => ({ digest: sha256, size, as: `a conflict at ${path}` }));
      found.push({ revision: { proposal, number: revision }, roots: [], blobs });
    }
  }
  return found;
}

/** What versions, proposals and operations refer to. */
export interface Reached {
  readonly trees: ReadonlySet<Sha256>;
  readonly blobs: ReadonlyMap<Sha256, number>;
  /** Trees that are missing or cannot be read, and why. */
  readonly badTrees: ReadonlyMap<Sha256, string>;
  /** Of each sound tree its entries. */
  readonly entries: ReadonlyMap<Sha256, readonly TreeEntry[]>;
}

/** Follows holders to all the trees and blobs that must stay. */
export function reach(rows: Rows, holders: readonly Holder[]): Reached {
  const entries = new Map<Sha256, readonly TreeEntry[]>();
  const blobs = new Map(holders.flatMap((holder) => holder.blobs).map(({ digest, size }) => [digest, size]));
  const badTrees = new Map<Sha256, string>();
  const todo = [...new Set(holders.flatMap(({ roots }) => roots.map(({ digest }) => digest)))];
  const trees = new Set(todo);
  for (let digest = todo.pop(); digest !== undefined; digest = todo.pop()) {
    const body = rows.tree(digest);
    if (body === null) {
      badTrees.set(digest, "missing");
      continue;
    }
    try {
      const read = readTree(digest, body);
      entries.set(digest, read);
      for (const { mode, sha256, size } of read) {
        if (mode.startsWith("100")) blobs.set(sha256, size);
        if (mode !== "040000" || trees.has(sha256)) continue;
        trees.add(sha256);
        todo.push(sha256);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      badTrees.set(digest, error.message);
    }
  }
  return { trees, blobs, badTrees, entries };
}

/** Something the store should hold and does not, or not as it should. */
export interface Damage {
  readonly what: "blob" | "tree";
  readonly digest: Sha256;
  readonly problem: "missing" | "corrupt";
  /** Bytes; null of a tree. */
  readonly size: number | null;
  /** Every version it is part of, with a path it has there. */
  readonly hits: readonly { readonly artifact: string; readonly number: number; readonly path: string }[];
  /** Every revision of a proposal it is part of: in its base, its result, or as its patch. */
  readonly proposals: readonly ProposalHit[];
  /** Every operation that needs it to be finished or taken back. */
  readonly operations: readonly { readonly operation: number; readonly path: string }[];
}

interface ProposalHit {
  readonly proposal: number;
  readonly revision: number;
  /** `base/…`, `result/…`, `its patch` or `a conflict at …`. */
  readonly path: string;
}

/** What a damage hits: each tree is looked into once. */
export function hitsOf(
  bad: ReadonlyMap<Sha256, Omit<Damage, "hits" | "proposals" | "operations">>,
  held: readonly Holder[],
  { entries }: Reached,
): Damage[] {
  const below = new Map<Sha256, ReadonlyMap<Sha256, string>>();
  const look = (tree: Sha256): ReadonlyMap<Sha256, string> => {
    const known = below.get(tree);
    if (known !== undefined) return known;
    const found = new Map<Sha256, string>();
    if (bad.has(tree)) found.set(tree, "");
    for (const { mode, sha256, name } of entries.get(tree) ?? []) {
      if (mode.startsWith("100") && bad.has(sha256)) found.set(sha256, name);
      if (mode !== "040000") continue;
      for (const [digest, path] of look(sha256)) {
        found.set(digest, path === "" ? `${name}/` : `${name}/${path}`);
      }
    }
    below.set(tree, found);
    return found;
  };
  const hits = new Map([...bad.keys()].map((digest) => [digest, {
    hits: [] as Damage["hits"][number][],
    proposals: [] as ProposalHit[],
    operations: [] as Damage["operations"][number][],
  }]));
  for (const { version, revision, operation, roots, blobs } of bad.size === 0 ? [] : held) {
    const hit = (digest: Sha256, path: string) => {
      const found = hits.get(digest)!;
      if (version !== undefined) {
        found.hits.push({ artifact: version.artifact, number: version.number, path });
      } else if (operation !== undefined) found.operations.push({ operation, path });
      else found.proposals.push({ proposal: revision!.proposal, revision: revision!.number, path });
    };
    for (const { digest, as } of roots) for (const [part, path] of look(digest)) hit(part, `${as}${path}`);
    for (const { digest, as } of blobs) if (bad.has(digest)) hit(digest, as);
  }
  return [...bad.values()].map((damage) => ({ ...damage, ...hits.get(damage.digest)! }));
}
