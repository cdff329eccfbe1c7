package proof_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// wantWritesToEnd makes every call while another process holds the lock, and fails
// unless those that write end in the error, and have no effect.
func wantWritesToEnd(t *testing.T, f *storetest.Fixture, path string, do func(call func(ctx context.Context) error) error, want error) {
	t.Helper()
	before := storetest.Snapshot(t, f.Bucket)
	release := storetest.ForeignLock(t, path)
	for name, call := range storetest.Calls {
		if !call.Writes {
			if err := call.Do(context.Background(), f); err != nil {
				t.Errorf("%s: got %v, want reading to continue", name, err)
			}
		} else if err := do(func(ctx context.Context) error { return call.Do(ctx, f) }); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	release()
	storetest.WantSnapshot(t, f.Bucket, before)
	if _, err := f.Bucket.Put(context.Background(), storetest.Item("after", ""), nil); err != nil {
		t.Errorf("after the lock was released: %v", err)
	}
	storetest.WantExact(t, f.Bucket)
}

func TestBusy(t *testing.T) {
	t.Parallel()
	path := storetest.NewFixture(t)
	f := storetest.OpenFixture(t, path, &bucketlite.Options{BusyTimeout: 10 * time.Millisecond})
	wantWritesToEnd(t, f, path, func(call func(ctx context.Context) error) error {
		return call(context.Background())
	}, bucketlite.ErrBusy)
}

func TestContextEndsWaiting(t *testing.T) {
	t.Parallel()
	path := storetest.NewFixture(t)
	f := storetest.OpenFixture(t, path, nil)
	for want, begin := range map[error]func() (context.Context, context.CancelFunc){
		context.DeadlineExceeded: func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 10*time.Millisecond)
		},
		context.Canceled: func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(10*time.Millisecond, cancel)
			return ctx, cancel
		},
	} {
		wantWritesToEnd(t, f, path, func(call func(ctx context.Context) error) error {
			ctx, cancel := begin()
			defer cancel()
			return call(ctx)
		}, want)
	}
}

// A call that waits for another process continues once that is done.
func TestWaitingForOthersSucceeds(t *testing.T) {
	t.Parallel()
	path := storetest.NewFixture(t)
	f := storetest.OpenFixture(t, path, nil)
	release := storetest.ForeignLock(t, path)
	ended := make(chan error)
	go func() {
		_, err := f.Bucket.Put(context.Background(), storetest.Item("waited", ""), nil)
		ended <- err
	}()
	release()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	storetest.WantExact(t, f.Bucket)
}

// A context that ends later does not undo an acknowledged call.
func TestCancelledAfter(t *testing.T) {
	t.Parallel()
	for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
		b := storetest.Items(t, st)
		for i := range 20 {
			ctx, cancel := context.WithCancel(context.Background())
			_, err := b.Put(ctx, storetest.Item(fmt.Sprint(i), ""), nil)
			cancel()
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
		}
		if got := storetest.MustStats(t, b).ObjectCount; got != 20 {
			t.Errorf("%s: got %d objects, want 20", kind, got)
		}
		storetest.WantExact(t, b)
	}
}

// However cancelling falls, a put was either stored and says so, or was not.
func TestCancelledAmid(t *testing.T) {
	t.Parallel()
	for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := storetest.Items(t, st)
			const goroutines, puts = 8, 50
			stored := make([][]string, goroutines)
			err := storetest.AtOnce(goroutines, func(g int) error {
				for i := range puts {
					ctx, cancel := context.WithCancel(context.Background())
					go cancel()
					k := fmt.Sprintf("%d-%d", g, i)
					_, err := b.Put(ctx, storetest.Item(k, ""), nil)
					if err == nil {
						stored[g] = append(stored[g], k)
					} else if !errors.Is(err, context.Canceled) {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			want := slices.Concat(stored...)
			slices.Sort(want)
			if got := storetest.ItemKeys(t, b); !slices.Equal(got, want) {
				t.Errorf("got %d objects, want the %d that were acknowledged", len(got), len(want))
			}
			storetest.WantExact(t, b)
		})
	}
}
