-- The camera, folder or file that an image comes from.
ALTER TABLE image ADD COLUMN source TEXT;
CREATE INDEX image_by_source ON image (dataset, source, ood_score, seq);

-- The kind `source` of `tally`: images by the name of their source.
CREATE TRIGGER image_source_added AFTER INSERT ON image WHEN new.source IS NOT NULL BEGIN
    INSERT INTO tally_change VALUES (new.dataset, 'source', new.source, 1);
END;
CREATE TRIGGER image_source_moved AFTER UPDATE OF dataset ON image
WHEN new.source IS NOT NULL AND new.dataset <> old.dataset BEGIN
    INSERT INTO tally_change VALUES (old.dataset, 'source', old.source, -1);
    INSERT INTO tally_change VALUES (new.dataset, 'source', new.source, 1);
END;
CREATE TRIGGER image_source_removed BEFORE DELETE ON image WHEN old.source IS NOT NULL BEGIN
    INSERT INTO tally_change VALUES (old.dataset, 'source', old.source, -1);
END;
