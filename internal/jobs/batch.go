package jobs

import (
	"encoding/json"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// All statements that write the tables batches and batch_counts are in this file, except
// those of Check's simple rules.

// The statuses of batches and jobs.
const (
	draft               = "DRAFT"
	pending             = "PENDING"
	inProgress          = "IN_PROGRESS"
	completed           = "COMPLETED"
	completedWithErrors = "COMPLETED_WITH_ERRORS"
	failed              = "FAILED"
	canceled            = "CANCELED"
	skipped             = "SKIPPED"
)

// Batch is a batch's state inside the running transaction. [Batch.Save] writes the changes
// of an operation, and so do the methods that begin a sweep.
type Batch struct {
	Num    int64 // batches.num
	ID     string
	Bucket int64 // buckets.num
	Status string
	Task   string // id of the newest task that processes it
	Total  int64  // jobs

	open     int64            // jobs that are queued or handed out
	failed   int64            // jobs
	skipped  int64            // jobs
	failures map[string]int64 // the failed jobs by category
	err      string
	sweep    string // the sweep of its jobs; "" for none
	swept    int64  // position of the last job that the sweep has processed

	was   string // its stored status
	ended int64  // jobs of its task that have ended in this transaction
}

// CreateBatch creates a draft batch of objects with distinct ids. The metadata are JSON text
// or nil.
func CreateBatch(tx *commit.Tx, bucket int64, id string, metadata any, objects []any) error {
	now := tx.Now()
	num, err := tx.Insert(`
INSERT INTO batches (id, bucket, status, metadata, total, open, failed, skipped, swept, created_at, updated_at)
VALUES (?, ?, 'DRAFT', ?, ?, 0, 0, 0, 0, ?, ?) RETURNING num`, id, bucket, metadata, int64(len(objects)), now, now)
	if err != nil {
		return err
	}
	if _, err := insertJobs(tx, num, 0, objects); err != nil {
		return err
	}
	return countBatch(tx, bucket, "", draft)
}

// FindBatch returns the batch of a bucket with the id, or nil if there is none or it is
// being deleted.
func FindBatch(tx *commit.Tx, bucket int64, id string) (*Batch, error) {
	return selectBatch(tx, "WHERE bucket = ? AND id = ? AND sweep IS DISTINCT FROM 'delete'", bucket, id)
}

// FindBatchOfTask returns the batch with the id that the task processes, or nil.
func FindBatchOfTask(tx *commit.Tx, id, task string) (*Batch, error) {
	return selectBatch(tx, "WHERE id = ? AND task = ? AND sweep IS DISTINCT FROM 'delete'", id, task)
}

// selectBatch reads the batch that satisfies an SQL condition, or returns nil.
func selectBatch(tx *commit.Tx, where string, args ...any) (*Batch, error) {
	var b *Batch
	err := tx.Query("SELECT num, id, bucket, status, task, total, open, failed, skipped, failures, error, sweep, swept FROM batches "+where,
		args, func(r engine.Row) error {
			b = &Batch{
				Num: r.Int(0), ID: r.Text(1), Bucket: r.Int(2), Status: r.Text(3), Task: r.Text(4),
				Total: r.Int(5), open: r.Int(6), failed: r.Int(7), skipped: r.Int(8),
				failures: make(map[string]int64), err: r.Text(10), sweep: r.Text(11), swept: r.Int(12),
				was: r.Text(3),
			}
			if r.Null(9) {
				return nil
			}
			if err := json.Unmarshal([]byte(r.Text(9)), &b.failures); err != nil {
				return fmt.Errorf("batch %s: %w: %v", value.Show(b.ID), engine.ErrCorrupt, err)
			}
			return nil
		})
	return b, err
}

// Running reports whether the batch has been submitted and has not ended.
func (b *Batch) Running() bool { return b.Status == pending || b.Status == inProgress }

// Add adds objects to a draft batch, except those that it already has.
func (b *Batch) Add(tx *commit.Tx, objects []any) error {
	n, err := insertJobs(tx, b.Num, b.Total, objects)
	if err != nil {
		return err
	}
	b.Total += n
	return b.Save(tx)
}

// SetMetadata changes the batch's metadata, JSON text. They stay if metadata is nil.
func (b *Batch) SetMetadata(tx *commit.Tx, metadata any) error {
	_, err := tx.Exec("UPDATE batches SET metadata = coalesce(?, metadata), updated_at = ? WHERE num = ?", metadata, tx.Now(), b.Num)
	return err
}

// Save writes the batch, its task and the bucket's counts. It is the only place where a
// batch ends: when no job is open and no sweep is under way.
func (b *Batch) Save(tx *commit.Tx) error {
	if b.Running() && b.open == 0 && b.sweep == "" {
		if err := b.conclude(tx); err != nil {
			return err
		}
	}
	failures := ""
	if b.failed > 0 {
		text, err := json.Marshal(b.failures)
		if err != nil {
			return err
		}
		failures = string(text)
	}
	now := tx.Now()
	_, err := tx.Exec(`
UPDATE batches SET status = ?1, task = nullif(?2, ''), total = ?3, open = ?4, failed = ?5, skipped = ?6, failures = nullif(?7, ''),
    error = nullif(?8, ''), sweep = nullif(?9, ''), swept = ?10, updated_at = iif(status = ?1, updated_at, ?11)
WHERE num = ?12`, b.Status, b.Task, b.Total, b.open, b.failed, b.skipped, failures, b.err, b.sweep, b.swept, now, b.Num)
	if err != nil {
		return err
	}
	if b.Status != b.was || b.ended > 0 {
		if err := b.saveTask(tx, now); err != nil {
			return err
		}
	}
	was := b.was
	b.was, b.ended = b.Status, 0
	if was == b.Status {
		return nil
	}
	tx.Raise(commit.Jobs)
	return countBatch(tx, b.Bucket, was, b.Status)
}

// conclude sets the status in which the batch ends.
func (b *Batch) conclude(tx *commit.Tx) error {
	b.Status = completed
	if b.failed == 0 {
		return nil
	}
	if b.Status = completedWithErrors; b.failed+b.skipped == b.Total {
		b.Status = failed
	}
	_, err := tx.QueryRow("SELECT error ->> 'message' FROM jobs INDEXED BY jobs_failed WHERE batch = ? AND status = 'FAILED' ORDER BY position LIMIT 1",
		[]any{b.Num}, func(r engine.Row) {
			b.err = fmt.Sprintf("%d of %d objects failed, the first with: %s", b.failed, b.Total, r.Text(0))
		})
	return err
}

// fail counts n more jobs as failed.
func (b *Batch) fail(category string, n int64) {
	b.failed += n
	if b.failures[category] += n; b.failures[category] == 0 {
		delete(b.failures, category)
	}
}

// delete deletes the batch's own row.
func (b *Batch) delete(tx *commit.Tx) error {
	_, err := tx.Exec("DELETE FROM batches WHERE num = ?", b.Num)
	return err
}

// countBatch moves a batch from one status to another in the bucket's counts; "" means
// that the batch does not exist.
func countBatch(tx *commit.Tx, bucket int64, from, to string) error {
	var change [4]int64 // total, active, completed, failed
	for status, n := range map[string]int64{from: -1, to: 1} {
		if status == "" {
			continue
		}
		change[0] += n
		switch status {
		case draft, pending, inProgress:
			change[1] += n
		case completed, completedWithErrors:
			change[2] += n
		case failed:
			change[3] += n
		}
	}
	if change == [4]int64{} {
		return nil
	}
	_, err := tx.Exec(`
INSERT INTO batch_counts (bucket, total, active, completed, failed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (bucket) DO UPDATE SET total = batch_counts.total + excluded.total, active = batch_counts.active + excluded.active,
    completed = batch_counts.completed + excluded.completed, failed = batch_counts.failed + excluded.failed`,
		bucket, change[0], change[1], change[2], change[3])
	return err
}

// forgetCounts deletes the counts of a bucket that has no batches left.
func forgetCounts(tx *commit.Tx, bucket int64) error {
	_, err := tx.Exec("DELETE FROM batch_counts WHERE bucket = ?", bucket)
	return err
}
