import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import type {
  ConflictFilter,
  NewOperation,
  Operation,
  OperationBlob,
  OperationEnd,
  OperationFilter,
  OperationPath,
  OperationRevision,
  OperationSide,
  PathHistory,
  StoredConflict,
  WritableOperationRows,
} from "../operations.ts";
import type { SqlValue } from "./driver.ts";
import { SqliteProposalRows } from "./proposal_rows.ts";

const OPERATION =
  `SELECT o.number, o.kind, o.state, o.reason, o.folder, o.staging, a.name AS artifact, o.actor,
  o.created_at AS createdAt, o.finished_at AS finishedAt, o.files, o.before_manifest AS beforeManifest,
  o.after_manifest AS afterManifest, o.after_root AS afterRoot, o.after_files AS afterFiles,
  o.after_bytes AS afterBytes, o.directories, o.version, o.backups_until AS backupsUntil, o.backups
  FROM operations o JOIN artifacts a ON a.id = o.artifact`;
const CONFLICT = `SELECT id, proposal, revision, folder, onto, path, regions, base, ours, theirs,
  created_at AS createdAt, state, resolution, result, resolved_at AS resolvedAt, resolved_by AS resolvedBy
  FROM conflicts`;

/** Read at once when all are gone through. */
const PAGE = 1_000;

type Side = "base" | "ours" | "theirs" | "result";
type ConflictRow = Omit<StoredConflict, Side> & Readonly<Record<Side, string | null>>;

interface PathRow {
  readonly position: number;
  readonly path: string;
  readonly stage_in: string;
  readonly before_mode: "100644" | "100755" | null;
  readonly before_size: number;
  readonly before_sha256: string;
  readonly before_permissions: number;
  readonly before_uid: number;
  readonly before_gid: number;
  readonly after_mode: "100644" | "100755" | null;
  readonly after_size: number;
  readonly after_sha256: string;
}

/** The rows of operations and conflicts. */
export class SqliteOperationRows extends SqliteProposalRows implements WritableOperationRows {
  operation(number: number): Operation | null {
    return this.one<Operation>(`${OPERATION} WHERE o.number = ?`, number);
  }

  lastOperation(): number {
    return this.one<{ n: number | null }>("SELECT max(number) AS n FROM operations")?.n ?? 0;
  }

  operations({ folder, state, proposal, after, limit }: OperationFilter = {}): readonly Operation[] {
    const { where, values } = conditions([
      ["o.folder = ?", folder],
      ["o.state = ?", state],
      ["o.number IN (SELECT operation FROM operation_revisions WHERE proposal = ?)", proposal],
      ["o.number < ?", after],
    ]);
    const most = limit === undefined ? "" : " LIMIT ?";
    if (limit !== undefined) values.push(limit);
    return this.all<Operation>(`${OPERATION}${where} ORDER BY o.number DESC${most}`, ...values);
  }

  operationPaths(number: number): readonly OperationPath[] {
    const sql = "SELECT * FROM operation_paths WHERE operation = ? ORDER BY position";
    return this.all<PathRow>(sql, number).map((row) => ({
      operation: number,
      position: row.position,
      path: row.path,
      stageIn: row.stage_in,
      before: row.before_mode === null ? null : {
        ...{ mode: row.before_mode, size: row.before_size, sha256: row.before_sha256 },
        ...{ permissions: row.before_permissions, uid: row.before_uid, gid: row.before_gid },
      },
      after: row.after_mode === null
        ? null
        : { mode: row.after_mode, size: row.after_size, sha256: row.after_sha256 },
    }));
  }

  operationRevisions(number: number): readonly OperationRevision[] {
    const sql = `SELECT operation, position, proposal, revision, evidence, from_state AS "from"
      FROM operation_revisions WHERE operation = ? ORDER BY position`;
    return this.all<OperationRevision>(sql, number);
  }

  operationTargets(number: number): readonly number[] {
    const sql = "SELECT target FROM operation_targets WHERE operation = ? ORDER BY position";
    return this.all<{ target: number }>(sql, number).map(({ target }) => target);
  }

  pathHistory(folder: string, path: string): readonly PathHistory[] {
    const sql = `SELECT o.number AS operation, o.kind FROM operation_paths p
      JOIN operations o ON o.number = p.operation
      WHERE p.path = ? AND o.folder = ? AND o.state = 'done' ORDER BY o.number`;
    return this.all<Omit<PathHistory, "targets">>(sql, path, folder).map((entry) => ({
      ...entry,
      targets: entry.kind === "apply" ? [] : this.operationTargets(entry.operation),
    }));
  }

  *operationBlobs(): Iterable<OperationBlob> {
    for (
      const { number } of this.all<{ number: number }>("SELECT number FROM operations WHERE backups = 'kept'")
    ) {
      for (const { path, before, after } of this.operationPaths(number)) {
        for (const side of [before, after]) {
          if (side !== null) yield { operation: number, digest: side.sha256, size: side.size, path };
        }
      }
    }
  }

  conflict(id: number): StoredConflict | null {
    const row = this.one<ConflictRow>(`${CONFLICT} WHERE id = ?`, id);
    return row === null ? null : conflictOf(row);
  }

  lastConflict(): number {
    return this.one<{ n: number | null }>("SELECT max(id) AS n FROM conflicts")?.n ?? 0;
  }

  conflicts({ proposal, revision, folder, state }: ConflictFilter = {}): readonly StoredConflict[] {
    const { where, values } = conditions([
      ["proposal = ?", proposal],
      ["revision = ?", revision],
      ["folder IS ?", folder],
      ["state = ?", state],
    ]);
    return this.all<ConflictRow>(`${CONFLICT}${where} ORDER BY id LIMIT ${PAGE * 100}`, ...values).map(
      conflictOf,
    );
  }

  insertOperation({ operation: o, paths, revisions, targets }: NewOperation): void {
    const sql =
      `INSERT INTO operations (artifact, number, kind, state, reason, folder, staging, actor, created_at,
      finished_at, files, before_manifest, after_manifest, after_root, after_files, after_bytes, directories,
      version, backups_until, backups) VALUES ((SELECT id FROM artifacts WHERE name = ?),
      ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    if (!this.hasTreeOf(o.afterRoot)) throw new Error("an operation without its tree");
    this.run(
      sql,
      ...[o.artifact, o.number, o.kind, o.state, o.reason, o.folder, o.staging, o.actor, o.createdAt],
      ...[o.finishedAt, o.files, o.beforeManifest, o.afterManifest, o.afterRoot, o.afterFiles, o.afterBytes],
      ...[o.directories, o.version, o.backupsUntil, o.backups],
    );
    for (const { position, path, stageIn, before: b, after: a } of paths) {
      this.run(
        "INSERT INTO operation_paths VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...[o.number, position, path, stageIn, b?.mode ?? null, b?.size ?? null, b?.sha256 ?? null],
        ...[b?.permissions ?? null, b?.uid ?? null, b?.gid ?? null],
        ...[a?.mode ?? null, a?.size ?? null, a?.sha256 ?? null],
      );
    }
    for (const { position, proposal, revision, evidence, from } of revisions) {
      const values = [o.number, position, proposal, revision, evidence, from];
      this.run("INSERT INTO operation_revisions VALUES (?, ?, ?, ?, ?, ?)", ...values);
    }
    for (const [position, target] of targets.entries()) {
      this.run("INSERT INTO operation_targets VALUES (?, ?, ?)", o.number, position, target);
    }
  }

  setOperationState(number: number, { state, reason, finishedAt, version }: OperationEnd): boolean {
    const sql = `UPDATE operations SET state = ?, reason = ?, finished_at = ?, version = ?
      WHERE number = ? AND state = 'applying'`;
    return this.run(sql, state, reason, finishedAt, version, number) === 1;
  }

  dropBackups(number: number): void {
    const sql = "UPDATE operations SET backups = 'dropped' WHERE number = ? AND state <> 'applying'";
    if (this.run(sql, number) !== 1) throw new Error("backups of an operation under way stay");
  }

  insertConflict(c: StoredConflict): void {
    if (c.id !== this.lastConflict() + 1 || c.state !== "open") {
      throw new Error("a conflict takes the next id, open");
    }
    const sql =
      `INSERT INTO conflicts (id, proposal, revision, folder, onto, path, regions, base, ours, theirs,
      created_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const sides = [text(c.base), text(c.ours), text(c.theirs)];
    const place = [c.folder, c.onto, c.path];
    this.run(sql, c.id, c.proposal, c.revision, ...place, c.regions, ...sides, c.createdAt, c.state);
  }

  setConflict(
    id: number,
    to: Pick<StoredConflict, "state" | "resolution" | "result" | "resolvedAt" | "resolvedBy">,
  ): boolean {
    const sql = `UPDATE conflicts SET state = ?, resolution = ?, result = ?, resolved_at = ?, resolved_by = ?
      WHERE id = ? AND (state = 'open' OR (state = 'resolved' AND ? IN ('obsolete', 'resolved')))`;
    const { state, resolution, result, resolvedAt, resolvedBy } = to;
    return this.run(sql, state, resolution, text(result), resolvedAt, resolvedBy, id, state) === 1;
  }

  private hasTreeOf(digest: string): boolean {
    return this.one("SELECT 1 AS one FROM trees WHERE digest = ?", digest) !== null;
  }
}

function conditions(narrowing: readonly (readonly [string, SqlValue | undefined])[]) {
  const given = narrowing.filter(([, value]) => value !== undefined);
  return {
    where: given.length === 0 ? "" : ` WHERE ${given.map(([condition]) => condition).join(" AND ")}`,
    values: given.map(([, value]) => value as SqlValue),
  };
}

function text(side: OperationSide | null): string | null {
  return side === null ? null : canonicalJson(side);
}

function conflictOf(row: ConflictRow): StoredConflict {
  const side = (name: Side) => row[name] === null ? null : JSON.parse(row[name]) as OperationSide;
  return { ...row, base: side("base"), ours: side("ours"), theirs: side("theirs"), result: side("result") };
}
