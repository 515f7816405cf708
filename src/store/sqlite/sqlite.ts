import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Sha256 } from "../../vocabulary/digest.ts";
import { Failure } from "../../vocabulary/failure.ts";
import { printablePath } from "../../vocabulary/printable.ts";
import { refusalKind, remedy, systemReason } from "../../vocabulary/system_error.ts";
import { record } from "../log/change.ts";
import type { Artifact, ArtifactSummary, LogEvent, Records, Rows, Version, WritableRows } from "../store.ts";
import { type Database, openDatabase } from "./driver.ts";
import { APPLICATION_ID, MIGRATIONS } from "./migrations.ts";
import { SqliteOperationRows } from "./operation_rows.ts";

/** How long a call waits for other processes' transactions, each of which takes milliseconds. */
const BUSY_MS = 60_000;

export interface SqliteOptions {
  /** Whether a store is made where there is none. */
  readonly create: boolean;
  /** Whether nothing shows that there was one: no blobs. */
  readonly fresh: boolean;
  readonly actor: string;
  readonly now: Date;
}

/**
 * The records of a store in one SQLite database: write-ahead log, foreign keys, every commit synced. Each write is one
 * transaction that holds the write lock from its start, so nothing it read can have changed when it writes.
 * @param path of the database; the caller has made sure that it is no link
 * @throws Failure `store_newer`, `store_corrupt`, `store_foreign` (malformed), `store_busy`, `store_io` (unavailable)
 */
export function sqliteRecords(path: string, options: SqliteOptions): Records {
  return translated(path, () => {
    const db = openDatabase(path, {
      enableForeignKeyConstraints: true,
      timeout: BUSY_MS,
      enableDoubleQuotedStringLiterals: false,
    });
    try {
      return opened(path, db, options);
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

function opened(path: string, db: Database, { actor, now, create, fresh }: SqliteOptions): Records {
  const found = numberOf(db, "user_version");
  if (found > MIGRATIONS.length) {
    throw new Failure("malformed", "store_newer", `${printablePath(path)} was made by a newer pp`, {
      hint: `use a pp that knows schema ${found}; this one knows ${MIGRATIONS.length}`,
    });
  }
  const empty = db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (!empty && numberOf(db, "application_id") !== APPLICATION_ID) {
    throw new Failure(
      "malformed",
      "store_foreign",
      `${printablePath(path)} is the database of another program`,
    );
  }
  if (empty && fresh && !create) throw storeMissing(path);
  if (empty && !fresh) {
    throw new Failure("malformed", "store_corrupt", `${printablePath(path)} is empty, and should not be`, {
      hint: "restore it from a backup; the files of its versions may still be in blobs/",
    });
  }
  useWriteAheadLog(db);
  db.exec("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
  if (found < MIGRATIONS.length) migrate(db, actor, now);
  const { id } = db.prepare("SELECT id FROM store").get() as unknown as { id: string };
  return new SqliteRecords(path, db, id);
}

/** Does not wait for others by itself, as transactions do. */
function useWriteAheadLog(db: Database): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 1;; tries++) {
    try {
      const { journal_mode } = db.prepare("PRAGMA journal_mode").get() as unknown as { journal_mode: string };
      if (journal_mode === "wal") return;
      db.exec("PRAGMA journal_mode = WAL");
    } catch (error) {
      if (tries === 500 || !(error instanceof Error) || !/locked|busy/.test(error.message)) throw error;
      Atomics.wait(pause, 0, 0, 20);
    }
  }
}

function migrate(db: Database, actor: string, now: Date): void {
  for (;;) {
    db.exec("BEGIN IMMEDIATE");
    try {
      // Asked again: another process may have been faster.
      const number = numberOf(db, "user_version");
      const step = MIGRATIONS[number];
      if (step === undefined) return void db.exec("COMMIT");
      db.exec(step);
      if (number === 0) {
        const id = randomBytes(16).toString("hex");
        db.prepare("INSERT INTO store VALUES (1, ?, ?)").run(id, now.toISOString());
        db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
        record(new SqliteRows(db), { storeId: id, actor, now }, "store_created", { store: id });
      }
      db.exec(`PRAGMA user_version = ${number + 1}`);
      db.exec("COMMIT");
    } catch (error) {
      rollBack(db);
      throw error;
    }
  }
}

function numberOf(db: Database, pragma: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${pragma}`).get()!)[0]);
}

class SqliteRecords implements Records {
  readonly #rows: SqliteRows;
  #open = true;

  constructor(readonly path: string, readonly db: Database, readonly storeId: string) {
    this.#rows = new SqliteRows(db);
  }

  read<T>(work: (rows: Rows) => T): T {
    return this.#in("BEGIN", work);
  }

  write<T>(work: (rows: WritableRows) => T): T {
    return this.#in("BEGIN IMMEDIATE", work);
  }

  check(): readonly string[] {
    return translated(this.path, () => {
      const lines = this.db.prepare("PRAGMA integrity_check(100)").all() as unknown as readonly {
        integrity_check: string;
      }[];
      const found = lines.map((line) => line.integrity_check).filter((line) => line !== "ok");
      const keys = this.db.prepare("PRAGMA foreign_key_check").all() as unknown as readonly {
        table: string;
        parent: string;
      }[];
      for (const { table, parent } of keys.slice(0, 100)) {
        found.push(`a row of ${table} refers to no ${parent}`);
      }
      return found;
    });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.db.close();
  }

  #in<T>(begin: string, work: (rows: SqliteRows) => T): T {
    return translated(this.path, () => {
      this.db.exec(begin);
      try {
        const result = work(this.#rows);
        this.db.exec("COMMIT");
        return result;
      } catch (error) {
        rollBack(this.db);
        throw error;
      }
    });
  }
}

/** SQLite ends some failed transactions by itself. */
function rollBack(db: Database): void {
  if (db.isTransaction) db.exec("ROLLBACK");
}

const VERSION = `SELECT a.name AS artifact, v.number, v.root, v.manifest, v.files, v.bytes,
  v.created_at AS createdAt, v.actor, v.message, v.restores
  FROM versions v JOIN artifacts a ON a.id = v.artifact`;
const EVENT = `SELECT sequence, time, actor, kind, payload, payload_sha256 AS payloadSha256, previous, hash
  FROM events`;

class SqliteRows extends SqliteOperationRows implements WritableRows {
  artifact(name: string): Artifact | null {
    const sql =
      "SELECT name, created_at AS createdAt, last_number AS lastNumber FROM artifacts WHERE name = ?";
    return this.one<Artifact>(sql, name);
  }

  artifacts(): readonly ArtifactSummary[] {
    const sql = `SELECT a.name, a.created_at AS createdAt, a.last_number AS lastNumber,
      (SELECT count(*) FROM versions v WHERE v.artifact = a.id) AS versions FROM artifacts a ORDER BY a.name`;
    return this.all<Artifact & { versions: number }>(sql).map(({ versions, ...artifact }) => ({
      artifact,
      versions,
      latest: this.latest(artifact.name),
    }));
  }

  version(artifact: string, number: number): Version | null {
    return this.one<Version>(`${VERSION} WHERE a.name = ? AND v.number = ?`, artifact, number);
  }

  latest(artifact: string): Version | null {
    return this.one<Version>(`${VERSION} WHERE a.name = ? ORDER BY v.number DESC LIMIT 1`, artifact);
  }

  versions(artifact?: string): readonly Version[] {
    const order = "ORDER BY a.name, v.number DESC";
    return artifact === undefined
      ? this.all<Version>(`${VERSION} ${order}`)
      : this.all<Version>(`${VERSION} WHERE a.name = ? ${order}`, artifact);
  }

  hasTree(digest: Sha256): boolean {
    return this.one("SELECT 1 AS one FROM trees WHERE digest = ?", digest) !== null;
  }

  tree(digest: Sha256): Uint8Array | null {
    return this.one<{ body: Uint8Array }>("SELECT body FROM trees WHERE digest = ?", digest)?.body ?? null;
  }

  treeDigests(): readonly Sha256[] {
    return this.all<{ digest: Sha256 }>("SELECT digest FROM trees").map(({ digest }) => digest);
  }

  event(sequence: number): LogEvent | null {
    return this.one<LogEvent>(`${EVENT} WHERE sequence = ?`, sequence);
  }

  lastEvent(): LogEvent | null {
    return this.one<LogEvent>(`${EVENT} ORDER BY sequence DESC LIMIT 1`);
  }

  events(after: number, limit: number): readonly LogEvent[] {
    return this.all<LogEvent>(`${EVENT} WHERE sequence > ? ORDER BY sequence LIMIT ?`, after, limit);
  }

  insertArtifact({ name, createdAt, lastNumber }: Artifact): void {
    const sql = "INSERT INTO artifacts (name, created_at, last_number) VALUES (?, ?, ?)";
    this.run(sql, name, createdAt, lastNumber);
  }

  setLastNumber(artifact: string, number: number): void {
    this.run("UPDATE artifacts SET last_number = ? WHERE name = ?", number, artifact);
  }

  insertVersion(v: Version): void {
    const sql =
      `INSERT INTO versions (artifact, number, root, manifest, files, bytes, created_at, actor, message,
      restores) VALUES ((SELECT id FROM artifacts WHERE name = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const { artifact, number, root, manifest, files, bytes, createdAt, actor, message, restores } = v;
    this.run(sql, artifact, number, root, manifest, files, bytes, createdAt, actor, message, restores);
  }

  deleteVersion(artifact: string, number: number): void {
    const sql =
      "DELETE FROM versions WHERE artifact = (SELECT id FROM artifacts WHERE name = ?) AND number = ?";
    this.run(sql, artifact, number);
  }

  insertTree(digest: Sha256, body: Uint8Array): void {
    this.run("INSERT INTO trees (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING", digest, body);
  }

  deleteTree(digest: Sha256): void {
    this.run("DELETE FROM trees WHERE digest = ?", digest);
  }

  insertEvent(event: LogEvent): void {
    const sql = `INSERT INTO events (sequence, time, actor, kind, payload, payload_sha256, previous, hash)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
    const { sequence, time, actor, kind, payload, payloadSha256, previous, hash } = event;
    this.run(sql, sequence, time, actor, kind, payload, payloadSha256, previous, hash);
  }

  dropPayload(sequence: number): void {
    this.run("UPDATE events SET payload = NULL WHERE sequence = ?", sequence);
  }
}

/** What it means that there is no store at a place. */
export function storeMissing(path: string): Failure {
  return new Failure("unavailable", "store_missing", `there is no store in ${printablePath(dirname(path))}`, {
    hint: "pp artifact create NAME makes one; --store DIR or PP_STORE names another place",
  });
}

/** Errors of SQLite as failures; the driver tells them by their words alone. */
/** What the system says of a file that the database could not be worked on at; null when it may be written. */
function refusedAt(path: string): unknown {
  try {
    closeSync(openSync(path, constants.O_RDWR));
    return null;
  } catch (error) {
    return error;
  }
}

function translated<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Failure || !(error instanceof Error)) throw error;
    const { code } = error as { code?: unknown };
    if (code !== "ERR_SQLITE_ERROR") throw error;
    const shown = printablePath(path);
    if (/malformed|not a database|no such (table|column)|disk image/.test(error.message)) {
      throw new Failure("malformed", "store_corrupt", `${shown} is damaged`, {
        hint: "restore it from a backup; the files of its versions are still in blobs/",
        cause: error,
      });
    }
    if (/locked|busy/.test(error.message)) {
      throw new Failure("unavailable", "store_busy", `${shown} is in use by others for too long`, {
        hint: "try again when they are done",
        cause: error,
      });
    }
    if (/readonly|unable to open|full|I\/O/.test(error.message)) {
      const refused = refusedAt(path);
      const denied = /readonly/.test(error.message) || refusalKind(refused) === "denied";
      const why = refused === null ? error.message : systemReason(refused);
      const todo = refused === null ? null : remedy(refused);
      throw new Failure(denied ? "denied" : "unavailable", "store_io", `cannot use ${shown}: ${why}`, {
        hint: todo === null
          ? "see that there is space left and that you may write it and the files beside it (-wal, -shm)"
          : `${todo}, then call again`,
        cause: error,
      });
    }
    throw error;
  }
}
