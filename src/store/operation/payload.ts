import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import { sha256 } from "../../vocabulary/digest.ts";
import type { NewOperation, Operation, OperationPath, OperationSide, StoredConflict } from "../operations.ts";

/** What the log says of rows of operations and conflicts. Time and actor are those of the event. */
type Payload = Readonly<Record<string, unknown>>;

export const OPERATION_STARTED = "operation_started";
export const OPERATION_ABANDONED = "operation_abandoned";
export const BACKUPS_DROPPED = "backups_dropped";
export const CONFLICTS_FOUND = "conflicts_found";
export const CONFLICTS_RESOLVED = "conflicts_resolved";
export const CONFLICTS_OBSOLETE = "conflicts_obsolete";

/** Paths an event names; of more it has the digest. */
export const MAX_NAMED = 200;

/** Of an operation all that was there when it began. */
export function startedPayload({ operation: o, paths, revisions, targets }: NewOperation): Payload {
  return {
    ...operationSummary(o),
    ...{ staging: o.staging, before_manifest: o.beforeManifest, after_manifest: o.afterManifest },
    ...{ after_root: o.afterRoot, after_files: o.afterFiles, after_bytes: o.afterBytes },
    ...{ directories_sha256: sha256(o.directories), backups_until: o.backupsUntil },
    files: o.files,
    paths_sha256: sha256(canonicalJson(paths.map(wholePath))),
    paths: paths.slice(0, MAX_NAMED).map(({ path, before, after }) => ({
      ...{ path, before: sidePayload(before), after: sidePayload(after) },
    })),
    revisions: revisions.map(({ proposal, revision, evidence, from }) => ({
      ...{ proposal, revision, evidence, from },
    })),
    targets: [...targets],
  };
}

/** Which operation it is, and where. */
export function operationSummary({ number, kind, folder, artifact }: Operation): Payload {
  return { operation: number, kind, folder, artifact };
}

function wholePath({ position, path, stageIn, before, after }: Omit<OperationPath, "operation">): Payload {
  return {
    ...{ position, path, stage_in: stageIn, after: sidePayload(after) },
    before: before === null ? null : {
      ...sidePayload(before),
      ...{ permissions: before.permissions, uid: before.uid, gid: before.gid },
    },
  };
}

/** Of a conflict all that was there when it was found. */
export function conflictPayload(c: StoredConflict): Payload {
  const [first] = JSON.parse(c.regions) as { line: number | null; reason: string }[];
  return {
    ...{ id: c.id, proposal: c.proposal, revision: c.revision, path: c.path },
    ...{ base: sidePayload(c.base), ours: sidePayload(c.ours), theirs: sidePayload(c.theirs) },
    ...{ line: first?.line ?? null, reason: first?.reason ?? "", regions_sha256: sha256(c.regions) },
  };
}

/** What one was resolved to; the event says how, and by whom. */
export function resolvedPayload({ id, path, result }: StoredConflict): Payload {
  return { id, path, result: sidePayload(result) };
}

function sidePayload(side: OperationSide | null): Payload | null {
  return side === null ? null : { mode: side.mode, size: side.size, sha256: side.sha256 };
}
