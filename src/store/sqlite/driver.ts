// The types of node's modules that a dependency brings along are older than this module.
// @ts-ignore: it is there; the interfaces below say what of it is used
import { DatabaseSync } from "node:sqlite";

export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A prepared statement (https://nodejs.org/docs/latest-v22.x/api/sqlite.html). */
export interface Statement {
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
  run(...values: readonly SqlValue[]): { readonly changes: number | bigint };
}

export interface Database {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface DatabaseOptions {
  readonly enableForeignKeyConstraints: boolean;
  readonly enableDoubleQuotedStringLiterals: boolean;
  /** How long a transaction waits for others, milliseconds. */
  readonly timeout: number;
}

/** Opens, or makes, a database file. */
export function openDatabase(path: string, options: DatabaseOptions): Database {
  const Constructor = DatabaseSync as unknown as new (path: string, options: DatabaseOptions) => Database;
  return new Constructor(path, options);
}
