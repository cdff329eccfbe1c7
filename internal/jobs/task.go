package jobs

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Task is the record of a new task.
type Task struct {
	ID, Type       string
	Namespace      int64  // namespaces.num
	Bucket         any    // buckets.num, or nil for a task of a namespace
	Inputs, Detail string // JSON
	Total          int64  // objects or uploads to process
}

// Insert writes the record of a pending task.
func (t *Task) Insert(tx *commit.Tx) error {
	now := tx.Now()
	_, err := tx.Exec(`
INSERT INTO tasks (id, type, status, namespace, bucket, inputs, detail, processed, total, created_at, updated_at, lease_until)
VALUES (?, ?, 'PENDING', ?, ?, ?, ?, 0, ?, ?, ?, 0)`, t.ID, t.Type, t.Namespace, t.Bucket, t.Inputs, t.Detail, t.Total, now, now)
	return err
}

// EndTask ends the task with the id, unless it has ended. The problem is the reason of a
// failure, or "".
func EndTask(tx *commit.Tx, id, status, problem string) error {
	_, err := tx.Exec("UPDATE tasks SET status = ?1, error = nullif(?2, ''), updated_at = ?3, ended_at = ?3 WHERE id = ?4 AND ended_at IS NULL",
		status, problem, tx.Now(), id)
	return err
}

// CompleteDeletion completes the task that deletes a bucket, after another task, by its
// number, has deleted the bucket.
func CompleteDeletion(tx *commit.Tx, bucket, by int64) error {
	_, err := tx.Exec(`
UPDATE tasks SET status = 'COMPLETED', processed = total, updated_at = ?1, ended_at = ?1
WHERE num <> ?2 AND id = (SELECT delete_task FROM buckets WHERE num = ?3)`, tx.Now(), by, bucket)
	return err
}

// ForgetTasks deletes the records of up to 100 tasks that ended before a time. Batches that
// were made of drafts are deleted together with their tasks, as long as these have few jobs.
func ForgetTasks(tx *commit.Tx, before int64) error {
	type ended struct {
		num       int64
		id, input string
	}
	var tasks []ended
	err := tx.Query("SELECT num, id, inputs ->> '$[0]' FROM tasks WHERE ended_at < ? ORDER BY ended_at LIMIT 100", []any{before}, func(r engine.Row) error {
		tasks = append(tasks, ended{r.Int(0), r.Text(1), r.Text(2)})
		return nil
	})
	jobs := int64(0)
	for i := 0; i < len(tasks) && err == nil && jobs < firstSlice; i++ {
		var b *Batch
		b, err = selectBatch(tx, "WHERE id = ? AND task = ? AND metadata = ? AND sweep IS DISTINCT FROM 'delete'", tasks[i].input, tasks[i].id, DraftsMetadata)
		if err == nil && b != nil {
			jobs += b.Total
			err = b.Delete(tx)
		}
		if err == nil {
			_, err = tx.Exec("DELETE FROM tasks WHERE num = ?", tasks[i].num)
		}
	}
	return err
}

// saveTask writes the progress of the batch's task, and its outcome if it has ended.
func (b *Batch) saveTask(tx *commit.Tx, now int64) error {
	var ended, outputs any
	if !b.Running() {
		ended = now
		if b.Status != canceled {
			outputs = string(value.Append(nil, []any{map[string]any{
				"batch_id": b.ID, "completed": b.Total - b.failed - b.skipped, "failed": b.failed, "skipped": b.skipped,
			}}))
		}
	}
	_, err := tx.Exec(`
UPDATE tasks SET status = ?, processed = min(total, processed + ?), updated_at = ?, ended_at = ?, error = nullif(?, ''), outputs = ?
WHERE id = ? AND ended_at IS NULL`, b.Status, b.ended, now, ended, b.err, outputs, b.Task)
	return err
}
