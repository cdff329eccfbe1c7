package bucketlite_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Objects that are put with Process are queued in the same commit.
func TestPutProcess(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, nil)
	b := storetest.Items(t, st)
	process := &bucketlite.PutOptions{Process: true}

	first, err := b.Put(ctx, storetest.Item("a", "x"), process)
	storetest.Must(t, err)
	storetest.WantEqual(t, "status", first.Object.Status, bucketlite.StatusPending)
	batch := storetest.WantBatch(t, st, b, first.BatchID, bucketlite.StatusPending)
	storetest.WantEqual(t, "objects", batch.ObjectIDs, []string{first.Object.ID})
	storetest.WantEqual(t, "object", storetest.WantStatus(t, b, first.Object.ID, bucketlite.StatusPending), first.Object)

	again, err := b.Put(ctx, storetest.Item("a", "y"), process) // both batches process it
	storetest.Must(t, err)
	plain, err := b.Put(ctx, storetest.Item("b", "x"), nil)
	storetest.Must(t, err)
	storetest.WantEqual(t, "batch", plain.BatchID, "")

	var seen []string
	storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
		seen = append(seen, fmt.Sprint(j.BatchID, j.Object.Fields["v"]))
		return nil
	}, bucketlite.ProcessOptions{Concurrency: 1})
	storetest.WantEqual(t, "processed", seen, []string{first.BatchID + "y", again.BatchID + "y"})
	storetest.WantBatch(t, st, b, again.BatchID, bucketlite.StatusCompleted)
	storetest.WantStatus(t, b, again.Object.ID, bucketlite.StatusCompleted)
	storetest.WantStatus(t, b, plain.Object.ID, bucketlite.StatusDraft)

	_, err = b.Put(ctx, storetest.Input(t, `{"k":"c","n":"five"}`), process)
	storetest.WantError(t, err, bucketlite.ErrInvalid)
	stats, err := b.Stats(ctx)
	storetest.Must(t, err)
	storetest.WantEqual(t, "batches", stats.Batches.Total, 2)
	storetest.WantNoProblem(t, st)
}

func TestPutManyProcess(t *testing.T) {
	t.Parallel()
	for _, atomic := range []bool{false, true} {
		t.Run(fmt.Sprintf("atomic %t", atomic), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			st := storetest.Open(t, nil)
			b := storetest.Items(t, st)
			var inputs []bucketlite.ObjectInput
			for i := range 600 {
				inputs = append(inputs, storetest.Item(fmt.Sprint(i), "x"))
			}
			inputs[7] = storetest.Item("3", "y") // an earlier one
			if !atomic {
				inputs[5] = storetest.Input(t, `{"k":"bad","n":"five"}`)
			}
			result, err := b.PutMany(ctx, inputs, &bucketlite.PutManyOptions{Process: true, Atomic: atomic})
			storetest.Must(t, err)
			var batches []string
			for _, s := range result.Succeeded {
				storetest.WantEqual(t, "status", s.Object.Status, bucketlite.StatusPending)
				if !slices.Contains(batches, s.BatchID) {
					batches = append(batches, s.BatchID)
				}
			}
			want := 3
			if atomic {
				want = 1
			}
			storetest.WantEqual(t, "batches", len(batches), want)
			storetest.WantEqual(t, "failed", len(result.Failed), map[bool]int{false: 1, true: 0}[atomic])
			storetest.WantNoProblem(t, st)
			processed := make(chan string, len(inputs))
			storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
				processed <- j.Object.ID
				return nil
			}, bucketlite.ProcessOptions{})
			stats, err := b.Stats(ctx)
			storetest.Must(t, err)
			storetest.WantEqual(t, "processed", int64(len(processed)), stats.ObjectCount)
			storetest.WantNoProblem(t, st)
		})
	}
}

// A refused atomic call queues nothing.
func TestPutManyProcessRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, nil)
	b := storetest.Items(t, st)
	_, err := b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item("a", "x"), storetest.Input(t, `{"k":"b","n":"five"}`)},
		&bucketlite.PutManyOptions{Process: true, Atomic: true})
	storetest.WantError(t, err, bucketlite.ErrInvalid)
	stats, err := b.Stats(ctx)
	storetest.Must(t, err)
	storetest.WantEqual(t, "batches", stats.Batches.Total, 0)
	storetest.WantNoProblem(t, st)
}

// A handler's own changes keep the object processed, another's make it a draft.
func TestJobPatch(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		patch func(ctx context.Context, j *bucketlite.Job) error
		want  bucketlite.Status
		v     string
	}{
		"job": {func(ctx context.Context, j *bucketlite.Job) error {
			o, err := j.Patch(ctx, storetest.Item("a", "job"), nil)
			if err == nil && o.Status != bucketlite.StatusProcessing {
				err = fmt.Errorf("got status %s, want PROCESSING", o.Status)
			}
			return err
		}, bucketlite.StatusCompleted, "job"},
		"twice": {func(ctx context.Context, j *bucketlite.Job) error {
			if _, err := j.Patch(ctx, storetest.Item("a", "once"), nil); err != nil {
				return err
			}
			_, err := j.Patch(ctx, storetest.Item("a", "twice"), nil)
			return err
		}, bucketlite.StatusCompleted, "twice"},
		"bucket": {func(ctx context.Context, j *bucketlite.Job) error {
			_, err := j.Bucket.Patch(ctx, j.Object.ID, storetest.Item("a", "bucket"), nil)
			return err
		}, bucketlite.StatusDraft, "bucket"},
		"job after another": {func(ctx context.Context, j *bucketlite.Job) error {
			if _, err := j.Bucket.Patch(ctx, j.Object.ID, storetest.Item("a", "bucket"), nil); err != nil {
				return err
			}
			_, err := j.Patch(ctx, storetest.Item("a", "job"), nil)
			return err
		}, bucketlite.StatusDraft, "job"},
		"another after job": {func(ctx context.Context, j *bucketlite.Job) error {
			if _, err := j.Patch(ctx, storetest.Item("a", "job"), nil); err != nil {
				return err
			}
			_, err := j.Bucket.Patch(ctx, j.Object.ID, storetest.Item("a", "bucket"), nil)
			return err
		}, bucketlite.StatusDraft, "bucket"},
		"stale version": {func(ctx context.Context, j *bucketlite.Job) error {
			before := j.Object.Version
			if _, err := j.Patch(ctx, storetest.Item("a", "job"), nil); err != nil {
				return err
			}
			if _, err := j.Patch(ctx, storetest.Item("a", "stale"), &bucketlite.PatchOptions{IfVersion: before}); err == nil {
				return fmt.Errorf("a stale version was accepted")
			}
			return nil
		}, bucketlite.StatusCompleted, "job"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			st := storetest.Open(t, nil)
			b := storetest.Items(t, st)
			put, err := b.Put(ctx, storetest.Item("a", "x"), &bucketlite.PutOptions{Process: true})
			storetest.Must(t, err)
			storetest.Process(t, st, tt.patch, bucketlite.ProcessOptions{MaxAttempts: 1})
			o := storetest.WantStatus(t, b, put.Object.ID, tt.want)
			storetest.WantEqual(t, "v", o.Fields["v"], any(tt.v))
			storetest.WantBatch(t, st, b, put.BatchID, bucketlite.StatusCompleted)
			storetest.WantNoProblem(t, st)
		})
	}
}
