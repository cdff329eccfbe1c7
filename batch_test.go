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

func succeed(context.Context, *bucketlite.Job) error { return nil }

// failFor makes a handler that fails for good where the item's value says so, with
// the category it names.
func failFor(_ context.Context, j *bucketlite.Job) error {
	if v := j.Object.Fields["v"].(string); v != "" {
		return &bucketlite.JobError{Category: bucketlite.ErrorCategory(v), Message: "no " + v, Permanent: true}
	}
	return nil
}

func TestCreateBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := storetest.NewManualClock()
	st := storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now})
	b := storetest.Items(t, st)
	all := storetest.PutIDs(t, b, "", "", "")
	before := storetest.Snapshot(t, b)
	now := c.Add(time.Second)
	for _, tt := range []struct {
		name string
		in   bucketlite.BatchInput
		want []string
	}{
		{"one", bucketlite.BatchInput{ObjectIDs: all[:1]}, all[:1]},
		{"several", bucketlite.BatchInput{ObjectIDs: all}, all},
		{"in the order given", bucketlite.BatchInput{ObjectIDs: []string{all[2], all[0], all[1]}}, []string{all[2], all[0], all[1]}},
		{"twice", bucketlite.BatchInput{ObjectIDs: []string{all[1], all[0], all[1], all[0]}}, []string{all[1], all[0]}},
		{"unchecked", bucketlite.BatchInput{ObjectIDs: []string{"none", all[0]}, SkipValidation: true}, []string{"none", all[0]}},
		{"with metadata", bucketlite.BatchInput{ObjectIDs: all, Metadata: map[string]any{"campaign": "may"}}, all},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := b.CreateBatch(ctx, tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(k.ID, "btch_") || k.Done() {
				t.Errorf("got id %q and done %t, want an id of a batch that is not done", k.ID, k.Done())
			}
			want := *k
			want.BucketID, want.Status, want.TaskID = b.ID(), bucketlite.StatusDraft, ""
			want.ObjectIDs, want.ObjectCount, want.CreatedAt, want.UpdatedAt = tt.want, int64(len(tt.want)), now, now
			storetest.WantEqual(t, "batch", *k, want)
			if len(tt.in.Metadata) != len(k.Metadata) || k.Metadata["campaign"] != tt.in.Metadata["campaign"] {
				t.Errorf("metadata: got %v, want %v", k.Metadata, tt.in.Metadata)
			}
			if diff := cmp.Diff(k, storetest.MustBatch(t, b, k.ID), cmp.AllowUnexported(bucketlite.Batch{})); diff != "" {
				t.Errorf("created and read (-created +read):\n%s", diff)
			}
			storetest.WantExact(t, b)
			if err := b.DeleteBatch(ctx, k.ID); err != nil {
				t.Fatal(err)
			}
		})
	}
	storetest.WantSnapshot(t, b, before) // the objects are as they were
}

func TestBatchInputRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	other := storetest.Bucket(t, storetest.OpenMemory(t), storetest.ItemsConfig("other"))
	all := storetest.PutIDs(t, b, "", "")
	foreign := storetest.PutIDs(t, other, "")[0]
	draft := storetest.CreateBatch(t, b, all[0])
	before := storetest.Snapshot(t, b)
	var many []string
	missing := make(map[string]string)
	for i := range 100 {
		many = append(many, fmt.Sprint("none", i))
		missing[fmt.Sprintf("object_ids[%d]", i)] = "exists"
	}
	for _, tt := range []struct {
		name string
		in   bucketlite.BatchInput
		want map[string]string
	}{
		{"nil", bucketlite.BatchInput{}, map[string]string{"object_ids": "required"}},
		{"none", bucketlite.BatchInput{ObjectIDs: []string{}}, map[string]string{"object_ids": "required"}},
		{"none, unchecked", bucketlite.BatchInput{SkipValidation: true}, map[string]string{"object_ids": "required"}},
		{"too many", bucketlite.BatchInput{ObjectIDs: make([]string, bucketlite.MaxPutMany+1)}, map[string]string{"object_ids": "size"}},
		{"no ids", bucketlite.BatchInput{ObjectIDs: []string{all[0], "", "a b", strings.Repeat("a", 129)}, SkipValidation: true},
			map[string]string{"object_ids[1]": "name", "object_ids[2]": "name", "object_ids[3]": "name"}},
		{"no objects", bucketlite.BatchInput{ObjectIDs: []string{"none", all[0], foreign, all[1], "nor"}},
			map[string]string{"object_ids[0]": "exists", "object_ids[2]": "exists", "object_ids[4]": "exists"}},
		{"many that are none", bucketlite.BatchInput{ObjectIDs: append(slices.Clone(many), "none100")}, missing},
		{"metadata", bucketlite.BatchInput{ObjectIDs: all, Metadata: map[string]any{"f": func() {}}}, map[string]string{"metadata.f": "type"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := b.CreateBatch(ctx, tt.in)
			if k != nil {
				t.Errorf("got %+v, want none", k)
			}
			storetest.WantIssues(t, err, tt.want)
			if tt.in.Metadata == nil {
				k, err = b.AddToBatch(ctx, draft.ID, tt.in.ObjectIDs, &bucketlite.AddToBatchOptions{SkipValidation: tt.in.SkipValidation})
				if k != nil {
					t.Errorf("add: got %+v, want none", k)
				}
				storetest.WantIssues(t, err, tt.want)
			}
		})
	}
	storetest.WantSnapshot(t, b, before)
	if got := storetest.MustBatch(t, b, draft.ID); got.ObjectCount != 1 {
		t.Errorf("got %+v, want it as it was", got)
	}
}

func TestAddToBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	all := storetest.PutIDs(t, b, "", "", "", "")
	k := storetest.CreateBatch(t, b, all[1])
	for _, tt := range []struct {
		name string
		add  []string
		opts *bucketlite.AddToBatchOptions
		want []string
	}{
		{"one", all[:1], nil, []string{all[1], all[0]}},
		{"again", all[:2], nil, []string{all[1], all[0]}},
		{"some again", []string{all[3], all[0], all[2], all[3]}, nil, []string{all[1], all[0], all[3], all[2]}},
		{"unchecked", []string{"none"}, &bucketlite.AddToBatchOptions{SkipValidation: true}, []string{all[1], all[0], all[3], all[2], "none"}},
	} {
		got, err := b.AddToBatch(ctx, k.ID, tt.add, tt.opts)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.ObjectIDs, tt.want) || got.ObjectCount != int64(len(tt.want)) || got.Status != bucketlite.StatusDraft {
			t.Errorf("%s: got %+v, want %v", tt.name, got, tt.want)
		}
	}
	if _, err := b.SubmitBatch(ctx, k.ID); err != nil {
		t.Fatal(err)
	}
	storetest.WantError(t, storetest.ErrorOf(b.AddToBatch(ctx, k.ID, all, nil)), bucketlite.ErrConflict)
	storetest.Process(t, st, succeed, bucketlite.ProcessOptions{})
	storetest.WantError(t, storetest.ErrorOf(b.AddToBatch(ctx, k.ID, all, nil)), bucketlite.ErrConflict)
	if got := storetest.MustBatch(t, b, k.ID); got.ObjectCount != 5 || got.Skipped != 1 || got.Failed != 0 || got.Status != bucketlite.StatusCompleted {
		t.Errorf("got %+v, want it completed with five objects, one of them skipped", got)
	}
}

// A batch may have more objects than one call takes, and more than it shows.
func TestLargeBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	name := func(i int) string { return fmt.Sprint("object-", i) }
	var k *bucketlite.Batch
	for call := range 3 {
		var some []string
		for i := range 4000 {
			some = append(some, name(4000*call+i))
		}
		var err error
		if call == 0 {
			k, err = b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: some, SkipValidation: true})
		} else {
			k, err = b.AddToBatch(ctx, k.ID, some, &bucketlite.AddToBatchOptions{SkipValidation: true})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if k.ObjectCount != 12_000 || len(k.ObjectIDs) != 10_000 || k.ObjectIDs[0] != name(0) || k.ObjectIDs[9999] != name(9999) {
		t.Errorf("got %d objects and %d ids", k.ObjectCount, len(k.ObjectIDs))
	}
}

// One bucket's batches are not another's.
func TestBatchesAreApart(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b, other := storetest.Items(t, st), storetest.Bucket(t, st, storetest.ItemsConfig("other"))
	id := storetest.Submit(t, b, storetest.PutIDs(t, b, "network")...)
	storetest.Process(t, st, failFor, bucketlite.ProcessOptions{})
	draft := storetest.CreateBatch(t, b, storetest.MustBatch(t, b, id).ObjectIDs...)
	for _, k := range []string{id, draft.ID, "", "none", strings.ToLower(id), "btch_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
		in := other
		if k != id && k != draft.ID {
			in = b
		}
		f := &storetest.Fixture{Dir: t.TempDir(), Store: st, Bucket: in, Draft: k, Submitted: k, Failed: k, ObjectID: storetest.PutIDs(t, in, "")[0]}
		for _, call := range []string{"AddToBatch", "Batch", "UpdateBatch", "DeleteBatch", "SubmitBatch", "CancelBatch", "RetryBatch", "FailedJobs", "ListFailedJobs"} {
			if err := storetest.Calls["Bucket."+call].Do(ctx, f); !errors.Is(err, bucketlite.ErrNotFound) {
				t.Errorf("%s of %q: got %v, want ErrNotFound", call, k, err)
			}
		}
	}
	if p, err := other.ListBatches(ctx, bucketlite.BatchQuery{}); err != nil || len(p.Results) != 0 {
		t.Errorf("got %+v, %v, want none", p, err)
	}
	storetest.WantExact(t, b)
	storetest.WantExact(t, other)
}

func TestListBatches(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	object := storetest.PutIDs(t, b, "")[0]
	var drafts, ended, want []string
	for i := range 250 {
		k := storetest.CreateBatch(t, b, object)
		want = append(want, k.ID)
		if i%5 != 0 {
			drafts = append(drafts, k.ID)
			continue
		}
		ended = append(ended, k.ID)
		if _, err := b.SubmitBatch(ctx, k.ID); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Process(t, st, succeed, bucketlite.ProcessOptions{})
	list := func(q bucketlite.BatchQuery) (got []string) {
		for k, err := range b.Batches(ctx, q) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, k.ID)
		}
		return got
	}
	for _, tt := range []struct {
		name string
		q    bucketlite.BatchQuery
		want []string
	}{
		{"all", bucketlite.BatchQuery{}, want},
		{"some", bucketlite.BatchQuery{Query: bucketlite.Query{Limit: 120}}, want[:120]},
		{"drafts", bucketlite.BatchQuery{Status: bucketlite.StatusDraft}, drafts},
		{"ended", bucketlite.BatchQuery{Status: bucketlite.StatusCompleted}, ended},
		{"none", bucketlite.BatchQuery{Status: bucketlite.StatusFailed}, nil},
	} {
		if got := list(tt.q); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %d batches, want %d", tt.name, len(got), len(tt.want))
		}
	}
	first, err := b.ListBatches(ctx, bucketlite.BatchQuery{Query: bucketlite.Query{Limit: 10}})
	if err != nil || len(first.Results) != 10 || first.Next == "" {
		t.Fatalf("got %+v, %v", first, err)
	}
	for name, q := range map[string]bucketlite.BatchQuery{
		"of another status": {Status: bucketlite.StatusDraft, Query: bucketlite.Query{Cursor: first.Next}},
		"no cursor":         {Query: bucketlite.Query{Cursor: "none"}},
		"limit":             {Query: bucketlite.Query{Limit: -1}},
	} {
		storetest.WantError(t, storetest.ErrorOf(b.ListBatches(ctx, q)), bucketlite.ErrBadRequest)
		if err := storetest.LastError(b.Batches(ctx, q)); q.Limit == 0 && !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s: got %v, want ErrBadRequest", name, err)
		}
	}
}

// The ids of their objects are among the bytes by which pages of batches end.
func TestPageOfLargeBatches(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t, &bucketlite.Options{MaxPageBytes: 700_000}))
	var many []string // 69 kB as JSON
	for i := range bucketlite.MaxPutMany {
		many = append(many, fmt.Sprint(i))
	}
	for range 12 {
		if _, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: many, SkipValidation: true}); err != nil {
			t.Fatal(err)
		}
	}
	p, err := b.ListBatches(ctx, bucketlite.BatchQuery{})
	if err != nil || len(p.Results) != 10 || p.Next == "" {
		t.Fatalf("got %d batches, %v, want 10 and a next page", len(p.Results), err)
	}
	p, err = b.ListBatches(ctx, bucketlite.BatchQuery{Query: bucketlite.Query{Cursor: p.Next}})
	if err != nil || len(p.Results) != 2 || p.Next != "" {
		t.Fatalf("got %d batches, %v, want the last 2", len(p.Results), err)
	}
	q := bucketlite.Query{Filter: bucketlite.Eq("object_ids", "7"), Sort: []bucketlite.Sort{bucketlite.Desc("created_at")}, Total: true}
	if p, err = b.ListBatches(ctx, bucketlite.BatchQuery{Query: q}); err != nil || len(p.Results) != 10 || p.Next == "" || p.Total != 12 {
		t.Fatalf("sorted: got %d of %d batches, %v, want 10 and a next page", len(p.Results), p.Total, err)
	}
}

func TestBatchJSON(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	all := storetest.PutIDs(t, b, "network", "")
	members := map[string]string{
		"batch_id": "string", "bucket_id": "string", "status": "string", "object_ids": "array", "type": "string", "metadata": "object",
		"tier_tasks": "array", "total_tiers": "number", "created_at": "time", "updated_at": "time",
	}
	k := storetest.CreateBatch(t, b, all...)
	wantMembers(t, k, members)
	task, err := b.SubmitBatch(ctx, k.ID)
	if err != nil {
		t.Fatal(err)
	}
	members["task_id"] = "string"
	wantMembers(t, storetest.MustBatch(t, b, k.ID), members)
	wantMembers(t, task.AdditionalData, map[string]string{
		"namespace_id": "string", "batch_id": "string", "bucket_id": "string", "object_count": "number", "progress": "object",
	})
	storetest.Process(t, st, failFor, bucketlite.ProcessOptions{})
	members["error"], members["error_summary"] = "string", "object"
	wantMembers(t, storetest.MustBatch(t, b, k.ID), members)
	jobs, err := b.ListFailedJobs(ctx, k.ID, bucketlite.Query{})
	if err != nil || len(jobs.Results) != 1 {
		t.Fatalf("got %+v, %v", jobs, err)
	}
	wantMembers(t, jobs.Results[0], map[string]string{"object_id": "string", "error": "object", "attempts": "number", "retry_count": "number"})
	wantMembers(t, jobs.Results[0].Error, map[string]string{
		"error_type": "string", "message": "string", "timestamp": "time", "affected_document_ids": "array", "affected_count": "number",
	})
}

func TestUpdateBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := storetest.NewManualClock()
	st := storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now})
	b := storetest.Items(t, st)
	k := storetest.CreateBatch(t, b, storetest.PutIDs(t, b, "")...)
	update := func(metadata map[string]any) *bucketlite.Batch {
		t.Helper()
		k, err := b.UpdateBatch(ctx, k.ID, bucketlite.BatchUpdate{Metadata: metadata})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	now := c.Add(time.Second)
	if got := update(map[string]any{"a": "b", "c": "d"}); len(got.Metadata) != 2 || !got.UpdatedAt.Equal(now) || got.CreatedAt.Equal(now) {
		t.Errorf("got %+v", got)
	}
	if got := update(nil); len(got.Metadata) != 2 {
		t.Errorf("nothing: got %v, want it as it was", got.Metadata)
	}
	if got := update(map[string]any{"e": "f"}); len(got.Metadata) != 1 || got.Metadata["e"] != "f" {
		t.Errorf("again: got %v, want the new alone", got.Metadata)
	}
	storetest.WantIssues(t, storetest.ErrorOf(b.UpdateBatch(ctx, k.ID, bucketlite.BatchUpdate{Metadata: map[string]any{"f": []byte("x")}})), map[string]string{"metadata.f": "type"})
	if _, err := b.SubmitBatch(ctx, k.ID); err != nil {
		t.Fatal(err)
	}
	storetest.Process(t, st, succeed, bucketlite.ProcessOptions{})
	if got := update(map[string]any{}); len(got.Metadata) != 0 || got.Status != bucketlite.StatusCompleted {
		t.Errorf("ended: got %+v, want no metadata", got)
	}
}

func TestDeleteBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, n := range []int{1, 999, 1000, 1001, 2600} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
			b := storetest.Items(t, st)
			all := storetest.PutManyIDs(t, b, n)
			states := map[string]func(id string){
				"draft": func(string) {},
				"completed": func(id string) {
					storetest.Must(t, storetest.ErrorOf(b.SubmitBatch(ctx, id)))
					storetest.Process(t, st, succeed, bucketlite.ProcessOptions{})
				},
				"cancelled": func(id string) {
					storetest.Must(t, storetest.ErrorOf(b.SubmitBatch(ctx, id)))
					storetest.Must(t, storetest.ErrorOf(b.CancelBatch(ctx, id)))
				},
			}
			for name, prepare := range states {
				k := storetest.CreateBatch(t, b, all...)
				prepare(k.ID)
				if err := b.DeleteBatch(ctx, k.ID); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				// It is out of sight at once, however much there is to do.
				storetest.WantError(t, storetest.ErrorOf(b.Batch(ctx, k.ID)), bucketlite.ErrNotFound)
				storetest.WantError(t, b.DeleteBatch(ctx, k.ID), bucketlite.ErrNotFound)
				storetest.WantError(t, storetest.ErrorOf(b.RetryBatch(ctx, k.ID, nil)), bucketlite.ErrNotFound)
				storetest.WantExact(t, b)
			}
			running := storetest.Submit(t, b, all...)
			storetest.WantError(t, b.DeleteBatch(ctx, running), bucketlite.ErrConflict)
			db := storetest.OpenRaw(t, path)
			if !storetest.Eventually(func() bool {
				return storetest.Dump(t, db, "SELECT count(*) FROM jobs") == fmt.Sprintln(n) && storetest.Dump(t, db, "SELECT 1 FROM batches WHERE sweep IS NOT NULL") == ""
			}) {
				t.Error("jobs of deleted batches are left")
			}
			if got := storetest.MustStats(t, b); got.ObjectCount != int64(n) || got.Batches != (bucketlite.BatchStats{Total: 1, Active: 1}) {
				t.Errorf("got %+v, want the objects to stay, and one batch", got)
			}
			storetest.WantSound(t, path)
		})
	}
}

// A bucket or namespace that is deleted takes its batches along, whatever their
// state, and their tasks end.
func TestDeleteWithBatches(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"bucket", "namespace"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
			b, bystander := storetest.Items(t, st), storetest.Bucket(t, st, storetest.ItemsConfig("bystander"))
			all := storetest.PutManyIDs(t, b, 1500)
			storetest.CreateBatch(t, b, all...)
			storetest.Submit(t, b, all...)
			cancelled := storetest.Submit(t, b, all...)
			storetest.Must(t, storetest.ErrorOf(b.CancelBatch(ctx, cancelled)))
			storetest.Submit(t, b, storetest.PutIDs(t, b, "network", "")...)
			storetest.Process(t, st, failFor, bucketlite.ProcessOptions{Concurrency: 50})
			pending := storetest.Submit(t, b, all...)
			kept := storetest.Submit(t, bystander, storetest.PutIDs(t, bystander, "")...)
			running, ended := make(chan struct{}), make(chan error)
			processing, stop := context.WithCancel(ctx)
			go func() {
				ended <- st.Process(processing, func(ctx context.Context, j *bucketlite.Job) error {
					select {
					case running <- struct{}{}:
						<-ctx.Done()
					case <-ctx.Done():
					}
					return nil
				}, &bucketlite.ProcessOptions{Concurrency: 2})
			}()
			<-running
			tasks := []string{storetest.MustBatch(t, b, pending).TaskID}
			var task *bucketlite.Task
			var err error
			if what == "bucket" {
				task, err = b.Delete(ctx)
			} else {
				tasks = append(tasks, storetest.MustBatch(t, bystander, kept).TaskID)
				task, err = storetest.Namespace(t, st).Delete(ctx)
			}
			storetest.Must(t, err)
			storetest.WaitDeleted(t, st, task, task.Total)
			for _, id := range tasks {
				if task, err := st.Wait(ctx, id); err != nil || task.Status != bucketlite.StatusCanceled {
					t.Errorf("task: got %+v, %v, want it cancelled", task, err)
				}
			}
			wantGone(t, &storetest.Fixture{Dir: t.TempDir(), Store: st, Namespace: storetest.Namespace(t, st), Bucket: b, ObjectID: all[0], Draft: pending, Submitted: pending, Failed: pending}, "Bucket")
			stop()
			if err := <-ended; err != context.Canceled {
				t.Errorf("got %v, want the context's error", err)
			}
			if what == "bucket" {
				storetest.Process(t, st, succeed, bucketlite.ProcessOptions{})
				storetest.WantBatch(t, st, bystander, kept, bucketlite.StatusCompleted)
			} else if got := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT num FROM batches UNION ALL SELECT batch FROM jobs UNION ALL SELECT bucket FROM batch_counts"); got != "" {
				t.Errorf("left behind: %s", got)
			}
			storetest.WantSound(t, path)
		})
	}
}
