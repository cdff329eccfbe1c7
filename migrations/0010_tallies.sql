-- Objects are counted by the hour of their creation and by their status. A delta row has
-- the changes of one commit, packed; they are folded together with the totals.
--
-- The column deltas.rank gets a new name: a process that still has the file open with an
-- older version of this library would write without counting, so its statements must fail
-- and write nothing.

ALTER TABLE deltas RENAME COLUMN rank TO number; -- how many rows there are up to this one
ALTER TABLE deltas ADD COLUMN tally BLOB; -- changes of hours and status_counts by this commit alone, packed

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

-- The partitions whose objects are not all counted yet. The background counts them.
CREATE TABLE untallied (
    partition INTEGER PRIMARY KEY,
    reached   INTEGER NOT NULL -- the position down to which the objects are counted
) STRICT;

INSERT INTO untallied (partition, reached)
SELECT DISTINCT partition, 1 << 40 FROM buckets
WHERE typeof(partition) = 'integer' AND EXISTS (SELECT 1 FROM object WHERE seq > buckets.partition << 40 AND seq < (buckets.partition + 1) << 40);
