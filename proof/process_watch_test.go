package proof_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Commits of another store are delivered, also when the watcher that had the turn to look
// for them has gone, and by a store that cannot write.
func TestWatchOtherStores(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*bucketlite.Options{"writable": nil, "read-only": {ReadOnly: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := storetest.Patience(t)
			path := filepath.Join(t.TempDir(), "test.db")
			b := storetest.Items(t, storetest.OpenPath(t, path))
			st := storetest.OpenPath(t, path, opts)
			const watchers = 5
			met := make([]chan int64, watchers)
			leave := make([]context.CancelFunc, watchers)
			var watching sync.WaitGroup
			for i := range met {
				met[i] = make(chan int64)
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				leave[i] = cancel
				watch := st.Watch(ctx, nil)
				watching.Go(func() {
					for e, err := range watch {
						if err != nil {
							if err != context.Canceled {
								t.Error(err)
							}
							return
						}
						met[i] <- e.Seq
					}
				})
			}
			for round := range watchers {
				storetest.PutItem(t, b, storetest.Item(fmt.Sprint(round), ""))
				for i := round; i < watchers; i++ {
					if got, want := <-met[i], int64(3+round); got != want {
						t.Errorf("watcher %d: got event %d, want %d", i, got, want)
					}
				}
				leave[round]()
			}
			watching.Wait()
		})
	}
}

// A process is killed while it writes: a watch in this one has seen the committed
// changes, and nothing else.
func TestWatchKilledProcess(t *testing.T) {
	t.Parallel()
	ctx := storetest.Patience(t)
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	for round := range 3 {
		watch := b.Watch(ctx, nil)
		begin := storetest.EventCursor(t, st)
		c := startChild(t, "load", path, fmt.Sprint(round))
		met := storetest.TakeEvents(t, 200, watch)
		c.kill(t)
		met = append(met, storetest.EventsAfter(t, st, met[len(met)-1].Cursor)...)
		if all := storetest.EventsAfter(t, st, begin); !slices.Equal(met, all) {
			t.Errorf("round %d: got %d events, not the %d there are", round, len(met), len(all))
		}
	}
	wantReplayed(t, st, b, storetest.ObjectIDs(t, b))
	storetest.WantSound(t, path)
}

// A process that watches is killed over and over, and continues each time after the
// last event it printed.
func TestWatchByProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	cursor, seq := storetest.EventCursor(t, st), storetest.EventsAfter(t, st, "")[1].Seq
	for round := range 3 {
		c := startChild(t, "watch", path, cursor)
		for i := range 100 {
			storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), fmt.Sprint(round)))
			if i%3 > 0 {
				continue // the rest is there when the next child begins
			}
			var got int64
			if _, err := fmt.Sscan(c.line(t), &got, &cursor); err != nil {
				t.Fatal(err)
			}
			if seq++; got != seq {
				t.Fatalf("round %d: got event %d, want %d", round, got, seq)
			}
		}
		c.kill(t)
	}
}

// childWatch prints the number and the cursor of each event after a point.
func childWatch(args []string) error {
	st, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	for e, err := range b.Watch(context.Background(), storetest.After(args[1])) {
		if err != nil {
			return errors.Join(err, st.Close())
		}
		fmt.Println(e.Seq, e.Cursor)
	}
	return st.Close()
}
