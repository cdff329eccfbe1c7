-- Each object has a checksum of its row, so that damage to it is found.
--
-- The table gets another name: a process that still has the file open with an older
-- version of this library knows no checksums, so its statements must fail and write
-- nothing.
--
-- The column is added to the table's definition in place. ALTER TABLE … ADD COLUMN
-- does the same, but reads a STRICT table as a whole first and refuses it if one row
-- has a value of a wrong type, and a file must open whatever is wrong with an object.

PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = 'CREATE TABLE objects (
    seq        INTEGER PRIMARY KEY,
    bucket     INTEGER NOT NULL, -- buckets.num
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
    sum        INTEGER           -- CRC-32C of all but bucket, size, status and error; NULL in a row of an older format
) STRICT' WHERE type = 'table' AND name = 'objects';

PRAGMA writable_schema = RESET;

ALTER TABLE objects RENAME TO object;

-- The objects up to this seq have got their checksums; NULL once all have.
ALTER TABLE store ADD COLUMN summed INTEGER;
UPDATE store SET summed = 0 WHERE EXISTS (SELECT 1 FROM object);
