-- Fields in SQLite's binary form of JSON, with the inline data of blobs among them.
-- They come after what is short, so that to find one rarely takes more than a page.

ALTER TABLE objects RENAME TO objects_of_text;

-- seq is the bucket's number and the bucket's clock at creation, so that a
-- bucket's objects lie together, in the order in which they were committed.
CREATE TABLE objects (
    seq        INTEGER PRIMARY KEY,
    bucket     INTEGER NOT NULL, -- buckets.num
    id         TEXT    NOT NULL,
    key        BLOB,             -- encoded unique key
    version    INTEGER NOT NULL, -- the bucket's clock at the last change
    size       INTEGER NOT NULL, -- bytes of fields and blobs
    status     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    key_prefix TEXT,
    fields     BLOB    NOT NULL, -- JSONB object
    error      TEXT,
    blobs      TEXT              -- JSON array
) STRICT;

INSERT INTO objects (seq, bucket, id, key, version, size, status, created_at, updated_at, key_prefix, fields, error, blobs)
SELECT seq, bucket, id, key, version, size, status, created_at, updated_at, key_prefix,
    bucketlite_jsonb(CAST(fields AS BLOB), CAST(blobs AS BLOB),
        CASE WHEN instr(blobs, '"data"') THEN (SELECT CAST(schema AS BLOB) FROM buckets WHERE num = o.bucket) END),
    error, blobs
FROM objects_of_text o ORDER BY seq;

DROP TABLE objects_of_text;

CREATE UNIQUE INDEX objects_id ON objects (bucket, id);
CREATE UNIQUE INDEX objects_key ON objects (bucket, key) WHERE key IS NOT NULL;
CREATE INDEX objects_size ON objects (bucket, size);
