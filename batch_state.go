package bucketlite

import (
	"encoding/json"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// batchState is a batch as the running transaction sees it.
type batchState struct {
	num      int64
	id       string
	bucket   int64
	status   Status
	task     string
	total    int64
	open     int64
	failed   int64
	skipped  int64
	failures map[ErrorCategory]int64 // what failed is made up of
	err      string
	sweep    string
	swept    int64

	was   Status // its status in the file
	ended int64  // jobs of its task that have ended in this transaction
}

const selectBatchState = `
SELECT num, id, bucket, status, task, total, open, failed, skipped, failures, error, sweep, swept FROM batches `

// scanBatch reads the batch a condition describes; nil if there is none.
func scanBatch(tx *commit.Tx, where string, args ...any) (*batchState, error) {
	var k *batchState
	err := tx.Query(selectBatchState+where, args, func(r engine.Row) error {
		k = &batchState{
			num: r.Int(0), id: r.Text(1), bucket: r.Int(2), status: Status(r.Text(3)), task: r.Text(4),
			total: r.Int(5), open: r.Int(6), failed: r.Int(7), skipped: r.Int(8),
			failures: make(map[ErrorCategory]int64), err: r.Text(10), sweep: r.Text(11), swept: r.Int(12),
			was: Status(r.Text(3)),
		}
		if err := decodeInfo(r, 9, &k.failures); err != nil {
			return errorf("batch %s: %w: %v", value.Show(k.id), ErrCorrupt, err)
		}
		return nil
	})
	return k, err
}

// batchState returns the batch with the id, or ErrNotFound.
func (b *Bucket) batchState(tx *commit.Tx, id string) (*batchState, error) {
	k, err := scanBatch(tx, "WHERE bucket = ? AND id = ? AND sweep IS NOT 'delete'", b.num, id)
	if err == nil && k == nil {
		err = b.noBatch(id)
	}
	return k, err
}

// writableBatch returns the batch if the bucket allows objects to be written.
func (b *Bucket) writableBatch(tx *commit.Tx, id string) (*batchState, error) {
	if _, err := b.permitted(tx, writeObjects); err != nil {
		return nil, err
	}
	return b.batchState(tx, id)
}

// changeableBatch returns the batch if the bucket allows its info to be changed.
func (b *Bucket) changeableBatch(tx *commit.Tx, id string) (*batchState, error) {
	if _, err := b.permitted(tx, changeInfo); err != nil {
		return nil, err
	}
	return b.batchState(tx, id)
}

// conflict says why the batch's status forbids a call.
func (k *batchState) conflict(reason string) error {
	return &ConflictError{Subject: fmt.Sprintf("batch %q", k.id), Reason: fmt.Sprintf("it is %s: %s", k.status, reason)}
}

// isRunning reports whether a batch with the status has been submitted and not ended.
func isRunning(s Status) bool { return s == StatusPending || s == StatusInProgress }

func (k *batchState) running() bool { return isRunning(k.status) }

// save writes the batch, and in step with it its task and the bucket's counts. It
// ends a batch that has nothing left to do, so that no other place has to.
func (k *batchState) save(tx *commit.Tx) error {
	if k.running() && k.open == 0 && k.sweep == "" {
		if err := k.conclude(tx); err != nil {
			return err
		}
	}
	failures := any(nil)
	if k.failed > 0 {
		text, err := json.Marshal(k.failures)
		if err != nil {
			return err
		}
		failures = string(text)
	}
	now := tx.Now()
	_, err := tx.Exec(`
UPDATE batches SET status = ?1, task = ?2, total = ?3, open = ?4, failed = ?5, skipped = ?6, failures = ?7, error = ?8,
    sweep = ?9, swept = ?10, updated_at = iif(status = ?1, updated_at, ?11)
WHERE num = ?12`, string(k.status), nilIfBlank(k.task), k.total, k.open, k.failed, k.skipped, failures, nilIfBlank(k.err),
		nilIfBlank(k.sweep), k.swept, now, k.num)
	if err != nil {
		return err
	}
	if k.status != k.was || k.ended > 0 {
		if err := k.saveTask(tx, now); err != nil {
			return err
		}
	}
	was := k.was
	k.was, k.ended = k.status, 0
	if was == k.status {
		return nil
	}
	tx.Raise(commit.Jobs)
	return countBatch(tx, k.bucket, was, k.status)
}

// conclude sets what the batch ends as.
func (k *batchState) conclude(tx *commit.Tx) error {
	k.status = StatusCompleted
	if k.failed == 0 {
		return nil
	}
	if k.status = StatusCompletedWithErrors; k.failed+k.skipped == k.total {
		k.status = StatusFailed
	}
	_, err := tx.QueryRow("SELECT error ->> '$.message' FROM jobs INDEXED BY jobs_failed WHERE batch = ? AND status = 'FAILED' ORDER BY position LIMIT 1",
		[]any{k.num}, func(r engine.Row) {
			k.err = fmt.Sprintf("%d of %d objects failed, the first with: %s", k.failed, k.total, r.Text(0))
		})
	return err
}

// saveTask writes the task's progress, and how it ended if it has.
func (k *batchState) saveTask(tx *commit.Tx, now int64) error {
	var ended, outputs any
	if !k.running() {
		ended = now
		if k.status != StatusCanceled {
			outputs = string(value.Append(nil, []any{map[string]any{
				"batch_id": k.id, "completed": k.total - k.failed - k.skipped, "failed": k.failed, "skipped": k.skipped,
			}}))
		}
	}
	_, err := tx.Exec(`
UPDATE tasks SET status = ?, processed = min(total, processed + ?), updated_at = ?, ended_at = ?, error = ?, outputs = ?
WHERE id = ? AND ended_at IS NULL`, string(k.status), k.ended, now, ended, nilIfBlank(k.err), outputs, k.task)
	return err
}

// remove makes the batch invisible; its jobs go slice by slice. One that is
// running is cancelled by that.
func (k *batchState) remove(tx *commit.Tx) error {
	if k.running() {
		k.status = StatusCanceled
	}
	k.sweep, k.swept = sweepDelete, 0
	if err := k.save(tx); err != nil {
		return err
	}
	return countBatch(tx, k.bucket, k.status, "")
}

// countBatch moves a batch from one status to another in the bucket's counts; ""
// stands for not being there.
func countBatch(tx *commit.Tx, bucket int64, from, to Status) error {
	var change [4]int64 // total, active, completed, failed
	for status, n := range map[Status]int64{from: -1, to: 1} {
		if status == "" {
			continue
		}
		change[0] += n
		switch status {
		case StatusDraft, StatusPending, StatusInProgress:
			change[1] += n
		case StatusCompleted, StatusCompletedWithErrors:
			change[2] += n
		case StatusFailed:
			change[3] += n
		}
	}
	if change == [4]int64{} {
		return nil
	}
	_, err := tx.Exec(`
INSERT INTO batch_counts (bucket, total, active, completed, failed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (bucket) DO UPDATE SET total = total + excluded.total, active = active + excluded.active,
    completed = completed + excluded.completed, failed = failed + excluded.failed`,
		bucket, change[0], change[1], change[2], change[3])
	return err
}
