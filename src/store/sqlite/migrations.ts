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
];
