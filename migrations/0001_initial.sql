-- Times are microseconds since 1970-01-01 UTC. JSON columns hold compact JSON
-- with members in code point order.

CREATE TABLE store (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    id            TEXT    NOT NULL, -- binds cursors to this file
    content_bytes INTEGER NOT NULL  -- bytes of all contents, each counted once
) STRICT;
INSERT INTO store VALUES (1, lower(hex(randomblob(8))), 0);

CREATE TABLE namespaces (
    num                INTEGER PRIMARY KEY AUTOINCREMENT,
    id                 TEXT    NOT NULL UNIQUE,
    name               TEXT    NOT NULL,
    description        TEXT    NOT NULL,
    feature_extractors TEXT, -- JSON, as given
    payload_indexes    TEXT, -- JSON, as given
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    delete_task        TEXT     -- the task that is deleting it
) STRICT;
CREATE UNIQUE INDEX namespaces_name ON namespaces (name) WHERE delete_task IS NULL;

-- The columns a write looks at come first, the long ones last.
CREATE TABLE buckets (
    num              INTEGER PRIMARY KEY AUTOINCREMENT,
    status           TEXT    NOT NULL,
    locked           INTEGER NOT NULL,
    clock            INTEGER NOT NULL, -- counts the bucket's changes; see deltas
    object_count     INTEGER NOT NULL,
    total_size       INTEGER NOT NULL,
    last_upload_at   INTEGER,
    stats_updated_at INTEGER,
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
) STRICT;
CREATE UNIQUE INDEX buckets_name ON buckets (namespace, name) WHERE status <> 'IN_PROGRESS';
CREATE INDEX buckets_namespace ON buckets (namespace);

-- What has changed in a bucket's statistics since they were last folded into its
-- row: one row for each commit group that touched the bucket. The values are
-- running totals, so that a read needs the newest row alone.
CREATE TABLE deltas (
    bucket         INTEGER NOT NULL, -- buckets.num
    clock          INTEGER NOT NULL, -- the bucket's clock after the group
    rank           INTEGER NOT NULL, -- how many rows there are up to this one
    objects        INTEGER NOT NULL, -- change of the count
    size           INTEGER NOT NULL, -- change of the total size
    last_upload_at INTEGER,
    PRIMARY KEY (bucket, clock)
) STRICT, WITHOUT ROWID;

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
    error      TEXT,
    key_prefix TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    fields     TEXT    NOT NULL, -- JSON object
    blobs      TEXT              -- JSON array
) STRICT;
CREATE UNIQUE INDEX objects_id ON objects (bucket, id);
CREATE UNIQUE INDEX objects_key ON objects (bucket, key) WHERE key IS NOT NULL;
CREATE INDEX objects_size ON objects (bucket, size);

CREATE TABLE contents (
    num         INTEGER PRIMARY KEY AUTOINCREMENT,
    hash        BLOB UNIQUE,      -- SHA-256; NULL while it is staged or being deleted
    size        INTEGER NOT NULL,
    refs        INTEGER NOT NULL, -- blobs that point here
    lease_until INTEGER           -- until when it may be staged; NULL if it is not
) STRICT;
CREATE INDEX contents_unused ON contents (num) WHERE refs = 0;

CREATE TABLE chunks (
    id   INTEGER PRIMARY KEY, -- contents.num and the chunk's position
    sum  INTEGER NOT NULL,    -- CRC-32C of data
    data BLOB    NOT NULL
) STRICT;

CREATE TABLE tasks (
    num         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    type        TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    namespace   INTEGER NOT NULL, -- namespaces.num
    bucket      INTEGER,          -- buckets.num
    inputs      TEXT    NOT NULL, -- JSON array
    detail      TEXT    NOT NULL, -- JSON object
    processed   INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    error       TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER NOT NULL
) STRICT;
CREATE INDEX tasks_open ON tasks (num) WHERE status IN ('PENDING', 'IN_PROGRESS');
