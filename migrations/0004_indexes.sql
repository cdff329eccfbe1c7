-- Indexes that users ask for.

CREATE TABLE indexes (
    num    INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket INTEGER NOT NULL, -- buckets.num
    kind   TEXT    NOT NULL, -- value or text
    path   TEXT    NOT NULL, -- empty: all that a search looks at
    status TEXT    NOT NULL, -- BUILDING, READY or DROPPING
    built  INTEGER NOT NULL, -- objects.seq down to which it is built, or up to which it is dropped
    many   INTEGER NOT NULL, -- whether an object has not exactly one value there
    cut    INTEGER NOT NULL  -- whether a text was too long to be in an entry as a whole
) STRICT;
CREATE UNIQUE INDEX indexes_path ON indexes (bucket, kind, path) WHERE status <> 'DROPPING';
CREATE INDEX indexes_work ON indexes (num) WHERE status <> 'READY';

-- What objects have at the path of a value index.
CREATE TABLE entries (
    idx INTEGER NOT NULL, -- indexes.num
    key BLOB    NOT NULL, -- has the order of the values
    seq INTEGER NOT NULL, -- objects.seq
    PRIMARY KEY (idx, key, seq)
) STRICT, WITHOUT ROWID;

-- The folded text that the text indexes of a bucket are about, by objects.seq. The
-- text itself is not kept.
CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', contentless_delete = 1, detail = none,
    tokenize = 'trigram case_sensitive 1');
