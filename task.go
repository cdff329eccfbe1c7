package bucketlite

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/value"
)

// TaskType is the kind of work a task does. The values are those of the hosted
// service.
type TaskType string

// The types of tasks.
const (
	DeleteNamespaceTask TaskType = "api_namespaces_delete"
	DeleteBucketTask    TaskType = "api_buckets_delete"
	ConfirmUploadTask   TaskType = "api_buckets_uploads_confirm"       // one upload
	ConfirmUploadsTask  TaskType = "api_buckets_uploads_batch_confirm" // several uploads
	ProcessBatchTask    TaskType = "api_buckets_batches_process"
	// ChangeSchemaTask changes the schema of one bucket. The hosted service has no such
	// task; this type is the nearest that its clients know.
	ChangeSchemaTask TaskType = "api_namespaces_migrations_run"
	// ChangeObjectsTask deletes or patches objects by a query; "operation" in its
	// AdditionalData says which. The hosted service has no such task; this type is the
	// nearest that its clients know.
	ChangeObjectsTask TaskType = "engine_object_processing"
)

// Task is a snapshot of an asynchronous operation's durable record. Every store that
// has the file open, in any process, helps to run its tasks. The JSON form is that of
// the hosted service's TaskResponse.
type Task struct {
	ID     string   `json:"task_id"`
	Type   TaskType `json:"task_type"`
	Status Status   `json:"status"`
	// Inputs are the ids of the items that the task works on.
	Inputs []string `json:"inputs"`
	// Outputs are the results so far, for the types of tasks that report them.
	Outputs []any `json:"outputs"`
	// AdditionalData describes the task: "namespace_id", "bucket_id", "bucket_name",
	// "object_count", …. Tasks made by earlier versions have no "namespace_id",
	// unless they delete a namespace.
	AdditionalData map[string]any `json:"additional_data"`
	// Error is the reason why the task failed, or empty.
	Error     string    `json:"error,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// Processed of Total objects or uploads are done. For a change by query, Processed is
	// estimated from the position of the last object that had its turn.
	Processed int64 `json:"-"`
	Total     int64 `json:"-"`

	num int64
}

// Done reports whether the task has ended.
func (t *Task) Done() bool { return t.Status != StatusPending && t.Status != StatusInProgress }

const taskColumns = "num, id, type, status, inputs, detail, error, created_at, updated_at, processed, total, outputs"

func scanTask(r engine.Row) (*Task, error) {
	t := &Task{
		num: r.Int(0), ID: r.Text(1), Type: TaskType(r.Text(2)), Status: Status(r.Text(3)), Error: r.Text(6),
		CreatedAt: timeOf(r.Int(7)), UpdatedAt: timeOf(r.Int(8)), Processed: r.Int(9), Total: r.Int(10),
	}
	err := json.Unmarshal([]byte(r.Text(4)), &t.Inputs)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader([]byte(r.Text(5))))
		d.UseNumber()
		err = d.Decode(&t.AdditionalData)
	}
	if err == nil {
		err = decodeInfo(r, 11, &t.Outputs)
	}
	if err != nil {
		return nil, errorf("task %s: %w: %v", value.Show(t.ID), ErrCorrupt, err)
	}
	percentage := 0.0
	if t.Total > 0 {
		percentage = float64(100*t.Processed) / float64(t.Total)
	} else if t.Done() {
		percentage = 100
	}
	t.AdditionalData["progress"] = map[string]any{"processed": t.Processed, "total": t.Total, "percentage": percentage}
	return t, nil
}

// Task returns the task with the id. Errors: [ErrNotFound].
func (s *Store) Task(ctx context.Context, id string) (*Task, error) {
	var t *Task
	err := s.read(ctx, func(c *engine.Conn) (err error) {
		t, err = selectTask(c, id)
		return err
	})
	return t, err
}

func selectTask(c *engine.Conn, id string) (*Task, error) {
	var t *Task
	err := c.Query("SELECT "+taskColumns+" FROM tasks WHERE id = ?", []any{id}, func(r engine.Row) (err error) {
		t, err = scanTask(r)
		return err
	})
	if err == nil && t == nil {
		err = notFound("task %s", value.Show(id))
	}
	return t, err
}

// Wait returns the task with the id once it has ended. If ctx ends first, Wait
// returns the context's error. If the store refuses writes after a disk failure, Wait
// returns [ErrReadOnly] at once, since this process no longer runs the task.
func (s *Store) Wait(ctx context.Context, id string) (*Task, error) {
	return s.wait(ctx, id, func() error { return nil })
}

// wait is Wait until the task cannot be worked on now, as stalled reports.
func (s *Store) wait(ctx context.Context, id string, stalled func() error) (*Task, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		t, err := s.Task(ctx, id)
		if err != nil || t.Done() {
			return t, err
		}
		if err := stalled(); err != nil {
			return nil, errorf("task %s has not ended: %w", value.Show(id), err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.db.Closing():
			return nil, public(ErrClosed)
		case <-s.db.Stopped():
			return nil, errorf("task %s has not ended: %w", value.Show(id), s.db.Refusal())
		case <-time.After(pause):
		}
	}
}

// CancelTask ends a task early, and returns it. Work that is already done stays.
// Uploads that the task has not confirmed become pending again; the batch that it
// processes is canceled as by [Bucket.CancelBatch]; the schema that it changes stays as
// it is; objects that it has deleted or patched by a query stay so. A task that has ended
// is returned unchanged.
//
// Errors: [ErrNotFound]; [ErrConflict] for the deletion of a bucket or a namespace, which
// cannot be canceled; for a batch, the errors of CancelBatch.
func (s *Store) CancelTask(ctx context.Context, id string) (*Task, error) {
	var task *Task
	err := s.write(ctx, func(tx *commit.Tx) (err error) {
		if task, err = selectTask(tx.Conn, id); err != nil || task.Done() {
			return err
		}
		switch task.Type {
		case ConfirmUploadTask, ConfirmUploadsTask:
			err = giveBackUploads(tx, id)
		case ProcessBatchTask:
			err = cancelBatchOfTask(tx, task)
		case ChangeSchemaTask:
			err = cancelChange(tx, id)
		case ChangeObjectsTask:
		default:
			err = &ConflictError{Subject: "task " + value.Show(id), Reason: "a deletion cannot be canceled"}
		}
		if err != nil {
			return err
		}
		if err := jobs.EndTask(tx, id, string(StatusCanceled), ""); err != nil {
			return err
		}
		task, err = selectTask(tx.Conn, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return task, nil
}

// TaskQuery selects tasks. The zero TaskQuery is the first page of all tasks.
type TaskQuery struct {
	Query
	// Status, unless empty, selects the tasks with this status.
	Status Status
	// Type, unless empty, selects the tasks of this type.
	Type TaskType
}

// Tasks iterates over the tasks that match q.
func (s *Store) Tasks(ctx context.Context, q TaskQuery) iter.Seq2[*Task, error] {
	return each(ctx, s, q.Query, func(ctx context.Context, page Query) (*Page[*Task], error) {
		q.Query = page
		return s.ListTasks(ctx, q)
	})
}

// ListTasks returns one page of the tasks that match q. Query paths are those of
// [Task]'s JSON form, such as task_type, status, inputs, created_at and
// additional_data.bucket_id. Search covers task_id, inputs, additional_data and
// error. Errors: [ErrBadRequest].
func (s *Store) ListTasks(ctx context.Context, q TaskQuery) (*Page[*Task], error) {
	tasks := listing[*Task]{
		list: list{kind: "tasks " + string(q.Status) + " " + string(q.Type)}, types: timesIn("created_at", "updated_at"),
		texts: []string{"task_id", "inputs", "additional_data", "error"},
		num:   func(t *Task) int64 { return t.num },
		read: func(c *engine.Conn, s span, each func(*Task, int64) error) error {
			return c.Query("SELECT "+taskColumns+` FROM tasks
WHERE `+s.within("num", "?1")+" AND (?2 = '' OR status = ?2) AND (?3 = '' OR type = ?3)"+s.order("num")+" LIMIT ?4",
				[]any{s.start(), string(q.Status), string(q.Type), s.limit}, func(r engine.Row) error {
					t, err := scanTask(r)
					if err != nil {
						return err
					}
					return each(t, r.Size())
				})
		},
		count: counting("SELECT count(*) FROM tasks WHERE (?1 = '' OR status = ?1) AND (?2 = '' OR type = ?2)",
			string(q.Status), string(q.Type)),
	}
	return tasks.page(ctx, s, q.Query)
}

// newTask writes the record of a new task. It adds the namespace's id, which the task
// needs even after the namespace is deleted.
func (s *Store) newTask(tx *commit.Tx, t *Task, namespace int64, bucket any) error {
	_, err := tx.QueryRow("SELECT id FROM namespaces WHERE num = ?", []any{namespace}, func(r engine.Row) {
		t.AdditionalData["namespace_id"] = r.Text(0)
	})
	if err != nil {
		return err
	}
	inputs := make([]any, len(t.Inputs))
	for i, id := range t.Inputs {
		inputs[i] = id
	}
	row := jobs.Task{ID: t.ID, Type: string(t.Type), Namespace: namespace, Bucket: bucket,
		Inputs: string(value.Append(nil, inputs)), Detail: string(value.Append(nil, t.AdditionalData)), Total: t.Total}
	return row.Insert(tx)
}

// forgetSome deletes the records of some tasks whose retention is over.
func (c *collector) forgetSome() (worked bool, err error) {
	ctx := context.Background()
	before := c.store.opts.Now().Add(-c.store.opts.TaskRetention).UnixMicro()
	found := false
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		found, err = conn.QueryRow("SELECT 1 FROM tasks WHERE ended_at < ? LIMIT 1", []any{before}, nil)
		return err
	})
	if err != nil || !found {
		return false, err
	}
	return true, c.store.free(ctx, func(tx *commit.Tx) error { return jobs.ForgetTasks(tx, before) })
}
