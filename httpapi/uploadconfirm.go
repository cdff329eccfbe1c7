package httpapi

import (
	"time"

	"github.com/bucketlite/bucketlite"
)

// confirmed is the answer to the confirmation of an upload.
type confirmed struct {
	UploadID    string            `json:"upload_id"`
	Status      bucketlite.Status `json:"status"`
	ETag        string            `json:"etag,omitempty"`
	Size        *int64            `json:"file_size_bytes,omitempty"`
	FileHash    string            `json:"file_hash,omitempty"`
	VerifiedAt  *time.Time        `json:"verified_at,omitempty"`
	CompletedAt *time.Time        `json:"completed_at,omitempty"`
	ObjectID    string            `json:"object_id,omitempty"`
	TaskID      string            `json:"task_id,omitempty"`
	Message     string            `json:"message,omitempty"`
}

// confirmedOf returns the response for an upload. It describes the bytes only once they have
// been written.
func confirmedOf(u *bucketlite.Upload) confirmed {
	a := confirmed{
		UploadID: u.ID, Status: u.Status, VerifiedAt: u.VerifiedAt, CompletedAt: u.CompletedAt,
		ObjectID: u.ObjectID, TaskID: u.TaskID, Message: u.Message,
	}
	if u.ETag != "" {
		a.ETag, a.Size, a.FileHash = u.ETag, &u.Size, u.FileHash
	}
	return a
}

// confirmUpload ends an upload whose bytes have come. It takes no longer for many
// bytes than for few, so that a task does it only if async asks for one.
func (c *call) confirmUpload() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	opts := f.confirmOptions()
	async := c.params().boolean("async", false)
	if err := c.check(); err != nil {
		return nil, err
	}
	id := c.r.PathValue("upload")
	if async {
		return c.beginToConfirm(c.bucket, id, opts)
	}
	u, err := c.bucket.ConfirmUpload(c.ctx(), id, &opts)
	if err != nil {
		return nil, err
	}
	return confirmedOf(u), nil
}

// beginToConfirm has a task confirm the upload. Its outcome is the task's.
func (c *call) beginToConfirm(b *bucketlite.Bucket, id string, opts bucketlite.ConfirmUploadOptions) (any, error) {
	u, err := b.Upload(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	task, err := b.ConfirmUploads(c.ctx(), []bucketlite.Confirmation{{UploadID: id, ConfirmUploadOptions: opts}})
	if err != nil {
		return nil, err
	}
	a := confirmedOf(u)
	a.Status, a.TaskID, a.Message = bucketlite.StatusProcessing, task.ID, "the task has the result"
	return a, nil
}

// confirmOptions returns the expected properties of the bytes.
func (f *form) confirmOptions() bucketlite.ConfirmUploadOptions {
	return bucketlite.ConfirmUploadOptions{ETag: f.text("etag"), Size: f.size()}
}

// confirming is the answer to the confirmation of several uploads.
type confirming struct {
	TaskID  string            `json:"task_id"`
	Status  bucketlite.Status `json:"status"`
	Count   int               `json:"confirmations_count"`
	Task    *bucketlite.Task  `json:"task"`
	Message string            `json:"message"`
}

// confirmUploads has a task confirm several uploads.
func (c *call) confirmUploads() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	var list []bucketlite.Confirmation
	if f.several("confirmations") {
		f.each("confirmations", func(f *form) {
			list = append(list, bucketlite.Confirmation{UploadID: f.requiredText("upload_id"), ConfirmUploadOptions: f.confirmOptions()})
		})
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	task, err := c.bucket.ConfirmUploads(c.ctx(), list)
	if err != nil {
		return nil, err
	}
	return confirming{task.ID, task.Status, len(list), task, "the task has the result of each"}, nil
}
