/** Operations on folders, and conflicts. */
export const OPERATION_SCHEMA = `
  CREATE TABLE operations (
    number INTEGER PRIMARY KEY CHECK (number >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('apply', 'rollback', 'redo')),
    state TEXT NOT NULL CHECK (state IN ('applying', 'done', 'undone', 'failed')),
    reason TEXT NOT NULL,
    folder TEXT NOT NULL,
    staging TEXT NOT NULL UNIQUE CHECK (staging GLOB '[0-9a-f]*' AND length(staging) = 16),
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL,
    finished_at TEXT,
    files INTEGER NOT NULL CHECK (files >= 0),
    before_manifest TEXT NOT NULL,
    after_manifest TEXT NOT NULL,
    after_root TEXT NOT NULL,
    after_files INTEGER NOT NULL,
    after_bytes INTEGER NOT NULL,
    version INTEGER,
    backups_until TEXT,
    backups TEXT NOT NULL CHECK (backups IN ('kept', 'dropped')),
    directories TEXT NOT NULL,
    CHECK ((state = 'applying') = (finished_at IS NULL)),
    CHECK (state <> 'applying' OR backups = 'kept'),
    CHECK (version IS NULL OR state = 'done')
  ) STRICT;
  CREATE INDEX operations_by_folder ON operations (folder, number);
  CREATE INDEX operations_under_way ON operations (number) WHERE state = 'applying';

  CREATE TABLE operation_paths (
    operation INTEGER NOT NULL REFERENCES operations (number),
    position INTEGER NOT NULL CHECK (position >= 0),
    path TEXT NOT NULL,
    stage_in TEXT NOT NULL,
    before_mode TEXT CHECK (before_mode IN ('100644', '100755')),
    before_size INTEGER,
    before_sha256 TEXT,
    before_permissions INTEGER,
    before_uid INTEGER,
    before_gid INTEGER,
    after_mode TEXT CHECK (after_mode IN ('100644', '100755')),
    after_size INTEGER,
    after_sha256 TEXT,
    PRIMARY KEY (operation, position),
    UNIQUE (operation, path),
    CHECK ((before_mode IS NULL) = (before_sha256 IS NULL) AND (after_mode IS NULL) = (after_sha256 IS NULL)),
    CHECK (before_sha256 IS NOT after_sha256 OR before_mode IS NOT after_mode)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX operation_paths_by_path ON operation_paths (path, operation);

  CREATE TABLE operation_revisions (
    operation INTEGER NOT NULL REFERENCES operations (number),
    position INTEGER NOT NULL CHECK (position >= 0),
    proposal INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    from_state TEXT NOT NULL,
    PRIMARY KEY (operation, position),
    FOREIGN KEY (proposal, revision) REFERENCES revisions (proposal, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX operation_revisions_by_proposal ON operation_revisions (proposal, revision);

  CREATE TABLE operation_targets (
    operation INTEGER NOT NULL REFERENCES operations (number),
    position INTEGER NOT NULL CHECK (position >= 0),
    target INTEGER NOT NULL REFERENCES operations (number) CHECK (target < operation),
    PRIMARY KEY (operation, position),
    UNIQUE (operation, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX operation_targets_by_target ON operation_targets (target);

  CREATE TABLE conflicts (
    id INTEGER PRIMARY KEY CHECK (id >= 1),
    proposal INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    folder TEXT,
    onto INTEGER CHECK ((onto IS NULL) = (folder IS NOT NULL)),
    path TEXT NOT NULL,
    base TEXT,
    ours TEXT,
    theirs TEXT,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved', 'obsolete')),
    resolution TEXT CHECK (resolution IN ('ours', 'theirs', 'both', 'edited')),
    result TEXT,
    resolved_at TEXT,
    resolved_by TEXT,
    regions TEXT NOT NULL CHECK (octet_length(regions) <= 1048576),
    FOREIGN KEY (proposal, revision) REFERENCES revisions (proposal, number),
    CHECK (state <> 'resolved' OR resolution IS NOT NULL)
  ) STRICT;
  CREATE INDEX conflicts_by_revision ON conflicts (proposal, revision, state);

  CREATE TRIGGER operations_in_order BEFORE INSERT ON operations
  WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM operations) OR NEW.state <> 'applying'
  BEGIN SELECT RAISE (ABORT, 'an operation takes the next number, under way'); END;
  CREATE TRIGGER operations_as_they_are BEFORE UPDATE ON operations
  WHEN NEW.number IS NOT OLD.number OR NEW.kind IS NOT OLD.kind OR NEW.folder IS NOT OLD.folder
    OR NEW.staging IS NOT OLD.staging OR NEW.artifact IS NOT OLD.artifact OR NEW.actor IS NOT OLD.actor
    OR NEW.created_at IS NOT OLD.created_at OR NEW.files IS NOT OLD.files
    OR NEW.before_manifest IS NOT OLD.before_manifest OR NEW.after_manifest IS NOT OLD.after_manifest
    OR NEW.after_root IS NOT OLD.after_root OR NEW.directories IS NOT OLD.directories
    OR NEW.after_files IS NOT OLD.after_files OR NEW.after_bytes IS NOT OLD.after_bytes
    OR NEW.backups_until IS NOT OLD.backups_until
    OR (OLD.state <> 'applying' AND (NEW.state IS NOT OLD.state OR NEW.version IS NOT OLD.version
      OR NEW.finished_at IS NOT OLD.finished_at OR NEW.reason IS NOT OLD.reason))
    OR (OLD.backups = 'dropped' AND NEW.backups = 'kept')
  BEGIN SELECT RAISE (ABORT, 'what an operation did is never changed'); END;
  CREATE TRIGGER operations_stay BEFORE DELETE ON operations
  BEGIN SELECT RAISE (ABORT, 'an operation is never removed'); END;
  CREATE TRIGGER operation_paths_as_they_are BEFORE UPDATE ON operation_paths
  BEGIN SELECT RAISE (ABORT, 'what an operation did is never changed'); END;
  CREATE TRIGGER operation_paths_stay BEFORE DELETE ON operation_paths
  BEGIN SELECT RAISE (ABORT, 'an operation is never removed'); END;
  CREATE TRIGGER operation_revisions_as_they_are BEFORE UPDATE ON operation_revisions
  BEGIN SELECT RAISE (ABORT, 'what an operation did is never changed'); END;
  CREATE TRIGGER operation_revisions_stay BEFORE DELETE ON operation_revisions
  BEGIN SELECT RAISE (ABORT, 'an operation is never removed'); END;
  CREATE TRIGGER operation_targets_as_they_are BEFORE UPDATE ON operation_targets
  BEGIN SELECT RAISE (ABORT, 'what an operation did is never changed'); END;
  CREATE TRIGGER operation_targets_stay BEFORE DELETE ON operation_targets
  BEGIN SELECT RAISE (ABORT, 'an operation is never removed'); END;
  CREATE TRIGGER conflicts_as_they_are BEFORE UPDATE ON conflicts
  WHEN NEW.id IS NOT OLD.id OR NEW.proposal IS NOT OLD.proposal OR NEW.revision IS NOT OLD.revision
    OR NEW.folder IS NOT OLD.folder OR NEW.onto IS NOT OLD.onto OR NEW.path IS NOT OLD.path OR NEW.base IS NOT OLD.base
    OR NEW.ours IS NOT OLD.ours OR NEW.theirs IS NOT OLD.theirs OR NEW.created_at IS NOT OLD.created_at
    OR NEW.regions IS NOT OLD.regions OR OLD.state = 'obsolete'
  BEGIN SELECT RAISE (ABORT, 'of a conflict only what it becomes changes'); END;
  CREATE TRIGGER conflicts_stay BEFORE DELETE ON conflicts
  BEGIN SELECT RAISE (ABORT, 'a conflict is never removed'); END;
  `;
