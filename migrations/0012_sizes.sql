-- The largest and the smallest object of a bucket are found in a table that counts objects by
-- size, in place of an index with an entry for each object. The newest objects of a bucket are
-- pending: the table lacks them, and the newest events carry their least and greatest size.
--
-- The column events.totals gets a new name: a process that still has the file open with an
-- older version of this library would write objects without counting their sizes, so its
-- statements must fail and write nothing.

CREATE TABLE sizes (
    partition INTEGER NOT NULL, -- the partition of the objects
    size      INTEGER NOT NULL,
    objects   INTEGER NOT NULL, -- how many have it
    PRIMARY KEY (partition, size)
) STRICT, WITHOUT ROWID;

INSERT INTO sizes (partition, size, objects)
SELECT partition, size, count(*) FROM object WHERE typeof(partition) = 'integer' AND typeof(size) = 'integer' GROUP BY partition, size;

DROP INDEX objects_size;

ALTER TABLE events RENAME COLUMN totals TO running;

UPDATE events SET running = bucketlite_running(running) WHERE last = (SELECT max(last) FROM events) AND running IS NOT NULL;
