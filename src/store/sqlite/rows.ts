import type { Sha256 } from "../../vocabulary/digest.ts";
import type { Artifact, ArtifactSummary, LogEvent, Version, WritableRows } from "../store.ts";
import { SqliteOperationRows } from "./operation_rows.ts";

const VERSION = `SELECT a.name AS artifact, v.number, v.root, v.manifest, v.files, v.bytes,
  v.created_at AS createdAt, v.actor, v.message, v.restores
  FROM versions v JOIN artifacts a ON a.id = v.artifact`;
const EVENT = `SELECT sequence, time, actor, kind, payload, payload_sha256 AS payloadSha256, previous, hash
  FROM events`;

/** All rows of a store, and of the rest artifacts, trees and events. The caller has a transaction open. */
export class SqliteRows extends SqliteOperationRows implements WritableRows {
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
