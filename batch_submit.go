package bucketlite

import (
	"context"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/jobs"
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

// newBatchTask writes the record of the task that processes n jobs of a batch.
func (b *Bucket) newBatchTask(tx *commit.Tx, k *jobs.Batch, taskID string, n int64) error {
	var namespace int64
	if _, err := tx.QueryRow("SELECT namespace FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) { namespace = r.Int(0) }); err != nil {
		return err
	}
	t := &Task{ID: taskID, Type: ProcessBatchTask, Inputs: []string{k.ID}, Total: n, AdditionalData: map[string]any{
		"batch_id": k.ID, "bucket_id": b.id, "object_count": n,
	}}
	return b.store.newTask(tx, t, namespace, b.num)
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
		if err := cancelBatch(tx, k); err != nil {
			return err
		}
		task, err = selectTask(tx.Conn, k.Task)
		return err
	})
	return task, err
}

// cancelBatchOfTask cancels the batch that a task processes, and the task with it,
// as [Bucket.CancelBatch] does.
func cancelBatchOfTask(tx *commit.Tx, t *Task) error {
	k, err := jobs.FindOfTask(tx, t.Inputs[0], t.ID)
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

// cancelBatch cancels a batch, unless that has been done.
func cancelBatch(tx *commit.Tx, k *jobs.Batch) error {
	switch {
	case k.Status == string(StatusCanceled):
		return nil
	case !k.Running():
		return batchConflict(k, "only one that was submitted and has not ended can be cancelled")
	}
	return k.Cancel(tx)
}

// sweepSome carries on what is being done to the jobs of a batch.
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
