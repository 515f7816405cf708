import type { Sha256 } from "../../vocabulary/digest.ts";
import { Failure } from "../../vocabulary/failure.ts";
import { hasExpired, WAITING } from "../../approve/states.ts";
import type { RevisionLine, RevisionState } from "../proposals.ts";
import type { Version, WritableRows } from "../store.ts";
import { nextEvent } from "./event.ts";
import { timeReached } from "./time_reached.ts";

/** Who changes something, and when. */
export interface Author {
  readonly storeId: string;
  /** 1 to MAX_ACTOR characters. */
  readonly actor: string;
  readonly now: Date;
}

/**
 * Appends an event to the log, in the transaction of what it tells of. Where the clock was set back, what had expired is
 * written down first: from then on the newest event no longer tells how late it was.
 */
export function record(rows: WritableRows, by: Author, kind: string, payload: unknown): void {
  writeDownExpired(rows, by);
  append(rows, by, kind, payload);
}

function append(rows: WritableRows, by: Author, kind: string, payload: unknown): void {
  const last = rows.lastEvent();
  const time = by.now.toISOString();
  rows.insertEvent(nextEvent(by.storeId, last, { time, actor: by.actor, kind, payload }));
}

function writeDownExpired(rows: WritableRows, by: Author): void {
  const reached = timeReached(rows, by.now);
  if (reached === by.now) return;
  for (const { revision } of WAITING.flatMap((state) => rows.proposals({ state }))) {
    if (hasExpired(revision, reached)) setState(rows, by, revision, "expired", expiredReason(revision));
  }
}

/** Why a revision that has expired is in that state. */
export function expiredReason({ expiresAt }: Pick<RevisionLine, "expiresAt">): string {
  return `it expired ${expiresAt}`;
}

/**
 * Sets the state of a revision that is as it was seen, and appends the event of it.
 * @param kind of the event; `proposal_<to>` unless said
 * @param details more for the event
 * @returns whether it took; false leaves the revision as it is
 */
export function recordState(
  rows: WritableRows,
  by: Author,
  revision: RevisionLine,
  to: RevisionState,
  reason: string,
  kind?: string,
  details?: Readonly<Record<string, unknown>>,
): boolean {
  writeDownExpired(rows, by);
  return setState(rows, by, revision, to, reason, kind, details);
}

function setState(
  rows: WritableRows,
  by: Author,
  { proposal, number, state, evidence }: RevisionLine,
  to: RevisionState,
  reason: string,
  kind = `proposal_${to}`,
  details: Readonly<Record<string, unknown>> = {},
): boolean {
  const set = { state: to, reason, changedAt: by.now.toISOString() };
  if (!rows.setRevisionState(proposal, number, { state, evidence }, set)) return false;
  append(rows, by, kind, { ...details, proposal, revision: number, evidence, from: state, to, reason });
  return true;
}

/** What is to become the next version. */
export interface NewVersion {
  readonly artifact: string;
  readonly root: Sha256;
  readonly manifest: Sha256;
  readonly files: number;
  readonly bytes: number;
  readonly message: string;
  readonly restores: number | null;
  /** Tree objects the store may not have yet. */
  readonly trees: Iterable<readonly [Sha256, Uint8Array]>;
}

/**
 * Adds a version, and the artifact with its first one; equal to the newest, it changes nothing.
 * @returns the new version, or the newest that it is equal to
 */
export function addVersion(
  rows: WritableRows,
  by: Author,
  { trees, ...what }: NewVersion,
): { readonly version: Version; readonly changed: boolean } {
  const name = what.artifact;
  const latest = rows.latest(name);
  if (latest !== null && latest.root === what.root) return { version: latest, changed: false };
  const createdAt = by.now.toISOString();
  let artifact = rows.artifact(name);
  if (artifact === null) {
    artifact = { name, createdAt, lastNumber: 0 };
    rows.insertArtifact(artifact);
    record(rows, by, "artifact_created", { artifact: name });
  }
  const version: Version = { ...what, number: artifact.lastNumber + 1, createdAt, actor: by.actor };
  for (const [digest, body] of trees) rows.insertTree(digest, body);
  rows.setLastNumber(name, version.number);
  rows.insertVersion(version);
  record(rows, by, "version_created", versionPayload(version));
  return { version, changed: true };
}

/** What the log says of a version. Time and actor are those of the event. */
export function versionPayload(version: Version): Readonly<Record<string, unknown>> {
  const { artifact, number, root, manifest, files, bytes, message, restores } = version;
  return { artifact, version: number, root, manifest, files, bytes, message, restores };
}

/** Removes versions; the newest of an artifact always stays. @throws Failure `bug` for that one */
export function removeVersions(
  rows: WritableRows,
  by: Author,
  artifact: string,
  numbers: readonly number[],
  rule: string,
): void {
  if (numbers.length === 0) return;
  const latest = rows.latest(artifact);
  for (const number of numbers) {
    if (number === latest?.number) {
      throw new Failure("bug", "latest_pruned", "the newest version always stays");
    }
    rows.deleteVersion(artifact, number);
  }
  record(rows, by, "versions_pruned", { artifact, versions: [...numbers], rule });
}

export const EVENTS_PRUNED = "events_pruned";
const PAGE = 1_000;

/**
 * Takes the payloads of old events away; their hashes stay, so the chain verifies as before. What says that this was
 * done stays whole.
 * @param through the last sequence to lose its payload
 * @returns how many lost it
 */
export function dropPayloads(rows: WritableRows, by: Author, through: number): number {
  let dropped = 0;
  for (let after = 0; after < through;) {
    const page = rows.events(after, PAGE);
    if (page.length === 0) break;
    for (const event of page) {
      after = event.sequence;
      if (after > through) break;
      if (event.payload === null || event.kind === EVENTS_PRUNED) continue;
      rows.dropPayload(event.sequence);
      dropped++;
    }
  }
  if (dropped > 0) record(rows, by, EVENTS_PRUNED, { through, payloads: dropped });
  return dropped;
}
