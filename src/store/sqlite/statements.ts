import type { Database, SqlValue, Statement } from "./driver.ts";

/** Statements of one connection, each prepared once. */
export class Statements {
  readonly #prepared = new Map<string, Statement>();

  constructor(readonly db: Database) {}

  protected one<T>(sql: string, ...values: readonly (string | number)[]): T | null {
    const row = this.#prepare(sql).get(...values);
    return row === undefined ? null : { ...row } as T;
  }

  protected all<T>(sql: string, ...values: readonly SqlValue[]): T[] {
    return this.#prepare(sql).all(...values).map((row) => ({ ...row }) as T);
  }

  /** Rows as they come from the driver, for whoever makes other objects of them: many are copied in a noticeable time. */
  protected raw<T>(sql: string, ...values: readonly (string | number)[]): readonly T[] {
    return this.#prepare(sql).all(...values) as unknown as readonly T[];
  }

  /** @returns how many rows it changed, without those of triggers */
  protected run(sql: string, ...values: readonly SqlValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  #prepare(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) this.#prepared.set(sql, statement = this.db.prepare(sql));
    return statement;
  }
}
