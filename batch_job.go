package bucketlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Job is one object of a batch, handed to the handler of [Store.Process].
type Job struct {
	// Bucket is the object's bucket.
	Bucket *Bucket
	// Object is the object as of the moment it was handed out. The handler owns it.
	Object *Object
	// BatchID is the id of the batch.
	BatchID string
	// Attempt numbers the attempts from 1, since the batch was submitted or the object
	// retried.
	Attempt int
	// Retries is how often the object was retried; see [Bucket.RetryBatch].
	Retries int
}

// Patch merges a handler's results into its object, as [Bucket.Patch] does, and keeps the
// object's status: the change is a part of the processing. A change by Bucket.Patch makes the
// object a draft, which is processed once more with [ProcessOptions].Drafts. The errors are
// those of Bucket.Patch.
func (j *Job) Patch(ctx context.Context, in ObjectInput, opts *PatchOptions) (*Object, error) {
	return j.Bucket.patch(ctx, j.Object.ID, in, opts, true)
}

// ErrorCategory is the kind of reason why an object could not be processed. The values
// are those of the hosted service.
type ErrorCategory string

// The categories. The first three are permanent: there is no other attempt. The last two
// may pass by themselves: [Bucket.RetryBatch] retries them by default.
const (
	CategoryDependency     ErrorCategory = "dependency"     // a requirement is not installed
	CategoryAuthentication ErrorCategory = "authentication" // credentials are wrong or expired
	CategoryValidation     ErrorCategory = "validation"     // the object itself cannot be processed
	CategoryRuntime        ErrorCategory = "runtime"        // anything else
	CategoryNetwork        ErrorCategory = "network"        // no connection, or no response in time
	CategoryResource       ErrorCategory = "resource"       // no memory or no space
)

// JobError is an error of a handler with details. The handler may return one, or an
// error that wraps one. Any other error has [CategoryRuntime], or [CategoryNetwork] if
// it is [context.DeadlineExceeded].
type JobError struct {
	// Category is the kind of the error. Default, also for an unknown one:
	// CategoryRuntime.
	Category ErrorCategory
	// Message describes the error. Default: the text of Err.
	Message string
	// Component and Stage tell where the error occurred, Recovery how to fix it. All
	// are optional.
	Component, Stage, Recovery string
	// Permanent rules out another attempt in any category. Default: false.
	Permanent bool
	// Err is the cause, or nil.
	Err error
}

func (e *JobError) Error() string {
	message := e.Message
	if message == "" && e.Err != nil {
		message = e.Err.Error()
	}
	return string(e.category()) + ": " + message
}

// Unwrap returns the cause.
func (e *JobError) Unwrap() error { return e.Err }

func (e *JobError) category() ErrorCategory {
	switch e.Category {
	case CategoryDependency, CategoryAuthentication, CategoryValidation, CategoryNetwork, CategoryResource:
		return e.Category
	}
	return CategoryRuntime
}

// ErrorDetail is the reason why an object could not be processed. Its JSON form is that
// of the hosted service's BatchErrorDetail.
type ErrorDetail struct {
	Category ErrorCategory `json:"error_type"`
	// Message describes the error, cut to 2,000 bytes.
	Message   string `json:"message"`
	Component string `json:"component,omitempty"`
	Stage     string `json:"stage,omitempty"`
	// Traceback is the stack of a handler that panicked, cut to 2,000 bytes.
	Traceback string    `json:"traceback,omitempty"`
	Timestamp time.Time `json:"timestamp"`
	// ObjectIDs is the object's id, and Count 1.
	ObjectIDs []string `json:"affected_document_ids"`
	Count     int      `json:"affected_count"`
	Recovery  string   `json:"recovery_suggestion,omitempty"`
}

// failure is the reason why an attempt at a job failed.
type failure struct {
	ErrorDetail
	permanent bool
	explicit  bool // the handler said so by a JobError
}

// newFailure returns a failure in a form that can be stored.
func newFailure(category ErrorCategory, message string) *failure {
	return &failure{ErrorDetail: ErrorDetail{Category: category, Message: clip(message)}}
}

// run calls a handler and returns its failure, or nil. A panic in it, or in the methods
// of its error, is a failure as well.
func (j *Job) run(ctx context.Context, handler func(context.Context, *Job) error) (f *failure) {
	defer func() {
		if v := recover(); v != nil {
			f = newFailure(CategoryRuntime, fmt.Sprintf("panic: %v", v))
			f.Traceback = clip(string(debug.Stack()))
		}
	}()
	err := handler(ctx, j)
	if err == nil {
		return nil
	}
	var e *JobError
	if !errors.As(err, &e) {
		category := CategoryRuntime
		if errors.Is(err, context.DeadlineExceeded) {
			category = CategoryNetwork
		}
		return newFailure(category, err.Error())
	}
	message := e.Message
	if message == "" && e.Err != nil {
		message = e.Err.Error()
	}
	f = newFailure(e.category(), message)
	f.Component, f.Stage, f.Recovery = clip(e.Component), clip(e.Stage), clip(e.Recovery)
	f.explicit = true
	switch f.Category {
	case CategoryDependency, CategoryAuthentication, CategoryValidation:
		f.permanent = true
	default:
		f.permanent = e.Permanent
	}
	return f
}

// stored returns the failure of an object's job in stored form.
func (f *failure) stored(object string, now int64) (*jobs.Failure, error) {
	detail := f.ErrorDetail
	detail.ObjectIDs, detail.Count, detail.Timestamp = []string{object}, 1, timeOf(now)
	text, err := json.Marshal(detail)
	return &jobs.Failure{Category: string(f.Category), Message: f.Message, Detail: string(text)}, err
}

// clip makes any text short and valid, so that it can be stored and shown.
func clip(text string) string {
	const most = 2000
	if len(text) > most {
		text = text[:most-len("…")]
		text = strings.ToValidUTF8(text, "") + "…"
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// FailedJob is an object of a batch that could not be processed.
type FailedJob struct {
	ObjectID string      `json:"object_id"`
	Error    ErrorDetail `json:"error"`
	// Attempts is how often it was handed out since it was submitted or retried.
	Attempts int `json:"attempts"`
	// Retries is how often it was retried; see [Bucket.RetryBatch].
	Retries int `json:"retry_count"`

	position int64
}

// FailedJobs iterates over the failed objects of a batch that match q, in the order in
// which they were added unless q has another order.
func (b *Bucket) FailedJobs(ctx context.Context, id string, q Query) iter.Seq2[*FailedJob, error] {
	return each(ctx, b.store, q, func(ctx context.Context, q Query) (*Page[*FailedJob], error) {
		return b.ListFailedJobs(ctx, id, q)
	})
}

// ListFailedJobs returns one page of the failed objects of a batch that match q, in the
// order in which they were added unless q has another order. Query paths are those of
// [FailedJob]'s JSON form, such as object_id, retry_count, error.error_type and
// error.timestamp. Search covers object_id and error. Errors: [ErrBadRequest],
// [ErrNotFound].
func (b *Bucket) ListFailedJobs(ctx context.Context, id string, q Query) (*Page[*FailedJob], error) {
	batch, err := b.Batch(ctx, id)
	if err != nil {
		return nil, err
	}
	failed := listing[*FailedJob]{
		list: list{kind: "failed jobs", owner: batch.num}, types: timesIn("error.timestamp"),
		texts: []string{"object_id", "error"},
		num:   func(j *FailedJob) int64 { return j.position },
		read: func(c *engine.Conn, s span, each func(*FailedJob, int64) error) error {
			return c.Query(`
SELECT position, object, attempts, retries, error FROM jobs INDEXED BY jobs_failed
WHERE batch = ?1 AND status = 'FAILED' AND `+s.within("position", "?2")+s.order("position")+" LIMIT ?3", []any{batch.num, s.start(), s.limit},
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
	return failed.page(ctx, b.store, q)
}
