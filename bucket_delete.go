package bucketlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jobs"
)

// Delete starts to delete the bucket with all its objects, and returns the task that
// deletes them. From then on the bucket's objects cannot be read or written, and its
// name is free. Its info and statistics can be read until the task ends; see
// [Store.Wait]. A deletion cannot be canceled. It survives a crash: any store that
// has the file open continues it. Calling Delete again returns the same task.
//
// Errors: [ErrNotFound], [ErrLocked].
func (b *Bucket) Delete(ctx context.Context) (*Task, error) {
	id, err := b.store.newID(ident.TaskPrefix)
	if err != nil {
		return nil, err
	}
	var task *Task
	err = b.store.free(ctx, func(tx *commit.Tx) error {
		state, err := b.state(tx)
		if err != nil {
			return err
		}
		if state.Status == string(StatusInProgress) {
			task, err = b.deleteTask(tx)
			return err
		}
		if err := permitState(state, deleteBucket); err != nil {
			return err
		}
		var namespace, objects int64
		_, err = tx.QueryRow("SELECT namespace, object_count FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) {
			namespace, objects = r.Int(0), r.Int(1)+state.Objects
		})
		if err != nil {
			return err
		}
		t := &Task{ID: id, Type: DeleteBucketTask, Inputs: []string{b.id}, Total: objects, AdditionalData: map[string]any{
			"bucket_id": b.id, "bucket_name": state.Name, "object_count": objects,
		}}
		if err := b.store.newTask(tx, t, namespace, b.num); err != nil {
			return err
		}
		if err := markDeleted(tx, "num = ?", b.num, id); err != nil {
			return err
		}
		state.Status = string(StatusInProgress)
		task, err = selectTask(tx.Conn, id)
		return err
	})
	return task, err
}

// deleteTask returns the task that is deleting the bucket.
func (b *Bucket) deleteTask(tx *commit.Tx) (*Task, error) {
	id := ""
	if _, err := tx.QueryRow("SELECT delete_task FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) { id = r.Text(0) }); err != nil {
		return nil, err
	}
	return selectTask(tx.Conn, id)
}

// markDeleted assigns buckets to a task that deletes them.
func markDeleted(tx *commit.Tx, where string, arg any, task string) error {
	tx.Raise(commit.Background)
	err := tx.Query("SELECT (SELECT id FROM namespaces WHERE num = namespace), id FROM buckets WHERE status <> 'IN_PROGRESS' AND "+where+" ORDER BY num",
		[]any{arg}, func(r engine.Row) error {
			tx.Note(string(EventBucketDeleted), commit.Place{Namespace: r.Text(0), Bucket: r.Text(1)}, "")
			return nil
		})
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE buckets SET status = 'IN_PROGRESS', delete_task = ?, updated_at = ? WHERE status <> 'IN_PROGRESS' AND "+where,
		task, tx.Now(), arg)
	return err
}

// Delete starts to delete the namespace with all its buckets, and returns the task
// that deletes them. From then on the namespace is no longer found, and its name is
// free. Calling Delete again on this handle returns the same task until the task has
// ended, then [ErrNotFound].
//
// Errors: [ErrLocked], naming all locked buckets; [ErrNotFound].
func (n *Namespace) Delete(ctx context.Context) (*Task, error) {
	id, err := n.store.newID(ident.TaskPrefix)
	if err != nil {
		return nil, err
	}
	var task *Task
	err = n.store.free(ctx, func(tx *commit.Tx) error {
		running := ""
		found, err := tx.QueryRow("SELECT delete_task FROM namespaces WHERE num = ?", []any{n.num}, func(r engine.Row) { running = r.Text(0) })
		switch {
		case err != nil:
			return err
		case !found:
			return notFound("%s", n)
		case running != "":
			task, err = selectTask(tx.Conn, running)
			return err
		}
		if err := n.checkLocked(tx); err != nil {
			return err
		}
		if err := tx.Flush(); err != nil { // for an exact count
			return err
		}
		var name string // it may have changed since the handle was made
		var objects int64
		err = selectNamespaces(tx.Conn, "n.num = ?1", []any{n.num}, func(i *NamespaceInfo, _ int64) error {
			name, objects = i.Name, i.ObjectCount
			return nil
		})
		if err != nil {
			return err
		}
		t := &Task{ID: id, Type: DeleteNamespaceTask, Inputs: []string{n.id}, Total: objects, AdditionalData: map[string]any{
			"namespace_id": n.id, "namespace_name": name, "object_count": objects,
		}}
		if err := n.store.newTask(tx, t, n.num, nil); err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE namespaces SET delete_task = ? WHERE num = ?", id, n.num); err != nil {
			return err
		}
		if err := markDeleted(tx, "namespace = ?", n.num, id); err != nil {
			return err
		}
		tx.Note(string(EventNamespaceDeleted), commit.Place{Namespace: n.id}, "")
		if err := tx.ReloadStatus(); err != nil {
			return err
		}
		task, err = selectTask(tx.Conn, id)
		return err
	})
	return task, err
}

// checkLocked returns an error that names the locked buckets, if there are any.
func (n *Namespace) checkLocked(tx *commit.Tx) error {
	var locked []string
	err := tx.Query("SELECT name FROM buckets WHERE namespace = ? AND is_locked <> 0 AND status <> 'IN_PROGRESS' ORDER BY name", []any{n.num},
		func(r engine.Row) error {
			locked = append(locked, fmt.Sprintf("%q", r.Text(0)))
			return nil
		})
	if err != nil || len(locked) == 0 {
		return err
	}
	return errorf("%s: cannot be deleted: buckets %s: %w", n, strings.Join(locked, ", "), ErrLocked)
}

// deleteSlice is the number of objects to delete in one transaction.
const deleteSlice = 200

// deleteSome deletes a slice of the oldest deletion that no other store is working on. If
// there is none, it deletes a slice of a partition that no bucket uses any more.
func (c *collector) deleteSome() (worked bool, err error) {
	ctx := context.Background()
	var t *leasedTask
	partition := int64(0)
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		if t, err = c.takeTask(conn, 0, DeleteBucketTask, DeleteNamespaceTask); err != nil || t != nil {
			return err
		}
		_, err = conn.QueryRow("SELECT num FROM old_partitions ORDER BY num LIMIT 1", nil, func(r engine.Row) { partition = r.Int(0) })
		return err
	})
	switch {
	case err != nil || t == nil && partition == 0:
		return false, err
	case t == nil:
		return true, c.write(func(tx *commit.Tx) error { _, err := emptyPartition(tx, partition); return err })
	}
	return true, c.store.free(ctx, func(tx *commit.Tx) error { return c.carryOnDeletion(tx, t) })
}

// carryOnDeletion deletes a slice of one bucket and renews the lease, in one transaction.
// The last slice of a bucket also removes its row, and the last slice of a task
// completes the task.
func (c *collector) carryOnDeletion(tx *commit.Tx, t *leasedTask) error {
	mine, err := t.holds(tx)
	if err != nil || !mine {
		return err
	}
	bucket, own := t.bucket, true
	if bucket == 0 {
		_, err := tx.QueryRow("SELECT num, delete_task = ? FROM buckets WHERE namespace = ? LIMIT 1", []any{t.id, t.namespace},
			func(r engine.Row) { bucket, own = r.Int(0), r.Int(1) != 0 })
		if err != nil {
			return err
		}
	}
	p := taskProgress{status: StatusInProgress}
	gone := bucket == 0
	if !gone {
		if p.processed, gone, err = c.deleteBucketSlice(tx, bucket, t); err != nil {
			return err
		}
	}
	if !own {
		p.processed = 0 // the objects count for the task that was assigned the bucket first
	}
	if gone && bucket == t.bucket {
		p.status = StatusCompleted
		if t.bucket == 0 {
			if _, err := tx.Exec("DELETE FROM namespaces WHERE num = ?", t.namespace); err != nil {
				return err
			}
		}
	}
	return c.renewTask(tx, t, p)
}

// deleteBucketSlice deletes part of a bucket's contents, and the bucket once it is empty.
// It returns how many objects it deleted, and whether the bucket is gone.
func (c *collector) deleteBucketSlice(tx *commit.Tx, bucket int64, t *leasedTask) (objects int64, gone bool, err error) {
	state, err := tx.Bucket(bucket)
	if err != nil || state == nil {
		return 0, false, err
	}
	if err := withdrawChange(tx, state, StatusFailed, "the bucket was deleted"); err != nil {
		return 0, false, err
	}
	if state.Reached != commit.Untallied { // from now on, readers count the objects that are left
		if err := state.Retally(tx); err != nil {
			return 0, false, err
		}
	}
	if err := state.CountPending(tx); err != nil {
		return 0, false, err
	}
	sizes, err := deleteObjects(tx, state.Partition)
	if err != nil {
		return 0, false, err
	}
	if objects = int64(len(sizes)); objects > 0 {
		state.Tick()
		for _, size := range sizes {
			state.Discard(size)
		}
	}
	if objects == deleteSlice {
		return objects, false, nil
	}
	for _, rest := range []func(*commit.Tx, int64) (bool, error){emptyPartitions, deleteUploads, jobs.DeleteBatches} {
		if emptied, err := rest(tx, bucket); err != nil || !emptied {
			return objects, false, err
		}
	}
	if emptied, err := index.DropAll(tx, state.Partition); err != nil || !emptied {
		return objects, false, err
	}
	if emptied, err := commit.ForgetSizes(tx, state.Partition); err != nil || !emptied {
		return objects, false, err
	}
	return objects, true, c.deleteBucket(tx, bucket, t)
}

// emptyPartitions deletes a slice of the partitions that a bucket has left, and reports
// whether nothing is left of them.
func emptyPartitions(tx *commit.Tx, bucket int64) (done bool, err error) {
	partition := int64(0)
	found, err := tx.QueryRow("SELECT num FROM old_partitions WHERE bucket = ? LIMIT 1", []any{bucket}, func(r engine.Row) { partition = r.Int(0) })
	if err != nil || !found {
		return !found, err
	}
	_, err = emptyPartition(tx, partition)
	return false, err
}

// emptyPartition deletes a slice of a partition that no bucket uses any more, its objects
// first, and reports whether nothing is left.
func emptyPartition(tx *commit.Tx, partition int64) (done bool, err error) {
	used, err := tx.QueryRow("SELECT 1 FROM buckets WHERE partition = ?1 UNION ALL SELECT 1 FROM schema_changes WHERE since IS NULL AND partition = ?1",
		[]any{partition}, nil)
	if err != nil {
		return false, err
	}
	if used {
		return false, errorf("partition %d: %w: it is to be deleted, but a bucket uses it", partition, ErrCorrupt)
	}
	objects, err := deleteObjects(tx, partition)
	if err != nil || len(objects) == deleteSlice {
		return false, err
	}
	if done, err = index.DropAll(tx, partition); err != nil || !done {
		return false, err
	}
	if done, err = commit.ForgetSizes(tx, partition); err != nil || !done {
		return false, err
	}
	return true, forgetPartition(tx, partition)
}

// deleteObjects deletes the first deleteSlice objects of a partition. It returns their
// sizes.
func deleteObjects(tx *commit.Tx, partition int64) (sizes []int64, err error) {
	var last int64
	first := commit.Seq(partition, 0)
	err = tx.Query("SELECT seq, size FROM object WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
		[]any{first, commit.Seq(partition+1, 0), int64(deleteSlice)}, func(r engine.Row) error {
			last, sizes = r.Int(0), append(sizes, r.Int(1))
			return nil
		})
	if err != nil || len(sizes) == 0 {
		return nil, err
	}
	var gone []Blob
	err = tx.Query("SELECT blobs FROM object WHERE seq >= ? AND seq <= ? AND blobs IS NOT NULL", []any{first, last}, func(r engine.Row) error {
		if blobs, err := decodeBlobs(r.Text(0)); err == nil {
			gone = append(gone, blobs...)
		} // otherwise the row is damaged, and its contents stay until Check repairs the counts
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec("DELETE FROM object WHERE seq >= ? AND seq <= ?", first, last); err != nil {
		return nil, err
	}
	return sizes, dropContents(tx, gone)
}

// deleteBucket deletes the row of an emptied bucket. If the bucket's own deletion
// began before the namespace's, it also completes the bucket's task.
func (c *collector) deleteBucket(tx *commit.Tx, bucket int64, t *leasedTask) error {
	state, err := tx.Bucket(bucket)
	if err != nil {
		return err
	}
	state.Gone = true
	if err := commit.ForgetTallies(tx, state.Partition); err != nil {
		return err
	}
	if err := forgetChanges(tx, bucket); err != nil {
		return err
	}
	if err := saveRetention(tx, bucket, commit.Retention{}); err != nil {
		return err
	}
	if err := jobs.CompleteDeletion(tx, bucket, t.num); err != nil {
		return err
	}
	_, err = tx.Exec("DELETE FROM buckets WHERE num = ?", bucket)
	c.store.definitions.Delete(bucket)
	return err
}
