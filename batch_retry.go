package bucketlite

import (
	"context"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/jobs"
)

// RetryBatchOptions configure [Bucket.RetryBatch]. Nil selects the defaults.
type RetryBatchOptions struct {
	// All retries every failed object. Default: false, only objects that failed for a
	// reason that may pass by itself, [CategoryNetwork] or [CategoryResource].
	All bool
	// MaxRetries is how often an object may be retried, 1 to 10. Objects that have
	// reached it are left out. Default: 3.
	MaxRetries int
}

// RetryBatchResult is the result of [Bucket.RetryBatch].
type RetryBatchResult struct {
	// Task tracks the retry. It is nil if there was nothing to retry.
	Task *Task
	// Retried is the number of objects that are processed again.
	Retried int64
}

// RetryBatch queues failed objects of a batch that has ended, and makes the batch
// PENDING again. If no object can be retried, nothing changes. As for SubmitBatch, the
// bucket must allow writes. A nil opts selects the defaults.
//
// Errors: [ErrBadRequest], [ErrNotFound], [ErrConflict] if the batch has not ended or
// was canceled, [ErrLocked], [ErrNotActive].
func (b *Bucket) RetryBatch(ctx context.Context, id string, opts *RetryBatchOptions) (*RetryBatchResult, error) {
	most, mode := 0, jobs.RetryTransient
	if opts != nil {
		if most = opts.MaxRetries; opts.All {
			mode = jobs.RetryAll
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

// retrier is one RetryBatch. It counts the jobs before it takes the write lock, since
// they may be many. The failed jobs of a batch that has ended stay the same until the
// next retry.
type retrier struct {
	bucket *Bucket
	id     string
	mode   jobs.RetryMode
	most   int64
	taskID string

	batchTask string // the batch's newest task when its jobs were counted
	jobs      int64  // to be retried
	result    RetryBatchResult
}

func (r *retrier) count(c *engine.Conn) (err error) {
	r.jobs, r.batchTask, err = jobs.CountRetry(c, r.bucket.num, r.id, r.mode, r.most)
	return err
}

// retry queues the jobs that were counted. If the batch has been retried since, again is
// true, and they must be counted again.
func (r *retrier) retry(tx *commit.Tx) (again bool, err error) {
	r.result = RetryBatchResult{}
	k, err := r.bucket.writableBatch(tx, r.id)
	if err != nil {
		return false, err
	}
	switch {
	case k.Running() || k.Status == string(StatusDraft) || k.Status == string(StatusCanceled):
		return false, batchConflict(k, "only one that has been processed can be retried")
	case k.Task != r.batchTask:
		return true, nil
	case r.jobs == 0:
		return false, nil
	}
	if err := r.bucket.newBatchTask(tx, k, r.taskID, r.jobs); err != nil {
		return false, err
	}
	if err := k.Retry(tx, r.taskID, r.mode, r.most); err != nil {
		return false, err
	}
	task, err := selectTask(tx.Conn, r.taskID)
	r.result = RetryBatchResult{Task: task, Retried: r.jobs}
	return false, err
}
