-- The totals of buckets ride in the rows of events, packed: the newest row carries the
-- changes since the last fold, of the buckets that have changed last.
--
-- The column events.at gets a new name: a process that still has the file open with an
-- older version of this library would write events that carry no totals, so its statements
-- must fail and write nothing.

ALTER TABLE events RENAME COLUMN at TO committed_at;
ALTER TABLE events ADD COLUMN totals BLOB; -- NULL, or of no use, in all rows but the newest

-- The delta rows are folded into the buckets' rows, except into damaged ones, since a file
-- must open whatever is wrong with a bucket.
UPDATE buckets SET clock = max(buckets.clock, d.clock), object_count = object_count + d.objects, total_size = total_size + d.size,
    last_upload_at = nullif(max(ifnull(buckets.last_upload_at, 0), ifnull(d.last_upload_at, 0)), 0)
FROM (SELECT bucket, max(clock) AS clock, objects, size, last_upload_at FROM deltas GROUP BY bucket) d
WHERE d.bucket = buckets.num
    AND typeof(status) || typeof(id) || typeof(name) || typeof(storage_class) || typeof(description) || typeof(schema) = 'texttexttexttexttexttext'
    AND typeof(is_locked) || typeof(definition) || typeof(partition) || typeof(buckets.clock) || typeof(object_count) || typeof(total_size)
        || typeof(schema_version) || typeof(rules) || typeof(namespace) || typeof(created_at) || typeof(updated_at)
        = 'integerintegerintegerintegerintegerintegerintegerintegerintegerintegerinteger'
    AND typeof(buckets.last_upload_at) IN ('integer', 'null') AND typeof(stats_updated_at) IN ('integer', 'null')
    AND typeof(delete_task) IN ('text', 'null') AND typeof(metadata) IN ('text', 'null') AND typeof(unique_key) IN ('text', 'null');

-- The objects of a bucket with delta rows are counted anew by hour and by status, in the
-- background.
INSERT OR REPLACE INTO untallied (partition, reached)
SELECT partition, 1 << 40 FROM buckets WHERE num IN (SELECT bucket FROM deltas WHERE tally IS NOT NULL) AND typeof(partition) = 'integer';
DELETE FROM hours WHERE partition IN (SELECT partition FROM untallied WHERE reached = 1 << 40);
DELETE FROM status_counts WHERE partition IN (SELECT partition FROM untallied WHERE reached = 1 << 40);

DROP TABLE deltas;
