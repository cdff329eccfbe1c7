package jobs

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// All statements that write the table jobs are in this file. Jobs are handed out by
// their due_at: for a pending job the time of its next attempt, for one that is being
// processed the end of its lease.

// insertJobs adds objects to a batch that has total jobs, and returns how many are new.
func insertJobs(tx *commit.Tx, batch, total int64, objects []any) (int64, error) {
	return tx.Exec(`
INSERT INTO jobs (batch, position, object, status, attempts, retries, due_at)
SELECT ?1, ?2 + row_number() OVER (ORDER BY key), value, 'DRAFT', 0, 0, 0 FROM json_each(?3)
WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE batch = ?1 AND object = value)`, batch, total, string(value.Append(nil, objects)))
}

// A job knows its object by the seq that the object would have in a partition with the
// number of the bucket. That seq stays when another partition takes over. The statements
// convert it by the following expressions, whose parameter is a partition or the bucket.
const (
	seqOfObject = "(SELECT (?1 << 40) | (seq & 0xffffffffff) FROM object WHERE partition = ?2 AND id = jobs.object)"
	seqOfJob    = "(?1 << 40) | (seq & 0xffffffffff)"
)

// queueJobs queues the draft jobs between two positions, and returns their number. It
// resolves each id to an object, which may not have existed before.
func queueJobs(tx *commit.Tx, b *Batch, first, last int64) (int64, error) {
	state, err := tx.Bucket(b.Bucket)
	if err != nil || state == nil {
		return 0, err
	}
	return tx.Exec(`
UPDATE jobs SET status = 'PENDING', seq = `+seqOfObject+`
WHERE batch = ?3 AND position BETWEEN ?4 AND ?5 AND status = 'DRAFT'`, b.Bucket, state.Partition, b.Num, first, last)
}

// retryFilter selects the failed jobs of a batch (6) that a retry takes: jobs retried fewer
// than a number of times (7), of the categories that the mode (8) allows.
const retryFilter = `batch = ?6 AND status = 'FAILED' AND retries < ?7
    AND (?8 = 'all' OR error ->> 'error_type' IN ('network', 'resource'))`

// CountRetry returns the number of failed jobs of a batch that a retry would take, and the
// batch's newest task. Jobs that were retried most times are left out.
func CountRetry(c *engine.Conn, bucket int64, id string, mode RetryMode, most int64) (jobs int64, task string, err error) {
	num := int64(0)
	_, err = c.QueryRow("SELECT num, task FROM batches WHERE bucket = ? AND id = ?", []any{bucket, id},
		func(r engine.Row) { num, task = r.Int(0), r.Text(1) })
	if err != nil {
		return 0, "", err
	}
	_, err = c.QueryRow("SELECT count(*) FROM jobs INDEXED BY jobs_failed WHERE "+retryFilter, []any{nil, nil, nil, nil, nil, num, most, string(mode)},
		func(r engine.Row) { jobs = r.Int(0) })
	return jobs, task, err
}

// failedJobs finds up to limit failed jobs of a batch, starting at a position. It returns
// the position of the last one, and their number.
func failedJobs(tx *commit.Tx, batch, first, limit int64) (last, n int64, err error) {
	_, err = tx.QueryRow(`
SELECT coalesce(max(position), 0), count(*) FROM (
    SELECT position FROM jobs INDEXED BY jobs_failed WHERE batch = ? AND status = 'FAILED' AND position >= ? ORDER BY position LIMIT ?)`,
		[]any{batch, first, limit}, func(r engine.Row) { last, n = r.Int(0), r.Int(1) })
	return last, n, err
}

// requeueFailed queues the failed jobs between two positions that a retry takes, and no
// longer counts them as failed. It returns their number.
func requeueFailed(tx *commit.Tx, b *Batch, mode RetryMode, most, first, last int64) (int64, error) {
	state, err := tx.Bucket(b.Bucket)
	if err != nil || state == nil {
		return 0, err
	}
	args := []any{b.Bucket, state.Partition, nil, first, last, b.Num, most, string(mode)}
	err = tx.Query("SELECT error ->> 'error_type', count(*) FROM jobs INDEXED BY jobs_failed WHERE "+retryFilter+" AND position BETWEEN ?4 AND ?5 GROUP BY 1",
		args, func(r engine.Row) error {
			b.fail(r.Text(0), -r.Int(1))
			return nil
		})
	if err != nil {
		return 0, err
	}
	return tx.Exec(`
UPDATE jobs INDEXED BY jobs_failed SET status = 'PENDING', attempts = 0, retries = retries + 1, due_at = 0, error = NULL,
    seq = `+seqOfObject+`
WHERE `+retryFilter+" AND position BETWEEN ?4 AND ?5", args...)
}

// cancelJobs cancels the jobs between two positions that have not ended, and returns the
// number of the ones that were queued or handed out.
func cancelJobs(tx *commit.Tx, batch, first, last int64) (open int64, err error) {
	open, err = tx.Exec(`
UPDATE jobs SET status = 'CANCELED', owner = NULL
WHERE batch = ? AND position BETWEEN ? AND ? AND status IN ('PENDING', 'PROCESSING')`, batch, first, last)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec("UPDATE jobs SET status = 'CANCELED' WHERE batch = ? AND position BETWEEN ? AND ? AND status = 'DRAFT'", batch, first, last)
	return open, err
}

func deleteJobs(tx *commit.Tx, batch, first, last int64) error {
	_, err := tx.Exec("DELETE FROM jobs WHERE batch = ? AND position BETWEEN ? AND ?", batch, first, last)
	return err
}

// handOut gives a job to the owner of a lease, with a version of its object.
func (l *Lease) handOut(tx *commit.Tx, version int64) error {
	_, err := tx.Exec("UPDATE jobs SET status = 'PROCESSING', attempts = ?, version = ?, due_at = ?, owner = ? WHERE batch = ? AND position = ?",
		l.Attempt, version, l.Until, l.Owner, l.Batch, l.Position)
	return err
}

// held returns the version of the object that was handed out with the lease, and whether
// the lease still holds.
func (l *Lease) held(tx *commit.Tx) (version int64, held bool, err error) {
	held, err = tx.QueryRow("SELECT version FROM jobs WHERE batch = ? AND position = ? AND owner = ? AND attempts = ? AND status = 'PROCESSING'",
		[]any{l.Batch, l.Position, l.Owner, l.Attempt}, func(r engine.Row) { version = r.Int(0) })
	return version, held, err
}

// renew extends the lease, and reports whether it still held.
func (l *Lease) renew(tx *commit.Tx, until int64) (held bool, err error) {
	n, err := tx.Exec("UPDATE jobs SET due_at = ? WHERE batch = ? AND position = ? AND owner = ? AND attempts = ? AND status = 'PROCESSING'",
		until, l.Batch, l.Position, l.Owner, l.Attempt)
	return n > 0, err
}

// giveBack queues a job again without counting the attempt.
func (l *Lease) giveBack(tx *commit.Tx) error {
	_, err := tx.Exec("UPDATE jobs SET status = 'PENDING', owner = NULL, attempts = attempts - 1, due_at = 0 WHERE batch = ? AND position = ?",
		l.Batch, l.Position)
	return err
}

// requeue queues a job whose attempt failed, to be due at a time.
func (l *Lease) requeue(tx *commit.Tx, failure string, at int64) error {
	_, err := tx.Exec("UPDATE jobs SET status = 'PENDING', owner = NULL, error = ?, due_at = ? WHERE batch = ? AND position = ?",
		failure, at, l.Batch, l.Position)
	return err
}

// end ends a job. The failure is JSON text, or "" if the job has not failed.
func (l *Lease) end(tx *commit.Tx, status, failure string) error {
	_, err := tx.Exec("UPDATE jobs SET status = ?, owner = NULL, error = nullif(?, '') WHERE batch = ? AND position = ?",
		status, failure, l.Batch, l.Position)
	return err
}

// FollowVersion updates the version in the open jobs of an object of a bucket after a change
// that has kept the object's content.
func FollowVersion(tx *commit.Tx, bucket, seq, from, to int64) error {
	_, err := tx.Exec("UPDATE jobs SET version = ? WHERE seq = ? AND status IN ('PENDING', 'PROCESSING') AND version = ?",
		to, commit.Seq(bucket, commit.Position(seq)), from)
	return err
}
