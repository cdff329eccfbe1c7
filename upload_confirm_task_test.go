package bucketlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// mustConfirm begins to confirm uploads.
func mustConfirm(t testing.TB, b *bucketlite.Bucket, list []bucketlite.Confirmation) *bucketlite.Task {
	t.Helper()
	task, err := b.ConfirmUploads(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// written creates an upload and writes its bytes.
func written(t testing.TB, b *bucketlite.Bucket, k, data string) string {
	t.Helper()
	id := storetest.CreateUpload(t, b, storetest.DocUpload(k)).ID
	storetest.WriteUpload(t, b, id, data)
	return id
}

func TestConfirmUploads(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	good, other := written(t, b, "a", "a"), written(t, b, "b", "b")
	empty := storetest.CreateUpload(t, b, storetest.DocUpload("c")).ID
	wrong := written(t, b, "d", "d")
	cancelled := storetest.CreateUpload(t, b, storetest.DocUpload("e")).ID
	if err := b.CancelUpload(ctx, cancelled); err != nil {
		t.Fatal(err)
	}
	before := upload(t, b, storetest.DocUpload("f"), "f")
	list := storetest.Confirmations(good, empty, wrong, other, cancelled, before.ID)
	list[2].ETag, list[3].Size = storetest.HashOf("other"), 1
	task := mustConfirm(t, b, list)
	wantTask := *task
	wantTask.Type, wantTask.Status, wantTask.Total = bucketlite.ConfirmUploadsTask, bucketlite.StatusPending, 6
	wantTask.Inputs = []string{good, empty, wrong, other, cancelled, before.ID}
	storetest.WantEqual(t, "task", *task, wantTask)
	storetest.WantEqual(t, "bucket of the task", task.AdditionalData["bucket_id"], any(b.ID()))
	task, got := storetest.WaitOutput(t, st, task)
	if task.Status != bucketlite.StatusCompletedWithErrors || task.Processed != 6 || task.Error != "" {
		t.Errorf("got %+v", task)
	}
	want := []storetest.TaskOutput{
		{ID: good, Status: "COMPLETED", Object: keyID(t, b, "a")},
		{ID: empty, Status: "FAILED", Failed: true},
		{ID: wrong, Status: "FAILED", Failed: true},
		{ID: other, Status: "COMPLETED", Object: keyID(t, b, "b")},
		{ID: cancelled, Status: "FAILED", Failed: true},
		{ID: before.ID, Status: "COMPLETED", Object: before.ObjectID},
	}
	if !slices.Equal(got, want) {
		t.Errorf("outputs: got %+v, want %+v", got, want)
	}
	for id, status := range map[string]bucketlite.Status{good: "COMPLETED", empty: "PENDING", wrong: "PENDING", cancelled: "CANCELED", before.ID: "COMPLETED"} {
		u := storetest.MustUpload(t, b, id)
		if u.Status != status {
			t.Errorf("got %+v, want %s", u, status)
		}
		if byTask := id != before.ID && id != cancelled; byTask != (u.TaskID == task.ID) {
			t.Errorf("got task %q", u.TaskID)
		}
	}
	storetest.ConfirmUpload(t, b, wrong)
	storetest.WantSound(t, path)

	task, got = storetest.WaitOutput(t, st, mustConfirm(t, b, storetest.Confirmations(empty)))
	storetest.WantEqual(t, "none: type, status and outputs", []any{task.Type, task.Status, len(got)}, []any{bucketlite.ConfirmUploadTask, bucketlite.StatusFailed, 1})
	if task.Error == "" {
		t.Error("none: got a task without an error, want one")
	}
	storetest.WriteUpload(t, b, empty, "c")
	if task, _ = storetest.WaitOutput(t, st, mustConfirm(t, b, storetest.Confirmations(empty))); task.Status != bucketlite.StatusCompleted {
		t.Errorf("all: got %+v", task)
	}
	storetest.WantSound(t, path)
}

func TestConfirmUploadsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.HoldTasks(t, path)
	id := written(t, b, "a", "a")
	before := uploads(t, b)
	for name, tt := range map[string]struct {
		list []bucketlite.Confirmation
		want error
	}{
		"none":     {nil, bucketlite.ErrBadRequest},
		"twice":    {storetest.Confirmations(id, id), bucketlite.ErrBadRequest},
		"too many": {storetest.Confirmations(slices.Repeat([]string{id}, 101)...), bucketlite.ErrTooLarge},
		"unknown":  {storetest.Confirmations(id, "upl_1"), bucketlite.ErrNotFound},
	} {
		task, err := b.ConfirmUploads(context.Background(), tt.list)
		if task != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, %v, want %v", name, task, err, tt.want)
		}
		if tt.want == bucketlite.ErrNotFound && !strings.Contains(err.Error(), "upl_1") {
			t.Errorf("%s: got %v, want it to name the upload", name, err)
		}
	}
	wantUploads(t, b, before)
	if got := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT * FROM tasks"); got != "" {
		t.Errorf("tasks: got %s", got)
	}
}

// While a task is to confirm an upload it is not written or cancelled, and does
// not expire. It can be confirmed by itself, and the task is content with that.
func TestProcessingUpload(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	c := storetest.NewManualClock()
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now})
	b := storetest.Items(t, st)
	storetest.HoldTasks(t, path)
	first, second, refused := written(t, b, "a", "a"), written(t, b, "b", "b"), written(t, b, "c", "c")
	list := storetest.Confirmations(first, second, refused)
	list[2].Size = 7
	task := mustConfirm(t, b, list)
	c.Add(2 * time.Hour)
	if u := storetest.MustUpload(t, b, first); u.Status != bucketlite.StatusProcessing || u.TaskID != task.ID {
		t.Errorf("got %+v, want it to be processed", u)
	}
	_, err := b.WriteUpload(ctx, first, strings.NewReader("x"))
	storetest.WantError(t, err, bucketlite.ErrConflict)
	storetest.WantError(t, b.CancelUpload(ctx, first), bucketlite.ErrConflict)
	storetest.WantSound(t, path)
	u := storetest.ConfirmUpload(t, b, second)
	storetest.Execute(t, storetest.OpenRaw(t, path), "DROP TRIGGER hold; UPDATE tasks SET lease_until = 0")
	storetest.CreateUpload(t, b, storetest.DocUpload("d")) // wakes the collector
	_, got := storetest.WaitOutput(t, st, task)
	if want := (storetest.TaskOutput{ID: second, Status: "COMPLETED", Object: u.ObjectID}); got[1] != want || got[0].Status != "COMPLETED" || !got[2].Failed {
		t.Errorf("got %+v", got)
	}
	// One that is given back too late has expired.
	if u := storetest.MustUpload(t, b, refused); u.Status != bucketlite.StatusFailed {
		t.Errorf("got %+v, want it failed", u)
	}
	awaitCollector(t, b, path)
	storetest.WantSound(t, path)
}

// The task continues in another store, where the first one left it.
func TestConfirmTaskIsTakenOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.HoldTasks(t, path)
	var ids []string
	for i := range 20 {
		ids = append(ids, written(t, b, string(rune('a'+i)), "text"))
	}
	task := mustConfirm(t, b, storetest.Confirmations(ids...))
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	storetest.Execute(t, storetest.OpenRaw(t, path), "DROP TRIGGER hold; UPDATE tasks SET lease_until = 0")
	st = storetest.OpenPath(t, path)
	task, got := storetest.WaitOutput(t, st, task)
	if task.Status != bucketlite.StatusCompleted || len(got) != 20 {
		t.Errorf("got %+v", task)
	}
	b = storetest.ReopenItems(t, path)
	if got := storetest.MustStats(t, b).ObjectCount; got != 20 {
		t.Errorf("got %d objects, want 20", got)
	}
	storetest.WantSound(t, path)
}

// The lifecycle is obeyed when the task comes to an upload, not when it begins.
func TestConfirmTaskMeetsState(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, change := range map[string]func(*bucketlite.Bucket, context.Context) error{
		"locked": (*bucketlite.Bucket).Lock, "archived": (*bucketlite.Bucket).Archive, "suspended": (*bucketlite.Bucket).Suspend,
		"deleted": func(b *bucketlite.Bucket, ctx context.Context) error { return storetest.ErrorOf(b.Delete(ctx)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			storetest.HoldTasks(t, path)
			task := mustConfirm(t, b, storetest.Confirmations(written(t, b, "a", "a"), written(t, b, "b", "b")))
			if err := change(b, ctx); err != nil {
				t.Fatal(err)
			}
			storetest.ReleaseTasks(t, path)
			task, got := storetest.WaitOutput(t, st, task)
			if task.Status != bucketlite.StatusFailed || task.Error == "" {
				t.Errorf("task: got status %s and error %q, want it failed with an error", task.Status, task.Error)
			}
			storetest.WantEqual(t, "uploads failed", []bool{got[0].Failed, got[1].Failed}, []bool{true, true})
			for task, err := range st.Tasks(ctx, bucketlite.TaskQuery{Type: bucketlite.DeleteBucketTask}) {
				if err != nil {
					t.Fatal(err)
				}
				storetest.WaitDeleted(t, st, task, 0)
			}
			storetest.WantSound(t, path)
		})
	}
}

func TestConfirmTaskJSON(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	task, _ := storetest.WaitOutput(t, st, mustConfirm(t, b, storetest.Confirmations(written(t, b, "a", "a"))))
	wantMembers(t, task, map[string]string{
		"task_id": "string", "task_type": "string", "status": "string", "inputs": "array", "outputs": "array", "additional_data": "object",
		"created_at": "time", "updated_at": "time",
	})
	wantMembers(t, task.Outputs[0], map[string]string{"upload_id": "string", "status": "string", "object_id": "string"})
}
