-- How many images of a dataset are what. Triggers keep the numbers: counting 100,000 rows takes
-- longer than a page may.
CREATE TABLE tally (
    dataset INTEGER NOT NULL REFERENCES dataset (seq) ON DELETE CASCADE,
    -- image, bytes, annotated, rejected, hook, label, or score: by twentieths of the OOD score.
    kind    TEXT NOT NULL,
    -- Name of the hook or label, number of the twentieth from 0; empty for the other kinds.
    name    TEXT NOT NULL,
    amount  INTEGER NOT NULL,
    PRIMARY KEY (dataset, kind, name)
) STRICT, WITHOUT ROWID;

-- Images by the time at which they were taken.
CREATE TABLE stretch (
    dataset   INTEGER NOT NULL REFERENCES dataset (seq) ON DELETE CASCADE,
    -- How long it is: 60, 900 or 86400.
    seconds   INTEGER NOT NULL,
    start     INTEGER NOT NULL,
    images    INTEGER NOT NULL,
    -- How many of them have an OOD score, and the sum of those in millionths: whole numbers
    -- come out the same in whatever order images come and go.
    scored    INTEGER NOT NULL,
    score_sum INTEGER NOT NULL,
    -- Unknown when the image that had it is gone; readers then look at the images.
    max_score REAL,
    PRIMARY KEY (dataset, seconds, start)
) STRICT, WITHOUT ROWID;

DROP INDEX image_by_capture;
CREATE INDEX image_by_capture ON image (dataset, captured_at, seq, ood_score);

-- What is inserted into these views is added to the tables above.
CREATE VIEW tally_change AS SELECT dataset, kind, name, amount FROM tally;
CREATE TRIGGER tally_changed INSTEAD OF INSERT ON tally_change BEGIN
    -- Nothing is taken from a dataset that is itself being deleted.
    INSERT OR IGNORE INTO tally SELECT new.dataset, new.kind, new.name, 0 WHERE new.amount > 0;
    UPDATE tally SET amount = amount + new.amount
        WHERE dataset = new.dataset AND kind = new.kind AND name = new.name;
END;

CREATE VIEW stretch_change AS
    SELECT images AS sign, dataset, seconds, start, max_score AS ood_score FROM stretch;
CREATE TRIGGER stretch_changed INSTEAD OF INSERT ON stretch_change BEGIN
    INSERT OR IGNORE INTO stretch
        SELECT new.dataset, new.seconds, new.start, 0, 0, 0, NULL WHERE new.sign > 0;
    UPDATE stretch SET
            images = images + new.sign,
            scored = scored + new.sign * (new.ood_score IS NOT NULL),
            score_sum = score_sum
                + new.sign * CAST(round(coalesce(new.ood_score, 0) * 1000000) AS INTEGER),
            max_score = CASE
                WHEN new.ood_score IS NULL THEN max_score
                WHEN new.sign > 0 AND scored = 0 THEN new.ood_score
                -- Of an unknown and a number: unknown.
                WHEN new.sign > 0 THEN max(max_score, new.ood_score)
                WHEN new.ood_score < max_score THEN max_score
            END
        WHERE dataset = new.dataset AND seconds = new.seconds AND start = new.start;
END;

CREATE VIEW image_change AS
    SELECT 1 AS sign, dataset, captured_at, ood_score, hook, review, annotated_at, size FROM image;
CREATE TRIGGER image_changed INSTEAD OF INSERT ON image_change BEGIN
    INSERT INTO tally_change
        SELECT new.dataset, 'image', '', new.sign
        UNION ALL SELECT new.dataset, 'bytes', '', new.sign * new.size
        UNION ALL SELECT new.dataset, 'annotated', '', new.sign WHERE new.annotated_at IS NOT NULL
        UNION ALL SELECT new.dataset, 'rejected', '', new.sign WHERE new.review = 2
        UNION ALL SELECT new.dataset, 'hook', new.hook, new.sign WHERE new.hook IS NOT NULL
        UNION ALL SELECT new.dataset, 'score',
                CAST(min(max(CAST(new.ood_score * 20 AS INTEGER), 0), 19) AS TEXT), new.sign
            WHERE new.ood_score IS NOT NULL;
    INSERT INTO stretch_change
        SELECT new.sign, new.dataset, column1,
                new.captured_at / (column1 * 1000000) * (column1 * 1000000), new.ood_score
            FROM (VALUES (60), (900), (86400));
END;

CREATE TRIGGER image_added AFTER INSERT ON image BEGIN
    INSERT INTO image_change VALUES (1, new.dataset, new.captured_at, new.ood_score, new.hook,
        new.review, new.annotated_at, new.size);
END;
CREATE TRIGGER image_updated
AFTER UPDATE OF dataset, captured_at, ood_score, hook, review, annotated_at, size ON image BEGIN
    INSERT INTO image_change VALUES (-1, old.dataset, old.captured_at, old.ood_score, old.hook,
        old.review, old.annotated_at, old.size);
    INSERT INTO image_change VALUES (1, new.dataset, new.captured_at, new.ood_score, new.hook,
        new.review, new.annotated_at, new.size);
    INSERT INTO tally_change
        SELECT old.dataset, 'label', label, -1 FROM image_label
            WHERE image = new.seq AND old.dataset <> new.dataset
        UNION ALL SELECT new.dataset, 'label', label, 1 FROM image_label
            WHERE image = new.seq AND old.dataset <> new.dataset;
END;
CREATE TRIGGER image_removed BEFORE DELETE ON image BEGIN
    -- While it can still be seen of which dataset they are.
    DELETE FROM image_label WHERE image = old.seq;
    INSERT INTO image_change VALUES (-1, old.dataset, old.captured_at, old.ood_score, old.hook,
        old.review, old.annotated_at, old.size);
END;

CREATE TRIGGER image_label_added AFTER INSERT ON image_label BEGIN
    INSERT INTO tally_change
        SELECT dataset, 'label', new.label, 1 FROM image WHERE seq = new.image;
END;
CREATE TRIGGER image_label_removed AFTER DELETE ON image_label BEGIN
    INSERT INTO tally_change
        SELECT dataset, 'label', old.label, -1 FROM image WHERE seq = old.image;
END;

INSERT INTO image_change
    SELECT 1, dataset, captured_at, ood_score, hook, review, annotated_at, size FROM image;
INSERT INTO tally_change
    SELECT dataset, 'label', label, 1 FROM image_label JOIN image ON image.seq = image;
