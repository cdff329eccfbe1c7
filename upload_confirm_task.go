package bucketlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Confirmation names an upload for [Bucket.ConfirmUploads].
type Confirmation struct {
	UploadID string `json:"upload_id"`
	ConfirmUploadOptions
}

// ConfirmUploads starts to confirm up to [MaxUploads] uploads, and returns the task
// that confirms them one after the other, as [Bucket.ConfirmUpload] does. Until its
// turn, a pending upload has StatusProcessing and does not expire. An upload that
// cannot be confirmed is pending again. The task's outputs hold the results in order:
// {"upload_id", "status", "object_id"} with status COMPLETED, or {"upload_id",
// "status", "error"} with status FAILED. The task survives a crash: any store that
// has the file open continues it.
//
// Errors: [ErrNotFound], naming an upload that does not exist; [ErrBadRequest]
// without uploads, or if one is named twice; [ErrTooLarge]; [ErrLocked];
// [ErrNotActive].
func (b *Bucket) ConfirmUploads(ctx context.Context, confirmations []Confirmation) (*Task, error) {
	switch {
	case len(confirmations) == 0:
		return nil, badRequest("%s: no uploads to confirm", b)
	case len(confirmations) > MaxUploads:
		return nil, errorf("%s: %w: got %d uploads, want at most %d", b, ErrTooLarge, len(confirmations), MaxUploads)
	}
	t := &Task{Type: ConfirmUploadTask, Total: int64(len(confirmations))}
	if len(confirmations) > 1 {
		t.Type = ConfirmUploadsTask
	}
	named := make(map[string]bool)
	list := make([]any, len(confirmations))
	for i, c := range confirmations {
		if named[c.UploadID] {
			return nil, badRequest("%s: upload %s is named twice", b, value.Show(c.UploadID))
		}
		named[c.UploadID] = true
		t.Inputs = append(t.Inputs, c.UploadID)
		item := map[string]any{"upload_id": c.UploadID}
		if c.ETag != "" {
			item["etag"] = c.ETag
		}
		if c.Size != 0 {
			item["file_size_bytes"] = c.Size
		}
		list[i] = item
	}
	t.AdditionalData = map[string]any{"bucket_id": b.id, "confirmations": list}
	var err error
	if t.ID, err = b.store.newID(ident.TaskPrefix); err != nil {
		return nil, err
	}
	var task *Task
	err = b.store.write(ctx, func(tx *commit.Tx) (err error) {
		task, err = b.startConfirming(tx, t)
		return err
	})
	return task, err
}

// startConfirming writes the task, and assigns the pending uploads to it.
func (b *Bucket) startConfirming(tx *commit.Tx, t *Task) (*Task, error) {
	if _, err := b.permitted(tx, writeObjects); err != nil {
		return nil, err
	}
	var pending []int64
	for _, id := range t.Inputs {
		u, err := b.selectUpload(tx.Conn, writeObjects, id)
		if err != nil {
			return nil, err
		}
		if u.open(b, b.store.now()) == nil {
			pending = append(pending, u.num)
		}
	}
	var namespace int64
	_, err := tx.QueryRow("SELECT namespace FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) { namespace = r.Int(0) })
	if err != nil {
		return nil, err
	}
	if err := b.store.newTask(tx, t, namespace, b.num); err != nil {
		return nil, err
	}
	for _, num := range pending {
		if err := handUpload(tx, num, t.ID); err != nil {
			return nil, err
		}
	}
	tx.Raise(commit.Background)
	return selectTask(tx.Conn, t.ID)
}

// confirmJob is a task that confirms uploads, and its progress.
type confirmJob struct {
	*leasedTask
	collector     *collector
	confirmations []Confirmation
	outputs       []any
}

// confirmSome confirms the next upload of the oldest such task that no other store is
// working on.
func (c *collector) confirmSome() (worked bool, err error) {
	ctx := context.Background()
	var job *confirmJob
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		job, err = c.confirmJob(conn)
		return err
	})
	if err != nil || job == nil {
		return false, err
	}
	refusal := job.next(ctx)
	if refusal == nil || errors.Is(refusal, errLeft) {
		return true, nil
	}
	for _, passing := range []error{ErrBusy, ErrClosed, ErrFull, ErrReadOnly, ErrOutcomeUnknown} {
		if errors.Is(refusal, passing) {
			return false, refusal // the upload is not the cause
		}
	}
	err = c.store.write(ctx, func(tx *commit.Tx) error { return job.refuse(tx, refusal) })
	if errors.Is(err, errLeft) {
		err = nil
	}
	return true, err
}

// confirmJob reads the oldest task of confirming that this store may continue, or
// nil.
func (c *collector) confirmJob(conn *engine.Conn) (*confirmJob, error) {
	t, err := c.takeTask(conn, 0, ConfirmUploadTask, ConfirmUploadsTask)
	if err != nil || t == nil {
		return nil, err
	}
	job := &confirmJob{leasedTask: t, collector: c}
	var detail struct {
		Confirmations []Confirmation `json:"confirmations"`
	}
	if err = json.Unmarshal([]byte(t.detail), &detail); err == nil && t.outputs != "" {
		err = json.Unmarshal([]byte(t.outputs), &job.outputs)
	}
	job.confirmations = detail.Confirmations
	if err != nil || len(job.outputs) >= len(job.confirmations) {
		return nil, errorf("task %q: %w: %v", t.id, ErrCorrupt, err)
	}
	return job, nil
}

// next confirms the next upload, and returns the reason if that fails.
func (k *confirmJob) next(ctx context.Context) error {
	b, err := k.collector.store.bucketNumbered(ctx, k.bucket)
	if err != nil {
		return err
	}
	next := k.confirmations[len(k.outputs)]
	c := &confirmer{bucket: b, id: next.UploadID, opts: next.ConfirmUploadOptions, job: k}
	return c.run(ctx)
}

// errLeft reports that a task has been canceled, or that another store continues it.
var errLeft = errors.New("task was canceled or taken by another store")

// check returns errLeft if the task has changed since it was read. A nil job has
// nothing to check.
func (k *confirmJob) check(tx *commit.Tx) error {
	if k == nil {
		return nil
	}
	found, err := k.holds(tx)
	if err == nil && !found {
		err = errLeft
	}
	return err
}

// succeed records that the upload is confirmed. A nil job records nothing.
func (k *confirmJob) succeed(tx *commit.Tx, u *uploadRow) error {
	if k == nil {
		return nil
	}
	output := map[string]any{"upload_id": u.id, "status": string(StatusCompleted)}
	if u.object != "" {
		output["object_id"] = u.object
	}
	return k.note(tx, output)
}

// refuse records why the next upload was not confirmed, and makes it pending again.
func (k *confirmJob) refuse(tx *commit.Tx, refusal error) error {
	if err := k.check(tx); err != nil {
		return err
	}
	id := k.confirmations[len(k.outputs)].UploadID
	if err := giveBackUpload(tx, id, k.id); err != nil {
		return err
	}
	return k.note(tx, map[string]any{"upload_id": id, "status": string(StatusFailed), "error": refusal.Error()})
}

// note adds an output to the task and renews the lease. The last output ends the
// task.
func (k *confirmJob) note(tx *commit.Tx, output map[string]any) error {
	outputs := append(k.outputs[:len(k.outputs):len(k.outputs)], output)
	p := taskProgress{status: StatusInProgress, processed: 1, outputs: string(value.Append(nil, outputs))}
	if len(outputs) == len(k.confirmations) {
		p.status, p.problem = k.verdict(outputs)
	}
	return k.collector.renewTask(tx, k.leasedTask, p)
}

// verdict returns the final status of the task, and an error if the task failed.
func (k *confirmJob) verdict(outputs []any) (status Status, problem string) {
	failed := 0
	for _, output := range outputs {
		if output.(map[string]any)["status"] == string(StatusFailed) {
			failed++
		}
	}
	switch failed {
	case 0:
		return StatusCompleted, ""
	case len(outputs):
		return StatusFailed, fmt.Sprint(outputs[0].(map[string]any)["error"])
	}
	return StatusCompletedWithErrors, ""
}
