import type { HoldOptions, Store, Version } from "../store.ts";
import { addVersion, type Author } from "../log/change.ts";
import type { Sha256 } from "../../vocabulary/digest.ts";
import { Failure } from "../../vocabulary/failure.ts";
import type { VersionName } from "../names.ts";

/** A workspace all of whose bytes are in the store; what `folder/snapshot.ts` hands back. */
export interface Captured {
  readonly root: Sha256;
  manifest(): Sha256;
  readonly files: number;
  readonly bytes: number;
  /** Tree objects the store does not have yet. */
  readonly trees: Iterable<readonly [Sha256, Uint8Array]>;
}

/** Those of some trees that the store does not have with all they refer to. */
export type UnknownTrees = (digests: Iterable<Sha256>) => ReadonlySet<Sha256>;

export type Capture<T extends Captured> = (unknownTrees: UnknownTrees) => Promise<T>;

export function unknownTreesOf(store: Store): UnknownTrees {
  return (digests) =>
    store.records.read((rows) => new Set(Iterator.from(digests).filter((digest) => !rows.hasTree(digest))));
}

/**
 * Makes the next version of an artifact from what `capture` puts into the store. Until both are there, nobody removes
 * blobs.
 * @returns `changed` false, and the newest version, when the workspace is equal to it
 */
export async function createVersion<T extends Captured>(
  store: Store,
  by: Author,
  artifact: string,
  message: string,
  capture: Capture<T>,
  options: HoldOptions,
): Promise<{ readonly version: Version; readonly changed: boolean; readonly captured: T }> {
  return await store.keeper.shared(async () => {
    const captured = await capture(unknownTreesOf(store));
    const { root, files, bytes, trees } = captured;
    const latest = store.records.read((rows) => rows.latest(artifact));
    if (latest?.root === root) return { version: latest, changed: false, captured };
    const manifest = captured.manifest();
    const added = store.records.write((rows) =>
      addVersion(rows, by, { artifact, root, manifest, files, bytes, message, restores: null, trees })
    );
    return { ...added, captured };
  }, options);
}

/** A new version equal to an old one; history stays as it is. */
export function rollBack(
  store: Store,
  by: Author,
  name: VersionName,
  message: string,
): { readonly version: Version; readonly changed: boolean } {
  return store.records.write((rows) => {
    const old = requireVersion(rows, name);
    const { artifact, root, manifest, files, bytes, number } = old;
    return addVersion(rows, by, {
      ...{ artifact, root, manifest, files, bytes, message, trees: [] },
      restores: number,
    });
  });
}

/**
 * The version that a call names; without a number, the newest.
 * @throws Failure `artifact_unknown`, `version_unknown` (usage)
 */
export function requireVersion(
  rows: { version(a: string, n: number): Version | null; latest(a: string): Version | null },
  { artifact, number }: VersionName,
): Version {
  const latest = rows.latest(artifact);
  if (latest === null) {
    throw new Failure("usage", "artifact_unknown", `there is no artifact ${artifact}`, {
      hint: `pp artifact list shows those there are; pp artifact create ${artifact} makes it`,
    });
  }
  const version = number === null ? latest : rows.version(artifact, number);
  if (version !== null) return version;
  throw new Failure("usage", "version_unknown", `there is no ${artifact}@${number}`, {
    hint:
      `pp artifact versions ${artifact} shows those there are; the newest is ${artifact}@${latest.number}`,
  });
}
