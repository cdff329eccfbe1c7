package bucketlite

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
)

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
