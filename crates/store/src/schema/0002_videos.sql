CREATE TABLE video (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    dataset     INTEGER NOT NULL REFERENCES dataset (seq) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    format      TEXT NOT NULL,
    hash        BLOB NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    uploaded_at INTEGER NOT NULL,
    frame_count INTEGER NOT NULL,
    -- Frames a second.
    frame_rate  REAL NOT NULL,
    -- Seconds.
    duration    REAL NOT NULL
) STRICT;
CREATE INDEX video_by_name ON video (dataset, name, seq);
CREATE INDEX video_by_hash ON video (hash, format);
CREATE TRIGGER video_deleted AFTER DELETE ON video BEGIN
    INSERT OR IGNORE INTO garbage (hash, format) VALUES (old.hash, old.format);
END;

CREATE TABLE frame_annotation (
    video       INTEGER NOT NULL REFERENCES video (seq) ON DELETE CASCADE,
    -- Counted from 0.
    frame       INTEGER NOT NULL,
    id          TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    json        TEXT NOT NULL,
    PRIMARY KEY (video, frame)
) STRICT, WITHOUT ROWID;
