package bucketlite

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/value"
)

// SubmitBatch queues a draft batch's objects for [Store.Process], and returns the
// task that keeps account of that. It counts as a write to the objects, whose
// status becomes PENDING; their version stays.
//
// Errors: [ErrNotFound], [ErrConflict] if it has been submitted already,
// [ErrLocked], [ErrNotActive].
func (b *Bucket) SubmitBatch(ctx context.Context, id string) (*Task, error) {
	taskID, err := b.store.newID(ident.TaskPrefix)
	if err != nil {
		return nil, err
	}
	var task *Task
	err = b.store.write(ctx, func(tx *commit.Tx) error {
		k, err := b.writableBatch(tx, id)
		if err != nil {
			return err
		}
		if k.status != StatusDraft {
			return k.conflict("only a draft batch can be submitted")
		}
		k.sweep = sweepSubmit
		task, err = b.begin(tx, k, taskID, k.total)
		return err
	})
	return task, err
}

// begin makes a batch pending whose sweep will queue n jobs, queues the first of
// them, and returns the task.
func (b *Bucket) begin(tx *commit.Tx, k *batchState, taskID string, n int64) (*Task, error) {
	var namespace int64
	if _, err := tx.QueryRow("SELECT namespace FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) { namespace = r.Int(0) }); err != nil {
		return nil, err
	}
	t := &Task{ID: taskID, Type: ProcessBatchTask, Inputs: []string{k.id}, Total: n, AdditionalData: map[string]any{
		"batch_id": k.id, "bucket_id": b.id, "object_count": n,
	}}
	if err := b.store.newTask(tx, t, namespace, b.num); err != nil {
		return nil, err
	}
	k.status, k.task, k.err, k.swept = StatusPending, taskID, "", 0
	if err := k.step(tx, sweepFirst); err != nil {
		return nil, err
	}
	return selectTask(tx.Conn, taskID)
}

// CancelBatch ends a batch that has been submitted, and its task, as CANCELED, and
// returns the task. Objects that were processed by then stay so; the others are
// drafts again. Handlers at work on them get their context cancelled soon, and
// what they return is ignored. Cancelling again returns the same task, for as long
// as that is kept.
//
// Errors: [ErrConflict] if it is a draft or has ended otherwise, [ErrNotFound], and
// [ErrLocked] or [ErrNotActive] where the bucket's info cannot be changed.
func (b *Bucket) CancelBatch(ctx context.Context, id string) (*Task, error) {
	var task *Task
	err := b.store.write(ctx, func(tx *commit.Tx) error {
		k, err := b.changeableBatch(tx, id)
		if err != nil {
			return err
		}
		if err := k.cancel(tx); err != nil {
			return err
		}
		task, err = selectTask(tx.Conn, k.task)
		return err
	})
	return task, err
}

// cancelBatchOfTask cancels the batch that a task processes, and the task with it,
// as [Bucket.CancelBatch] does.
func cancelBatchOfTask(tx *commit.Tx, t *Task) error {
	k, err := scanBatch(tx, "WHERE id = ? AND task = ? AND sweep IS NOT 'delete'", t.Inputs[0], t.ID)
	if err != nil {
		return err
	}
	if k == nil {
		return notFound("task %s: batch %s", value.Show(t.ID), value.Show(t.Inputs[0]))
	}
	state, err := tx.Bucket(k.bucket)
	if err != nil {
		return err
	}
	if err := permitState(state, changeInfo); err != nil {
		return err
	}
	return k.cancel(tx)
}

// cancel cancels the batch and the first of its jobs.
func (k *batchState) cancel(tx *commit.Tx) error {
	switch {
	case k.status == StatusCanceled:
		return nil
	case !k.running():
		return k.conflict("only one that was submitted and has not ended can be cancelled")
	}
	k.status, k.sweep, k.swept = StatusCanceled, sweepCancel, 0
	return k.step(tx, sweepFirst)
}

// RetryBatchOptions adjust [Bucket.RetryBatch]. Nil means the defaults.
type RetryBatchOptions struct {
	// All retries whatever has failed. Default: only where the failure may pass by
	// itself, [CategoryNetwork] and [CategoryResource].
	All bool
	// MaxRetries leaves out objects that were retried this often already: 1 to 10.
	// Default: 3.
	MaxRetries int
}

// RetryBatchResult is what became of a retry.
type RetryBatchResult struct {
	// Task keeps account of the retry; nil if there was nothing to retry.
	Task *Task
	// Retried counts the objects that are being processed again.
	Retried int64
}

// RetryBatch queues failed objects of a batch that has ended once more, and with
// that makes the batch PENDING again. If there are none to be retried nothing
// changes. Like SubmitBatch it counts as a write to the objects.
//
// Errors: [ErrBadRequest], [ErrNotFound], [ErrConflict] if it has not ended or was
// cancelled, [ErrLocked], [ErrNotActive].
func (b *Bucket) RetryBatch(ctx context.Context, id string, opts *RetryBatchOptions) (*RetryBatchResult, error) {
	most, mode := 0, "transient"
	if opts != nil {
		if most = opts.MaxRetries; opts.All {
			mode = "all"
		}
	}
	if most == 0 {
		most = 3
	}
	if most < 1 || most > 10 {
		return nil, badRequest("max retries: 1 to 10 expected, got %d", most)
	}
	taskID, err := b.store.newID(ident.TaskPrefix)
	if err != nil {
		return nil, err
	}
	r := &retrier{bucket: b, id: id, mode: mode, most: int64(most), taskID: taskID}
	for again := true; again; {
		if err := b.store.read(ctx, r.count); err != nil {
			return nil, err
		}
		again = false
		err := b.store.write(ctx, func(tx *commit.Tx) (err error) {
			again, err = r.retry(tx)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return &r.result, nil
}

// retrier is one RetryBatch. What can be retried is counted before, since it may
// be much, and the failed jobs of a batch that has ended stay as they are until
// the next retry.
type retrier struct {
	bucket *Bucket
	id     string
	mode   string
	most   int64
	taskID string

	batchTask string // the batch's newest task when its jobs were counted
	jobs      int64  // to be retried
	result    RetryBatchResult
}

func (r *retrier) count(c *engine.Conn) error {
	r.batchTask, r.jobs = "", 0
	num := int64(0)
	_, err := c.QueryRow("SELECT num, task FROM batches WHERE bucket = ? AND id = ?", []any{r.bucket.num, r.id},
		func(row engine.Row) { num, r.batchTask = row.Int(0), row.Text(1) })
	if err != nil {
		return err
	}
	_, err = c.QueryRow("SELECT count(*) FROM jobs INDEXED BY jobs_failed WHERE "+retryFilter, []any{num, r.most, r.mode}, func(row engine.Row) { r.jobs = row.Int(0) })
	return err
}

// retry queues the jobs that were counted. If the batch has been retried since,
// they must be counted again.
func (r *retrier) retry(tx *commit.Tx) (again bool, err error) {
	r.result = RetryBatchResult{}
	k, err := r.bucket.writableBatch(tx, r.id)
	if err != nil {
		return false, err
	}
	switch {
	case k.running() || k.status == StatusDraft || k.status == StatusCanceled:
		return false, k.conflict("only one that has been processed can be retried")
	case k.task != r.batchTask:
		return true, nil
	case r.jobs == 0:
		return false, nil
	}
	k.sweep = fmt.Sprintf("%s %s %d", sweepRetry, r.mode, r.most)
	task, err := r.bucket.begin(tx, k, r.taskID, r.jobs)
	r.result = RetryBatchResult{Task: task, Retried: r.jobs}
	return false, err
}

// FailedJob is an object of a batch that could not be processed.
type FailedJob struct {
	ObjectID string      `json:"object_id"`
	Error    ErrorDetail `json:"error"`
	// Attempts counts how often it was handed out, since it was submitted or retried.
	Attempts int `json:"attempts"`
	// Retries counts how often it was retried; see [Bucket.RetryBatch].
	Retries int `json:"retry_count"`

	position int64
}

// FailedJobs iterates over the objects of a batch that have failed, in the order
// in which they were added.
func (b *Bucket) FailedJobs(ctx context.Context, id string, q Query) iter.Seq2[*FailedJob, error] {
	return each(ctx, b.store, q, func(ctx context.Context, q Query) (*Page[*FailedJob], error) {
		return b.ListFailedJobs(ctx, id, q)
	})
}

// ListFailedJobs returns one page of the objects of a batch that have failed, in
// the order in which they were added unless q sorts them. The paths of a query are
// those of [FailedJob]'s JSON form, as object_id, retry_count, error.error_type and
// error.timestamp; a search looks at object_id and error. Errors: [ErrBadRequest],
// [ErrNotFound].
func (b *Bucket) ListFailedJobs(ctx context.Context, id string, q Query) (*Page[*FailedJob], error) {
	batch, err := b.Batch(ctx, id)
	if err != nil {
		return nil, err
	}
	jobs := listing[*FailedJob]{
		list: list{kind: "failed jobs", owner: batch.num}, types: timesIn("error.timestamp"),
		texts: []string{"object_id", "error"},
		num:   func(j *FailedJob) int64 { return j.position },
		read: func(c *engine.Conn, after, limit int64, each func(*FailedJob, int64) error) error {
			return c.Query(`
SELECT position, object, attempts, retries, error FROM jobs INDEXED BY jobs_failed
WHERE batch = ? AND status = 'FAILED' AND position > ? ORDER BY position LIMIT ?`, []any{batch.num, after, limit},
				func(r engine.Row) error {
					j := &FailedJob{position: r.Int(0), ObjectID: r.Text(1), Attempts: int(r.Int(2)), Retries: int(r.Int(3))}
					if err := json.Unmarshal([]byte(r.Text(4)), &j.Error); err != nil {
						return errorf("batch %s: object %q: %w: %v", value.Show(id), j.ObjectID, ErrCorrupt, err)
					}
					return each(j, r.Size())
				})
		},
		count: counting("SELECT count(*) FROM jobs INDEXED BY jobs_failed WHERE batch = ? AND status = 'FAILED'", batch.num),
	}
	return jobs.page(ctx, b.store, q)
}
