package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A tally counts how often each object was handled.
type tally struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *tally) handle(_ context.Context, j *bucketlite.Job) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = make(map[string]int)
	}
	c.seen[j.Bucket.Name()+" "+fmt.Sprint(j.Object.Fields["k"])]++
	return nil
}

// want fails unless n objects were handled, each once.
func (c *tally) want(t *testing.T, n int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) != n {
		t.Errorf("got %d objects handled, want %d", len(c.seen), n)
	}
	for object, times := range c.seen {
		if times != 1 {
			t.Errorf("%s: got handled %d times, want once", object, times)
		}
	}
}

// Process makes batches of drafts that were there before, with an index that it builds.
func TestProcessDrafts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, nil)
	var buckets []*bucketlite.Bucket
	for i := range 3 {
		b := storetest.Bucket(t, st, storetest.ItemsConfig(fmt.Sprint("items ", i)))
		storetest.PutItems(t, b, 300*(i+1), 5)
		buckets = append(buckets, b)
	}
	locked := storetest.Bucket(t, st, storetest.ItemsConfig("locked"))
	storetest.PutItems(t, locked, 5, 5)
	storetest.Must(t, locked.Lock(ctx))
	var c tally
	storetest.Process(t, st, c.handle, bucketlite.ProcessOptions{Drafts: true})
	c.want(t, 1800)
	for _, b := range buckets {
		storetest.WantIndexes(t, b, "value status READY")
		page, err := b.List(ctx, bucketlite.Query{Filter: bucketlite.Eq("status", "COMPLETED"), Total: true})
		storetest.Must(t, err)
		info, err := b.Info(ctx)
		storetest.Must(t, err)
		storetest.WantEqual(t, "completed", page.Total, info.ObjectCount)
		for k, err := range b.Batches(ctx, bucketlite.BatchQuery{}) {
			storetest.Must(t, err)
			if k.ObjectCount > 250 || k.Status != bucketlite.StatusCompleted {
				t.Errorf("got batch %+v, want at most 250 objects and COMPLETED", k)
			}
		}
	}
	storetest.WantIndexes(t, locked)
	storetest.WantNoProblem(t, st)

	// A failed object is no draft, a changed one is.
	storetest.PutItem(t, buckets[0], storetest.Item("7", "changed"))
	storetest.PutItem(t, buckets[0], storetest.Item("bad", "x"))
	var again tally
	storetest.Process(t, st, func(ctx context.Context, j *bucketlite.Job) error {
		if j.Object.Fields["k"] == "bad" {
			return &bucketlite.JobError{Category: bucketlite.CategoryValidation, Message: "bad"}
		}
		if _, err := j.Patch(ctx, storetest.Input(t, `{"n":1}`), nil); err != nil {
			return err
		}
		return again.handle(ctx, j)
	}, bucketlite.ProcessOptions{Drafts: true})
	again.want(t, 1)
	storetest.WantNoProblem(t, st)
}

// Several processors of several stores share the drafts that writers make, and each draft is
// handled once.
func TestProcessDraftsShared(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	first := storetest.OpenPath(t, path)
	b := storetest.Items(t, first)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var c tally
	var wg sync.WaitGroup
	for i := range 3 {
		st := first
		if i > 0 {
			st = storetest.OpenPath(t, path)
		}
		wg.Go(func() {
			err := st.Process(ctx, c.handle, &bucketlite.ProcessOptions{Drafts: true})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the context's error", err)
			}
		})
	}
	const each = 200
	storetest.Must(t, storetest.AtOnce(4, func(i int) error {
		for n := range each {
			if _, err := b.Put(context.Background(), storetest.Item(fmt.Sprint(i, "-", n), "x"), nil); err != nil {
				return err
			}
		}
		return nil
	}))
	storetest.Process(t, first, c.handle, bucketlite.ProcessOptions{Drafts: true})
	cancel()
	wg.Wait()
	c.want(t, 4*each)
	storetest.WantNoProblem(t, first)
	storetest.WantSound(t, path)
}

// A draft is found soon, and a canceled batch returns its drafts.
func TestProcessDraftsSoon(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	st := storetest.Open(t, nil)
	b := storetest.Items(t, st)
	handled := make(chan string)
	ended := make(chan error, 1)
	go func() {
		ended <- st.Process(ctx, func(_ context.Context, j *bucketlite.Job) error {
			handled <- j.BatchID
			return nil
		}, &bucketlite.ProcessOptions{Drafts: true, Concurrency: 1})
	}()
	for i := range 5 {
		storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), "x"))
		select {
		case <-handled:
		case <-time.After(20 * time.Second):
			t.Fatal("the draft was not processed")
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	storetest.WantNoProblem(t, st)
}

// Drafts that a large batch has yet to queue are left to it.
func TestProcessDraftsBesideSweep(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	steps := &stepper{}
	st := storetest.OpenPath(t, path, bucketlite.WithSteps(bucketlite.Options{}, steps.mayWork, 1))
	config := storetest.ItemsConfig("items")
	config.Indexes = []string{"status"}
	b := storetest.Bucket(t, st, config)
	ids := storetest.PutManyIDs(t, b, 1500)
	batch := storetest.Submit(t, b, ids...) // its first slice queues 1,000
	var c tally
	processing, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- st.Process(processing, c.handle, &bucketlite.ProcessOptions{Drafts: true}) }()
	if !storetest.Eventually(func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.seen) == 1000 }) {
		t.Error("the queued objects were not processed")
	}
	for range 20 {
		steps.step(t)
	}
	if !storetest.Eventually(func() bool {
		k, err := b.Batch(ctx, batch)
		return err == nil && k.Done()
	}) {
		t.Error("the batch does not end")
	}
	cancel()
	<-ended
	c.want(t, 1500)
	stats, err := b.Stats(ctx)
	storetest.Must(t, err)
	storetest.WantEqual(t, "batches", stats.Batches.Total, 1)
	storetest.WantNoProblem(t, st)
}

// The batches that were made of drafts go with their tasks. Others stay.
func TestProcessDraftsForgotten(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock()
	o := bucketlite.Options{Now: clock.Now, TaskRetention: time.Hour}
	st := storetest.Open(t, bucketlite.WithIdleTime(o, time.Millisecond))
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 600, 5)
	kept, err := b.Put(ctx, storetest.Item("kept", "x"), &bucketlite.PutOptions{Process: true})
	storetest.Must(t, err)
	var c tally
	storetest.Process(t, st, c.handle, bucketlite.ProcessOptions{Drafts: true})
	c.want(t, 601)
	stats, err := b.Stats(ctx)
	storetest.Must(t, err)
	storetest.WantEqual(t, "batches", stats.Batches.Total, 4)
	clock.Add(2 * time.Hour)
	if !storetest.Eventually(func() bool {
		stats, err := b.Stats(ctx)
		return err == nil && stats.Batches.Total == 1
	}) {
		t.Error("the batches stay")
	}
	storetest.WantEqual(t, "objects", storetest.MustBatch(t, b, kept.BatchID).ObjectIDs, []string{kept.Object.ID})
	storetest.WantNoProblem(t, st)
}

// A bucket without room for an index is left out, with a line in the log.
func TestProcessDraftsWithoutRoom(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer // slog serializes writes
	st := storetest.Open(t, &bucketlite.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	config := storetest.ItemsConfig("full")
	for i := range bucketlite.MaxIndexes {
		config.Indexes = append(config.Indexes, fmt.Sprint("v", i))
	}
	full := storetest.Bucket(t, st, config)
	storetest.PutItems(t, full, 3, 5)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 3, 5)
	var c tally
	storetest.Process(t, st, c.handle, bucketlite.ProcessOptions{Drafts: true})
	c.want(t, 3)
	if got := log.String(); strings.Count(got, "has no room for an index") != 1 {
		t.Errorf("got log %q, want one line about the bucket", got)
	}
}
