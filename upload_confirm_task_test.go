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
)

// confirmations names uploads.
func confirmations(ids ...string) (list []bucketlite.Confirmation) {
	for _, id := range ids {
		list = append(list, bucketlite.Confirmation{UploadID: id})
	}
	return list
}

// mustConfirm begins to confirm uploads.
func mustConfirm(t testing.TB, b *bucketlite.Bucket, list []bucketlite.Confirmation) *bucketlite.Task {
	t.Helper()
	task, err := b.ConfirmUploads(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// output is an item of a task's outputs.
type output struct {
	id, status, object string
	failed             bool
}

// waitFor returns the task when it has ended, and its outputs.
func waitFor(t testing.TB, st *bucketlite.Store, task *bucketlite.Task) (*bucketlite.Task, []output) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	task, err := st.Wait(ctx, task.ID)
	if err != nil {
		t.Fatal(err)
	}
	var outputs []output
	for _, item := range task.Outputs {
		m := item.(map[string]any)
		object, _ := m["object_id"].(string)
		message, _ := m["error"].(string)
		outputs = append(outputs, output{m["upload_id"].(string), m["status"].(string), object, message != ""})
	}
	return task, outputs
}

// written creates an upload and writes its bytes.
func written(t testing.TB, b *bucketlite.Bucket, k, data string) string {
	t.Helper()
	id := createUpload(t, b, docUpload(k)).ID
	writeUpload(t, b, id, data)
	return id
}

func TestConfirmUploads(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	good, other := written(t, b, "a", "a"), written(t, b, "b", "b")
	empty := createUpload(t, b, docUpload("c")).ID
	wrong := written(t, b, "d", "d")
	cancelled := createUpload(t, b, docUpload("e")).ID
	if err := b.CancelUpload(ctx, cancelled); err != nil {
		t.Fatal(err)
	}
	before := upload(t, b, docUpload("f"), "f")
	list := confirmations(good, empty, wrong, other, cancelled, before.ID)
	list[2].ETag, list[3].Size = sum("other"), 1
	task := mustConfirm(t, b, list)
	if task.Type != bucketlite.ConfirmUploadsTask || task.Status != bucketlite.StatusPending || task.Total != 6 || !slices.Equal(task.Inputs, []string{good, empty, wrong, other, cancelled, before.ID}) ||
		task.AdditionalData["bucket_id"] != b.ID() {
		t.Errorf("got %+v", task)
	}
	task, got := waitFor(t, st, task)
	if task.Status != bucketlite.StatusCompletedWithErrors || task.Processed != 6 || task.Error != "" {
		t.Errorf("got %+v", task)
	}
	want := []output{
		{good, "COMPLETED", keyID(t, b, "a"), false}, {empty, "FAILED", "", true}, {wrong, "FAILED", "", true},
		{other, "COMPLETED", keyID(t, b, "b"), false}, {cancelled, "FAILED", "", true}, {before.ID, "COMPLETED", before.ObjectID, false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("outputs: got %+v, want %+v", got, want)
	}
	for id, status := range map[string]bucketlite.Status{good: "COMPLETED", empty: "PENDING", wrong: "PENDING", cancelled: "CANCELED", before.ID: "COMPLETED"} {
		u := mustUpload(t, b, id)
		if u.Status != status {
			t.Errorf("got %+v, want %s", u, status)
		}
		if byTask := id != before.ID && id != cancelled; byTask != (u.TaskID == task.ID) {
			t.Errorf("got task %q", u.TaskID)
		}
	}
	confirmUpload(t, b, wrong)
	wantSound(t, path)

	task, got = waitFor(t, st, mustConfirm(t, b, confirmations(empty)))
	if task.Type != bucketlite.ConfirmUploadTask || task.Status != bucketlite.StatusFailed || task.Error == "" || len(got) != 1 {
		t.Errorf("none: got %+v", task)
	}
	writeUpload(t, b, empty, "c")
	if task, _ = waitFor(t, st, mustConfirm(t, b, confirmations(empty))); task.Status != bucketlite.StatusCompleted {
		t.Errorf("all: got %+v", task)
	}
	wantSound(t, path)
}

func TestConfirmUploadsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	holdTasks(t, path)
	id := written(t, b, "a", "a")
	before := uploads(t, b)
	for name, tt := range map[string]struct {
		list []bucketlite.Confirmation
		want error
	}{
		"none":     {nil, bucketlite.ErrBadRequest},
		"twice":    {confirmations(id, id), bucketlite.ErrBadRequest},
		"too many": {confirmations(slices.Repeat([]string{id}, 101)...), bucketlite.ErrTooLarge},
		"unknown":  {confirmations(id, "upl_1"), bucketlite.ErrNotFound},
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
	if got := dump(t, raw(t, path), "SELECT * FROM tasks"); got != "" {
		t.Errorf("tasks: got %s", got)
	}
}

// While a task is to confirm an upload it is not written or cancelled, and does
// not expire. It can be confirmed by itself, and the task is content with that.
func TestProcessingUpload(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	c := newManualClock()
	st := openPath(t, path, &bucketlite.Options{Now: c.now})
	b := items(t, st)
	holdTasks(t, path)
	first, second, refused := written(t, b, "a", "a"), written(t, b, "b", "b"), written(t, b, "c", "c")
	list := confirmations(first, second, refused)
	list[2].Size = 7
	task := mustConfirm(t, b, list)
	c.add(2 * time.Hour)
	if u := mustUpload(t, b, first); u.Status != bucketlite.StatusProcessing || u.TaskID != task.ID {
		t.Errorf("got %+v, want it to be processed", u)
	}
	_, err := b.WriteUpload(ctx, first, strings.NewReader("x"))
	wantError(t, err, bucketlite.ErrConflict)
	wantError(t, b.CancelUpload(ctx, first), bucketlite.ErrConflict)
	wantSound(t, path)
	u := confirmUpload(t, b, second)
	execute(t, raw(t, path), "DROP TRIGGER hold; UPDATE tasks SET lease_until = 0")
	createUpload(t, b, docUpload("d")) // wakes the collector
	_, got := waitFor(t, st, task)
	if want := (output{second, "COMPLETED", u.ObjectID, false}); got[1] != want || got[0].status != "COMPLETED" || !got[2].failed {
		t.Errorf("got %+v", got)
	}
	// One that is given back too late has expired.
	if u := mustUpload(t, b, refused); u.Status != bucketlite.StatusFailed {
		t.Errorf("got %+v, want it failed", u)
	}
	awaitCollector(t, b, path)
	wantSound(t, path)
}

// The task goes on in another store, where the first one left it.
func TestConfirmTaskIsTakenOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	holdTasks(t, path)
	var ids []string
	for i := range 20 {
		ids = append(ids, written(t, b, string(rune('a'+i)), "text"))
	}
	task := mustConfirm(t, b, confirmations(ids...))
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, raw(t, path), "DROP TRIGGER hold; UPDATE tasks SET lease_until = 0")
	st = openPath(t, path)
	task, got := waitFor(t, st, task)
	if task.Status != bucketlite.StatusCompleted || len(got) != 20 {
		t.Errorf("got %+v", task)
	}
	b = reopenItems(t, path)
	if got := mustStats(t, b).ObjectCount; got != 20 {
		t.Errorf("got %d objects, want 20", got)
	}
	wantSound(t, path)
}

// The lifecycle is obeyed when the task comes to an upload, not when it begins.
func TestConfirmTaskMeetsState(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, change := range map[string]func(*bucketlite.Bucket, context.Context) error{
		"locked": (*bucketlite.Bucket).Lock, "archived": (*bucketlite.Bucket).Archive, "suspended": (*bucketlite.Bucket).Suspend,
		"deleted": func(b *bucketlite.Bucket, ctx context.Context) error { return second(b.Delete(ctx)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st := openPath(t, path)
			b := items(t, st)
			holdTasks(t, path)
			task := mustConfirm(t, b, confirmations(written(t, b, "a", "a"), written(t, b, "b", "b")))
			if err := change(b, ctx); err != nil {
				t.Fatal(err)
			}
			releaseTasks(t, path)
			task, got := waitFor(t, st, task)
			if task.Status != bucketlite.StatusFailed || task.Error == "" || !got[0].failed || !got[1].failed {
				t.Errorf("got %+v", task)
			}
			for task, err := range st.Tasks(ctx, bucketlite.TaskQuery{Type: bucketlite.DeleteBucketTask}) {
				if err != nil {
					t.Fatal(err)
				}
				finish(t, st, task, 0)
			}
			wantSound(t, path)
		})
	}
}

func TestConfirmTaskJSON(t *testing.T) {
	t.Parallel()
	st := openMemory(t)
	b := items(t, st)
	task, _ := waitFor(t, st, mustConfirm(t, b, confirmations(written(t, b, "a", "a"))))
	wantMembers(t, task, map[string]string{
		"task_id": "string", "task_type": "string", "status": "string", "inputs": "array", "outputs": "array", "additional_data": "object",
		"created_at": "time", "updated_at": "time",
	})
	wantMembers(t, task.Outputs[0], map[string]string{"upload_id": "string", "status": "string", "object_id": "string"})
}
