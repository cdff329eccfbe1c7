package jobs

import (
	"fmt"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Submit, retry, cancel and delete touch every job of a batch, so they run in slices,
// and a large batch never holds the write lock for long. The first slice belongs to the
// transaction of the call, the others run in the background. The batch's row holds the
// kind and the progress of the sweep. A batch does not end before its sweep has.
const (
	firstSlice = 1000 // jobs in the first slice
	sweepSlice = 250  // jobs in the others

	deleteSlice = 200 // jobs and batches in a slice of deleting a bucket
)

// The kinds of sweeps. A retry's kind is followed by its mode and its limit of retries.
const (
	sweepSubmit = "submit" // queue all jobs
	sweepRetry  = "retry"  // queue some of the failed jobs
	sweepCancel = "cancel" // cancel the jobs that have not ended
	sweepDelete = "delete"
)

// Submit makes a draft batch pending under a task, and begins to queue its jobs.
func (b *Batch) Submit(tx *commit.Tx, task string) error { return b.begin(tx, sweepSubmit, task) }

// RetryMode selects the failed jobs of a retry.
type RetryMode string

// The modes.
const (
	RetryAll       RetryMode = "all"
	RetryTransient RetryMode = "transient" // failures that may pass by themselves
)

// Retry makes a batch that has ended pending again under a task, and begins to queue the
// failed jobs that [CountRetry] counts.
func (b *Batch) Retry(tx *commit.Tx, task string, mode RetryMode, most int64) error {
	return b.begin(tx, fmt.Sprintf("%s %s %d", sweepRetry, mode, most), task)
}

func (b *Batch) begin(tx *commit.Tx, sweep, task string) error {
	b.Status, b.Task, b.err, b.sweep, b.swept = pending, task, "", sweep, 0
	return b.step(tx, firstSlice)
}

// Cancel cancels a running batch, and begins to cancel its jobs.
func (b *Batch) Cancel(tx *commit.Tx) error {
	b.Status, b.sweep, b.swept = canceled, sweepCancel, 0
	return b.step(tx, firstSlice)
}

// Delete hides the batch, and begins to delete its jobs. It cancels a running batch.
func (b *Batch) Delete(tx *commit.Tx) error {
	if err := b.hide(tx); err != nil {
		return err
	}
	return b.step(tx, firstSlice)
}

func (b *Batch) hide(tx *commit.Tx) error {
	if b.Running() {
		b.Status = canceled
	}
	b.sweep, b.swept = sweepDelete, 0
	if err := b.Save(tx); err != nil {
		return err
	}
	return countBatch(tx, b.Bucket, b.Status, "")
}

// NextSweep returns the number of a batch whose sweep is unfinished, or 0. Sweeps that queue
// jobs come before sweeps that cancel or delete them.
func NextSweep(c *engine.Conn) (num int64, err error) {
	_, err = c.QueryRow("SELECT num FROM batches WHERE sweep IS NOT NULL ORDER BY sweep IN ('cancel', 'delete'), num LIMIT 1", nil,
		func(r engine.Row) { num = r.Int(0) })
	return num, err
}

// Sweep runs the next slice of the sweep of a batch.
func Sweep(tx *commit.Tx, num int64) error {
	b, err := selectBatch(tx, "WHERE num = ?", num)
	if err != nil || b == nil {
		return err
	}
	return b.step(tx, sweepSlice)
}

// DeleteBatches deletes some jobs and batches of a bucket that is being deleted, and ends
// the tasks that process them. It reports whether none is left.
func DeleteBatches(tx *commit.Tx, bucket int64) (done bool, err error) {
	for left := int64(deleteSlice); left > 0; {
		b, err := selectBatch(tx, "WHERE bucket = ? ORDER BY num LIMIT 1", bucket)
		if err != nil {
			return false, err
		}
		if b == nil {
			return true, forgetCounts(tx, bucket)
		}
		if b.sweep != sweepDelete {
			if err := b.hide(tx); err != nil {
				return false, err
			}
		}
		jobs := min(left, b.Total-b.swept)
		if err := b.step(tx, left); err != nil {
			return false, err
		}
		left -= jobs + 1 // the batch is a row too
	}
	return false, nil
}

// step runs a slice of the batch's sweep, if it has one.
func (b *Batch) step(tx *commit.Tx, limit int64) (err error) {
	switch b.sweep {
	case "":
		return nil
	case sweepSubmit:
		err = b.queueSlice(tx, limit)
	case sweepCancel:
		err = b.cancelSlice(tx, limit)
	case sweepDelete:
		var gone bool
		if gone, err = b.deleteSlice(tx, limit); gone || err != nil {
			return err
		}
	default:
		err = b.retrySlice(tx, limit)
	}
	if err != nil {
		return err
	}
	tx.Raise(commit.Jobs)
	if b.sweep != "" {
		tx.Raise(commit.Background)
	}
	return b.Save(tx)
}

// slice advances the sweep by up to limit positions, and returns the first and the last.
func (b *Batch) slice(limit int64) (first, last int64) {
	first, last = b.swept+1, min(b.swept+limit, b.Total)
	if b.swept = last; last == b.Total {
		b.sweep = ""
	}
	return first, last
}

// queueSlice queues jobs of a submitted batch.
func (b *Batch) queueSlice(tx *commit.Tx, limit int64) error {
	first, last := b.slice(limit)
	n, err := queueJobs(tx, b, first, last)
	if err != nil {
		return err
	}
	b.open += n
	return markQueued(tx, b, first, last)
}

// retrySlice queues failed jobs.
func (b *Batch) retrySlice(tx *commit.Tx, limit int64) error {
	var mode RetryMode
	var most int64
	if _, err := fmt.Sscanf(b.sweep, sweepRetry+" %s %d", &mode, &most); err != nil {
		return fmt.Errorf("batch %s: %w: sweep %s", value.Show(b.ID), engine.ErrCorrupt, value.Show(b.sweep))
	}
	first := b.swept + 1
	last, n, err := failedJobs(tx, b.Num, first, limit)
	if err != nil {
		return err
	}
	if n < limit {
		b.sweep = ""
	}
	if n == 0 {
		return nil
	}
	b.swept = last
	if n, err = requeueFailed(tx, b, mode, most, first, last); err != nil {
		return err
	}
	b.open += n
	return markQueued(tx, b, first, last)
}

// cancelSlice cancels jobs that have not ended.
func (b *Batch) cancelSlice(tx *commit.Tx, limit int64) error {
	first, last := b.slice(limit)
	if err := b.releaseObjects(tx, first, last); err != nil {
		return err
	}
	n, err := cancelJobs(tx, b.Num, first, last)
	b.open -= n
	return err
}

// deleteSlice deletes jobs, and after the last of them the batch.
func (b *Batch) deleteSlice(tx *commit.Tx, limit int64) (gone bool, err error) {
	first, last := b.swept+1, min(b.swept+limit, b.Total)
	if err := b.releaseObjects(tx, first, last); err != nil {
		return false, err
	}
	if err := deleteJobs(tx, b.Num, first, last); err != nil {
		return false, err
	}
	if b.swept = last; last < b.Total {
		return false, nil
	}
	return true, b.delete(tx)
}

// releaseObjects resets the objects of jobs that will not be processed to drafts.
func (b *Batch) releaseObjects(tx *commit.Tx, first, last int64) error {
	if b.open == 0 {
		return nil
	}
	return markReleased(tx, b, first, last)
}
