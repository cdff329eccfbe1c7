package bucketlite

import (
	"fmt"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// rowRule is a rule that one statement evaluates, and so in one snapshot.
type rowRule struct {
	name string
	// find selects the violating rows: a number, a subject and a message.
	find string
	// repair derives the faulty values of the row numbered ?1 from other rows; "" if
	// they cannot be derived.
	repair string
}

// SQL expressions that several rules share.
const (
	subjectOfBucket    = `format('bucket "%s" (%s)', b.name, b.id)`
	subjectOfNamespace = `format('namespace "%s" (%s)', n.name, n.id)`
	taskIsOpen         = `t.status IN ('PENDING', 'IN_PROGRESS')`
	livePartitions     = `(SELECT partition FROM buckets UNION ALL SELECT partition FROM schema_changes WHERE since IS NULL AND partition IS NOT NULL)`
	countBatches       = `SELECT count(*), coalesce(sum(status IN ('DRAFT', 'PENDING', 'IN_PROGRESS')), 0),
    coalesce(sum(status IN ('COMPLETED', 'COMPLETED_WITH_ERRORS')), 0), coalesce(sum(status = 'FAILED'), 0)
FROM batches WHERE sweep IS DISTINCT FROM 'delete'` // a batch that is being deleted does not count
)

// countJobs returns an SQL query for the counts of a batch's jobs that the batch's
// row records; batch is an SQL expression for the batch's number. If an error cannot
// be read, the recorded failures stay.
func countJobs(batch string) string {
	return `SELECT count(*), coalesce(sum(status IN ('PENDING', 'PROCESSING')), 0), coalesce(sum(status = 'FAILED'), 0), coalesce(sum(status = 'SKIPPED'), 0),
    iif(min(json_valid(coalesce(error, '{}'))) = 0, failures, (SELECT nullif(json_group_object(category, n), '{}') FROM (
        SELECT coalesce(error ->> 'error_type', '') AS category, count(*) AS n FROM jobs WHERE batch = ` + batch + ` AND status = 'FAILED' GROUP BY 1 ORDER BY 1)))
FROM jobs WHERE batch = ` + batch
}

// orphanCounts returns the rule that a table of counts has no rows of a partition that does
// not exist.
func orphanCounts(rule, table string) rowRule {
	orphan := "partition NOT IN " + livePartitions + " AND partition NOT IN (SELECT num FROM old_partitions)"
	return rowRule{name: rule,
		find: "SELECT partition, format('partition %d', partition), format('it does not exist, but %d rows of its counts do', count(*)) FROM " + table +
			" WHERE " + orphan + " GROUP BY partition",
		repair: "DELETE FROM " + table + " WHERE partition = ?1 AND " + orphan}
}

// rowRules are the rules in the order in which they are checked.
var rowRules = []rowRule{
	{name: "namespace.json",
		find: "SELECT num, " + subjectOfNamespace + `, 'its feature extractors or payload indexes are not valid JSON' FROM namespaces n
WHERE NOT json_valid(coalesce(feature_extractors, '[]')) OR NOT json_valid(coalesce(payload_indexes, '[]'))`},
	{name: "namespace.deletion",
		find: "SELECT n.num, " + subjectOfNamespace + `, format('no task %s is deleting it', n.delete_task)
FROM namespaces n LEFT JOIN tasks t ON t.id = n.delete_task AND ` + taskIsOpen + `
WHERE n.delete_task IS NOT NULL AND t.num IS NULL`},
	{name: "bucket.json",
		find: "SELECT num, " + subjectOfBucket + ", 'its metadata is not valid JSON' FROM buckets b WHERE NOT json_valid(coalesce(metadata, '{}'))"},
	{name: "bucket.namespace",
		find: "SELECT num, " + subjectOfBucket + ", 'its namespace does not exist' FROM buckets b WHERE namespace NOT IN (SELECT num FROM namespaces)"},
	{name: "bucket.deletion",
		find: "SELECT b.num, " + subjectOfBucket + `, format('its status is %s, and its deletion task %s', b.status,
    iif(b.delete_task IS NULL, 'is missing', iif(t.num IS NULL, 'is not open', 'is open')))
FROM buckets b LEFT JOIN tasks t ON t.id = b.delete_task AND ` + taskIsOpen + `
WHERE (b.status = 'IN_PROGRESS') <> (b.delete_task IS NOT NULL) OR (b.delete_task IS NOT NULL) <> (t.num IS NOT NULL)`},
	orphanCounts("bucket.growth", "hours"),
	orphanCounts("bucket.statuses", "status_counts"),
	orphanCounts("bucket.growth", "untallied"),
	orphanCounts("bucket.sizes", "sizes"),
	{name: "bucket.retention",
		find:   "SELECT bucket, format('bucket number %d', bucket), 'it does not exist, but has limits' FROM retention WHERE bucket NOT IN (SELECT num FROM buckets)",
		repair: "DELETE FROM retention WHERE bucket = ?1 AND bucket NOT IN (SELECT num FROM buckets)"},
	{name: "bucket.retention",
		find: "SELECT b.num, " + subjectOfBucket + `, format('its limits are %d microseconds, %d objects and %d bytes', r.max_age, r.max_objects, r.max_bytes)
FROM retention r JOIN buckets b ON b.num = r.bucket WHERE coalesce(min(coalesce(r.max_age, 1), coalesce(r.max_objects, 1), coalesce(r.max_bytes, 1)), 0) <= 0
    OR coalesce(r.max_age, r.max_objects, r.max_bytes) IS NULL`},
	{name: "bucket.retention",
		find: "SELECT b.num, " + subjectOfBucket + `, 'it has limits, but no index that finds its oldest objects'
FROM retention r JOIN buckets b ON b.num = r.bucket WHERE b.status <> 'IN_PROGRESS'
    AND NOT EXISTS (SELECT 1 FROM indexes i WHERE i.partition = b.partition AND i.kind = 'age' AND i.status <> 'DROPPING')`,
		repair: fmt.Sprintf(`INSERT INTO indexes (partition, kind, path, status, built, many, cut, form)
SELECT partition, 'age', '', 'BUILDING', coalesce((SELECT max(seq) + 1 FROM object WHERE partition = b.partition), partition << 40), 0, 0, %d
FROM buckets b WHERE num = ?1 AND NOT EXISTS (SELECT 1 FROM indexes i WHERE i.partition = b.partition AND i.kind = 'age' AND i.status <> 'DROPPING')`, index.Format)},
	{name: "bucket.change",
		find: `SELECT c.bucket, format('bucket number %d', c.bucket), format('a change to schema version %d is not in force, but no task prepares it', c.version)
FROM schema_changes c LEFT JOIN tasks t ON t.id = c.task AND ` + taskIsOpen + ` WHERE c.since IS NULL AND t.num IS NULL`},
	{name: "bucket.change",
		find: `SELECT bucket, format('bucket number %d', bucket), format('%d bytes are recorded of the objects that a change has prepared, but there are %d', size, actual)
FROM (SELECT bucket, size, (SELECT total(size) FROM object WHERE partition = c.partition) AS actual FROM schema_changes c WHERE since IS NULL AND partition IS NOT NULL)
WHERE size <> actual`},
	{name: "bucket.change",
		find: `SELECT bucket, format('bucket number %d', bucket), 'it does not exist, but changes of its schema do'
FROM schema_changes WHERE bucket NOT IN (SELECT num FROM buckets) GROUP BY bucket`,
		repair: "DELETE FROM schema_changes WHERE bucket = ?1 AND bucket NOT IN (SELECT num FROM buckets)"},
	{name: "bucket.change",
		find: `SELECT num, format('bucket number %d', bucket), format('partition %d is to be deleted, but is in use', num)
FROM old_partitions WHERE num IN ` + livePartitions,
		repair: "DELETE FROM old_partitions WHERE num = ?1 AND num IN " + livePartitions},
	{name: "bucket.batches",
		find: "SELECT b.num, " + subjectOfBucket + `, 'its recorded numbers of batches differ from a recount' FROM buckets b
WHERE coalesce((SELECT (total, active, completed, failed) <> (` + countBatches + ` AND bucket = b.num) FROM batch_counts WHERE bucket = b.num),
    EXISTS (SELECT 1 FROM batches WHERE sweep IS DISTINCT FROM 'delete' AND bucket = b.num))`,
		repair: `INSERT INTO batch_counts (bucket, total, active, completed, failed)
SELECT b.num, c.* FROM buckets b, (` + countBatches + ` AND bucket = ?1) c WHERE b.num = ?1
ON CONFLICT (bucket) DO UPDATE SET total = excluded.total, active = excluded.active, completed = excluded.completed, failed = excluded.failed`},
	{name: "bucket.batches",
		find: `SELECT bucket, format('bucket number %d', bucket), 'it does not exist, but a count of its batches does'
FROM batch_counts WHERE bucket NOT IN (SELECT num FROM buckets)`,
		repair: "DELETE FROM batch_counts WHERE bucket = ?1 AND bucket NOT IN (SELECT num FROM buckets)"},
	{name: "task.json",
		find: `SELECT num, format('task %s', id), 'its inputs, outputs or details cannot be read' FROM tasks
WHERE CASE WHEN json_valid(inputs) THEN json_type(inputs) <> 'array' ELSE true END
    OR CASE WHEN json_valid(detail) THEN json_type(detail) <> 'object' ELSE true END
    OR CASE WHEN json_valid(coalesce(outputs, '[]')) THEN json_type(coalesce(outputs, '[]')) <> 'array' ELSE true END`},
	{name: "task.status",
		find: `SELECT num, format('task %s', id), format('its status is %s, but it has %s', status, iif(ended_at IS NULL, 'not ended', 'ended')) FROM tasks t
WHERE (ended_at IS NULL) <> (` + taskIsOpen + `)
    OR status NOT IN ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED', 'CANCELED')`},
	{name: "task.target",
		find: `SELECT num, format('task %s', id), 'its target does not exist' FROM tasks t WHERE ` + taskIsOpen + `
    AND CASE type WHEN 'api_buckets_delete' THEN bucket NOT IN (SELECT num FROM buckets)
        WHEN 'api_namespaces_delete' THEN namespace NOT IN (SELECT num FROM namespaces)
        WHEN 'api_namespaces_migrations_run' THEN id NOT IN (SELECT task FROM schema_changes WHERE since IS NULL) END`},
	{name: "upload.json",
		find: "SELECT num, format('upload %s', id), 'its request is not valid JSON' FROM uploads WHERE NOT json_valid(request)"},
	{name: "upload.status",
		find: `SELECT u.num, format('upload %s', u.id), format('its status is %s, which does not fit its other columns', u.status)
FROM uploads u LEFT JOIN tasks t ON t.id = u.task AND ` + taskIsOpen + `
WHERE u.holds NOT IN (0, 1) OR CASE u.status
    WHEN 'PENDING' THEN (holds <> 0) <> (hash IS NOT NULL) OR u.ended_at IS NOT NULL OR object IS NOT NULL
    WHEN 'PROCESSING' THEN (holds <> 0) <> (hash IS NOT NULL) OR u.ended_at IS NOT NULL OR object IS NOT NULL OR t.num IS NULL
    WHEN 'COMPLETED' THEN hash IS NULL OR u.ended_at IS NULL OR holds = 0 AND object IS NULL
    WHEN 'SKIPPED' THEN holds <> 0 OR hash IS NOT NULL OR u.ended_at IS NULL OR object IS NULL
    WHEN 'FAILED' THEN holds <> 0 OR hash IS NOT NULL OR u.ended_at IS NULL OR object IS NOT NULL
    WHEN 'CANCELED' THEN holds <> 0 OR hash IS NOT NULL OR u.ended_at IS NULL OR object IS NOT NULL
    ELSE true
END`},
	{name: "upload.bucket",
		find: "SELECT num, format('upload %s', id), 'its bucket does not exist' FROM uploads WHERE bucket NOT IN (SELECT num FROM buckets)"},
	{name: "upload.content",
		find: `SELECT u.num, format('upload %s', u.id), iif(c.num IS NULL, 'the content it holds does not exist',
    format('the content it holds has %d bytes, %d are recorded', c.size, u.size))
FROM uploads u LEFT JOIN contents c ON c.hash = u.hash WHERE u.holds <> 0 AND c.size IS DISTINCT FROM u.size OR u.holds <> 0 AND c.num IS NULL`},
	{name: "batch.json",
		find: "SELECT num, format('batch %s', id), 'its metadata is not valid JSON' FROM batches WHERE NOT json_valid(coalesce(metadata, '{}'))"},
	{name: "batch.bucket",
		find: "SELECT num, format('batch %s', id), 'its bucket does not exist' FROM batches WHERE bucket NOT IN (SELECT num FROM buckets)"},
	{name: "batch.jobs",
		find: `SELECT b.num, format('batch %s', b.id), format('%d jobs are recorded, %d of them open, %d failed, %s, and %d skipped; a recount differs',
    b.total, b.open, b.failed, coalesce(b.failures, '{}'), b.skipped)
FROM batches b WHERE sweep IS DISTINCT FROM 'delete' AND (b.total, b.open, b.failed, b.skipped, b.failures) IS NOT (` + countJobs("b.num") + `)`,
		repair: "UPDATE batches SET (total, open, failed, skipped, failures) = (" + countJobs("?1") + ") WHERE num = ?1 AND sweep IS DISTINCT FROM 'delete'"},
	{name: "job.batch",
		find: `SELECT batch, format('batch number %d', batch), format('it does not exist, but %d jobs of it do', count(*))
FROM jobs WHERE batch NOT IN (SELECT num FROM batches) GROUP BY batch`},
	{name: "job.json",
		find: `SELECT b.num, format('batch %s', b.id), format('job %d: its error is not valid JSON', min(j.position))
FROM jobs j JOIN batches b ON b.num = j.batch WHERE NOT json_valid(coalesce(j.error, 'null')) GROUP BY b.num`},
	{name: "job.object",
		find: `SELECT b.num, format('batch %s', b.id), format('job %d: its object belongs to another bucket', min(j.position))
FROM jobs j JOIN batches b ON b.num = j.batch WHERE j.seq >> 40 <> b.bucket GROUP BY b.num`},
	{name: "index.status",
		find: `SELECT num, format('index number %d', num), format('its kind is %s, its path %s and its status %s', kind, path, status)
FROM indexes WHERE status NOT IN ('BUILDING', 'READY', 'DROPPING') OR kind NOT IN ('value', 'text', 'age') OR many NOT IN (0, 1) OR cut NOT IN (0, 1)`},
	{name: "index.orphan",
		find: `SELECT num, format('index number %d', num), 'its bucket does not exist' FROM indexes
WHERE status <> 'DROPPING' AND partition NOT IN ` + livePartitions,
		repair: "UPDATE indexes SET status = 'DROPPING', built = partition << 40 WHERE status <> 'DROPPING' AND num = ?1 AND partition NOT IN " + livePartitions},
	{name: "index.orphan",
		find: `SELECT idx, format('index number %d', idx), format('it does not exist, but %d entries of it do', count(*))
FROM entries WHERE idx NOT IN (SELECT num FROM indexes) GROUP BY idx`,
		// The collector deletes the entries, slice by slice.
		repair: `INSERT INTO indexes (num, partition, kind, path, status, built, many, cut) SELECT ?1, 0, 'value', '', 'DROPPING', 0, 0, 0
WHERE NOT EXISTS (SELECT 1 FROM indexes WHERE num = ?1)`},
	{name: "index.orphan",
		find: `SELECT id >> 40, format('bucket number %d', id >> 40), format('it has no text index, but %d texts', count(*))
FROM texts_docsize WHERE id >> 40 NOT IN (SELECT partition FROM indexes WHERE kind = 'text') GROUP BY 1`,
		repair: `INSERT INTO indexes (partition, kind, path, status, built, many, cut) SELECT ?1, 'text', '', 'DROPPING', ?1 << 40, 0, 0
WHERE NOT EXISTS (SELECT 1 FROM indexes WHERE partition = ?1 AND kind = 'text')`},
	{name: "index.orphan",
		// These texts matter only if the bucket has a text index that is not being
		// dropped.
		find: `SELECT id, format('bucket number %d', id >> 40), format('object number %d does not exist, but a text of it does', id)
FROM texts_docsize WHERE NOT EXISTS (SELECT 1 FROM object WHERE seq = texts_docsize.id) AND id >> 40 IN (
    SELECT indexes.partition FROM indexes JOIN buckets b ON b.partition = indexes.partition WHERE kind = 'text' AND b.status <> 'IN_PROGRESS'
    GROUP BY 1 HAVING sum(indexes.status = 'DROPPING') = 0)`,
		repair: "DELETE FROM texts WHERE rowid = ?1 AND NOT EXISTS (SELECT 1 FROM object WHERE seq = ?1)"},
	{name: "index.text",
		find: `SELECT num, subject, format('its text index lacks the texts of %d objects', n) FROM (
    SELECT i.num, ` + subjectOfBucket + ` AS subject, (
        SELECT count(*) FROM object WHERE seq >= i.built AND seq > i.partition << 40 AND seq < (i.partition + 1) << 40
            AND NOT EXISTS (SELECT 1 FROM texts_docsize WHERE id = object.seq)) AS n
    FROM indexes i JOIN buckets b ON b.partition = i.partition WHERE i.kind = 'text' AND i.status <> 'DROPPING' AND b.status <> 'IN_PROGRESS')
WHERE n > 0`,
		repair: rebuildTexts},
	{name: "chunk.content",
		find: `SELECT id >> 24, format('content number %d', id >> 24), format('it does not exist, but %d chunks of it do', count(*))
FROM chunks WHERE id >> 24 NOT IN (SELECT num FROM contents) GROUP BY 1`,
		// The collector deletes a content without references, slice by slice.
		repair: `INSERT INTO contents (num, size, uses) SELECT ?1, 0, 0
WHERE NOT EXISTS (SELECT 1 FROM contents WHERE num = ?1)`},
	{name: "content.references",
		find:   `SELECT num, format('content number %d', num), format('%d references are recorded, but it cannot have any', uses) FROM contents WHERE hash IS NULL AND uses <> 0`,
		repair: "UPDATE contents SET uses = 0 WHERE num = ?1 AND hash IS NULL"},
}

// rebuildTexts starts a rebuild of the text index ?1. New texts replace the existing
// ones.
const rebuildTexts = `
UPDATE indexes SET status = 'BUILDING',
    built = coalesce((SELECT max(seq) + 1 FROM object WHERE seq > indexes.partition << 40 AND seq < (indexes.partition + 1) << 40), built)
WHERE num = ?1 AND kind = 'text' AND status <> 'DROPPING'`

// checkRows checks the rowRules.
func (c *checker) checkRows() error {
	for _, rule := range rowRules {
		if err := c.checkRule(rule); err != nil {
			return err
		}
	}
	return nil
}

// checkRule checks a rule page by page. SQLite finds all rows before it returns the
// first.
func (c *checker) checkRule(rule rowRule) error {
	query := "WITH found (num, subject, message) AS (" + rule.find + ") SELECT num, subject, message FROM found WHERE num > ? ORDER BY +num LIMIT ?"
	for after := int64(-1 << 63); ; {
		var found []Problem
		var nums []int64
		err := c.readLong(query, []any{after, int64(maxProblems)}, func() { found, nums = nil, nil }, func(r engine.Row) {
			nums, found = append(nums, r.Int(0)), append(found, Problem{Rule: rule.name, Subject: r.Text(1), Message: r.Text(2)})
		})
		if err != nil || len(found) == 0 {
			return err
		}
		repaired := rule.repair != "" && c.repairs()
		if repaired {
			if err := c.repairRows(rule.repair, nums); err != nil {
				return err
			}
		}
		for _, p := range found {
			p.Repaired = repaired
			c.add(p)
		}
		if err := turnPage(&after, nums[len(nums)-1]); err != nil {
			return err
		}
	}
}

// checkEvents checks that each row of events can be read and continues the row before
// it. It reads on from a row it has checked. If that row has been deleted meanwhile,
// as old rows are, the continuity of the next row is unknown.
func (c *checker) checkEvents() error {
	for last := int64(-1 << 63); ; {
		var rows []commit.Events
		err := c.read(func(conn *engine.Conn) error {
			rows = nil
			size := 0
			err := conn.Query(commit.SelectEvents+"WHERE last >= ? ORDER BY last LIMIT ?", []any{last, int64(checkRows)},
				func(r engine.Row) error {
					rows = append(rows, commit.ScanEvents(r))
					if size += len(rows[len(rows)-1].Data); size > checkBytes && len(rows) > 1 {
						return errEnough
					}
					return nil
				})
			if err == errEnough {
				err = nil
			}
			return err
		})
		if err != nil {
			return err
		}
		for i := range rows {
			row := &rows[i]
			if row.Last == last {
				continue // it has been checked
			}
			subject := fmt.Sprintf("events up to number %d", row.Last)
			if err := row.Check(); err != nil {
				c.add(Problem{Rule: "event.data", Subject: subject, Message: err.Error()})
			}
			if first := row.First(); first < 1 || i > 0 && first != rows[i-1].Last+1 {
				c.add(Problem{Rule: "event.order", Subject: subject, Message: fmt.Sprintf("the first event has number %d, which does not follow the previous row", first)})
			}
		}
		if len(rows) == 0 || rows[len(rows)-1].Last == last {
			return nil
		}
		if err := turnPage(&last, rows[len(rows)-1].Last); err != nil {
			return err
		}
	}
}
