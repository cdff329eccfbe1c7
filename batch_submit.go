package bucketlite

import (
	"context"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/value"
)

// SubmitBatch queues a draft batch's objects for [Store.Process], and returns the task
// that tracks their progress. The objects' status becomes PENDING, and their version
// stays. The bucket must allow writes.
//
// Errors: [ErrNotFound], [ErrConflict] if the batch has already been submitted,
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
		if k.Status != string(StatusDraft) {
			return batchConflict(k, "only a draft batch can be submitted")
		}
		if err := b.newBatchTask(tx, k, taskID, k.Total); err != nil {
			return err
		}
		if err := k.Submit(tx, taskID); err != nil {
			return err
		}
		task, err = selectTask(tx.Conn, taskID)
		return err
	})
	return task, err
}

// CancelBatch cancels a batch that is being processed and its task, and returns the
// task. Objects that are already processed keep their status; the others become drafts
// again. The contexts of running handlers end soon, and their results are ignored.
// Canceling the batch again returns the same task while its record is kept.
//
// Errors: [ErrConflict] if the batch is a draft or has ended in another way,
// [ErrNotFound], and [ErrLocked] or [ErrNotActive] if the bucket's info cannot be
// changed.
func (b *Bucket) CancelBatch(ctx context.Context, id string) (*Task, error) {
	var task *Task
	err := b.store.write(ctx, func(tx *commit.Tx) error {
		k, err := b.changeableBatch(tx, id)
		if err != nil {
			return err
		}
		if err := cancelBatch(tx, k); err != nil {
			return err
		}
		task, err = selectTask(tx.Conn, k.Task)
		return err
	})
	return task, err
}

// cancelBatchOfTask cancels the batch that a task processes, and with it the task, as
// [Bucket.CancelBatch] does.
func cancelBatchOfTask(tx *commit.Tx, t *Task) error {
	k, err := jobs.FindBatchOfTask(tx, t.Inputs[0], t.ID)
	if err != nil {
		return err
	}
	if k == nil {
		return notFound("task %s: batch %s", value.Show(t.ID), value.Show(t.Inputs[0]))
	}
	state, err := tx.Bucket(k.Bucket)
	if err != nil {
		return err
	}
	if err := permitState(state, changeInfo); err != nil {
		return err
	}
	return cancelBatch(tx, k)
}

// cancelBatch cancels a batch, unless it is already canceled.
func cancelBatch(tx *commit.Tx, k *jobs.Batch) error {
	switch {
	case k.Status == string(StatusCanceled):
		return nil
	case !k.Running():
		return batchConflict(k, "only one that was submitted and has not ended can be canceled")
	}
	return k.Cancel(tx)
}

// sweepSome runs a slice of the sweep of a batch, if there is one.
func (c *collector) sweepSome() (worked bool, err error) {
	ctx := context.Background()
	var batch int64
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		batch, err = jobs.NextSweep(conn)
		return err
	})
	if err != nil || batch == 0 {
		return false, err
	}
	return true, c.store.free(ctx, func(tx *commit.Tx) error { return jobs.Sweep(tx, batch) })
}
