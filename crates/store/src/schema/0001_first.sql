-- Times are microseconds since 1970, UTC. `seq` columns are internal row numbers;
-- `id` columns are what the outside sees.

CREATE TABLE workspace (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    name            TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE project (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- The project as the REST API gives it, without its datasets.
    json       TEXT NOT NULL
) STRICT;
CREATE INDEX project_by_name ON project (name);

CREATE TABLE dataset (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT NOT NULL UNIQUE,
    project          INTEGER NOT NULL REFERENCES project (seq) ON DELETE CASCADE,
    name             TEXT NOT NULL,
    use_for_training INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    UNIQUE (project, name)
) STRICT;

CREATE TABLE image (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    dataset         INTEGER NOT NULL REFERENCES dataset (seq) ON DELETE CASCADE,
    -- The dataset into which it was added first: moving an image does not make its key new.
    origin          INTEGER NOT NULL,
    idempotency_key TEXT,
    name            TEXT NOT NULL,
    format          TEXT NOT NULL,
    hash            BLOB NOT NULL,
    width           INTEGER NOT NULL,
    height          INTEGER NOT NULL,
    size            INTEGER NOT NULL,
    uploaded_at     INTEGER NOT NULL,
    captured_at     INTEGER NOT NULL,
    ood_score       REAL,
    uncertainty     REAL,
    hook            TEXT,
    reason          TEXT,
    -- What the model said first, and how sure it was.
    predicted_label TEXT,
    predicted_probability REAL,
    -- A JSON object: score by detector.
    scores          TEXT,
    -- 0 not looked at, 1 accepted, 2 rejected.
    review          INTEGER NOT NULL DEFAULT 0,
    annotated_at    INTEGER,
    UNIQUE (origin, idempotency_key)
) STRICT;
CREATE INDEX image_by_score       ON image (dataset, ood_score, seq);
CREATE INDEX image_by_capture     ON image (dataset, captured_at, seq);
CREATE INDEX image_by_upload      ON image (dataset, uploaded_at, seq);
CREATE INDEX image_by_uncertainty ON image (dataset, uncertainty, seq);
CREATE INDEX image_by_name        ON image (dataset, name, seq);
CREATE INDEX image_by_annotation  ON image (dataset, annotated_at, seq);
CREATE INDEX image_by_hook        ON image (dataset, hook, ood_score, seq);
CREATE INDEX image_by_reason      ON image (dataset, reason, seq);
CREATE INDEX image_by_review      ON image (dataset, review, ood_score, seq);
CREATE INDEX image_by_hash        ON image (hash, format);

-- The labels that hold for an image: its annotation's, else its prediction's.
CREATE TABLE image_label (
    image INTEGER NOT NULL REFERENCES image (seq) ON DELETE CASCADE,
    label TEXT NOT NULL,
    PRIMARY KEY (image, label)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_label_by_label ON image_label (label, image);

CREATE TABLE annotation (
    image       INTEGER PRIMARY KEY REFERENCES image (seq) ON DELETE CASCADE,
    id          TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    json        TEXT NOT NULL
) STRICT;

CREATE TABLE prediction (
    image      INTEGER PRIMARY KEY REFERENCES image (seq) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    json       TEXT NOT NULL
) STRICT;

-- Files that lost their last row and are to be removed.
CREATE TABLE garbage (
    hash   BLOB NOT NULL,
    format TEXT NOT NULL,
    PRIMARY KEY (hash, format)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER image_deleted AFTER DELETE ON image BEGIN
    INSERT OR IGNORE INTO garbage (hash, format) VALUES (old.hash, old.format);
END;

CREATE TABLE deployment (
    id         TEXT PRIMARY KEY,
    project    INTEGER NOT NULL REFERENCES project (seq) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    active     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- What the REST API says of its models.
    json       TEXT NOT NULL
) STRICT;
CREATE INDEX deployment_by_project ON deployment (project, created_at);

CREATE TABLE job (
    id         TEXT PRIMARY KEY,
    project_id TEXT,
    state      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    json       TEXT NOT NULL
) STRICT;
CREATE INDEX job_by_time ON job (created_at);

CREATE TABLE token (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    hash         BLOB NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT;

-- Settings by scope (a project's id, or empty for the whole store) and key.
CREATE TABLE setting (
    scope TEXT NOT NULL,
    key   TEXT NOT NULL,
    json  TEXT NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
