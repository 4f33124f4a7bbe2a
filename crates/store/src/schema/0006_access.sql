-- What a token allows: collect, review or administer. Older ones allowed everything.
ALTER TABLE token ADD COLUMN role TEXT NOT NULL DEFAULT 'administer';

-- How much the files of a project take, and how often something was deleted from it. Triggers
-- keep the numbers.
CREATE TABLE usage (
    project   INTEGER PRIMARY KEY REFERENCES project (seq) ON DELETE CASCADE,
    bytes     INTEGER NOT NULL,
    deletions INTEGER NOT NULL
) STRICT;
INSERT INTO usage SELECT seq, 0, 0 FROM project;
UPDATE usage SET bytes =
    (SELECT coalesce(sum(size), 0) FROM image JOIN dataset ON dataset.seq = image.dataset
        WHERE dataset.project = usage.project)
    + (SELECT coalesce(sum(size), 0) FROM video JOIN dataset ON dataset.seq = video.dataset
        WHERE dataset.project = usage.project);
CREATE TRIGGER project_used AFTER INSERT ON project BEGIN
    INSERT INTO usage VALUES (new.seq, 0, 0);
END;
CREATE TRIGGER image_used AFTER INSERT ON image BEGIN
    UPDATE usage SET bytes = bytes + new.size
        WHERE project = (SELECT project FROM dataset WHERE seq = new.dataset);
END;
CREATE TRIGGER image_freed BEFORE DELETE ON image BEGIN
    UPDATE usage SET bytes = bytes - old.size, deletions = deletions + 1
        WHERE project = (SELECT project FROM dataset WHERE seq = old.dataset);
END;
CREATE TRIGGER video_used AFTER INSERT ON video BEGIN
    UPDATE usage SET bytes = bytes + new.size
        WHERE project = (SELECT project FROM dataset WHERE seq = new.dataset);
END;
CREATE TRIGGER video_freed BEFORE DELETE ON video BEGIN
    UPDATE usage SET bytes = bytes - old.size, deletions = deletions + 1
        WHERE project = (SELECT project FROM dataset WHERE seq = old.dataset);
END;
CREATE TRIGGER dataset_freed BEFORE DELETE ON dataset BEGIN
    -- Its images and videos go after it, when it no longer tells of which project they were.
    UPDATE usage SET deletions = deletions + 1, bytes = bytes
            - (SELECT coalesce(sum(size), 0) FROM image WHERE dataset = old.seq)
            - (SELECT coalesce(sum(size), 0) FROM video WHERE dataset = old.seq)
        WHERE project = old.project;
END;

-- Keys of images that were deleted: what was sent before does not bring them back.
CREATE TABLE deleted_key (
    origin          INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL,
    deleted_at      INTEGER NOT NULL,
    PRIMARY KEY (origin, idempotency_key)
) STRICT, WITHOUT ROWID;
