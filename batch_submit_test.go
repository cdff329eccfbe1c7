package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

func TestSubmitBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := storetest.NewManualClock()
	st := storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now})
	b := storetest.Items(t, st)
	all := storetest.PutIDs(t, b, "", "")
	before := storetest.WantStatus(t, b, all[0], bucketlite.StatusDraft)
	k := storetest.CreateBatch(t, b, all...)
	now := c.Add(time.Second)
	task, err := b.SubmitBatch(ctx, k.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantTask := *task
	wantTask.Type, wantTask.Status, wantTask.Processed, wantTask.Total = bucketlite.ProcessBatchTask, bucketlite.StatusPending, 0, 2
	wantTask.Inputs, wantTask.CreatedAt = []string{k.ID}, now
	storetest.WantEqual(t, "task", *task, wantTask)
	storetest.WantEqual(t, "ids of the task", []any{task.AdditionalData["batch_id"], task.AdditionalData["bucket_id"]}, []any{k.ID, b.ID()})
	got := storetest.WantBatch(t, st, b, k.ID, bucketlite.StatusPending)
	want := *got
	want.TaskID, want.UpdatedAt, want.CreatedAt, want.ObjectIDs = task.ID, now, k.CreatedAt, all
	storetest.WantEqual(t, "batch", *got, want)
	if task.Done() || got.Done() {
		t.Errorf("done: got task %t and batch %t, want neither", task.Done(), got.Done())
	}
	// The status of an object is not a change of the object.
	after := storetest.WantStatus(t, b, all[0], bucketlite.StatusPending)
	after.Status = before.Status
	if diff := cmp.Diff(before, after, cmp.AllowUnexported(bucketlite.Object{})); diff != "" {
		t.Errorf("object (-before +after):\n%s", diff)
	}
	storetest.WantError(t, storetest.ErrorOf(b.SubmitBatch(ctx, k.ID)), bucketlite.ErrConflict)
	if got := storetest.MustStats(t, b).Batches; got != (bucketlite.BatchStats{Total: 1, Active: 1}) {
		t.Errorf("statistics: got %+v", got)
	}
	if _, err := b.Patch(ctx, all[1], storetest.Item("key 1", "changed"), nil); err != nil {
		t.Fatal(err)
	}
	storetest.WantStatus(t, b, all[1], bucketlite.StatusDraft)
}

// All objects of a large batch are queued, slice by slice, without a processor.
func TestSubmitLarge(t *testing.T) {
	t.Parallel()
	for _, n := range []int{999, 1000, 1001, 1251, 3000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
			b := storetest.Items(t, st)
			id := storetest.Submit(t, b, storetest.PutManyIDs(t, b, n)...)
			db := storetest.OpenRaw(t, path)
			if !storetest.Eventually(func() bool {
				return storetest.Dump(t, db, "SELECT count(*) FROM object WHERE status = 'PENDING'") == fmt.Sprintln(n)
			}) {
				t.Error("not all objects are queued")
			}
			storetest.WantSound(t, path)
			storetest.Process(t, st, succeed, bucketlite.ProcessOptions{Concurrency: 100})
			storetest.WantBatch(t, st, b, id, bucketlite.StatusCompleted)
			if got := storetest.Dump(t, db, "SELECT count(*) FROM object WHERE status = 'COMPLETED'"); got != fmt.Sprintln(n) {
				t.Errorf("got %s objects completed, want %d", got, n)
			}
			if task, err := st.Task(ctx, storetest.MustBatch(t, b, id).TaskID); err != nil || task.Processed != int64(n) || task.Total != int64(n) {
				t.Errorf("task: got %+v, %v", task, err)
			}
			storetest.WantSound(t, path)
		})
	}
}

// The object of an id is settled when the batch is submitted.
func TestSubmitUnchecked(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	k, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{"later", "never"}, SkipValidation: true})
	storetest.Must(t, err)
	in := storetest.Item("k", "")
	in.ID = "later"
	storetest.PutItem(t, b, in)
	storetest.Must(t, storetest.ErrorOf(b.SubmitBatch(ctx, k.ID)))
	storetest.WantStatus(t, b, "later", bucketlite.StatusPending)
	handled := 0
	storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
		handled++
		return nil
	}, bucketlite.ProcessOptions{})
	storetest.WantStatus(t, b, "later", bucketlite.StatusCompleted)
	if got := storetest.WantBatch(t, st, b, k.ID, bucketlite.StatusCompleted); handled != 1 || got.Skipped != 1 {
		t.Errorf("got %d objects handled and %+v, want one handled and one skipped", handled, got)
	}
}

func TestCancelBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, n := range []int{2, 1000, 1001, 2600} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
			b := storetest.Items(t, st)
			all := storetest.PutManyIDs(t, b, n)
			k := storetest.CreateBatch(t, b, all...)
			storetest.WantError(t, storetest.ErrorOf(b.CancelBatch(ctx, k.ID)), bucketlite.ErrConflict) // a draft
			other := storetest.Submit(t, b, all[0])
			storetest.Must(t, storetest.ErrorOf(b.SubmitBatch(ctx, k.ID)))
			task, err := b.CancelBatch(ctx, k.ID)
			storetest.Must(t, err)
			storetest.WantEqual(t, "task: id, status and done", []any{task.ID, task.Status, task.Done()},
				[]any{storetest.MustBatch(t, b, k.ID).TaskID, bucketlite.StatusCanceled, true})
			storetest.WantBatch(t, st, b, k.ID, bucketlite.StatusCanceled)
			again, err := b.CancelBatch(ctx, k.ID)
			if err != nil || again.ID != task.ID {
				t.Errorf("again: got %+v, %v", again, err)
			}
			db := storetest.OpenRaw(t, path)
			if !storetest.Eventually(func() bool {
				return storetest.Dump(t, db, "SELECT count(*) FROM object WHERE status = 'DRAFT'") == fmt.Sprintln(n-1)
			}) {
				t.Error("not all objects are drafts again")
			}
			storetest.WantStatus(t, b, all[0], bucketlite.StatusPending) // it is in another batch
			storetest.WantError(t, storetest.ErrorOf(b.SubmitBatch(ctx, k.ID)), bucketlite.ErrConflict)
			storetest.WantError(t, storetest.ErrorOf(b.RetryBatch(ctx, k.ID, nil)), bucketlite.ErrConflict)
			storetest.WantSound(t, path)
			var handled []string
			storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
				handled = append(handled, j.BatchID+j.Object.ID)
				return nil
			}, bucketlite.ProcessOptions{Concurrency: 1})
			if want := []string{other + all[0]}; !slices.Equal(handled, want) {
				t.Errorf("got %v handled, want %v", handled, want)
			}
			storetest.WantError(t, storetest.ErrorOf(b.CancelBatch(ctx, other)), bucketlite.ErrConflict) // it has ended
			if got := storetest.MustStats(t, b).Batches; got != (bucketlite.BatchStats{Total: 2, Completed: 1}) {
				t.Errorf("statistics: got %+v", got)
			}
			storetest.WantSound(t, path)
		})
	}
}

// The task that processes a batch is cancelled with it, and the other way round.
func TestCancelTaskOfBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	object := storetest.PutIDs(t, b, "")[0]
	id := storetest.Submit(t, b, object)
	task := storetest.MustBatch(t, b, id).TaskID
	storetest.Must(t, b.Lock(ctx))
	storetest.WantError(t, storetest.ErrorOf(st.CancelTask(ctx, task)), bucketlite.ErrLocked)
	storetest.WantBatch(t, st, b, id, bucketlite.StatusPending)
	storetest.Must(t, b.Unlock(ctx))
	for range 2 { // the second changes nothing
		if got, err := st.CancelTask(ctx, task); err != nil || got.ID != task || got.Status != bucketlite.StatusCanceled {
			t.Errorf("got %+v, %v, want it cancelled", got, err)
		}
	}
	storetest.WantBatch(t, st, b, id, bucketlite.StatusCanceled)
	storetest.WantStatus(t, b, object, bucketlite.StatusDraft)
	if got := storetest.MustStats(t, b).Batches; got != (bucketlite.BatchStats{Total: 1}) {
		t.Errorf("statistics: got %+v", got)
	}
	ended := storetest.Submit(t, b, object)
	storetest.Process(t, st, succeed, bucketlite.ProcessOptions{})
	if got, err := st.CancelTask(ctx, storetest.MustBatch(t, b, ended).TaskID); err != nil || got.Status != bucketlite.StatusCompleted {
		t.Errorf("ended: got %+v, %v, want it as it was", got, err)
	}
	storetest.WantSound(t, path)
}

// A handler at work learns of the cancellation, wherever that comes from, and
// what it returns does not count.
func TestCancelRunning(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, where := range []string{"here", "another store"} {
		for name, verdict := range map[string]error{"success": nil, "failure": errors.New("failed"), "permanent": &bucketlite.JobError{Permanent: true}} {
			t.Run(where+" "+name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "test.db")
				st := storetest.OpenPath(t, path)
				b := storetest.Items(t, st)
				all := storetest.PutIDs(t, b, "", "", "")
				id := storetest.Submit(t, b, all...)
				running, ended := make(chan struct{}), make(chan error)
				go func() {
					ended <- st.Process(ctx, func(ctx context.Context, j *bucketlite.Job) error {
						if j.Object.ID == all[0] {
							return nil
						}
						running <- struct{}{}
						<-ctx.Done()
						return verdict
					}, &bucketlite.ProcessOptions{Concurrency: 2, UntilIdle: true})
				}()
				<-running
				if !storetest.Eventually(func() bool {
					o, err := b.Object(ctx, all[0])
					return err == nil && o.Status == bucketlite.StatusCompleted
				}) {
					t.Error("the first object is not completed")
				}
				by := b
				if where != "here" {
					by = storetest.ReopenItems(t, path)
				}
				storetest.Must(t, storetest.ErrorOf(by.CancelBatch(ctx, id)))
				for waiting := true; waiting; {
					select {
					case <-running: // the third may have been handed out as well
					case err := <-ended:
						storetest.Must(t, err)
						waiting = false
					}
				}
				storetest.WantBatch(t, st, b, id, bucketlite.StatusCanceled)
				storetest.WantStatus(t, b, all[0], bucketlite.StatusCompleted)
				storetest.WantStatus(t, b, all[1], bucketlite.StatusDraft)
				storetest.WantStatus(t, b, all[2], bucketlite.StatusDraft)
				storetest.WantSound(t, path)
			})
		}
	}
}

// A batch whose objects fail in every category, one each.
func failAll(t *testing.T, st *bucketlite.Store, b *bucketlite.Bucket) (batch string, byCategory map[string]string) {
	t.Helper()
	categories := []string{"dependency", "authentication", "validation", "runtime", "network", "resource"}
	all := storetest.PutIDs(t, b, append(categories, "")...)
	batch = storetest.Submit(t, b, all...)
	storetest.Process(t, st, failFor, bucketlite.ProcessOptions{})
	byCategory = make(map[string]string)
	for i, c := range append(categories, "") {
		byCategory[c] = all[i]
	}
	return batch, byCategory
}

func TestFailedJobs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := storetest.NewManualClock()
	st := storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now})
	b := storetest.Items(t, st)
	id, objects := failAll(t, st, b)
	k := storetest.WantBatch(t, st, b, id, bucketlite.StatusCompletedWithErrors)
	want := *k
	want.Failed = 6
	want.ErrorSummary = map[bucketlite.ErrorCategory]int64{"dependency": 1, "authentication": 1, "validation": 1, "runtime": 1, "network": 1, "resource": 1}
	storetest.WantEqual(t, "batch", *k, want)
	for _, part := range []string{"6 of 7", "no dependency"} {
		if !strings.Contains(k.Error, part) {
			t.Errorf("error of the batch: got %q, want it to contain %q", k.Error, part)
		}
	}
	if task, err := st.Task(ctx, k.TaskID); err != nil || task.Error != k.Error || task.Processed != 7 {
		t.Errorf("task: got %+v, %v", task, err)
	}
	var got []string
	for j, err := range b.FailedJobs(ctx, id, bucketlite.Query{}) {
		storetest.Must(t, err)
		category := string(j.Error.Category)
		got = append(got, category)
		want := bucketlite.FailedJob{ObjectID: objects[category], Attempts: 1, Error: bucketlite.ErrorDetail{
			Category: j.Error.Category, Message: "no " + category, Timestamp: c.Add(0), ObjectIDs: []string{objects[category]}, Count: 1,
		}}
		if diff := cmp.Diff(want, *j, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".position" }, cmp.Ignore()),
			cmp.AllowUnexported(bucketlite.FailedJob{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", category, diff)
		}
		if o := storetest.WantStatus(t, b, j.ObjectID, bucketlite.StatusFailed); o.Error != "no "+category {
			t.Errorf("object: got error %q", o.Error)
		}
	}
	if want := []string{"dependency", "authentication", "validation", "runtime", "network", "resource"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if o := storetest.WantStatus(t, b, objects[""], bucketlite.StatusCompleted); o.Error != "" {
		t.Errorf("object: got error %q", o.Error)
	}
	first, err := b.ListFailedJobs(ctx, id, bucketlite.Query{Limit: 2})
	if err != nil || len(first.Results) != 2 || first.Next == "" {
		t.Fatalf("page: got %+v, %v", first, err)
	}
	rest, err := b.ListFailedJobs(ctx, id, bucketlite.Query{Cursor: first.Next})
	storetest.Must(t, err)
	storetest.WantEqual(t, "rest: results and cursor", []any{len(rest.Results), rest.Next}, []any{4, ""})
	storetest.WantEqual(t, "first category of the rest", rest.Results[0].Error.Category, bucketlite.CategoryValidation)
	other := storetest.CreateBatch(t, b, objects[""])
	storetest.WantError(t, storetest.ErrorOf(b.ListFailedJobs(ctx, other.ID, bucketlite.Query{Cursor: first.Next})), bucketlite.ErrBadRequest)
	storetest.WantError(t, storetest.ErrorOf(b.ListFailedJobs(ctx, id, bucketlite.Query{Limit: 1001})), bucketlite.ErrBadRequest)
	if p, err := b.ListFailedJobs(ctx, other.ID, bucketlite.Query{}); err != nil || len(p.Results) != 0 {
		t.Errorf("none failed: got %+v, %v", p, err)
	}
}
