-- Feature vectors of images, by the deployment whose model gave them.
CREATE TABLE feature (
    seq        INTEGER PRIMARY KEY,
    deployment TEXT NOT NULL REFERENCES deployment (id) ON DELETE CASCADE,
    image      INTEGER NOT NULL REFERENCES image (seq) ON DELETE CASCADE,
    -- One signed byte a number, the greatest 127: only directions are compared. Empty when the
    -- image cannot be read.
    vector     BLOB NOT NULL,
    UNIQUE (deployment, image)
) STRICT;
CREATE INDEX feature_by_image ON feature (image);
