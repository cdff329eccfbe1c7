-- The objects that can be read, for other programs that open the file, such as sqlite3
-- and Datasette. This library never reads the view, so nothing of it is lost if an older
-- version has the file open. fields needs SQLite 3.45, which knows JSONB.

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
