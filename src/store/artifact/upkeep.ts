import { setImmediate } from "node:timers";
import type { Sha256 } from "../../vocabulary/digest.ts";
import { Failure, interrupted } from "../../vocabulary/failure.ts";
import { type Author, record, removeVersions } from "../log/change.ts";
import { type LogReport, verifyLog } from "../log/verify.ts";
import type { HoldOptions, Rows, Store, Version } from "../store.ts";
import { requireVersion } from "./create.ts";
import { type Damage, hitsOf, holders, reach } from "./reach.ts";

export type { Damage } from "./reach.ts";

export interface UpkeepOptions extends HoldOptions {
  readonly progress?: (done: number, of: number) => void;
}

const TURN_MS = 50;

/** Lets others have their turn now and then, and stops when asked to. */
class Turns {
  #last = performance.now();

  constructor(readonly options: UpkeepOptions, readonly of: number) {}

  async at(done: number): Promise<void> {
    if (performance.now() - this.#last < TURN_MS) return;
    this.options.progress?.(done, this.of);
    await new Promise((resume) => setImmediate(resume));
    if (this.options.signal?.aborted) throw interrupted(this.options.signal.reason);
    this.#last = performance.now();
  }
}

export interface Collected {
  readonly blobs: number;
  readonly bytes: number;
  readonly trees: number;
  /** What killed processes left half written. */
  readonly leftovers: number;
}

/**
 * Removes blobs and trees that nothing refers to, and what killed processes left. Alone in the store; rows go before the
 * blobs they referred to, so that whenever it is stopped nothing is missing.
 * @param dryRun only counts
 * @throws Failure `tree_corrupt` (malformed), nothing removed: what a damaged tree refers to cannot be told
 */
export async function collectGarbage(
  store: Store,
  by: Author,
  dryRun: boolean,
  options: UpkeepOptions,
): Promise<Collected> {
  return await store.keeper.alone(async () => {
    const { reached, unused } = store.records.read((rows) => {
      const reached = reach(rows, holders(rows));
      return { reached, unused: rows.treeDigests().filter((digest) => !reached.trees.has(digest)) };
    });
    if (reached.badTrees.size > 0) {
      throw new Failure("malformed", "tree_corrupt", "the store is damaged: nothing was removed", {
        hint: "pp artifact fsck says what is damaged",
      });
    }
    const garbage = [...store.blobs.list()].filter(({ digest }) => !reached.blobs.has(digest));
    const bytes = garbage.reduce((sum, { size }) => sum + size, 0);
    const counts = { blobs: garbage.length, bytes, trees: unused.length };
    if (dryRun) return { ...counts, leftovers: 0 };
    if (garbage.length + unused.length > 0) {
      store.records.write((rows) => {
        for (const digest of unused) rows.deleteTree(digest);
        record(rows, by, "garbage_collected", counts);
      });
    }
    const turns = new Turns(options, garbage.length);
    for (const [i, { digest }] of garbage.entries()) {
      store.blobs.remove(digest);
      await turns.at(i);
    }
    return { ...counts, leftovers: store.keeper.sweep().files };
  }, options);
}

/** Which old versions go. */
export type PruneRule =
  | { readonly kind: "keep"; readonly newest: number }
  /** Made before a time. */
  | { readonly kind: "before"; readonly time: Date };

/**
 * Removes old versions of one artifact or, with null, of all; the newest always stays. Their bytes go with the next
 * `collectGarbage`.
 * @returns what was, or with `dryRun` would be, removed
 * @throws Failure `artifact_unknown`
 */
export function pruneVersions(
  store: Store,
  by: Author,
  artifact: string | null,
  rule: PruneRule,
  dryRun: boolean,
): readonly Version[] {
  const chosen = (rows: Rows): readonly Version[] => {
    if (artifact !== null) requireVersion(rows, { artifact, number: null });
    const names = artifact === null ? rows.artifacts().map((a) => a.artifact.name) : [artifact];
    return names.flatMap((name) => {
      const [, ...older] = rows.versions(name);
      return rule.kind === "keep"
        ? older.slice(Math.max(0, rule.newest - 1))
        : older.filter(({ createdAt }) => createdAt < rule.time.toISOString());
    });
  };
  if (dryRun) return store.records.read(chosen);
  return store.records.write((rows) => {
    const gone = chosen(rows);
    const said = rule.kind === "keep" ? `keep ${rule.newest}` : `older than ${rule.time.toISOString()}`;
    for (const name of new Set(gone.map((version) => version.artifact))) {
      const numbers = gone.filter((version) => version.artifact === name).map(({ number }) => number);
      removeVersions(rows, by, name, numbers.sort((a, b) => a - b), said);
    }
    return gone;
  });
}

export interface Health {
  readonly versions: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly damages: readonly Damage[];
  /** What the database says of itself. */
  readonly database: readonly string[];
  readonly log: LogReport;
  /** What lies among the blobs and is none. */
  readonly strangers: readonly string[];
  /** Blobs nothing refers to; `collectGarbage` removes them. */
  readonly unused: number;
}

/** Looks at everything: the database, each tree, the log, and every byte of every blob that is referred to. */
export async function examine(store: Store, options: UpkeepOptions): Promise<Health> {
  return await store.keeper.shared(async () => {
    const database = store.records.check();
    const { held, reached, log } = store.records.read((rows) => {
      const held = holders(rows);
      return {
        held,
        reached: reach(rows, held),
        log: verifyLog(rows, store.records.storeId),
      };
    });
    const bad = new Map<Sha256, Omit<Damage, "hits" | "proposals" | "operations">>();
    for (const [digest, why] of reached.badTrees) {
      bad.set(digest, {
        what: "tree",
        digest,
        problem: why === "missing" ? "missing" : "corrupt",
        size: null,
      });
    }
    const turns = new Turns(options, reached.blobs.size);
    let done = 0, bytes = 0;
    for (const [digest, size] of reached.blobs) {
      const problem = blobProblem(store, digest, size);
      if (problem !== null) bad.set(digest, { what: "blob", digest, problem, size });
      bytes += size;
      await turns.at(++done);
    }
    let unused = 0;
    for (const { digest } of store.blobs.list()) if (!reached.blobs.has(digest)) unused++;
    return {
      versions: held.filter(({ version }) => version !== undefined).length,
      blobs: reached.blobs.size,
      bytes,
      damages: hitsOf(bad, held, reached),
      database,
      log,
      strangers: store.blobs.strangers(),
      unused,
    };
  }, options);
}

function blobProblem(store: Store, digest: Sha256, size: number): Damage["problem"] | null {
  try {
    let read = 0;
    for (const chunk of store.blobs.chunks(digest)) read += chunk.length;
    return read === size ? null : "corrupt";
  } catch (error) {
    if (error instanceof Failure && error.code === "blob_missing") return "missing";
    // What this user may not read is no damage, and is not put aside.
    if (error instanceof Failure && error.kind === "denied") throw error;
    if (error instanceof Failure || (error as { code?: unknown }).code !== undefined) return "corrupt";
    throw error;
  }
}

export interface Repaired {
  readonly restored: readonly Sha256[];
  /** Where corrupt blobs were put. */
  readonly quarantined: readonly string[];
  /** What could not be restored. */
  readonly left: readonly Damage[];
}

/** Gives the bytes of a file of some size with some digest; null when it has none such. */
export type Source = (digest: Sha256, size: number) => Iterable<Uint8Array> | null;

/**
 * Puts corrupt blobs aside and restores what a source has. What cannot be restored stays reported by `examine`.
 * @param source null when there is nothing to restore from
 */
export async function repair(
  store: Store,
  by: Author,
  damages: readonly Damage[],
  source: Source | null,
  options: UpkeepOptions,
): Promise<Repaired> {
  return await store.keeper.alone(async () => {
    const restored: Sha256[] = [], quarantined: string[] = [], left: Damage[] = [];
    const turns = new Turns(options, damages.length);
    const writer = store.blobs.writer();
    try {
      for (const [i, damage] of damages.entries()) {
        const { what, digest, size } = damage;
        // Looked at again: somebody may have restored it meanwhile.
        const problem = what === "blob" ? blobProblem(store, digest, size!) : damage.problem;
        if (problem === "corrupt" && what === "blob") {
          const where = store.blobs.quarantine(digest);
          if (where !== null) quarantined.push(where);
        }
        const bytes = problem === null || what === "tree" ? null : source?.(digest, size!) ?? null;
        if (bytes !== null && writer.putChunks(bytes) === digest) restored.push(digest);
        else if (problem !== null) left.push(damage);
        await turns.at(i);
      }
      writer.flush();
    } finally {
      writer.discard();
    }
    if (restored.length + quarantined.length > 0) {
      store.records.write((rows) =>
        record(rows, by, "blobs_repaired", { restored, quarantined: quarantined.length, left: left.length })
      );
    }
    return { restored, quarantined, left };
  }, options);
}
