-- Objects expire, and buckets limit the age, the number and the bytes of their objects.
--
-- The columns object.sum and indexes.format get new names: the checksum of an object now
-- covers the time when it expires, and there are indexes of a new kind. A process that
-- still has the file open with an older version of this library knows neither, so its
-- statements must fail and write nothing.
--
-- As in earlier steps, this adds columns to rows that may be damaged. The new indexes
-- have no entries, since no row has a value there yet. So each is created for a table
-- without rows, which reads nothing, and then moved.

CREATE TABLE no_rows (partition INTEGER, expires_at INTEGER, bucket INTEGER, key BLOB, status TEXT) STRICT;
CREATE INDEX object_expiry ON no_rows (partition, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX uploads_key ON no_rows (bucket, key) WHERE status IN ('PENDING', 'PROCESSING') AND key IS NOT NULL;

PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = 'CREATE TABLE object (
    seq        INTEGER PRIMARY KEY,
    partition  INTEGER NOT NULL, -- see buckets.partition
    id         TEXT    NOT NULL,
    key        BLOB,             -- encoded unique key
    version    INTEGER NOT NULL, -- the bucket''s clock at the last change
    size       INTEGER NOT NULL, -- bytes of fields and blobs
    status     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    key_prefix TEXT,
    fields     BLOB    NOT NULL, -- JSONB object
    error      TEXT,
    blobs      TEXT,             -- JSON array
    checksum   INTEGER,          -- CRC-32C of all but partition, size, status and error; NULL in a row of an older format
    expires_at INTEGER           -- NULL: never
) STRICT' WHERE type = 'table' AND name = 'object';

UPDATE sqlite_schema SET sql = 'CREATE TABLE uploads (
    num          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    bucket       INTEGER NOT NULL, -- buckets.num
    status       TEXT    NOT NULL,
    request      TEXT    NOT NULL, -- JSON: what was asked for, defaults filled in
    hash         BLOB,             -- SHA-256 of the bytes that have come
    size         INTEGER,          -- how many they are
    mime_type    TEXT,             -- what they are
    holds        INTEGER NOT NULL, -- 1 while it counts as a reference to that content
    duplicate_of TEXT,             -- the upload that brought the bytes
    object       TEXT,             -- the object it was confirmed into, first used by, or skipped for
    task         TEXT,             -- the task that confirms it
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    written_at   INTEGER,
    ended_at     INTEGER,          -- when it was confirmed, cancelled, skipped or found expired
    key          BLOB              -- the encoded unique key of its object, if that may exist
) STRICT' WHERE type = 'table' AND name = 'uploads';

UPDATE sqlite_schema SET tbl_name = 'object',
    sql = 'CREATE INDEX object_expiry ON object (partition, expires_at) WHERE expires_at IS NOT NULL'
WHERE type = 'index' AND name = 'object_expiry';

-- The objects that uploads are about to change.
UPDATE sqlite_schema SET tbl_name = 'uploads',
    sql = 'CREATE INDEX uploads_key ON uploads (bucket, key) WHERE status IN (''PENDING'', ''PROCESSING'') AND key IS NOT NULL'
WHERE type = 'index' AND name = 'uploads_key';

PRAGMA writable_schema = RESET;

DROP TABLE no_rows;

ALTER TABLE indexes RENAME COLUMN format TO form;

-- The limits of buckets that have any. NULL is none.
CREATE TABLE retention (
    bucket      INTEGER PRIMARY KEY, -- buckets.num
    max_age     INTEGER,             -- microseconds since the last change of an object
    max_objects INTEGER,
    max_bytes   INTEGER
) STRICT;
