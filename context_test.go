package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// foreignLock takes the write lock with the bare driver, until the function it
// returns is called.
func foreignLock(t *testing.T, path string) (release func()) {
	t.Helper()
	conn, err := raw(t, path).Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	execute := func(statement string) {
		if _, err := conn.ExecContext(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	execute("BEGIN IMMEDIATE")
	return func() {
		execute("ROLLBACK")
		conn.Close()
	}
}

// wantWritesToEnd makes every call while another process holds the lock, and fails
// unless those that write end in the error, and have no effect.
func wantWritesToEnd(t *testing.T, f *fixture, path string, do func(call func(ctx context.Context) error) error, want error) {
	t.Helper()
	before := snapshot(t, f.b)
	release := foreignLock(t, path)
	for name, call := range calls {
		if !call.writes {
			if err := call.do(context.Background(), f); err != nil {
				t.Errorf("%s: got %v, want reading to go on", name, err)
			}
		} else if err := do(func(ctx context.Context) error { return call.do(ctx, f) }); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	release()
	wantSnapshot(t, f.b, before)
	if _, err := f.b.Put(context.Background(), item("after", ""), nil); err != nil {
		t.Errorf("after the lock was released: %v", err)
	}
	wantExact(t, f.b)
}

func TestBusy(t *testing.T) {
	t.Parallel()
	path := newFixture(t)
	f := openFixture(t, path, &bucketlite.Options{BusyTimeout: 10 * time.Millisecond})
	wantWritesToEnd(t, f, path, func(call func(ctx context.Context) error) error {
		return call(context.Background())
	}, bucketlite.ErrBusy)
}

func TestContextEndsWaiting(t *testing.T) {
	t.Parallel()
	path := newFixture(t)
	f := openFixture(t, path, nil)
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

// A call that waits for another process goes on once that is done.
func TestWaitingForOthersSucceeds(t *testing.T) {
	t.Parallel()
	path := newFixture(t)
	f := openFixture(t, path, nil)
	release := foreignLock(t, path)
	ended := make(chan error)
	go func() {
		_, err := f.b.Put(context.Background(), item("waited", ""), nil)
		ended <- err
	}()
	release()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	wantExact(t, f.b)
}

// What was acknowledged is not taken back by a context that ends later.
func TestCancelledAfter(t *testing.T) {
	t.Parallel()
	for kind, st := range map[string]*bucketlite.Store{"file": open(t), "memory": openMemory(t)} {
		b := items(t, st)
		for i := range 20 {
			ctx, cancel := context.WithCancel(context.Background())
			_, err := b.Put(ctx, item(fmt.Sprint(i), ""), nil)
			cancel()
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
		}
		if got := mustStats(t, b).ObjectCount; got != 20 {
			t.Errorf("%s: got %d objects, want 20", kind, got)
		}
		wantExact(t, b)
	}
}

// However cancelling falls, a put was either stored and says so, or was not.
func TestCancelledAmid(t *testing.T) {
	t.Parallel()
	for kind, st := range map[string]*bucketlite.Store{"file": open(t), "memory": openMemory(t)} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := items(t, st)
			const goroutines, puts = 8, 50
			stored := make([][]string, goroutines)
			err := atOnce(goroutines, func(g int) error {
				for i := range puts {
					ctx, cancel := context.WithCancel(context.Background())
					go cancel()
					k := fmt.Sprintf("%d-%d", g, i)
					_, err := b.Put(ctx, item(k, ""), nil)
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
			if got := keysOf(t, b); !slices.Equal(got, want) {
				t.Errorf("got %d objects, want the %d that were acknowledged", len(got), len(want))
			}
			wantExact(t, b)
		})
	}
}
