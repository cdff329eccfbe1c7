package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// onFileAndMemory runs a test with a store of its own on either.
func onFileAndMemory(t *testing.T, opts *bucketlite.Options, test func(t *testing.T, st *bucketlite.Store)) {
	t.Helper()
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "test.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, storetest.OpenPath(t, path, opts))
		})
	}
}

// Many goroutines write and many watch: each watch gets every event, in the
// order of the commits, which the order of creation and the versions show.
func TestWatchOrder(t *testing.T) {
	t.Parallel()
	onFileAndMemory(t, nil, func(t *testing.T, st *bucketlite.Store) {
		ctx := storetest.Patience(t)
		b := storetest.Items(t, st)
		const writers, watchers, puts = 8, 20, 30
		begin := storetest.EventCursor(t, st)
		met := make([][]bucketlite.Event, watchers)
		var watching sync.WaitGroup
		for i := range met {
			watch := b.Watch(ctx, nil)
			watching.Go(func() { met[i] = storetest.TakeEvents(t, writers*(2*puts+1), watch) })
		}
		err := storetest.AtOnce(writers, func(w int) error {
			for i := range puts {
				k := fmt.Sprintf("%d-%d", w, i)
				if _, err := b.Put(ctx, storetest.Item(k, ""), nil); err != nil {
					return err
				}
				if _, err := b.Put(ctx, storetest.Item(k, "again"), nil); err != nil {
					return err
				}
			}
			return deleteKey(b, fmt.Sprintf("%d-0", w))
		})
		if err != nil {
			t.Fatal(err)
		}
		watching.Wait()
		want := storetest.EventsAfter(t, st, begin)
		storetest.WantNumbered(t, want, want[0].Seq)
		for i := range met {
			if !slices.Equal(met[i], want) {
				t.Errorf("watcher %d: got %d events, not the %d there are in their order", i, len(met[i]), len(want))
			}
		}
		gone := make(map[string]bool)
		var created []string
		last := make(map[string]int64) // the version each object has after its last event
		for i, e := range want {
			last[e.ObjectID] = int64(i + 1)
			switch e.Kind {
			case bucketlite.EventObjectCreated:
				created = append(created, e.ObjectID)
			case bucketlite.EventObjectDeleted:
				gone[e.ObjectID] = true
			}
		}
		created = slices.DeleteFunc(created, func(id string) bool { return gone[id] })
		if got := storetest.ObjectIDs(t, b); !slices.Equal(got, created) {
			t.Errorf("created: got %q, want %q", created, got)
		}
		for o, err := range b.Objects(ctx, bucketlite.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Version != last[o.ID] {
				t.Errorf("%s: got version %d, want %d", o.ID, o.Version, last[o.ID])
			}
		}
	})
}

func TestWatchFilters(t *testing.T) {
	t.Parallel()
	onFileAndMemory(t, nil, func(t *testing.T, st *bucketlite.Store) {
		ctx := storetest.Patience(t)
		var namespaces []*bucketlite.Namespace
		var buckets []*bucketlite.Bucket
		for i := range 2 {
			ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: fmt.Sprint(i)})
			if err != nil {
				t.Fatal(err)
			}
			namespaces = append(namespaces, ns)
			for j := range 2 {
				b, err := ns.CreateBucket(ctx, storetest.ItemsConfig(fmt.Sprint(j)))
				if err != nil {
					t.Fatal(err)
				}
				buckets = append(buckets, b)
			}
		}
		for i := range 20 {
			storetest.PutItem(t, buckets[i%4], storetest.Item(fmt.Sprint(i), ""))
		}
		if err := buckets[0].Lock(ctx); err != nil {
			t.Fatal(err)
		}
		all := storetest.EventsAfter(t, st, "")
		check := func(name string, watch iter.Seq2[bucketlite.Event, error], wanted func(e bucketlite.Event) bool) {
			want := slices.DeleteFunc(slices.Clone(all), func(e bucketlite.Event) bool { return !wanted(e) })
			if got := storetest.TakeEvents(t, len(want), watch); !slices.Equal(got, want) {
				t.Errorf("%s: got %+v, want %+v", name, got, want)
			}
		}
		check("store", st.Watch(ctx, storetest.FromStart), func(e bucketlite.Event) bool { return true })
		for _, ns := range namespaces {
			check(ns.String(), ns.Watch(ctx, storetest.FromStart), func(e bucketlite.Event) bool { return e.NamespaceID == ns.ID() })
		}
		for _, b := range buckets {
			check(b.ID(), b.Watch(ctx, storetest.FromStart), func(e bucketlite.Event) bool { return e.BucketID == b.ID() })
			// A point may be that of any event.
			check(b.ID(), b.Watch(ctx, storetest.After(all[11].Cursor)), func(e bucketlite.Event) bool { return e.BucketID == b.ID() && e.Seq > all[11].Seq })
		}
	})
}

// Where a watch begins is settled by the call.
func TestWatchBegins(t *testing.T) {
	t.Parallel()
	onFileAndMemory(t, nil, func(t *testing.T, st *bucketlite.Store) {
		ctx := storetest.Patience(t)
		empty := storetest.EventCursor(t, st)
		now, start, point := st.Watch(ctx, nil), st.Watch(ctx, storetest.FromStart), st.Watch(ctx, storetest.After(empty))
		b := storetest.Items(t, st)
		storetest.PutItem(t, b, storetest.Item("1", ""))
		all := storetest.EventsAfter(t, st, "")
		for name, watch := range map[string]iter.Seq2[bucketlite.Event, error]{"now": now, "start": start, "point": point, "same again": now} {
			if got := storetest.TakeEvents(t, len(all), watch); !slices.Equal(got, all) {
				t.Errorf("%s: got %+v, want %+v", name, got, all)
			}
		}
		now, point = b.Watch(ctx, &bucketlite.WatchOptions{}), b.Watch(ctx, storetest.After(storetest.EventCursor(t, st)))
		storetest.PutItem(t, b, storetest.Item("2", ""))
		for name, watch := range map[string]iter.Seq2[bucketlite.Event, error]{"now": now, "point": point} {
			if got := storetest.TakeEvents(t, 1, watch); got[0].Seq != int64(len(all)+1) || got[0].Cursor != storetest.EventCursor(t, st) {
				t.Errorf("%s: got %+v, want event %d", name, got, len(all)+1)
			}
		}
		for i, e := range all {
			if got := storetest.TakeEvents(t, 1, st.Watch(ctx, storetest.After(e.Cursor))); got[0].Seq != int64(i+2) {
				t.Errorf("after event %d: got %d", i+1, got[0].Seq)
			}
		}
	})
}

func TestWatchRefusesPoints(t *testing.T) {
	t.Parallel()
	ctx := storetest.Patience(t)
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	storetest.Items(t, st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	behind := storetest.OpenPath(t, storetest.CopyFile(t, path)) // the same store as it once was
	b := storetest.ReopenItems(t, path)
	st = storetest.OpenPath(t, path)
	storetest.PutItem(t, b, storetest.Item("1", ""))
	good := storetest.EventCursor(t, st)
	if _, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "second"}); err != nil {
		t.Fatal(err)
	}
	page, err := st.ListNamespaces(ctx, bucketlite.Query{Limit: 1})
	if err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	foreign := storetest.OpenMemory(t)
	storetest.PutItem(t, storetest.Items(t, foreign), storetest.Item("1", ""))
	for name, tt := range map[string]struct {
		st   *bucketlite.Store
		opts bucketlite.WatchOptions
	}{
		"past the end":     {behind, bucketlite.WatchOptions{After: good}},
		"of another store": {foreign, bucketlite.WatchOptions{After: good}},
		"of another list":  {st, bucketlite.WatchOptions{After: page.Next}},
		"malformed":        {st, bucketlite.WatchOptions{After: "?"}},
		"cut short":        {st, bucketlite.WatchOptions{After: good[1:]}},
		"altered":          {st, bucketlite.WatchOptions{After: good[:len(good)-1] + string(good[len(good)-1]^1)}},
		"with a line end":  {st, bucketlite.WatchOptions{After: good + "\n"}},
		"point and start":  {st, bucketlite.WatchOptions{After: good, FromStart: true}},
	} {
		t.Run(name, func(t *testing.T) {
			watch := tt.st.Watch(ctx, &tt.opts)
			for range 2 {
				n := 0
				for e, err := range watch {
					if n++; !errors.Is(err, bucketlite.ErrBadRequest) || e != (bucketlite.Event{}) {
						t.Errorf("got %+v, %v, want ErrBadRequest", e, err)
					}
				}
				if n != 1 {
					t.Errorf("got %d turns, want 1", n)
				}
			}
		})
	}
}

// A watch whose body is too slow for so many events ends with an error.
func TestWatchFallsBehind(t *testing.T) {
	t.Parallel()
	onFileAndMemory(t, &bucketlite.Options{EventRetention: 10, Durability: bucketlite.DurabilityNormal}, func(t *testing.T, st *bucketlite.Store) {
		ctx := storetest.Patience(t)
		b := storetest.Items(t, st)
		watch := b.Watch(ctx, nil)
		storetest.PutItem(t, b, storetest.Item("first", ""))
		met := 0
		for e, err := range watch {
			if met++; met == 2 {
				if storetest.WantError(t, err, bucketlite.ErrCursorExpired); e != (bucketlite.Event{}) {
					t.Errorf("got %+v with the error", e)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range 100 {
				storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), ""))
			}
			if !storetest.Eventually(func() bool {
				return errors.Is(storetest.FirstError(st.Watch(ctx, storetest.After(e.Cursor))), bucketlite.ErrCursorExpired)
			}) {
				t.Fatal("the oldest events are still there")
			}
		}
		if met != 2 {
			t.Errorf("got %d turns, want an event and an error", met)
		}
	})
}

// Idle is called once all there is has been met, and never for what cannot begin.
func TestWatchIdle(t *testing.T) {
	t.Parallel()
	onFileAndMemory(t, nil, func(t *testing.T, st *bucketlite.Store) {
		ctx, cancel := context.WithCancel(storetest.Patience(t))
		b := storetest.Items(t, st)
		storetest.PutItems(t, b, 1200, 1)
		const before = 1201 // with the bucket's own
		met, idle := 0, 0
		watch := b.Watch(ctx, &bucketlite.WatchOptions{FromStart: true, Idle: func() {
			switch idle++; {
			case met == before:
				storetest.PutItem(t, b, storetest.Item("late", ""))
			case met > before:
				cancel()
			default:
				t.Errorf("idle after %d events, want %d", met, before)
			}
		}})
		for _, err := range watch {
			if err != nil {
				storetest.WantError(t, err, context.Canceled)
				break
			}
			met++
		}
		if met != before+1 || idle < 2 {
			t.Errorf("got %d events and was idle %d times, want %d and twice or more", met, idle, before+1)
		}
		called := false
		never := &bucketlite.WatchOptions{After: "nonsense", Idle: func() { called = true }}
		storetest.WantError(t, storetest.FirstError(b.Watch(t.Context(), never)), bucketlite.ErrBadRequest)
		if called {
			t.Error("idle before it could begin")
		}
	})
}

// A watch from a kept cursor misses nothing and gets nothing twice.
func TestWatchAfterReopening(t *testing.T) {
	t.Parallel()
	ctx := storetest.Patience(t)
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	storetest.Items(t, st)
	met := storetest.EventsAfter(t, st, "")
	const rounds, puts, takes = 5, 700, 650 // so that of some rows a part is met
	for range rounds {
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		storetest.PutItems(t, storetest.ReopenItems(t, path), puts, 1)
		st = storetest.OpenPath(t, path)
		met = append(met, storetest.TakeEvents(t, takes, st.Watch(ctx, storetest.After(met[len(met)-1].Cursor)))...)
	}
	met = append(met, storetest.EventsAfter(t, st, met[len(met)-1].Cursor)...)
	storetest.WantNumbered(t, met, 1)
	if want := 2 + rounds*puts; len(met) != want {
		t.Errorf("got %d events, want %d", len(met), want)
	}
}

// A single commit may have more events than a row or a page.
func TestWatchLargeCommit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	begin := storetest.EventCursor(t, st)
	const n = 1234
	inputs := make([]bucketlite.ObjectInput, n)
	for i := range inputs {
		inputs[i] = storetest.Item(fmt.Sprint(i), "")
	}
	if err := storetest.PutManyError(b.PutMany(t.Context(), inputs, &bucketlite.PutManyOptions{Atomic: true})); err != nil {
		t.Fatal(err)
	}
	events := storetest.EventsAfter(t, st, begin)
	if len(events) != n {
		t.Fatalf("got %d events, want %d", len(events), n)
	}
	for i, id := range storetest.ObjectIDs(t, b) {
		if events[i].ObjectID != id || events[i].Kind != bucketlite.EventObjectCreated {
			t.Fatalf("event %d: got %+v, want %s created", i, events[i], id)
		}
	}
	for _, i := range []int{0, 249, 499, 500, 1000, n - 2} {
		rest := storetest.EventsAfter(t, st, events[i].Cursor)
		if storetest.WantNumbered(t, rest, events[i].Seq+1); len(rest) != n-i-1 {
			t.Errorf("after event %d of %d: got %d", i, n, len(rest))
		}
	}
	if got := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT max(count) <= 500, max(length(data)) < 10000 FROM events"); got != "1 1\n" {
		t.Errorf("rows bounded: got %s", got)
	}
}

// The body may write to the store that is watched.
func TestWatchBodyWrites(t *testing.T) {
	t.Parallel()
	onFileAndMemory(t, nil, func(t *testing.T, st *bucketlite.Store) {
		ctx := storetest.Patience(t)
		b := storetest.Items(t, st)
		watch := b.Watch(ctx, nil)
		storetest.PutItem(t, b, storetest.Item("0", ""))
		n := 0
		for e, err := range watch {
			if err != nil {
				t.Fatal(err)
			}
			o, err := b.Object(ctx, e.ObjectID)
			if err != nil {
				t.Fatal(err)
			}
			if o.Fields["k"] != fmt.Sprint(n) {
				t.Errorf("event %d: got %v", n, o.Fields)
			}
			if n++; n == 50 {
				break
			}
			storetest.PutItem(t, b, storetest.Item(fmt.Sprint(n), ""))
		}
	})
}

func TestWatchEndsWithItsSubject(t *testing.T) {
	t.Parallel()
	onFileAndMemory(t, nil, func(t *testing.T, st *bucketlite.Store) {
		ctx := storetest.Patience(t)
		ns := storetest.Namespace(t, st)
		b := storetest.Items(t, st)
		begin := storetest.EventCursor(t, st)
		var ending sync.WaitGroup
		met := make(map[string][]bucketlite.EventKind)
		var mu sync.Mutex
		watch := func(name string, watch iter.Seq2[bucketlite.Event, error]) {
			ending.Go(func() {
				for e, err := range watch {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
					mu.Lock()
					met[name] = append(met[name], e.Kind)
					mu.Unlock()
				}
			})
		}
		watch("bucket", b.Watch(ctx, nil))
		watch("namespace", ns.Watch(ctx, nil))
		storetest.PutItem(t, b, storetest.Item("1", ""))
		second, err := ns.CreateBucket(ctx, storetest.ItemsConfig("second"))
		if err != nil {
			t.Fatal(err)
		}
		watch("second", second.Watch(ctx, nil))
		mustDelete(t, b)
		task, err := ns.Delete(ctx)
		if err == nil {
			_, err = st.Wait(ctx, task.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		ending.Wait()
		// When all is long gone, what was can still be met.
		watch("bucket, later", b.Watch(ctx, storetest.After(begin)))
		watch("namespace, later", ns.Watch(ctx, storetest.After(begin)))
		ending.Wait()
		mine := []bucketlite.EventKind{bucketlite.EventObjectCreated, bucketlite.EventBucketDeleted}
		all := []bucketlite.EventKind{bucketlite.EventObjectCreated, bucketlite.EventBucketCreated, bucketlite.EventBucketDeleted, bucketlite.EventBucketDeleted, bucketlite.EventNamespaceDeleted}
		for name, want := range map[string][]bucketlite.EventKind{
			"bucket": mine, "bucket, later": mine, "namespace": all, "namespace, later": all, "second": {bucketlite.EventBucketDeleted},
		} {
			if !slices.Equal(met[name], want) {
				t.Errorf("%s: got %q, want %q", name, met[name], want)
			}
		}
		for name, watch := range map[string]iter.Seq2[bucketlite.Event, error]{
			"bucket": b.Watch(ctx, nil), "namespace": ns.Watch(ctx, nil),
			"bucket, from a point": b.Watch(ctx, storetest.After(storetest.EventCursor(t, st))), "namespace, from a point": ns.Watch(ctx, storetest.After(storetest.EventCursor(t, st))),
		} {
			if err := storetest.LastError(watch); !errors.Is(err, bucketlite.ErrNotFound) {
				t.Errorf("%s, too late: got %v, want ErrNotFound", name, err)
			}
		}
	})
}

// waitingWatch begins a watch that has met all there is, and returns its end.
func waitingWatch(t *testing.T, watch iter.Seq2[bucketlite.Event, error]) (ended <-chan error) {
	t.Helper()
	met, end := make(chan struct{}), make(chan error, 1)
	go func() {
		var once sync.Once
		for _, err := range watch {
			once.Do(func() { close(met) })
			if err != nil {
				end <- err
				return
			}
		}
		end <- nil
	}()
	<-met
	return end
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()
	onFileAndMemory(t, nil, func(t *testing.T, st *bucketlite.Store) {
		b := storetest.Items(t, st)
		storetest.PutItem(t, b, storetest.Item("1", ""))
		storetest.PutItem(t, b, storetest.Item("2", ""))
		ctx, cancel := context.WithCancel(storetest.Patience(t))
		waiting := waitingWatch(t, b.Watch(ctx, storetest.FromStart))
		cancel()
		if err := <-waiting; err != context.Canceled {
			t.Errorf("cancelled while it waits: got %v", err)
		}

		ctx, cancelAmid := context.WithCancel(storetest.Patience(t))
		defer cancelAmid()
		n := 0
		for _, err := range b.Watch(ctx, storetest.FromStart) {
			if n++; n == 1 {
				cancelAmid()
			} else if err != context.Canceled {
				t.Errorf("cancelled within a page: got %v", err)
			}
		}
		if n != 2 {
			t.Errorf("cancelled within a page: got %d turns, want 2", n)
		}
		if err := storetest.LastError(st.Watch(ctx, nil)); err != context.Canceled {
			t.Errorf("cancelled before: got %v", err)
		}

		ctx = storetest.Patience(t)
		early := st.Watch(ctx, nil) // its iteration begins after the end
		var ends []<-chan error
		for range 10 {
			ends = append(ends, waitingWatch(t, st.Watch(ctx, storetest.FromStart)))
		}
		n = 0
		for _, err := range b.Watch(ctx, storetest.FromStart) {
			if n++; n == 1 {
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
			} else {
				storetest.WantError(t, err, bucketlite.ErrClosed)
			}
		}
		if n != 2 {
			t.Errorf("closed within a page: got %d turns, want 2", n)
		}
		for _, end := range ends {
			storetest.WantError(t, <-end, bucketlite.ErrClosed)
		}
		storetest.WantError(t, storetest.LastError(early), bucketlite.ErrClosed)
		storetest.WantError(t, storetest.LastError(st.Watch(ctx, nil)), bucketlite.ErrClosed)
	})
}

// No goroutine is left behind, however a watch ends.
func TestWatchLeavesNothing(t *testing.T) {
	// Not parallel: it counts goroutines.
	before := runtime.NumGoroutine()
	st := storetest.Open(t)
	b := storetest.Items(t, st)
	for range 10 {
		ctx, cancel := context.WithCancel(context.Background())
		ended := waitingWatch(t, st.Watch(ctx, storetest.FromStart))
		storetest.TakeEvents(t, 1, b.Watch(ctx, storetest.FromStart))
		b.Watch(ctx, nil) // never iterated over
		cancel()
		<-ended
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if !storetest.GoroutinesFallTo(before) {
		t.Errorf("goroutines: got %d, want %d", runtime.NumGoroutine(), before)
	}
}
