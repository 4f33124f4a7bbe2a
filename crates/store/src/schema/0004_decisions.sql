-- How images were before the decisions of people, so that these can be taken back.
CREATE TABLE decision (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Who decided, as the caller names them.
    person     TEXT NOT NULL,
    image      INTEGER NOT NULL REFERENCES image (seq) ON DELETE CASCADE,
    dataset    INTEGER NOT NULL REFERENCES dataset (seq) ON DELETE CASCADE,
    review     INTEGER NOT NULL,
    -- JSON; NULL when the image had no annotation.
    annotation TEXT
) STRICT;
CREATE INDEX decision_by_person  ON decision (person, seq);
CREATE INDEX decision_by_image   ON decision (image, seq);
CREATE INDEX decision_by_dataset ON decision (dataset);
