package bucketlite

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// What is done to all jobs of a batch is done in slices, so that a large batch
// never holds the write lock for long: the first in the transaction of the call
// that wants it, the others by the collector. The batch's row says what is being
// done and how far it has come. A batch does not end before that is over.
const (
	sweepFirst = 1000 // jobs in the first slice
	sweepSlice = 250  // jobs in the others
)

// The kinds of sweeps. That of a retry names the mode and the most retries too.
const (
	sweepSubmit = "submit" // queue all jobs
	sweepRetry  = "retry"  // queue some of those that failed
	sweepCancel = "cancel" // cancel those that have not ended
	sweepDelete = "delete"
)

// sweepSome carries on what is being done to the jobs of a batch.
func (c *collector) sweepSome() (worked bool, err error) {
	ctx := context.Background()
	num := int64(0)
	err = c.store.read(ctx, func(conn *engine.Conn) error {
		num = 0
		// Work first, what tidies up after.
		_, err := conn.QueryRow("SELECT num FROM batches WHERE sweep IS NOT NULL ORDER BY sweep IN ('cancel', 'delete'), num LIMIT 1", nil,
			func(r engine.Row) { num = r.Int(0) })
		return err
	})
	if err != nil || num == 0 {
		return false, err
	}
	return true, c.store.free(ctx, func(tx *commit.Tx) error {
		k, err := scanBatch(tx, "WHERE num = ?", num)
		if err != nil || k == nil {
			return err
		}
		return k.step(tx, sweepSlice)
	})
}

// step does a slice of what is being done to the batch's jobs, if anything is.
func (k *batchState) step(tx *commit.Tx, limit int64) (err error) {
	switch k.sweep {
	case "":
		return nil
	case sweepSubmit:
		err = k.queueSlice(tx, limit)
	case sweepCancel:
		err = k.cancelSlice(tx, limit)
	case sweepDelete:
		var gone bool
		if gone, err = k.deleteSlice(tx, limit); gone || err != nil {
			return err
		}
	default:
		err = k.retrySlice(tx, limit)
	}
	if err != nil {
		return err
	}
	tx.Raise(commit.Jobs)
	if k.sweep != "" {
		tx.Raise(commit.Background)
	}
	return k.save(tx)
}

// slice moves on by some positions, and returns the first and the last of them.
func (k *batchState) slice(limit int64) (first, last int64) {
	first, last = k.swept+1, min(k.swept+limit, k.total)
	if k.swept = last; last == k.total {
		k.sweep = ""
	}
	return first, last
}

// queueSlice queues jobs of a batch that was submitted. Only now is it settled
// which object an id names.
func (k *batchState) queueSlice(tx *commit.Tx, limit int64) error {
	first, last := k.slice(limit)
	n, err := tx.Exec(`
UPDATE jobs SET status = 'PENDING', seq = (SELECT seq FROM object WHERE bucket = ? AND id = jobs.object)
WHERE batch = ? AND position BETWEEN ? AND ? AND status = 'DRAFT'`, k.bucket, k.num, first, last)
	if err != nil {
		return err
	}
	k.open += n
	return k.markQueued(tx, first, last)
}

// markQueued marks the objects of queued jobs, but those that a job of another
// batch is at.
func (k *batchState) markQueued(tx *commit.Tx, first, last int64) error {
	_, err := tx.Exec(`
UPDATE object SET status = 'PENDING', error = NULL
WHERE seq IN (SELECT seq FROM jobs WHERE batch = ? AND position BETWEEN ? AND ? AND status = 'PENDING')
    AND status NOT IN ('PENDING', 'PROCESSING')`, k.num, first, last)
	return err
}

// retryFilter describes the failed jobs of a batch (1) that a retry takes: those
// retried less than a number of times (2), and whatever their category (3) or
// only where the failure may pass.
const retryFilter = `batch = ?1 AND status = 'FAILED' AND retries < ?2
    AND (?3 = 'all' OR error ->> '$.error_type' IN ('network', 'resource'))`

// retrySlice queues jobs that failed.
func (k *batchState) retrySlice(tx *commit.Tx, limit int64) error {
	var mode string
	var most int64
	if _, err := fmt.Sscanf(k.sweep, sweepRetry+" %s %d", &mode, &most); err != nil {
		return errorf("batch %s: %w: sweep %s", value.Show(k.id), ErrCorrupt, value.Show(k.sweep))
	}
	first, last := k.swept+1, int64(0)
	_, err := tx.QueryRow(`
SELECT ifnull(max(position), 0), count(*) FROM (
    SELECT position FROM jobs INDEXED BY jobs_failed WHERE batch = ? AND status = 'FAILED' AND position >= ? ORDER BY position LIMIT ?)`,
		[]any{k.num, first, limit}, func(r engine.Row) {
			if last = r.Int(0); r.Int(1) < limit {
				k.sweep = ""
			}
		})
	if err != nil || last == 0 {
		return err
	}
	k.swept = last
	err = tx.Query("SELECT error ->> '$.error_type', count(*) FROM jobs INDEXED BY jobs_failed WHERE "+retryFilter+" AND position BETWEEN ?4 AND ?5 GROUP BY 1",
		[]any{k.num, most, mode, first, last}, func(r engine.Row) error {
			k.fail(ErrorCategory(r.Text(0)), -r.Int(1))
			return nil
		})
	if err != nil {
		return err
	}
	n, err := tx.Exec(`
UPDATE jobs INDEXED BY jobs_failed SET status = 'PENDING', attempts = 0, retries = retries + 1, due_at = 0, error = NULL,
    seq = (SELECT seq FROM object WHERE bucket = ?6 AND id = jobs.object)
WHERE `+retryFilter+" AND position BETWEEN ?4 AND ?5", k.num, most, mode, first, last, k.bucket)
	if err != nil {
		return err
	}
	k.open += n
	return k.markQueued(tx, first, last)
}

// fail counts n more jobs as failed.
func (k *batchState) fail(category ErrorCategory, n int64) {
	k.failed += n
	if k.failures[category] += n; k.failures[category] == 0 {
		delete(k.failures, category)
	}
}

// cancelSlice cancels jobs that have not ended.
func (k *batchState) cancelSlice(tx *commit.Tx, limit int64) error {
	first, last := k.slice(limit)
	if err := k.releaseObjects(tx, first, last); err != nil {
		return err
	}
	n, err := tx.Exec(`
UPDATE jobs SET status = 'CANCELED', owner = NULL
WHERE batch = ? AND position BETWEEN ? AND ? AND status IN ('PENDING', 'PROCESSING')`, k.num, first, last)
	if err != nil {
		return err
	}
	k.open -= n
	_, err = tx.Exec("UPDATE jobs SET status = 'CANCELED' WHERE batch = ? AND position BETWEEN ? AND ? AND status = 'DRAFT'",
		k.num, first, last)
	return err
}

// releaseObjects makes drafts again of the objects of jobs that will not be
// done, but those that another batch has yet to do.
func (k *batchState) releaseObjects(tx *commit.Tx, first, last int64) error {
	if k.open == 0 {
		return nil
	}
	_, err := tx.Exec(`
UPDATE object SET status = 'DRAFT'
WHERE seq IN (SELECT seq FROM jobs WHERE batch = ?1 AND position BETWEEN ?2 AND ?3 AND status IN ('PENDING', 'PROCESSING'))
    AND status IN ('PENDING', 'PROCESSING')
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.seq = object.seq AND j.status IN ('PENDING', 'PROCESSING') AND j.batch <> ?1)`,
		k.num, first, last)
	return err
}

// deleteSlice deletes jobs, and after the last of them the batch.
func (k *batchState) deleteSlice(tx *commit.Tx, limit int64) (gone bool, err error) {
	first, last := k.swept+1, min(k.swept+limit, k.total)
	if err := k.releaseObjects(tx, first, last); err != nil {
		return false, err
	}
	if _, err := tx.Exec("DELETE FROM jobs WHERE batch = ? AND position BETWEEN ? AND ?", k.num, first, last); err != nil {
		return false, err
	}
	if k.swept = last; last < k.total {
		return false, nil
	}
	_, err = tx.Exec("DELETE FROM batches WHERE num = ?", k.num)
	return true, err
}

// deleteBatches deletes some jobs and batches of a bucket that is being deleted,
// and ends the tasks that process them. It reports whether none is left.
func deleteBatches(tx *commit.Tx, bucket int64) (done bool, err error) {
	for left := int64(deleteSlice); left > 0; {
		k, err := scanBatch(tx, "WHERE bucket = ? ORDER BY num LIMIT 1", bucket)
		if err != nil {
			return false, err
		}
		if k == nil {
			_, err := tx.Exec("DELETE FROM batch_counts WHERE bucket = ?", bucket)
			return true, err
		}
		if k.sweep != sweepDelete {
			if err := k.remove(tx); err != nil {
				return false, err
			}
		}
		n := min(left, k.total-k.swept)
		if err := k.step(tx, left); err != nil {
			return false, err
		}
		left -= n + 1 // the batch is a row too
	}
	return false, nil
}
