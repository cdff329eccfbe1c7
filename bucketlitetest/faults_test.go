package bucketlitetest_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
)

// faulty returns a bucket of items in a store whose disk fails as told, and what
// its store was opened with.
func faulty(t testing.TB) (*bucketlite.Bucket, *bucketlitetest.Faults, *bucketlitetest.Options) {
	t.Helper()
	opts := &bucketlitetest.Options{Path: filepath.Join(t.TempDir(), "test.db"), Faults: &bucketlitetest.Faults{}}
	return items(t, bucketlitetest.NewStoreWith(t, opts)), opts.Faults, opts
}

func TestFailCommit(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	for name, test := range map[string]struct{ err, want error }{
		"default": {nil, bucketlite.ErrFull},
		"busy":    {bucketlite.ErrBusy, bucketlite.ErrBusy},
		"own":     {mine, mine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, faults, _ := faulty(t)
			faults.FailCommit(2, test.err)
			mustPut(t, b, "first")
			err := putItem(b, "second")
			wantError(t, "second put", err, test.want)
			if !strings.HasPrefix(err.Error(), "bucketlite: ") {
				t.Errorf("got error %q, want it to begin as all of the store's", err)
			}
			wantKeys(t, b, "first")
			mustPut(t, b, "second", "third")
			wantKeys(t, b, "first", "second", "third")
		})
	}
}

// Statistics and the feed, which live in memory too, know nothing of what failed.
func TestFailCommitLeavesNoTrace(t *testing.T) {
	t.Parallel()
	b, faults, _ := faulty(t)
	mustPut(t, b, "a")
	before, err := b.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	faults.FailCommit(1, nil)
	wantError(t, "put", putItem(b, "b"), bucketlite.ErrFull)
	after, err := b.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := bucketlitetest.Diff(before, after); diff != "" {
		t.Errorf("statistics (-before +after):\n%s", diff)
	}
	mustPut(t, b, "c")
	if stats, err := b.Stats(t.Context()); err != nil || stats.ObjectCount != 2 {
		t.Errorf("got %+v, %v, want two objects", stats, err)
	}
}

// A refused call changes nothing, so that no disk could make it fail otherwise.
func TestFaultsCountChanges(t *testing.T) {
	t.Parallel()
	b, faults, _ := faulty(t)
	mustPut(t, b, "a")
	before := faults.Commits()
	faults.FailCommit(1, nil)
	wantError(t, "key that is taken", putItem(b, "a"), bucketlite.ErrExists)
	wantError(t, "deletion of nothing", b.DeleteObject(t.Context(), "nobody", nil), bucketlite.ErrNotFound)
	wantKeys(t, b, "a")
	if got := faults.Commits(); got != before {
		t.Errorf("got %d commits by calls that change nothing, want none", got-before)
	}
	wantError(t, "first change", putItem(b, "b"), bucketlite.ErrFull)
	mustPut(t, b, "c")
	if got := faults.Commits(); got != before+2 {
		t.Errorf("got %d commits, want 2, with the one that failed", got-before)
	}
}

func TestLoseCommit(t *testing.T) {
	t.Parallel()
	for _, tookEffect := range []bool{false, true} {
		t.Run(map[bool]string{false: "without effect", true: "with effect"}[tookEffect], func(t *testing.T) {
			t.Parallel()
			b, faults, opts := faulty(t)
			mustPut(t, b, "first")
			faults.LoseCommit(1, tookEffect)
			wantError(t, "lost put", putItem(b, "lost"), bucketlite.ErrOutcomeUnknown)
			wantError(t, "later put", putItem(b, "later"), bucketlite.ErrReadOnly)
			faults.Clear()
			wantError(t, "put without faults", putItem(b, "later"), bucketlite.ErrReadOnly)

			again := bucketlitetest.Bucket(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: opts.Path}), "test", "items")
			mustPut(t, again, "later")
			want := []string{"first", "lost", "later"}
			if !tookEffect {
				want = []string{"first", "later"}
			}
			wantKeys(t, again, want...)
		})
	}
}

func TestFillDisk(t *testing.T) {
	t.Parallel()
	b, faults, _ := faulty(t)
	mustPut(t, b, "a")
	faults.FillDisk()
	for range 3 {
		wantError(t, "put", putItem(b, "b"), bucketlite.ErrFull)
	}
	// Content is staged in commits of its own, before that of the object.
	in := bucketlite.ObjectInput{
		Fields: map[string]any{"k": "b"},
		Blobs:  []bucketlite.BlobInput{{Property: "doc", Reader: strings.NewReader(strings.Repeat("long ", 1<<20))}},
	}
	insert := &bucketlite.PutOptions{Policy: bucketlite.Insert}
	_, err := b.Put(t.Context(), in, insert)
	wantError(t, "put of content", err, bucketlite.ErrFull)
	wantKeys(t, b, "a")

	faults.FreeDisk()
	in.Blobs[0].Reader = strings.NewReader("short")
	if _, err := b.Put(t.Context(), in, insert); err != nil {
		t.Errorf("put with space: %v", err)
	}
	wantKeys(t, b, "a", "b")
}

func TestHoldCommit(t *testing.T) {
	t.Parallel()
	b, faults, _ := faulty(t)
	mustPut(t, b, "a")
	reached, release := faults.HoldCommit(1)
	done := make(chan error, 1)
	go func() { done <- putItem(b, "b") }()
	<-reached
	wantKeys(t, b, "a") // readers do not wait
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"k": "c"}}, &bucketlite.PutOptions{Policy: bucketlite.Insert})
	wantError(t, "put that gives up", err, context.Canceled)
	select {
	case err := <-done:
		t.Fatalf("the put ended with %v while it was held", err)
	default:
	}
	release()
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantKeys(t, b, "a", "b")
}

// A hold and a fate for the same commit both apply.
func TestHoldCommitThenFail(t *testing.T) {
	t.Parallel()
	b, faults, _ := faulty(t)
	faults.FailCommit(1, bucketlite.ErrBusy)
	_, release := faults.HoldCommit(1)
	faults.FailCommit(1, nil)
	release()
	wantError(t, "put", putItem(b, "a"), bucketlite.ErrFull)
	mustPut(t, b, "a")
}

func TestDelayCommit(t *testing.T) {
	t.Parallel()
	const delay = 30 * time.Millisecond
	b, faults, _ := faulty(t)
	faults.DelayCommit(1, delay)
	start := time.Now()
	mustPut(t, b, "a")
	if took := time.Since(start); took < delay {
		t.Errorf("got a put that took %v, want at least %v", took, delay)
	}
}

// Callers that wait for a commit are refused if it is lost.
func TestLoseCommitWhileOthersWait(t *testing.T) {
	t.Parallel()
	b, faults, _ := faulty(t)
	reached, release := faults.HoldCommit(1)
	faults.LoseCommit(1, false)
	var wg sync.WaitGroup
	var lost, refused, others int
	var mu sync.Mutex
	put := func(k string) {
		err := putItem(b, k)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case errors.Is(err, bucketlite.ErrOutcomeUnknown):
			lost++
		case errors.Is(err, bucketlite.ErrReadOnly):
			refused++
		default:
			others++
		}
	}
	wg.Go(func() { put("a") })
	<-reached
	for _, k := range []string{"b", "c", "d"} {
		wg.Go(func() { put(k) })
	}
	release()
	wg.Wait()
	if lost != 1 || refused != 3 || others != 0 {
		t.Errorf("got %d lost, %d refused and %d others, want 1, 3 and 0", lost, refused, others)
	}
}

// The end of a test ends its faults, or it would never end.
func TestFaultsEndWithTheTest(t *testing.T) {
	t.Parallel()
	held := make(chan error, 1)
	got := recorded(func(t testing.TB) {
		b, faults, _ := faulty(t)
		faults.FillDisk()
		faults.FailCommit(2, nil)
		reached, _ := faults.HoldCommit(1)
		go func() { held <- putItem(b, "a") }()
		<-reached
	})
	if got != "" {
		t.Errorf("got a test that fails with %q, want it to pass", got)
	}
	if err := <-held; err != nil {
		t.Errorf("put that was held: %v", err)
	}
}

func TestFaultsOfNoCommit(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("commit 0 was taken, want a panic")
		}
	}()
	new(bucketlitetest.Faults).FailCommit(0, nil)
}
