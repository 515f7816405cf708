import { OPERATION_SCHEMA } from "./operation_schema.ts";

/** Marks the database as a store of veripatch: "vpst". */
export const APPLICATION_ID = 0x76707374;

/**
 * The schema, step by step. A step is never changed once it was released; each runs in one transaction together with
 * the number it brings the database to (`PRAGMA user_version`). Tables come with the verbs that use them.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE store (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id TEXT NOT NULL,
    made_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    last_number INTEGER NOT NULL CHECK (last_number >= 0)
  ) STRICT;

  CREATE TABLE trees (
    digest TEXT PRIMARY KEY,
    body BLOB NOT NULL
  ) STRICT;

  CREATE TABLE versions (
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    root TEXT NOT NULL REFERENCES trees (digest),
    manifest TEXT NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    message TEXT NOT NULL,
    restores INTEGER,
    PRIMARY KEY (artifact, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX versions_by_root ON versions (root);

  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    time TEXT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT,
    payload_sha256 TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;

  -- A slip of ours must not change history. Who has the file can take these away; the hashes then tell.
  CREATE TRIGGER versions_stay BEFORE UPDATE ON versions
  BEGIN SELECT RAISE (ABORT, 'a version is never changed'); END;
  CREATE TRIGGER events_stay BEFORE DELETE ON events
  BEGIN SELECT RAISE (ABORT, 'an event is never removed'); END;
  CREATE TRIGGER events_as_they_are BEFORE UPDATE ON events
  WHEN NEW.payload IS NOT NULL OR NEW.sequence IS NOT OLD.sequence OR NEW.time IS NOT OLD.time
    OR NEW.actor IS NOT OLD.actor OR NEW.kind IS NOT OLD.kind OR NEW.payload_sha256 IS NOT OLD.payload_sha256
    OR NEW.previous IS NOT OLD.previous OR NEW.hash IS NOT OLD.hash
  BEGIN SELECT RAISE (ABORT, 'an event is never changed'); END;
  `,
  `
  CREATE TABLE proposals (
    number INTEGER PRIMARY KEY CHECK (number >= 1),
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    title TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_revision INTEGER NOT NULL CHECK (last_revision >= 0)
  ) STRICT;
  CREATE INDEX proposals_by_artifact ON proposals (artifact, number);

  -- What may be long stands last: what is before it is read without it.
  CREATE TABLE revisions (
    id INTEGER PRIMARY KEY,
    proposal INTEGER NOT NULL REFERENCES proposals (number),
    number INTEGER NOT NULL CHECK (number >= 1),
    state TEXT NOT NULL CHECK (state IN ('draft', 'proposed', 'approved', 'rejected', 'expired', 'superseded',
      'stale', 'applying', 'applied', 'failed')),
    changed_at TEXT NOT NULL,
    base_version INTEGER NOT NULL,
    files INTEGER NOT NULL,
    additions INTEGER NOT NULL,
    deletions INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    evidence TEXT,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    base_root TEXT NOT NULL REFERENCES trees (digest),
    base_manifest TEXT NOT NULL,
    result_root TEXT NOT NULL REFERENCES trees (digest),
    result_manifest TEXT NOT NULL,
    patch TEXT NOT NULL,
    patch_bytes INTEGER NOT NULL,
    proposer_key TEXT,
    instruction TEXT NOT NULL CHECK (octet_length(instruction) <= 1048576),
    source TEXT NOT NULL CHECK (octet_length(source) <= 1048576),
    envelope TEXT CHECK (octet_length(envelope) <= 1048576),
    evidence_document TEXT CHECK (octet_length(evidence_document) <= 1048576),
    UNIQUE (proposal, number),
    CHECK ((evidence IS NULL) = (evidence_document IS NULL)),
    CHECK (evidence IS NOT NULL OR state IN ('draft', 'rejected', 'superseded'))
  ) STRICT;
  -- Both hold all that a list shows: rows with their documents are far apart.
  CREATE INDEX revisions_by_state ON revisions (state, proposal, number, changed_at, base_version, files, additions, deletions,
    created_at, expires_at, evidence, actor, reason);
  CREATE INDEX revisions_listed ON revisions (proposal, number, state, changed_at, base_version, files, additions, deletions,
    created_at, expires_at, evidence, actor, reason);
  CREATE INDEX revisions_by_base ON revisions (base_root);
  CREATE INDEX revisions_by_result ON revisions (result_root);

  CREATE TABLE checks (
    proposal INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('patch', 'syntax', 'imports', 'safety', 'proof', 'git')),
    outcome TEXT NOT NULL CHECK (outcome IN ('passed', 'failed', 'needs_approval', 'not_run')),
    created_at TEXT NOT NULL,
    document TEXT NOT NULL CHECK (octet_length(document) <= 1048576),
    PRIMARY KEY (proposal, revision, kind),
    FOREIGN KEY (proposal, revision) REFERENCES revisions (proposal, number)
  ) STRICT;

  CREATE TABLE approvals (
    id INTEGER PRIMARY KEY CHECK (id >= 1),
    proposal INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('approve', 'reject', 'automatic', 'bypass')),
    principal TEXT NOT NULL,
    key_id TEXT,
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    review_by TEXT,
    envelope TEXT CHECK (octet_length(envelope) <= 1048576),
    FOREIGN KEY (proposal, revision) REFERENCES revisions (proposal, number),
    CHECK ((decision = 'bypass') = (review_by IS NOT NULL)),
    CHECK (decision = 'automatic' OR (key_id IS NOT NULL AND envelope IS NOT NULL))
  ) STRICT;
  CREATE INDEX approvals_by_revision ON approvals (proposal, revision);
  CREATE INDEX bypasses ON approvals (proposal, revision) WHERE decision = 'bypass';

  CREATE TRIGGER proposals_in_order BEFORE INSERT ON proposals
  WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM proposals) OR NEW.last_revision <> 0
  BEGIN SELECT RAISE (ABORT, 'a proposal takes the next number, without a revision'); END;
  CREATE TRIGGER proposals_as_they_are BEFORE UPDATE ON proposals
  WHEN NEW.number IS NOT OLD.number OR NEW.artifact IS NOT OLD.artifact OR NEW.title IS NOT OLD.title
    OR NEW.actor IS NOT OLD.actor OR NEW.created_at IS NOT OLD.created_at
    OR NEW.last_revision <> OLD.last_revision + 1
  BEGIN SELECT RAISE (ABORT, 'of a proposal only its newest revision changes'); END;
  CREATE TRIGGER proposals_stay BEFORE DELETE ON proposals
  BEGIN SELECT RAISE (ABORT, 'a proposal is never removed'); END;

  CREATE TRIGGER revisions_in_order BEFORE INSERT ON revisions
  WHEN NEW.state <> 'draft' OR NEW.evidence IS NOT NULL
    OR NEW.number IS NOT (SELECT last_revision + 1 FROM proposals WHERE number = NEW.proposal)
  BEGIN SELECT RAISE (ABORT, 'a revision takes the next number, as a draft'); END;
  CREATE TRIGGER revisions_as_they_are BEFORE UPDATE ON revisions
  WHEN NEW.id IS NOT OLD.id OR NEW.proposal IS NOT OLD.proposal OR NEW.number IS NOT OLD.number
    OR NEW.base_version IS NOT OLD.base_version OR NEW.base_root IS NOT OLD.base_root
    OR NEW.base_manifest IS NOT OLD.base_manifest OR NEW.result_root IS NOT OLD.result_root
    OR NEW.result_manifest IS NOT OLD.result_manifest OR NEW.patch IS NOT OLD.patch
    OR NEW.patch_bytes IS NOT OLD.patch_bytes OR NEW.files IS NOT OLD.files
    OR NEW.additions IS NOT OLD.additions OR NEW.deletions IS NOT OLD.deletions OR NEW.actor IS NOT OLD.actor
    OR NEW.created_at IS NOT OLD.created_at OR NEW.instruction IS NOT OLD.instruction
    OR NEW.source IS NOT OLD.source
    OR ((OLD.state <> 'draft' OR OLD.evidence IS NOT NULL) AND (NEW.evidence IS NOT OLD.evidence
      OR NEW.evidence_document IS NOT OLD.evidence_document OR NEW.proposer_key IS NOT OLD.proposer_key
      OR NEW.envelope IS NOT OLD.envelope OR NEW.expires_at IS NOT OLD.expires_at))
  BEGIN SELECT RAISE (ABORT, 'what is proposed is never changed'); END;
  CREATE TRIGGER revisions_stay BEFORE DELETE ON revisions
  BEGIN SELECT RAISE (ABORT, 'a revision is never removed'); END;

  CREATE TRIGGER checks_as_they_are BEFORE UPDATE ON checks
  BEGIN SELECT RAISE (ABORT, 'a check is never changed'); END;
  CREATE TRIGGER checks_stay BEFORE DELETE ON checks
  BEGIN SELECT RAISE (ABORT, 'a check is never removed'); END;

  CREATE TRIGGER approvals_in_order BEFORE INSERT ON approvals
  WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM approvals) OR NEW.evidence IS NOT
    (SELECT evidence FROM revisions WHERE proposal = NEW.proposal AND number = NEW.revision)
  BEGIN SELECT RAISE (ABORT, 'an approval takes the next id, for the evidence there is'); END;
  CREATE TRIGGER approvals_as_they_are BEFORE UPDATE ON approvals
  BEGIN SELECT RAISE (ABORT, 'an approval is never changed'); END;
  CREATE TRIGGER approvals_stay BEFORE DELETE ON approvals
  BEGIN SELECT RAISE (ABORT, 'an approval is never removed'); END;
  `,
  OPERATION_SCHEMA,
  `
  -- Small, so that a list sees what failed without reading documents.
  CREATE INDEX failed_checks ON checks (proposal, revision, kind) WHERE outcome = 'failed';
  `,
];
