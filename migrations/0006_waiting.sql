-- The bytes that wait to be collected are counted apart from the content that is in
-- use. The columns get new names so that a process with an older version, which moves
-- references without counting, can write neither.

ALTER TABLE contents RENAME COLUMN refs TO uses; -- blobs and uploads that point here

ALTER TABLE store RENAME COLUMN content_bytes TO live_bytes; -- of contents with uses, each counted once
ALTER TABLE store ADD COLUMN waiting_bytes INTEGER NOT NULL DEFAULT 0; -- of contents that are given up, as far as they are still stored

-- The size of a content that is being staged or deleted is that of its chunks.
UPDATE contents SET size = (SELECT ifnull(sum(length(data)), 0) FROM chunks WHERE id >= num << 24 AND id < (num + 1) << 24)
WHERE hash IS NULL;

UPDATE store SET
    live_bytes = (SELECT ifnull(sum(size), 0) FROM contents WHERE uses > 0),
    waiting_bytes = (SELECT ifnull(sum(size), 0) FROM contents WHERE uses = 0 AND (hash IS NOT NULL OR ifnull(lease_until, 0) = 0));
