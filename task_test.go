package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestTaskJSON(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 10, 1)
	members := map[string]string{
		"task_id": "string", "task_type": "string", "status": "string", "inputs": "array", "outputs": "null", "additional_data": "object",
		"created_at": "time", "updated_at": "time",
	}
	task := mustDelete(t, b)
	wantMembers(t, task, members)
	task = storetest.WaitDeleted(t, st, task, 10)
	wantMembers(t, task, members)
	wantMembers(t, task.AdditionalData, map[string]string{
		"namespace_id": "string", "bucket_id": "string", "bucket_name": "string", "object_count": "number", "progress": "object",
	})
	wantMembers(t, task.AdditionalData["progress"], map[string]string{"processed": "number", "total": "number", "percentage": "number"})
	all, err := storetest.Namespace(t, st).Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wantMembers(t, all, members)
	wantMembers(t, all.AdditionalData, map[string]string{
		"namespace_id": "string", "namespace_name": "string", "object_count": "number", "progress": "object",
	})
	task.Error = "failed"
	members["error"] = "string"
	wantMembers(t, task, members)
}

func TestTaskNotFound(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	task := mustDelete(t, storetest.Items(t, st))
	for _, id := range []string{"", "none", "task_01ARZ3NDEKTSV4RRFFQ69G5FAV", strings.ToLower(task.ID), task.ID + "\x00", task.Inputs[0]} {
		if got, err := st.Task(ctx, id); got != nil || !errors.Is(err, bucketlite.ErrNotFound) {
			t.Errorf("task %q: got %v, %v, want ErrNotFound", id, got, err)
		}
		if got, err := st.Wait(ctx, id); got != nil || !errors.Is(err, bucketlite.ErrNotFound) {
			t.Errorf("wait %q: got %v, %v, want ErrNotFound", id, got, err)
		}
	}
}

func TestTaskDone(t *testing.T) {
	t.Parallel()
	for status, want := range map[bucketlite.Status]bool{
		bucketlite.StatusPending: false, bucketlite.StatusInProgress: false, bucketlite.StatusCompleted: true, bucketlite.StatusFailed: true,
	} {
		if got := (&bucketlite.Task{Status: status}).Done(); got != want {
			t.Errorf("%s: got %t, want %t", status, got, want)
		}
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.HoldTasks(t, path)
	task := mustDelete(t, b)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if got, err := st.Wait(ctx, task.ID); got != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: got %v, %v", got, err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := st.Wait(ctx, task.ID)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	if got, err := st.Task(context.Background(), task.ID); err != nil || got.Done() {
		t.Errorf("task: got %+v, %v, want it as it was", got, err)
	}
}

// A task can be waited for wherever the file is open, even read-only.
func TestWaitElsewhere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 500, 1)
	others := map[string]*bucketlite.Store{
		"another store": storetest.OpenPath(t, path), "read-only": storetest.OpenPath(t, path, &bucketlite.Options{ReadOnly: true}),
	}
	task := mustDelete(t, b)
	for name, other := range others {
		t.Run(name, func(t *testing.T) { storetest.WaitDeleted(t, other, task, 500) })
	}
}

func TestTasksOutliveTheirSubject(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	want := make(map[string]bucketlite.TaskType)
	for range 3 {
		b := storetest.Items(t, st)
		task := mustDelete(t, b)
		want[task.ID] = bucketlite.DeleteBucketTask
		storetest.WaitDeleted(t, st, task, 0)
	}
	all, err := storetest.Namespace(t, st).Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want[all.ID] = bucketlite.DeleteNamespaceTask
	storetest.WaitDeleted(t, st, all, 0)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bucketlite.TaskType)
	for task, err := range storetest.OpenPath(t, path).Tasks(ctx, bucketlite.TaskQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got[task.ID] = task.Type; task.Status != bucketlite.StatusCompleted {
			t.Errorf("got %+v, want it completed", task)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// All buckets of a namespace go at once, under one task that can be asked for by
// each of them.
func TestDeleteNamespaceAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	ns := storetest.Namespace(t, st)
	var buckets []*bucketlite.Bucket
	for i := range 3 {
		b := storetest.Bucket(t, st, storetest.ItemsConfig(fmt.Sprint(i)))
		storetest.PutItems(t, b, 10, 1)
		buckets = append(buckets, b)
	}
	storetest.HoldTasks(t, path)
	task, err := ns.Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range buckets {
		info, err := b.Info(ctx)
		if err != nil || info.Status != bucketlite.StatusInProgress || info.ObjectCount != 10 {
			t.Errorf("info: got %+v, %v", info, err)
		}
		wantVerdict(t, storetest.LastError(b.Objects(ctx, bucketlite.Query{})), b, bucketlite.StatusInProgress, storetest.RefusedInactive)
		wantVerdict(t, storetest.ErrorOf(b.Put(ctx, storetest.Item("k", ""), nil)), b, bucketlite.StatusInProgress, storetest.RefusedInactive)
		if again := mustDelete(t, b); again.ID != task.ID {
			t.Errorf("delete: got %+v, want task %s", again, task.ID)
		}
	}
	if again, err := ns.Delete(ctx); err != nil || again.ID != task.ID {
		t.Errorf("delete: got %+v, %v, want task %s", again, err, task.ID)
	}
	if b, err := ns.CreateBucket(ctx, storetest.ItemsConfig("late")); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("create: got %v, %v, want ErrNotFound", b, err)
	}
	storetest.ReleaseTasks(t, path)
	storetest.WaitDeleted(t, st, task, 30)
}

// No bucket that is created as its namespace goes is left behind.
func TestDeleteNamespaceAmidCreates(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	db := storetest.OpenRaw(t, path)
	for range 5 {
		ns := storetest.Namespace(t, st)
		begun := make(chan struct{}, 1)
		ended := make(chan error, 1)
		go func() {
			ended <- storetest.AtOnce(8, func(g int) error {
				for i := 0; ; i++ {
					b, err := ns.CreateBucket(context.Background(), storetest.ItemsConfig(fmt.Sprint(g, "-", i)))
					if err == nil {
						_, err = b.Put(context.Background(), storetest.Item("k", ""), nil)
					}
					if errors.Is(err, bucketlite.ErrNotFound) || errors.Is(err, bucketlite.ErrNotActive) {
						return nil
					}
					if err != nil {
						return err
					}
					select {
					case begun <- struct{}{}:
					default:
					}
				}
			})
		}()
		<-begun
		task, err := ns.Delete(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		storetest.WaitDeleted(t, st, task, task.Total)
		if got := storetest.Dump(t, db, "SELECT * FROM buckets") + storetest.Dump(t, db, "SELECT * FROM object"); got != "" {
			t.Errorf("left behind:\n%s", got)
		}
	}
}

func TestTasksByStatusAndType(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	done := mustDelete(t, storetest.Items(t, st))
	storetest.WaitDeleted(t, st, done, 0)
	storetest.HoldTasks(t, path)
	held := mustDelete(t, storetest.Items(t, st))
	all, err := storetest.Namespace(t, st).Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		q    bucketlite.TaskQuery
		want []string
	}{
		"all":               {bucketlite.TaskQuery{}, []string{done.ID, held.ID, all.ID}},
		"completed":         {bucketlite.TaskQuery{Status: bucketlite.StatusCompleted}, []string{done.ID}},
		"pending":           {bucketlite.TaskQuery{Status: bucketlite.StatusPending}, []string{held.ID, all.ID}},
		"of buckets":        {bucketlite.TaskQuery{Type: bucketlite.DeleteBucketTask}, []string{done.ID, held.ID}},
		"pending of bucket": {bucketlite.TaskQuery{Status: bucketlite.StatusPending, Type: bucketlite.DeleteBucketTask}, []string{held.ID}},
		"of no such status": {bucketlite.TaskQuery{Status: "' OR '1'='1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for task, err := range st.Tasks(ctx, tt.q) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, task.ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	page, err := st.ListTasks(ctx, bucketlite.TaskQuery{Query: bucketlite.Query{Limit: 1}})
	if err != nil {
		t.Fatal(err)
	}
	q := bucketlite.TaskQuery{Query: bucketlite.Query{Cursor: page.Next}, Status: bucketlite.StatusPending}
	if _, err := st.ListTasks(ctx, q); !errors.Is(err, bucketlite.ErrBadRequest) {
		t.Errorf("cursor of another query: got %v, want ErrBadRequest", err)
	}
}

// The record of a task goes a while after the task has ended, not before.
func TestTasksAreForgotten(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	c := storetest.NewManualClock()
	open := func() *bucketlite.Store {
		return storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now, TaskRetention: time.Hour})
	}
	st := open()
	old := storetest.WaitDeleted(t, st, mustDelete(t, storetest.Items(t, st)), 0)
	c.Add(time.Hour)
	young := storetest.WaitDeleted(t, st, mustDelete(t, storetest.Items(t, st)), 0)
	if _, err := st.Task(ctx, old.ID); err != nil {
		t.Errorf("after an hour: got %v", err)
	}
	c.Add(time.Microsecond)
	open() // looks for work at once
	if !storetest.Eventually(func() bool { _, err := st.Task(ctx, old.ID); return errors.Is(err, bucketlite.ErrNotFound) }) {
		t.Error("after more than an hour: the task is still there")
	}
	if _, err := st.Task(ctx, young.ID); err != nil {
		t.Errorf("younger task: got %v", err)
	}
}

func TestCancelTask(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	done := storetest.WaitDeleted(t, st, mustDelete(t, storetest.Bucket(t, st, storetest.ItemsConfig("other"))), 0)
	storetest.HoldTasks(t, path)
	uploads, err := b.CreateUploads(ctx, []bucketlite.UploadInput{
		{Filename: "doc.txt", ContentType: "text/plain", ObjectMetadata: map[string]any{"k": "1"}},
		{Filename: "doc.txt", ContentType: "text/plain", ObjectMetadata: map[string]any{"k": "2"}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var confirmations []bucketlite.Confirmation
	for _, u := range uploads {
		if _, err := b.WriteUpload(ctx, u.ID, strings.NewReader("text")); err != nil {
			t.Fatal(err)
		}
		confirmations = append(confirmations, bucketlite.Confirmation{UploadID: u.ID})
	}
	confirming, err := b.ConfirmUploads(ctx, confirmations)
	if err != nil {
		t.Fatal(err)
	}
	deleting := mustDelete(t, storetest.Bucket(t, st, storetest.ItemsConfig("another")))

	if _, err := st.CancelTask(ctx, "task_01ARZ3NDEKTSV4RRFFQ69G5FAV"); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("unknown: got %v, want ErrNotFound", err)
	}
	if got, err := st.CancelTask(ctx, done.ID); err != nil || got.Status != bucketlite.StatusCompleted {
		t.Errorf("ended: got %+v, %v, want it as it was", got, err)
	}
	if got, err := st.CancelTask(ctx, deleting.ID); got != nil || !errors.Is(err, bucketlite.ErrConflict) || errors.Is(err, bucketlite.ErrExists) {
		t.Errorf("deletion: got %v, %v, want ErrConflict", got, err)
	}
	if got, err := st.Task(ctx, deleting.ID); err != nil || got.Done() {
		t.Errorf("deletion: got %+v, %v, want it to continue", got, err)
	}
	for range 2 { // the second changes nothing
		if got, err := st.CancelTask(ctx, confirming.ID); err != nil || got.Status != bucketlite.StatusCanceled || !got.Done() {
			t.Errorf("confirmations: got %+v, %v, want them cancelled", got, err)
		}
	}
	storetest.ReleaseTasks(t, path)
	storetest.WaitDeleted(t, st, deleting, 0)
	for _, u := range uploads {
		if got, err := b.Upload(ctx, u.ID); err != nil || got.Status != bucketlite.StatusPending {
			t.Errorf("upload: got %+v, %v, want it pending", got, err)
		}
		if got, err := b.ConfirmUpload(ctx, u.ID, nil); err != nil || got.Status != bucketlite.StatusCompleted {
			t.Errorf("upload: got %+v, %v, want it confirmed", got, err)
		}
	}
	storetest.WantSound(t, path)
}

// A cancellation and the work it is to stop meet in the transaction: either an
// upload was confirmed before, or it is pending again.
func TestCancelTaskAmidWork(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	var inputs []bucketlite.UploadInput
	for i := range 50 {
		inputs = append(inputs, bucketlite.UploadInput{Filename: "doc.txt", ContentType: "text/plain", ObjectMetadata: map[string]any{"k": fmt.Sprint(i)}})
	}
	uploads, err := b.CreateUploads(ctx, inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	var confirmations []bucketlite.Confirmation
	for _, u := range uploads {
		if _, err := b.WriteUpload(ctx, u.ID, strings.NewReader("text")); err != nil {
			t.Fatal(err)
		}
		confirmations = append(confirmations, bucketlite.Confirmation{UploadID: u.ID})
	}
	task, err := b.ConfirmUploads(ctx, confirmations)
	if err != nil {
		t.Fatal(err)
	}
	if !storetest.Eventually(func() bool { got, err := st.Task(ctx, task.ID); return err != nil || got.Processed > 5 }) {
		t.Fatal("nothing was confirmed")
	}
	cancelled, err := st.CancelTask(ctx, task.ID)
	if err != nil {
		t.Fatal(err)
	}
	confirmed := int64(0)
	for _, u := range uploads {
		got, err := b.Upload(ctx, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		switch got.Status {
		case bucketlite.StatusCompleted:
			confirmed++
		case bucketlite.StatusPending:
		default:
			t.Errorf("got %+v, want it completed or pending", got)
		}
	}
	if confirmed != cancelled.Processed || confirmed != int64(len(cancelled.Outputs)) {
		t.Errorf("confirmed: got %d, want those the task tells of: %+v", confirmed, cancelled)
	}
	storetest.WantSound(t, path)
}

// The id of a task's namespace outlives that.
func TestTaskNamespace(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t)
	b := storetest.Items(t, st)
	o := storetest.PutItem(t, b, storetest.Item("a", ""))
	batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{o.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.SubmitBatch(ctx, batch.ID); err != nil {
		t.Fatal(err)
	}
	mustConfirm(t, b, storetest.Confirmations(written(t, b, "a", "a")))
	mustDelete(t, b)
	all, err := storetest.Namespace(t, st).Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	storetest.WaitDeleted(t, st, all, 0)
	n := 0
	for task, err := range st.Tasks(ctx, bucketlite.TaskQuery{Query: bucketlite.Query{
		Filter: bucketlite.Eq("additional_data.namespace_id", all.Inputs[0]).CaseSensitive(),
	}}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; task.AdditionalData["namespace_id"] != all.Inputs[0] {
			t.Errorf("%s: got %v, want namespace_id %s", task.Type, task.AdditionalData, all.Inputs[0])
		}
	}
	if n != 4 {
		t.Errorf("got %d tasks, want 4", n)
	}
}

// A task that this store cannot carry on, since its disk has failed, is not waited
// for; one that has ended is returned.
func TestWaitAfterLostCommit(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st, disk := storetest.OpenLossy(t, path, nil)
	done := deleted(t, st, "done")
	if _, err := st.Wait(ctx, done.ID); err != nil {
		t.Fatal(err)
	}
	storetest.HoldTasks(t, path)
	held := deleted(t, st, "held")
	ended := make(chan error)
	go func() { ended <- storetest.ErrorOf(st.Wait(ctx, held.ID)) }()
	disk.Lose(1, false)
	storetest.WantError(t, storetest.ErrorOf(st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "lost"})), bucketlite.ErrOutcomeUnknown)
	storetest.WantError(t, <-ended, bucketlite.ErrReadOnly)
	if task, err := st.Wait(ctx, done.ID); err != nil || !task.Done() {
		t.Errorf("task that has ended: got %+v, %v", task, err)
	}
}

// deleted begins to delete a bucket that it creates.
func deleted(t *testing.T, st *bucketlite.Store, name string) *bucketlite.Task {
	t.Helper()
	task, err := storetest.Bucket(t, st, storetest.ItemsConfig(name)).Delete(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// A processor ends when its store refuses writes, with nothing to do as well.
func TestProcessAfterLostCommit(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st, disk := storetest.OpenLossy(t, filepath.Join(t.TempDir(), "a.db"), nil)
	ended := make(chan error)
	go func() {
		ended <- st.Process(ctx, func(context.Context, *bucketlite.Job) error { return nil }, nil)
	}()
	disk.Lose(1, false)
	storetest.WantError(t, storetest.ErrorOf(st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "lost"})), bucketlite.ErrOutcomeUnknown)
	storetest.WantError(t, <-ended, bucketlite.ErrReadOnly)
}
