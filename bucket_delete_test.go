package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// mustDelete begins to delete a bucket.
func mustDelete(t *testing.T, b *bucketlite.Bucket) *bucketlite.Task {
	t.Helper()
	task, err := b.Delete(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// wantGone fails unless every call on the handles is refused with ErrNotFound.
func wantGone(t *testing.T, f *storetest.Fixture, receiver string) {
	t.Helper()
	for name, call := range storetest.Calls {
		if name == receiver+".Watch" {
			continue // one from the start gets past events
		}
		if strings.HasPrefix(name, receiver+".") {
			if err := call.Do(context.Background(), f); !errors.Is(err, bucketlite.ErrNotFound) {
				t.Errorf("%s: got %v, want ErrNotFound", name, err)
			}
		}
	}
}

func TestDeleteBucket(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 199, 200, 201, 1000} {
		for name, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				t.Parallel()
				b := storetest.Items(t, st)
				storetest.PutItems(t, b, n, 10)
				task := mustDelete(t, b)
				storetest.WaitDeleted(t, st, task, int64(n))
				wantGone(t, &storetest.Fixture{Dir: t.TempDir(), Store: st, Namespace: storetest.Namespace(t, st), Bucket: b, ObjectID: "none"}, "Bucket")
				if _, err := storetest.Namespace(t, st).Bucket(context.Background(), b.ID()); !errors.Is(err, bucketlite.ErrNotFound) {
					t.Errorf("by id: got %v, want ErrNotFound", err)
				}
			})
		}
	}
}

// From the call on, the bucket is out of the way.
func TestDeleteIsAsynchronous(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	ns := storetest.Namespace(t, st)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 300, 10)
	handle, err := ns.Bucket(ctx, "items")
	if err != nil {
		t.Fatal(err)
	}
	storetest.HoldTasks(t, path)
	task := mustDelete(t, b)
	want := *task
	want.Status, want.Type, want.Processed, want.Total, want.Inputs = bucketlite.StatusPending, bucketlite.DeleteBucketTask, 0, 300, []string{b.ID()}
	storetest.WantEqual(t, "task", *task, want)
	storetest.WantEqual(t, "bucket of the task", []any{task.AdditionalData["bucket_id"], task.AdditionalData["bucket_name"]}, []any{b.ID(), "items"})
	storetest.WantEqual(t, "task is done", task.Done(), false)

	// Asking again gives the same task, by whatever handle.
	byID, err := ns.Bucket(ctx, b.ID())
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*bucketlite.Bucket{"same handle": b, "older handle": handle, "by id": byID, "another store": nil} {
		if b == nil {
			again := storetest.Namespace(t, storetest.OpenPath(t, path))
			if b, err = again.Bucket(ctx, byID.ID()); err != nil {
				t.Fatal(err)
			}
		}
		if again := mustDelete(t, b); again.ID != task.ID {
			t.Errorf("%s: got %+v, want task %s", name, again, task.ID)
		}
	}

	// The name is free, and no list shows the bucket.
	if _, err := ns.Bucket(ctx, "items"); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("by name: got %v, want ErrNotFound", err)
	}
	for info, err := range ns.Buckets(ctx, bucketlite.Query{}) {
		t.Errorf("buckets: got %+v, %v, want none", info, err)
	}
	successor := storetest.Items(t, st)
	storetest.PutItem(t, successor, storetest.Item("k", "v"))
	if got := mustDelete(t, successor); got.ID == task.ID {
		t.Error("the successor's task is the same")
	}

	// Info and statistics can be read, objects cannot.
	info, err := b.Info(ctx)
	if err != nil || info.Status != bucketlite.StatusInProgress || info.ObjectCount != 300 {
		t.Errorf("info: got %+v, %v", info, err)
	}
	wantVerdict(t, storetest.LastError(b.Objects(ctx, bucketlite.Query{})), b, bucketlite.StatusInProgress, storetest.RefusedInactive)

	storetest.ReleaseTasks(t, path)
	storetest.WaitDeleted(t, st, task, 300)
}

// The row is gone exactly when the task is completed.
func TestDeleteCompletesAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	db := storetest.OpenRaw(t, path)
	for range 5 {
		b := storetest.Items(t, st)
		storetest.PutItems(t, b, 400, 1)
		task := mustDelete(t, b)
		progress := -1.0
		for ended := false; !ended; {
			got := storetest.Dump(t, db, "SELECT (SELECT count(*) FROM buckets WHERE id = ?), (SELECT status FROM tasks WHERE id = ?)", b.ID(), task.ID)
			if !slices.Contains([]string{"1 PENDING\n", "1 IN_PROGRESS\n", "0 COMPLETED\n"}, got) {
				t.Errorf("rows and status: got %q", got)
			}
			now, err := st.Task(ctx, task.ID)
			if err != nil {
				t.Fatal(err)
			}
			if p := percentage(t, now); p < progress || p > 100 || now.Done() && p != 100 {
				t.Errorf("progress: got %v after %v in %+v", p, progress, now)
			} else {
				progress = p
			}
			_, err = b.Stats(ctx)
			if ended = errors.Is(err, bucketlite.ErrNotFound); ended {
				storetest.WaitDeleted(t, st, task, 400) // without waiting
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// percentage returns what a task's JSON form tells of its progress.
func percentage(t *testing.T, task *bucketlite.Task) float64 {
	t.Helper()
	progress, ok := task.AdditionalData["progress"].(map[string]any)
	if !ok || progress["processed"] != task.Processed || progress["total"] != task.Total {
		t.Fatalf("progress: got %v in %+v", task.AdditionalData["progress"], task)
	}
	return progress["percentage"].(float64)
}

// While a large bucket goes, others are written to, and statistics of the one
// that goes can be read at any time and fall to nothing.
func TestDeleteLetsOthersIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t)
	large := storetest.Bucket(t, st, storetest.ItemsConfig("large"))
	storetest.PutItems(t, large, 5000, 10)
	b := storetest.Items(t, st)
	task := mustDelete(t, large)
	puts := 0
	for before := int64(5000); ; puts++ {
		storetest.PutItem(t, b, storetest.Item(fmt.Sprint(puts), ""))
		stats, err := large.Stats(ctx)
		if errors.Is(err, bucketlite.ErrNotFound) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if stats.ObjectCount > before || stats.ObjectCount == 0 && stats.TotalSize != 0 {
			t.Errorf("statistics: got %+v after %d objects", stats, before)
		}
		before = stats.ObjectCount
	}
	storetest.WaitDeleted(t, st, task, 5000)
	storetest.WantExact(t, b)
	if puts < 25 { // at least one for each slice
		t.Errorf("puts during the deletion: got %d", puts)
	}
}

// Two stores share the work without counting anything twice.
func TestDeleteByTwoStores(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	stores := []*bucketlite.Store{storetest.OpenPath(t, path), storetest.OpenPath(t, path)}
	db := storetest.OpenRaw(t, path)
	for round := range 3 {
		var buckets []*bucketlite.Bucket
		for i := range 6 {
			b := storetest.Bucket(t, stores[0], storetest.ItemsConfig(fmt.Sprint(round, i)))
			storetest.PutItems(t, b, 500+i, 1)
			buckets = append(buckets, b)
		}
		if round == 2 { // a namespace and a bucket of it, both at once
			task := mustDelete(t, buckets[0])
			all, err := storetest.Namespace(t, stores[1]).Delete(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for storetest.Dump(t, db, "SELECT id FROM tasks WHERE status <> 'COMPLETED'") != "" {
				if got := storetest.Dump(t, db, "SELECT * FROM tasks WHERE processed > total"); got != "" {
					t.Fatalf("tasks beyond their total:\n%s", got)
				}
			}
			storetest.WaitDeleted(t, stores[0], task, 500)
			storetest.WaitDeleted(t, stores[0], all, 5*500+1+2+3+4+5)
			continue
		}
		tasks := make([]*bucketlite.Task, len(buckets))
		err := storetest.AtOnce(len(buckets), func(i int) (err error) {
			b, err := storetest.Namespace(t, stores[i%2]).Bucket(context.Background(), buckets[i].ID())
			if err == nil {
				tasks[i], err = b.Delete(context.Background())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for open := true; open; {
			const check = `SELECT status <> 'COMPLETED', processed + (SELECT count(*) FROM object o WHERE o.partition = t.bucket) - total FROM tasks t`
			got := storetest.Dump(t, db, check)
			if open = strings.Contains(got, "1 "); strings.Trim(got, "01 \n") != "" || strings.Contains(got, " 1") {
				t.Fatalf("open, and objects that are counted twice or not at all:\n%s", got)
			}
		}
		for i, task := range tasks {
			storetest.WaitDeleted(t, stores[i%2], task, int64(500+i))
		}
	}
	storetest.WantSound(t, path)
}

// Content stays as long as one blob refers to it, and goes with the last.
func TestContentIsCollected(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	shared, own := strings.Repeat("shared", 100_000), strings.Repeat("own", 200_000)
	for name, drop := range map[string]func(t *testing.T, st *bucketlite.Store, b *bucketlite.Bucket, o *bucketlite.Object){
		"object deleted": func(t *testing.T, st *bucketlite.Store, b *bucketlite.Bucket, o *bucketlite.Object) {
			if err := b.DeleteObject(ctx, o.ID, nil); err != nil {
				t.Fatal(err)
			}
		},
		"object replaced without": func(t *testing.T, st *bucketlite.Store, b *bucketlite.Bucket, o *bucketlite.Object) {
			in := storetest.Item(o.Fields["k"].(string), "")
			in.Blobs = []bucketlite.BlobInput{}
			storetest.PutItem(t, b, in)
		},
		"blob removed": func(t *testing.T, st *bucketlite.Store, b *bucketlite.Bucket, o *bucketlite.Object) {
			if _, err := b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"doc": nil}}, nil); err != nil {
				t.Fatal(err)
			}
		},
		"bucket deleted": func(t *testing.T, st *bucketlite.Store, b *bucketlite.Bucket, o *bucketlite.Object) {
			mustDelete(t, b)
		},
		"namespace deleted": func(t *testing.T, st *bucketlite.Store, b *bucketlite.Bucket, o *bucketlite.Object) {
			if _, err := storetest.Namespace(t, st).Delete(ctx); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				b := storetest.Items(t, st)
				other, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"})
				if err != nil {
					t.Fatal(err)
				}
				survivor, err := other.CreateBucket(ctx, storetest.ItemsConfig("survivor"))
				if err != nil {
					t.Fatal(err)
				}
				storetest.PutItem(t, survivor, storetest.ItemWithDoc("k", shared))
				storetest.WantContent(t, st, int64(len(shared)))
				first := storetest.PutItem(t, b, storetest.ItemWithDoc("shared", shared))
				second := storetest.PutItem(t, b, storetest.ItemWithDoc("own", own))
				storetest.WantContent(t, st, int64(len(shared)+len(own)))
				drop(t, st, b, first)
				if !strings.Contains(name, "bucket") && !strings.Contains(name, "namespace") {
					drop(t, st, b, second)
				}
				storetest.WantContent(t, st, int64(len(shared)))
				storetest.PutItem(t, survivor, storetest.ItemWithDoc("again", shared)) // still the same content
				storetest.WantContent(t, st, int64(len(shared)))
				task, err := survivor.Delete(ctx)
				if err != nil {
					t.Fatal(err)
				}
				storetest.WaitDeleted(t, st, task, 2)
				storetest.WantContent(t, st, 0)
			})
		}
	}
}

func TestDeleteNamespace(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			ns := storetest.Namespace(t, st)
			buckets := make(map[string]*bucketlite.Bucket)
			for _, name := range []string{"c", "a", "b", "deleted"} {
				buckets[name] = storetest.Bucket(t, st, storetest.ItemsConfig(name))
				storetest.PutItems(t, buckets[name], 250, 10)
			}
			for _, name := range []string{"c", "a"} {
				if err := buckets[name].Lock(ctx); err != nil {
					t.Fatal(err)
				}
			}
			_, err := ns.Delete(ctx)
			if !errors.Is(err, bucketlite.ErrLocked) || !strings.Contains(err.Error(), `"a", "c"`) || strings.Contains(err.Error(), `"b"`) {
				t.Errorf("got %v, want ErrLocked with a and c", err)
			}
			for _, name := range []string{"a", "b", "c"} {
				storetest.WantExact(t, buckets[name])
			}
			for _, name := range []string{"c", "a"} {
				if err := buckets[name].Unlock(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if err := buckets["a"].Suspend(ctx); err != nil {
				t.Fatal(err)
			}
			inner := mustDelete(t, buckets["deleted"])

			if _, err := ns.Update(ctx, bucketlite.NamespaceUpdate{Name: new("renamed")}); err != nil {
				t.Fatal(err)
			}
			task, err := ns.Delete(ctx)
			if err != nil {
				t.Fatal(err)
			}
			want := *task
			want.Type, want.Status, want.Total, want.Inputs = bucketlite.DeleteNamespaceTask, bucketlite.StatusPending, 750, []string{ns.ID()}
			storetest.WantEqual(t, "task", *task, want)
			storetest.WantEqual(t, "namespace of the task", task.AdditionalData["namespace_name"], any("renamed"))
			// It is not found any more, by name or id, and its name is free.
			for _, key := range []string{"renamed", ns.ID()} {
				if _, err := st.Namespace(ctx, key); !errors.Is(err, bucketlite.ErrNotFound) {
					t.Errorf("by %s: got %v, want ErrNotFound", key, err)
				}
			}
			for info, err := range st.Namespaces(ctx, bucketlite.Query{}) {
				t.Errorf("namespaces: got %+v, %v, want none", info, err)
			}
			if _, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "renamed"}); err != nil {
				t.Error(err)
			}
			if again, err := ns.Delete(ctx); err == nil && again.ID != task.ID || err != nil && !errors.Is(err, bucketlite.ErrNotFound) {
				t.Errorf("deleted again: got %+v, %v, want task %s", again, err, task.ID)
			}
			if _, err := buckets["b"].Put(ctx, storetest.Item("new", ""), nil); !errors.Is(err, bucketlite.ErrNotActive) && !errors.Is(err, bucketlite.ErrNotFound) {
				t.Errorf("put: got %v, want ErrNotActive", err)
			}
			storetest.WaitDeleted(t, st, inner, 250)
			storetest.WaitDeleted(t, st, task, 750)
			wantGone(t, &storetest.Fixture{Dir: t.TempDir(), Store: st, Namespace: ns, Bucket: buckets["b"], ObjectID: "none"}, "Namespace")
			wantGone(t, &storetest.Fixture{Dir: t.TempDir(), Store: st, Namespace: ns, Bucket: buckets["b"], ObjectID: "none"}, "Bucket")
		})
	}
}

// The task knows of every object, also of objects that are being put as it begins.
func TestDeleteAmidPuts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, begin := range map[string]func(b *bucketlite.Bucket, ns *bucketlite.Namespace) (*bucketlite.Task, error){
		"bucket":    func(b *bucketlite.Bucket, ns *bucketlite.Namespace) (*bucketlite.Task, error) { return b.Delete(ctx) },
		"namespace": func(b *bucketlite.Bucket, ns *bucketlite.Namespace) (*bucketlite.Task, error) { return ns.Delete(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			for range 10 {
				b := storetest.Items(t, st)
				storetest.HoldTasks(t, path)
				w := startWriters(b, 16)
				w.awaitPuts(t, 100)
				task, err := begin(b, storetest.Namespace(t, st))
				if err != nil {
					t.Fatal(err)
				}
				for _, err := range w.wait() {
					wantVerdict(t, err, b, bucketlite.StatusInProgress, storetest.RefusedInactive)
				}
				n := storetest.MustStats(t, b).ObjectCount
				if task.Total != n || task.AdditionalData["object_count"] != json.Number(fmt.Sprint(n)) {
					t.Errorf("task: got %+v, want a total of %d", task, n)
				}
				storetest.ReleaseTasks(t, path)
				storetest.WaitDeleted(t, st, task, n)
			}
		})
	}
}

// Nearly all space that is no longer used is given back.
func TestSpaceIsGivenBack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, bucketlite.WithIdleTime(bucketlite.Options{}, briefIdle))
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 4000, 4000)
	for i := range 4 {
		storetest.PutItem(t, b, storetest.ItemWithDoc(fmt.Sprint("doc", i), strings.Repeat(fmt.Sprint(i), 2<<20)))
	}
	full, err := st.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if full.FileBytes < 20<<20 || full.ContentBytes != 4*2<<20 {
		t.Errorf("filled: got %+v", full)
	}
	storetest.WaitDeleted(t, st, mustDelete(t, b), 4004)
	var stats *bucketlite.StoreStats
	if !storetest.Eventually(func() bool {
		if stats, err = st.Stats(ctx); err != nil {
			t.Fatal(err)
		}
		return stats.FileBytes < full.FileBytes/3 && stats.FreeBytes <= stats.FileBytes
	}) {
		t.Errorf("emptied: got %+v after %+v", stats, full)
	}
}
