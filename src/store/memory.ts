import { createHash, randomBytes } from "node:crypto";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import { record } from "./log/change.ts";
import {
  copiedOperations,
  emptyOperations,
  MemoryOperationRows,
  type OperationTables,
} from "./memory_operations.ts";
import { copiedProposals, emptyProposals, type ProposalTables } from "./memory_proposals.ts";
import type {
  Artifact,
  Blobs,
  BlobWriter,
  Keeper,
  LogEvent,
  Records,
  Store,
  Version,
  WritableRows,
} from "./store.ts";

interface Tables {
  artifacts: Map<string, Artifact>;
  versions: Map<string, Version>;
  trees: Map<Sha256, Uint8Array>;
  events: LogEvent[];
  proposed: ProposalTables;
  operated: OperationTables;
}

/** A store that is gone with the process, for tests. It keeps every promise of the ports but to last. */
export function memoryStore(author: { readonly actor: string; readonly now: Date }): Store {
  const records = new MemoryRecords();
  records.write((rows) => {
    record(rows, { storeId: records.storeId, ...author }, "store_created", { store: records.storeId });
  });
  return { records, blobs: new MemoryBlobs(), keeper: memoryKeeper(), close: () => {} };
}

class MemoryRecords implements Records {
  readonly storeId = randomBytes(16).toString("hex");
  #tables: Tables = {
    artifacts: new Map(),
    versions: new Map(),
    trees: new Map(),
    events: [],
    proposed: emptyProposals(),
    operated: emptyOperations(),
  };

  read<T>(work: (rows: WritableRows) => T): T {
    return work(new MemoryRows(this.#tables));
  }

  write<T>(work: (rows: WritableRows) => T): T {
    const { artifacts, versions, trees, events, proposed, operated } = this.#tables;
    const copy = {
      artifacts: new Map(artifacts),
      versions: new Map(versions),
      trees: new Map(trees),
      events: [...events],
      proposed: copiedProposals(proposed),
      operated: copiedOperations(operated),
    };
    const result = work(new MemoryRows(copy));
    this.#tables = copy;
    return result;
  }

  check(): readonly string[] {
    return [];
  }

  close(): void {}
}

class MemoryRows extends MemoryOperationRows implements WritableRows {
  constructor(readonly tables: Tables) {
    super(tables.proposed, tables.operated, {
      hasArtifact: (name) => tables.artifacts.has(name),
      hasTree: (digest) => tables.trees.has(digest),
    });
  }

  artifact(name: string) {
    return this.tables.artifacts.get(name) ?? null;
  }

  artifacts() {
    const names = [...this.tables.artifacts.keys()].sort();
    return names.map((name) => ({
      artifact: this.tables.artifacts.get(name)!,
      versions: this.versions(name).length,
      latest: this.latest(name),
    }));
  }

  version(artifact: string, number: number) {
    return this.tables.versions.get(`${artifact}@${number}`) ?? null;
  }

  latest(artifact: string) {
    return this.versions(artifact)[0] ?? null;
  }

  versions(artifact?: string) {
    return [...this.tables.versions.values()]
      .filter((version) => artifact === undefined || version.artifact === artifact)
      .sort((a, b) => a.artifact === b.artifact ? b.number - a.number : a.artifact < b.artifact ? -1 : 1);
  }

  hasTree(digest: Sha256) {
    return this.tables.trees.has(digest);
  }

  tree(digest: Sha256) {
    return this.tables.trees.get(digest) ?? null;
  }

  treeDigests() {
    return [...this.tables.trees.keys()];
  }

  event(sequence: number) {
    return this.tables.events[sequence - 1] ?? null;
  }

  lastEvent() {
    return this.tables.events.at(-1) ?? null;
  }

  events(after: number, limit: number) {
    return this.tables.events.slice(after, after + limit);
  }

  insertArtifact(artifact: Artifact) {
    if (this.tables.artifacts.has(artifact.name)) throw new Error("an artifact of that name is there");
    this.tables.artifacts.set(artifact.name, artifact);
  }

  setLastNumber(artifact: string, lastNumber: number) {
    this.tables.artifacts.set(artifact, { ...this.tables.artifacts.get(artifact)!, lastNumber });
  }

  insertVersion(version: Version) {
    const key = `${version.artifact}@${version.number}`;
    if (this.tables.versions.has(key)) throw new Error("a version of that number is there");
    if (!this.tables.artifacts.has(version.artifact)) throw new Error("a version without its artifact");
    if (!this.tables.trees.has(version.root)) throw new Error("a version without its tree");
    this.tables.versions.set(key, version);
  }

  deleteVersion(artifact: string, number: number) {
    this.tables.versions.delete(`${artifact}@${number}`);
  }

  insertTree(digest: Sha256, body: Uint8Array) {
    if (!this.tables.trees.has(digest)) this.tables.trees.set(digest, Uint8Array.from(body));
  }

  deleteTree(digest: Sha256) {
    if ([...this.tables.versions.values()].some(({ root }) => root === digest)) {
      throw new Error("a version has that tree");
    }
    if (
      [...this.tables.proposed.revisions.values()].some((r) => [r.baseRoot, r.resultRoot].includes(digest))
    ) {
      throw new Error("a revision has that tree");
    }
    this.tables.trees.delete(digest);
  }

  insertEvent(event: LogEvent) {
    if (event.sequence !== this.tables.events.length + 1) {
      throw new Error("an event of that sequence is there");
    }
    this.tables.events.push(event);
  }

  dropPayload(sequence: number) {
    this.tables.events[sequence - 1] = { ...this.tables.events[sequence - 1]!, payload: null };
  }
}

class MemoryBlobs implements Blobs {
  readonly kept = new Map<Sha256, Uint8Array>();

  has(digest: Sha256): boolean {
    return this.kept.has(digest);
  }

  *chunks(digest: Sha256): Iterable<Uint8Array> {
    yield this.read(digest, Infinity);
  }

  read(digest: Sha256, maxBytes: number): Uint8Array {
    const bytes = this.kept.get(digest);
    if (bytes === undefined) {
      throw new Failure("malformed", "blob_missing", `blob ${digest} is not in the store`);
    }
    if (bytes.length > maxBytes) throw new RangeError(`blob ${digest} has ${bytes.length} bytes`);
    if (sha256(bytes) !== digest) throw new Failure("malformed", "blob_corrupt", `blob ${digest} is corrupt`);
    return Uint8Array.from(bytes);
  }

  writer(): BlobWriter {
    const pending = new Map<Sha256, Uint8Array>();
    return {
      put: (bytes, digest) => void pending.set(digest, Uint8Array.from(bytes)),
      putChunks: (chunks) => {
        const whole: number[] = [];
        const hash = createHash("sha256");
        for (const chunk of chunks) {
          hash.update(chunk);
          for (const byte of chunk) whole.push(byte);
        }
        const digest = hash.digest("hex");
        pending.set(digest, Uint8Array.from(whole));
        return digest;
      },
      flush: () => {
        for (const [digest, bytes] of pending) if (!this.kept.has(digest)) this.kept.set(digest, bytes);
        pending.clear();
      },
      discard: () => pending.clear(),
    };
  }

  *list() {
    for (const [digest, { length }] of this.kept) yield { digest, size: length };
  }

  strangers(): readonly string[] {
    return [];
  }

  remove(digest: Sha256): number {
    const size = this.kept.get(digest)?.length ?? 0;
    this.kept.delete(digest);
    return size;
  }

  quarantine(digest: Sha256): string | null {
    return this.kept.delete(digest) ? `memory of ${digest}` : null;
  }
}

/** One at a time, in the order they come. */
function memoryKeeper(): Keeper {
  let before: Promise<unknown> = Promise.resolve();
  const one = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = before.then(work);
    before = turn.catch(() => {});
    return turn;
  };
  return { shared: one, alone: one, sweep: () => ({ files: 0, bytes: 0 }) };
}
