import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { Failure } from "../../vocabulary/failure.ts";
import { printablePath } from "../../vocabulary/printable.ts";
import { record } from "../log/change.ts";
import type { Records, Rows, WritableRows } from "../store.ts";
import { type Database, openDatabase } from "./driver.ts";
import { APPLICATION_ID, MIGRATIONS } from "./migrations.ts";
import { SqliteRows } from "./rows.ts";
import { translated } from "./translated.ts";

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

/** What it means that there is no store at a place. */
export function storeMissing(path: string): Failure {
  return new Failure("unavailable", "store_missing", `there is no store in ${printablePath(dirname(path))}`, {
    hint: "pp artifact create NAME makes one; --store DIR or PP_STORE names another place",
  });
}
