package bucketlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A lease that was given under a clock years ahead, by a store that has stopped since,
// holds up no work for longer than it lasts.
func TestLeaseOfClockAhead(t *testing.T) {
	t.Parallel()
	ahead := time.Now().AddDate(10, 0, 0).UnixMicro()
	for name, test := range map[string]struct {
		begin func(t *testing.T, st *bucketlite.Store, path string) (done func() bool)
	}{
		"deletion": {func(t *testing.T, st *bucketlite.Store, path string) func() bool {
			storetest.Execute(t, storetest.OpenRaw(t, path), fmt.Sprintf(`CREATE TRIGGER lease AFTER INSERT ON tasks BEGIN
				UPDATE tasks SET lease_owner = 'dead/50ms', lease_until = %d WHERE num = new.num; END`, ahead))
			return ended(t, st, deleted(t, st, "gone").ID)
		}},
		"confirmation": {func(t *testing.T, st *bucketlite.Store, path string) func() bool {
			b := storetest.Items(t, st)
			id := storetest.CreateUpload(t, b, storetest.DocUpload("k")).ID
			storetest.WriteUpload(t, b, id, "document")
			storetest.Execute(t, storetest.OpenRaw(t, path), fmt.Sprintf(`CREATE TRIGGER lease AFTER INSERT ON tasks BEGIN
				UPDATE tasks SET lease_owner = 'dead/50ms', lease_until = %d WHERE num = new.num; END`, ahead))
			return ended(t, st, mustConfirm(t, b, storetest.Confirmations(id)).ID)
		}},
		"job": {func(t *testing.T, st *bucketlite.Store, path string) func() bool {
			b := storetest.Items(t, st)
			id := storetest.Submit(t, b, storetest.PutItem(t, b, storetest.Item("k", "v")).ID)
			abandonJobs(t, path, 1)
			storetest.Execute(t, storetest.OpenRaw(t, path), fmt.Sprintf("UPDATE jobs SET owner = 'dead/50ms', due_at = %d", ahead))
			storetest.Process(t, st, succeed, bucketlite.ProcessOptions{Lease: 50 * time.Millisecond})
			return func() bool { return batchEnded(t, b, id) }
		}},
		"job of an earlier version": {func(t *testing.T, st *bucketlite.Store, path string) func() bool {
			b := storetest.Items(t, st)
			id := storetest.Submit(t, b, storetest.PutItem(t, b, storetest.Item("k", "v")).ID)
			abandonJobs(t, path, 1)
			storetest.Execute(t, storetest.OpenRaw(t, path), fmt.Sprintf("UPDATE jobs SET due_at = %d", ahead))
			storetest.Process(t, st, succeed, bucketlite.ProcessOptions{Lease: 50 * time.Millisecond})
			return func() bool { return batchEnded(t, b, id) }
		}},
		"staged content": {func(t *testing.T, st *bucketlite.Store, path string) func() bool {
			db := storetest.OpenRaw(t, path)
			storetest.Execute(t, db, fmt.Sprintf("INSERT INTO contents (size, uses, lease_until) VALUES (0, 0, %d)", ahead))
			return func() bool { return storetest.Dump(t, db, "SELECT num FROM contents") == "" }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st := storetest.OpenPath(t, path, bucketlite.WithStageLease(bucketlite.Options{}, 50*time.Millisecond))
			done := test.begin(t, st, path)
			wake := beside(t, st)
			if !storetest.Eventually(func() bool {
				storetest.Must(t, wake.DropIndex(context.Background(), "none")) // wakes the collector, too
				return done()
			}) {
				t.Error("the work is still held up")
			}
			storetest.Execute(t, storetest.OpenRaw(t, path), "DROP TRIGGER IF EXISTS lease")
			storetest.WantSound(t, path)
		})
	}
}

// A lease that is renewed is never taken over, by whatever clock its owner goes.
func TestLeaseOfClockAheadRenewed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	storetest.Execute(t, storetest.OpenRaw(t, path), `CREATE TRIGGER lease AFTER INSERT ON tasks BEGIN
		UPDATE tasks SET lease_owner = 'alive/1h', lease_until = 1 << 61 WHERE num = new.num; END`)
	task := deleted(t, st, "kept")
	wake := beside(t, st)
	for range 20 {
		storetest.Must(t, wake.DropIndex(context.Background(), "none"))
		storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE tasks SET lease_until = lease_until + 1")
	}
	if got, err := st.Task(context.Background(), task.ID); err != nil || got.Status != bucketlite.StatusPending {
		t.Errorf("got %+v, %v, want a task that nobody has taken over", got, err)
	}
	storetest.Execute(t, storetest.OpenRaw(t, path), "DROP TRIGGER lease; UPDATE tasks SET lease_until = 0")
	if _, err := st.Wait(context.Background(), task.ID); err != nil {
		t.Error(err)
	}
}

// beside creates a bucket that is not that of items.
func beside(t *testing.T, st *bucketlite.Store) *bucketlite.Bucket {
	t.Helper()
	return storetest.Bucket(t, st, storetest.ItemsConfig("beside"))
}

// ended returns a function that reports whether a task has ended.
func ended(t *testing.T, st *bucketlite.Store, id string) func() bool {
	return func() bool {
		task, err := st.Task(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		return task.Done()
	}
}

// batchEnded reports whether a batch has been processed.
func batchEnded(t *testing.T, b *bucketlite.Bucket, id string) bool {
	t.Helper()
	k, err := b.Batch(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return k.Status == bucketlite.StatusCompleted
}
