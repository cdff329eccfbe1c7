-- The schema of a new file, as all migrations make it. Generated; do not edit. Write it
-- anew after adding a migration:
--
--     go test -run TestNewestFormat . -update

CREATE TABLE store (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    id            TEXT    NOT NULL, -- binds cursors to this file
    live_bytes INTEGER NOT NULL  -- bytes of all contents, each counted once
, summed INTEGER, waiting_bytes INTEGER NOT NULL DEFAULT 0) STRICT;

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

CREATE TABLE contents (
    num         INTEGER PRIMARY KEY AUTOINCREMENT,
    hash        BLOB UNIQUE,      -- SHA-256; NULL while it is staged or being deleted
    size        INTEGER NOT NULL,
    uses        INTEGER NOT NULL, -- blobs that point here
    lease_until INTEGER           -- until when it may be staged; NULL if it is not
) STRICT;

CREATE INDEX contents_unused ON contents (num) WHERE uses = 0;

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
, outputs TEXT, ended_at INTEGER) STRICT;

CREATE INDEX tasks_open ON tasks (num) WHERE status IN ('PENDING', 'IN_PROGRESS');

CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE uploads (
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
) STRICT;

CREATE INDEX uploads_bucket ON uploads (bucket, num);

CREATE INDEX uploads_hash ON uploads (bucket, hash) WHERE status = 'COMPLETED';

CREATE INDEX uploads_expiry ON uploads (expires_at) WHERE status = 'PENDING';

CREATE INDEX uploads_ended ON uploads (ended_at)
    WHERE ended_at IS NOT NULL AND (status <> 'COMPLETED' OR holds = 0 OR object IS NOT NULL);

CREATE TABLE batches (
    num        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    bucket     INTEGER NOT NULL, -- buckets.num
    status     TEXT    NOT NULL,
    task       TEXT,             -- the newest task that processes it
    metadata   TEXT,             -- JSON
    total      INTEGER NOT NULL, -- its jobs
    open       INTEGER NOT NULL, -- of these, queued or handed out
    failed     INTEGER NOT NULL, -- of these, failed
    skipped    INTEGER NOT NULL, -- of these, skipped
    failures   TEXT,             -- JSON: how many failed, by category
    error      TEXT,             -- why it did not complete
    sweep      TEXT,             -- what is being done to its jobs, slice by slice
    swept      INTEGER NOT NULL, -- the position up to which it is done
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX batches_bucket ON batches (bucket, num);

CREATE INDEX batches_queue ON batches (num) WHERE status IN ('PENDING', 'IN_PROGRESS');

CREATE INDEX batches_sweep ON batches (num) WHERE sweep IS NOT NULL;

CREATE TABLE jobs (
    batch     INTEGER NOT NULL, -- batches.num
    position  INTEGER NOT NULL, -- in the batch, from 1
    seq       INTEGER,          -- objects.seq when it was queued; NULL if there was no such object
    object    TEXT    NOT NULL, -- the object's id
    status    TEXT    NOT NULL,
    attempts  INTEGER NOT NULL, -- since it was submitted or retried
    retries   INTEGER NOT NULL, -- how often it was retried on request
    version   INTEGER,          -- of the object that was handed out
    due_at    INTEGER NOT NULL, -- when it may be handed out: its delay, or the end of its lease
    owner     TEXT,             -- who has the lease
    error     TEXT,             -- JSON
    PRIMARY KEY (batch, position)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX jobs_object ON jobs (batch, object);

CREATE INDEX jobs_open ON jobs (batch, due_at) WHERE status IN ('PENDING', 'PROCESSING');

CREATE INDEX jobs_failed ON jobs (batch, position) WHERE status = 'FAILED';

CREATE INDEX jobs_seq ON jobs (seq) WHERE status IN ('PENDING', 'PROCESSING');

CREATE TABLE batch_counts (
    bucket    INTEGER PRIMARY KEY, -- buckets.num
    total     INTEGER NOT NULL,
    active    INTEGER NOT NULL, -- not ended
    completed INTEGER NOT NULL, -- with or without errors
    failed    INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    last  INTEGER PRIMARY KEY, -- number of the row's last event
    count INTEGER NOT NULL,    -- how many there are
    committed_at    INTEGER NOT NULL,    -- when they were committed
    data  BLOB    NOT NULL     -- the events, packed
, running BLOB) STRICT;

CREATE TABLE object (
    seq        INTEGER PRIMARY KEY,
    partition  INTEGER NOT NULL, -- see buckets.partition
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
    blobs      TEXT,             -- JSON array
    checksum   INTEGER,          -- CRC-32C of all but partition, size, status and error; NULL in a row of an older format
    expires_at INTEGER           -- NULL: never
) STRICT;

CREATE UNIQUE INDEX objects_id ON "object" (partition, id);

CREATE UNIQUE INDEX objects_key ON "object" (partition, key) WHERE key IS NOT NULL;

CREATE TABLE indexes (
    num    INTEGER PRIMARY KEY AUTOINCREMENT,
    partition INTEGER NOT NULL, -- the partition of the objects
    kind   TEXT    NOT NULL, -- value or text
    path   TEXT    NOT NULL, -- empty: all that a search looks at
    status TEXT    NOT NULL, -- BUILDING, READY or DROPPING
    built  INTEGER NOT NULL, -- object.seq down to which it is built, or up to which it is dropped
    many   INTEGER NOT NULL, -- whether an object has not exactly one value there
    cut    INTEGER NOT NULL, -- whether a text was too long to be in an entry as a whole
    form INTEGER NOT NULL DEFAULT 1 -- the version of the form in which its entries and texts are compared
) STRICT;

CREATE UNIQUE INDEX indexes_path ON indexes (partition, kind, path) WHERE status <> 'DROPPING';

CREATE INDEX indexes_work ON indexes (num) WHERE status <> 'READY';

CREATE TABLE entries (
    idx INTEGER NOT NULL, -- indexes.num
    key BLOB    NOT NULL, -- has the order of the values
    seq INTEGER NOT NULL, -- objects.seq
    PRIMARY KEY (idx, key, seq)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', contentless_delete = 1, detail = none,
    tokenize = 'trigram case_sensitive 1');

CREATE TABLE buckets (
    num              INTEGER PRIMARY KEY AUTOINCREMENT,
    status           TEXT    NOT NULL,
    is_locked        INTEGER NOT NULL,
    definition       INTEGER NOT NULL, -- counts the changes of what a write must satisfy
    partition        INTEGER NOT NULL, -- of its objects: num at first
    clock            INTEGER NOT NULL, -- counts the bucket's changes; see deltas
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
) STRICT;

CREATE UNIQUE INDEX buckets_name ON buckets (namespace, name) WHERE status <> 'IN_PROGRESS';

CREATE INDEX buckets_namespace ON buckets (namespace);

CREATE INDEX buckets_partition ON buckets (partition);

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

CREATE TABLE old_partitions (
    num    INTEGER PRIMARY KEY, -- the partition
    bucket INTEGER NOT NULL     -- buckets.num
) STRICT;

CREATE INDEX object_expiry ON object (partition, expires_at) WHERE expires_at IS NOT NULL;

CREATE INDEX uploads_key ON uploads (bucket, key) WHERE status IN ('PENDING', 'PROCESSING') AND key IS NOT NULL;

CREATE TABLE retention (
    bucket      INTEGER PRIMARY KEY, -- buckets.num
    max_age     INTEGER,             -- microseconds since the last change of an object
    max_objects INTEGER,
    max_bytes   INTEGER
) STRICT;

CREATE VIEW bucket_objects AS
SELECT
    n.name       AS namespace,
    b.name       AS bucket,
    o.id         AS object_id,
    o.status     AS status,
    json(o.fields)         AS fields, -- a JSON object
    ifnull(o.blobs, '[]')  AS blobs,  -- a JSON array; inline data stands in fields too
    o.key_prefix AS key_prefix,
    o.size       AS size,    -- bytes of fields and blobs
    o.version    AS version, -- rises with each change
    strftime('%Y-%m-%dT%H:%M:%S', o.created_at / 1000000, 'unixepoch') || printf('.%06dZ', o.created_at % 1000000) AS created_at,
    strftime('%Y-%m-%dT%H:%M:%S', o.updated_at / 1000000, 'unixepoch') || printf('.%06dZ', o.updated_at % 1000000) AS updated_at
FROM namespaces n
JOIN buckets b ON b.namespace = n.num
JOIN object o ON o.partition = b.partition -- not what a change of the schema prepares
WHERE b.status IN ('ACTIVE', 'ARCHIVED') -- neither suspended nor being deleted
AND n.delete_task IS NULL;

CREATE TABLE hours (
    partition INTEGER NOT NULL, -- the partition of the objects
    hour      INTEGER NOT NULL, -- of their creation, in hours since 1970
    objects   INTEGER NOT NULL,
    size      INTEGER NOT NULL, -- their total size
    PRIMARY KEY (partition, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE status_counts (
    partition INTEGER NOT NULL, -- the partition of the objects
    status    TEXT    NOT NULL,
    objects   INTEGER NOT NULL,
    PRIMARY KEY (partition, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE untallied (
    partition INTEGER PRIMARY KEY,
    reached   INTEGER NOT NULL -- the position down to which the objects are counted
) STRICT;

CREATE TABLE sizes (
    partition INTEGER NOT NULL, -- the partition of the objects
    size      INTEGER NOT NULL,
    objects   INTEGER NOT NULL, -- how many have it
    PRIMARY KEY (partition, size)
) STRICT, WITHOUT ROWID;

INSERT INTO store VALUES (1, lower(hex(randomblob(8))), 0, NULL, 0);
