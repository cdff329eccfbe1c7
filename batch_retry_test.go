package bucketlite_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

func TestRetryBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, tt := range []struct {
		name    string
		opts    *bucketlite.RetryBatchOptions
		retried []string
	}{
		{"default", nil, []string{"network", "resource"}},
		{"transient", &bucketlite.RetryBatchOptions{MaxRetries: 1}, []string{"network", "resource"}},
		{"all", &bucketlite.RetryBatchOptions{All: true}, []string{"authentication", "dependency", "network", "resource", "runtime", "validation"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			id, objects := failAll(t, st, b)
			before := storetest.MustBatch(t, b, id)
			res, err := b.RetryBatch(ctx, id, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			n := int64(len(tt.retried))
			storetest.WantEqual(t, "retried", res.Retried, n)
			if res.Task.ID == before.TaskID {
				t.Errorf("task: got %s once more, want another", res.Task.ID)
			}
			wantTask := *res.Task
			wantTask.Status, wantTask.Total, wantTask.Processed = bucketlite.StatusPending, n, 0
			storetest.WantEqual(t, "task", *res.Task, wantTask)
			k := storetest.WantBatch(t, st, b, id, bucketlite.StatusPending)
			wantBatch := *k
			wantBatch.TaskID, wantBatch.Failed, wantBatch.Error = res.Task.ID, 6-n, ""
			storetest.WantEqual(t, "batch", *k, wantBatch)
			storetest.WantEqual(t, "categories of failures", int64(len(k.ErrorSummary)), 6-n)
			if got := storetest.MustStats(t, b).Batches; got != (bucketlite.BatchStats{Total: 1, Active: 1}) {
				t.Errorf("statistics: got %+v", got)
			}
			for category, object := range objects {
				want := bucketlite.StatusFailed
				if category == "" {
					want = bucketlite.StatusCompleted
				} else if slices.Contains(tt.retried, category) {
					want = bucketlite.StatusPending
				}
				if o := storetest.WantStatus(t, b, object, want); want == bucketlite.StatusPending && o.Error != "" {
					t.Errorf("got error %q, want none", o.Error)
				}
			}
			if old, err := st.Task(ctx, before.TaskID); err != nil || old.Status != bucketlite.StatusCompletedWithErrors {
				t.Errorf("first task: got %+v, %v, want it as it was", old, err)
			}
			storetest.WantSound(t, path)
			var got []string
			storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
				if j.Retries != 1 || j.Attempt != 1 || j.BatchID != id {
					t.Errorf("job: got %+v", j)
				}
				got = append(got, j.Object.Fields["v"].(string))
				return nil
			}, bucketlite.ProcessOptions{Concurrency: 1})
			if slices.Sort(got); !slices.Equal(got, tt.retried) {
				t.Errorf("got %v retried, want %v", got, tt.retried)
			}
			want := bucketlite.StatusCompletedWithErrors
			if n == 6 {
				want = bucketlite.StatusCompleted
			}
			if k := storetest.WantBatch(t, st, b, id, want); k.Failed != 6-n || (k.Error == "") != (n == 6) {
				t.Errorf("got %+v", k)
			}
			storetest.WantSound(t, path)
		})
	}
}

// An object that fails over and over is retried at most as often as MaxRetries says.
func TestRetryAtMost(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	id := storetest.Submit(t, b, storetest.PutIDs(t, b, "network", "runtime")...)
	storetest.Process(t, st, failFor, bucketlite.ProcessOptions{})
	storetest.WantBatch(t, st, b, id, bucketlite.StatusFailed)
	retry := func(opts *bucketlite.RetryBatchOptions, want int64) {
		t.Helper()
		before := storetest.MustBatch(t, b, id)
		res, err := b.RetryBatch(ctx, id, opts)
		if err != nil || res.Retried != want || (res.Task == nil) != (want == 0) {
			t.Fatalf("got %+v, %v, want %d", res, err, want)
		}
		if want == 0 {
			if diff := cmp.Diff(before, storetest.MustBatch(t, b, id), cmp.AllowUnexported(bucketlite.Batch{})); diff != "" {
				t.Errorf("batch (-before +after):\n%s", diff)
			}
		}
		storetest.Process(t, st, failFor, bucketlite.ProcessOptions{})
		storetest.WantBatch(t, st, b, id, bucketlite.StatusFailed)
		storetest.WantExact(t, b)
	}
	retry(nil, 1)                                                     // network: 1
	retry(&bucketlite.RetryBatchOptions{MaxRetries: 1}, 0)            //
	retry(&bucketlite.RetryBatchOptions{MaxRetries: 1, All: true}, 1) // runtime: 1
	retry(&bucketlite.RetryBatchOptions{MaxRetries: 2, All: true}, 2) // both: 2
	retry(nil, 1)                                                     // network: 3
	retry(nil, 0)
	retry(&bucketlite.RetryBatchOptions{All: true}, 1) // runtime: 3
	retry(&bucketlite.RetryBatchOptions{All: true}, 0)
	retry(&bucketlite.RetryBatchOptions{All: true, MaxRetries: 10}, 2)
	p, err := b.ListFailedJobs(ctx, id, bucketlite.Query{})
	storetest.Must(t, err)
	var retries []int
	for _, j := range p.Results {
		retries = append(retries, j.Retries)
	}
	storetest.WantEqual(t, "retries", retries, []int{4, 4})
	for _, most := range []int{-1, 11} {
		storetest.WantError(t, storetest.ErrorOf(b.RetryBatch(ctx, id, &bucketlite.RetryBatchOptions{MaxRetries: most})), bucketlite.ErrBadRequest)
	}
}

func TestRetryRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	all := storetest.PutIDs(t, b, "")
	completed := storetest.Submit(t, b, all...)
	storetest.Process(t, st, succeed, bucketlite.ProcessOptions{})
	if res, err := b.RetryBatch(ctx, completed, &bucketlite.RetryBatchOptions{All: true}); err != nil || res.Retried != 0 || res.Task != nil {
		t.Errorf("completed: got %+v, %v, want nothing retried", res, err)
	}
	draft := storetest.CreateBatch(t, b, all...).ID
	storetest.WantError(t, storetest.ErrorOf(b.RetryBatch(ctx, draft, nil)), bucketlite.ErrConflict)
	storetest.Must(t, storetest.ErrorOf(b.SubmitBatch(ctx, draft)))
	storetest.WantError(t, storetest.ErrorOf(b.RetryBatch(ctx, draft, nil)), bucketlite.ErrConflict)
	storetest.Must(t, storetest.ErrorOf(b.CancelBatch(ctx, draft)))
	storetest.WantError(t, storetest.ErrorOf(b.RetryBatch(ctx, draft, nil)), bucketlite.ErrConflict)
}

// Many objects are retried slice by slice, and cancelled between slices.
func TestRetryLarge(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const n = 2600
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	b := storetest.Items(t, st)
	values := make([]string, n)
	for i := range values {
		values[i] = []string{"network", "runtime", ""}[i%3]
	}
	id := storetest.Submit(t, b, storetest.PutIDs(t, b, values...)...)
	storetest.Process(t, st, failFor, bucketlite.ProcessOptions{Concurrency: 100})
	k := storetest.WantBatch(t, st, b, id, bucketlite.StatusCompletedWithErrors)
	network, all := k.ErrorSummary["network"], k.Failed
	for _, cancel := range []bool{false, true} {
		opts := &bucketlite.RetryBatchOptions{All: cancel}
		want := network
		if cancel {
			want = all
		}
		res, err := b.RetryBatch(ctx, id, opts)
		if err != nil || res.Retried != want {
			t.Fatalf("got %+v, %v, want %d", res, err, want)
		}
		if cancel {
			storetest.Must(t, storetest.ErrorOf(b.CancelBatch(ctx, id)))
			break
		}
		storetest.Process(t, st, failFor, bucketlite.ProcessOptions{Concurrency: 100})
		if k := storetest.WantBatch(t, st, b, id, bucketlite.StatusCompletedWithErrors); k.Failed != all || k.ErrorSummary["network"] != network {
			t.Errorf("got %+v, want as many failed as before", k)
		}
		storetest.WantSound(t, path)
	}
	db := storetest.OpenRaw(t, path)
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT 1 FROM batches WHERE sweep IS NOT NULL") == "" }) {
		t.Error("the batch is not swept")
	}
	storetest.WantBatch(t, st, b, id, bucketlite.StatusCanceled)
	storetest.WantSound(t, path)
}
