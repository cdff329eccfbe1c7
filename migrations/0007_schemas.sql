-- Schemas change. A bucket's objects lie in a partition of the table object, which a
-- change that rewrites them replaces as a whole.
--
-- The columns buckets.locked, object.bucket and indexes.bucket get new names: a process
-- that still has the file open with an older version of this library takes schemas for
-- fixed, so its statements must fail and write nothing.

ALTER TABLE buckets RENAME TO buckets_of_fixed_schemas;

-- The columns a write looks at come first, the long ones last.
--
-- The table is created without types and constraints, and gets them once it is filled.
-- So the rows are copied whatever is in them: a file must open whatever is wrong with a
-- bucket.
CREATE TABLE buckets (num INTEGER PRIMARY KEY AUTOINCREMENT, status, is_locked, definition, partition, clock, object_count, total_size, last_upload_at,
    stats_updated_at, schema_version, rules, namespace, delete_task, id UNIQUE, name, created_at, updated_at, storage_class, description, metadata,
    unique_key, schema);

INSERT INTO buckets (num, status, is_locked, definition, partition, clock, object_count, total_size, last_upload_at, stats_updated_at,
    schema_version, rules, namespace, delete_task, id, name, created_at, updated_at, storage_class, description, metadata, unique_key, schema)
SELECT num, status, locked, 1, num, clock, object_count, total_size, last_upload_at, stats_updated_at,
    1, 1, namespace, delete_task, id, name, created_at, updated_at, storage_class, description, metadata, unique_key, schema
FROM buckets_of_fixed_schemas ORDER BY num;

-- The numbers of deleted buckets are not used again.
DELETE FROM sqlite_sequence WHERE name = 'buckets';
UPDATE sqlite_sequence SET name = 'buckets' WHERE name = 'buckets_of_fixed_schemas';
DROP TABLE buckets_of_fixed_schemas;

PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = 'CREATE TABLE buckets (
    num              INTEGER PRIMARY KEY AUTOINCREMENT,
    status           TEXT    NOT NULL,
    is_locked        INTEGER NOT NULL,
    definition       INTEGER NOT NULL, -- counts the changes of what a write must satisfy
    partition        INTEGER NOT NULL, -- of its objects: num at first
    clock            INTEGER NOT NULL, -- counts the bucket''s changes; see deltas
    object_count     INTEGER NOT NULL,
    total_size       INTEGER NOT NULL,
    last_upload_at   INTEGER,
    stats_updated_at INTEGER,
    schema_version   INTEGER NOT NULL, -- counts the schemas that came into force
    rules            INTEGER NOT NULL, -- the version of the rules by which the schema was accepted
    namespace        INTEGER NOT NULL, -- namespaces.num
    delete_task      TEXT,             -- the task that is deleting it
    id               TEXT    NOT NULL UNIQUE,
    name             TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    storage_class    TEXT    NOT NULL,
    description      TEXT    NOT NULL,
    metadata         TEXT,    -- JSON
    unique_key       TEXT,    -- JSON
    schema           TEXT NOT NULL -- JSON
) STRICT' WHERE type = 'table' AND name = 'buckets';

-- As in an earlier step, this adds a column to rows that may be damaged.
UPDATE sqlite_schema SET sql = 'CREATE TABLE indexes (
    num    INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket INTEGER NOT NULL, -- the partition of the objects
    kind   TEXT    NOT NULL, -- value or text
    path   TEXT    NOT NULL, -- empty: all that a search looks at
    status TEXT    NOT NULL, -- BUILDING, READY or DROPPING
    built  INTEGER NOT NULL, -- object.seq down to which it is built, or up to which it is dropped
    many   INTEGER NOT NULL, -- whether an object has not exactly one value there
    cut    INTEGER NOT NULL, -- whether a text was too long to be in an entry as a whole
    format INTEGER NOT NULL DEFAULT 1 -- the version of the form in which its entries and texts are compared
) STRICT' WHERE type = 'table' AND name = 'indexes';

PRAGMA writable_schema = RESET;

CREATE UNIQUE INDEX buckets_name ON buckets (namespace, name) WHERE status <> 'IN_PROGRESS';
CREATE INDEX buckets_namespace ON buckets (namespace);
CREATE INDEX buckets_partition ON buckets (partition);

ALTER TABLE indexes RENAME COLUMN bucket TO partition;

-- seq is the object's partition and its position in it: the bucket's clock at creation.
ALTER TABLE object RENAME COLUMN bucket TO partition;

-- The changes of schemas that are being prepared, at most one for each bucket, and the
-- names that changes in force have removed.
CREATE TABLE schema_changes (
    bucket    INTEGER NOT NULL, -- buckets.num
    version   INTEGER NOT NULL, -- buckets.schema_version once it is in force
    since     INTEGER,          -- when it came into force; NULL while it is prepared
    task      TEXT,             -- the task that prepares it
    partition INTEGER,          -- where the objects' new form is prepared; NULL if they keep their form
    checked   INTEGER NOT NULL, -- the position down to which the objects are checked
    objects   INTEGER NOT NULL, -- how many are checked
    invalid   INTEGER NOT NULL, -- how many of them do not conform
    reached   INTEGER NOT NULL, -- the position down to which the objects have their new form
    size      INTEGER NOT NULL, -- the total size of the objects in the partition
    rules     INTEGER NOT NULL, -- buckets.rules once it is in force
    renamed   TEXT,             -- JSON object: the new path of each old path
    dropped   TEXT,             -- JSON array of paths
    schema    TEXT,             -- JSON; NULL once it is in force
    PRIMARY KEY (bucket, version)
) STRICT;
CREATE UNIQUE INDEX schema_changes_open ON schema_changes (bucket) WHERE since IS NULL;
CREATE UNIQUE INDEX schema_changes_partition ON schema_changes (partition) WHERE since IS NULL AND partition IS NOT NULL;

-- The partitions that no bucket uses any more. Their objects are deleted in the background.
CREATE TABLE old_partitions (
    num    INTEGER PRIMARY KEY, -- the partition
    bucket INTEGER NOT NULL     -- buckets.num
) STRICT;
