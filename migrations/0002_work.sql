-- Uploads, batches, and the feed of changes.

ALTER TABLE tasks ADD COLUMN outputs TEXT;     -- JSON array
ALTER TABLE tasks ADD COLUMN ended_at INTEGER; -- NULL while it goes on
UPDATE tasks SET ended_at = updated_at WHERE status NOT IN ('PENDING', 'IN_PROGRESS');
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
    ended_at     INTEGER           -- when it was confirmed, cancelled, skipped or found expired
) STRICT;
CREATE INDEX uploads_bucket ON uploads (bucket, num);
CREATE INDEX uploads_hash ON uploads (bucket, hash) WHERE status = 'COMPLETED';
CREATE INDEX uploads_expiry ON uploads (expires_at) WHERE status = 'PENDING';
-- Confirmed bytes that no object has taken yet are kept, so their records are not looked at.
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

-- A job is an object of a batch. It is DRAFT until its batch is submitted.
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

-- What was committed, in order: the events of a commit group in one row, or in
-- several if they are many. The newest row stays when old ones go, so that numbers
-- never start again.
CREATE TABLE events (
    last  INTEGER PRIMARY KEY, -- number of the row's last event
    count INTEGER NOT NULL,    -- how many there are
    at    INTEGER NOT NULL,    -- when they were committed
    data  BLOB    NOT NULL     -- the events, packed
) STRICT;
