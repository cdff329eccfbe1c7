package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// holdIndexes keeps every index of the file at path from becoming ready, until
// releaseIndexes: its last slice is built over and over.
func holdIndexes(t *testing.T, path string) {
	t.Helper()
	execute(t, raw(t, path), `CREATE TRIGGER hold_indexes AFTER UPDATE OF status ON indexes WHEN old.status = 'BUILDING' AND new.status = 'READY' BEGIN
		UPDATE indexes SET status = 'BUILDING', built = old.built WHERE num = new.num; END`)
}

func releaseIndexes(t *testing.T, path string) {
	t.Helper()
	execute(t, raw(t, path), "DROP TRIGGER hold_indexes")
}

// writeItems puts, patches and deletes items, at random, until ctx ends.
func writeItems(ctx context.Context, b *bucketlite.Bucket, keys int) error {
	for n := 0; ctx.Err() == nil; n++ {
		k := fmt.Sprint(rand.IntN(keys))
		var err error
		switch n % 4 {
		case 0, 1:
			in := itemWithDoc(k, "doc of "+k)
			in.Fields["v"] = fmt.Sprint("value ", n)
			if n%3 == 0 {
				in.Fields["tags"] = []any{n, "tag", nil}
			}
			_, err = b.Put(ctx, in, nil)
		case 2:
			var o *bucketlite.Object
			if o, err = b.ObjectByKey(ctx, map[string]any{"k": k}); err == nil {
				_, err = b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"n": n, "v": nil}}, nil)
			}
		default:
			var o *bucketlite.Object
			if o, err = b.ObjectByKey(ctx, map[string]any{"k": k}); err == nil {
				err = b.DeleteObject(ctx, o.ID, nil)
			}
		}
		if err != nil && !errors.Is(err, bucketlite.ErrNotFound) && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}

// Indexes that are built and dropped while others write have in the end, and at
// every moment in which they can be used, what the objects have.
func TestBuildAmidWrites(t *testing.T) {
	t.Parallel()
	rounds := 2
	if *long {
		rounds = 30
	}
	t.Logf("%d rounds of building indexes amid writes, on a file and in memory", rounds)
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "a.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			opts := &bucketlite.Options{Durability: bucketlite.DurabilityNormal}
			st := openPath(t, path, opts)
			b := items(t, st)
			putItems(t, b, 500, 10)
			writing := []*bucketlite.Bucket{b, b}
			if path != ":memory:" {
				writing[1] = reopenItems(t, path)
			}
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error)
			go func() { ended <- atOnce(4, func(g int) error { return writeItems(ctx, writing[g%2], 700) }) }()
			for range rounds {
				ensure(t, b, "v", "tags", "created_at")
				ensureText(t, b)
				wantNoProblem(t, st)
				must(t, b.DropIndex(context.Background(), "tags", "v"))
				must(t, b.DropTextIndex(context.Background()))
				ensure(t, b, "tags", "n")
				ensureText(t, b)
				wantNoProblem(t, st)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			ensure(t, b, "v")
			wantNoProblem(t, st)
			if path != ":memory:" {
				wantEntries(t, path, b)
				wantSound(t, path)
			}
		})
	}
}

// Several processes build an index together, and none is in the way of another.
func TestBuildByProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	b := items(t, openPath(t, path))
	putItems(t, b, 5000, 10)
	var running []*child
	for p := range 3 {
		c := startChild(t, "index", path, fmt.Sprint(p), "once")
		c.line(t)
		running = append(running, c)
	}
	for _, c := range running {
		c.stdin.Close()
	}
	for _, c := range running {
		c.wait(t)
	}
	wantIndexes(t, b, "text  READY", "value n READY", "value v READY")
	wantEntries(t, path, b)
	wantSound(t, path)
}

// childIndex makes indexes, or makes and drops them and writes until it is killed.
func childIndex(args []string) error {
	st, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	ctx := context.Background()
	build := func() error { return errors.Join(b.EnsureIndex(ctx, "v", "n"), b.EnsureTextIndex(ctx)) }
	if len(args) > 2 {
		rendezvous()
		return errors.Join(build(), st.Close())
	}
	return atOnce(3, func(g int) error {
		if g > 0 {
			return writeItems(ctx, b, 600)
		}
		for {
			err := build()
			fmt.Println("built")
			if err == nil {
				err = errors.Join(b.DropTextIndex(ctx), b.DropIndex(ctx, "v"))
			}
			fmt.Println("dropped")
			if err != nil {
				return err
			}
		}
	})
}

// A process that builds and drops indexes is killed amid it, over and over. What it
// leaves is sound, and another finishes it.
func TestBuildSurvivesKill(t *testing.T) {
	t.Parallel()
	rounds := 4
	if *long {
		rounds = 100
	}
	t.Logf("%d kills of a process that builds indexes", rounds)
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	putItems(t, items(t, st), 600, 10)
	r := rand.New(rand.NewPCG(5, 5))
	for round := range rounds {
		if round%2 == 0 {
			must(t, st.Close()) // the next to open the file must recover it
		}
		c := startChild(t, "index", path, fmt.Sprint(round))
		for range r.IntN(4) {
			c.line(t)
		}
		var b *bucketlite.Bucket
		if round%2 == 1 { // it is amid something for sure
			b = reopenItems(t, path)
			if !eventually(func() bool {
				indexes, err := b.Indexes(context.Background())
				return err != nil || slices.ContainsFunc(indexes, func(i bucketlite.Index) bool { return i.Status == bucketlite.IndexBuilding })
			}) {
				t.Error("it builds nothing")
			}
		}
		c.kill(t)
		wantSound(t, path)
		st = openPath(t, path)
		b = reopenItems(t, path)
		ensure(t, b, "v", "n")
		ensureText(t, b)
		wantIndexes(t, b, "text  READY", "value n READY", "value v READY")
		wantEntries(t, path, b)
	}
	wantSound(t, path)
}

// indexWait is a call that waits for an index that is being built.
type indexWait struct {
	st     *bucketlite.Store
	disk   *loss
	b      *bucketlite.Bucket
	path   string
	cancel context.CancelFunc
}

// What ends the wait for an index.
func TestWaitForIndex(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end   func(w *indexWait) error
		want  []error // one of these
		there bool    // the index is built all the same
	}{
		"context":  {func(w *indexWait) error { w.cancel(); return nil }, []error{context.Canceled}, true},
		"close":    {func(w *indexWait) error { return w.st.Close() }, []error{bucketlite.ErrClosed}, true},
		"lost":     {func(w *indexWait) error { w.disk.lose(1, true); return nil }, []error{bucketlite.ErrOutcomeUnknown, bucketlite.ErrReadOnly}, true}, // a slice's commit, or what came after it
		"drop":     {func(w *indexWait) error { return w.b.DropIndex(context.Background(), "v") }, []error{bucketlite.ErrNotFound}, false},
		"deletion": {func(w *indexWait) error { return second(w.b.Delete(context.Background())) }, []error{bucketlite.ErrNotActive}, false},
		"damage": {func(w *indexWait) error {
			execute(t, raw(t, w.path), "UPDATE indexes SET status = 'NONE' WHERE path = 'v'")
			return nil
		}, []error{bucketlite.ErrCorrupt}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st, disk := openLossy(t, path, nil)
			holdTasks(t, path)
			b := items(t, st)
			putItems(t, b, 300, 10)
			ensure(t, b, "n")
			holdIndexes(t, path)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			ended := make(chan error)
			go func() { ended <- b.EnsureIndex(ctx, "n", "v") }()
			if !eventually(func() bool {
				indexes, err := b.Indexes(context.Background())
				return err == nil && len(indexes) == 2
			}) {
				t.Fatal("the index is not begun")
			}
			select {
			case err := <-ended:
				t.Fatalf("got %v before the index was ready", err)
			default:
			}
			must(t, test.end(&indexWait{st, disk, b, path, cancel}))
			if err := <-ended; !slices.ContainsFunc(test.want, func(want error) bool { return errors.Is(err, want) }) {
				t.Errorf("got %v, want one of %v", err, test.want)
			}
			must(t, st.Close())
			if name == "damage" {
				return
			}
			releaseIndexes(t, path)
			if test.there {
				b = reopenItems(t, path)
				if !eventually(func() bool {
					indexes, err := b.Indexes(context.Background())
					return err == nil && len(indexes) == 2 && indexes[1].Status == bucketlite.IndexReady
				}) {
					t.Error("the index is not built")
				}
				wantEntries(t, path, b)
			}
			wantSound(t, path)
		})
	}
}

// An index is built of the objects there are when it is made, however many are
// written meanwhile.
func TestBuildIsNotOutrun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	putItems(t, b, 500, 10)
	holdIndexes(t, path)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.EnsureIndex(ctx, "v", "k") }()
	db := raw(t, path)
	first := dump(t, db, "SELECT max(seq) FROM object")
	if !eventually(func() bool { return dump(t, db, "SELECT count(*) FROM indexes") == "2\n" }) {
		t.Fatal("the indexes are not begun")
	}
	putItems(t, b, 1500, 20) // 1000 of them new
	cancel()
	wantError(t, <-ended, context.Canceled)
	if beyond := dump(t, db, "SELECT num FROM indexes WHERE built > 1 + ?", strings.TrimSpace(first)); beyond != "" {
		t.Errorf("indexes that are built of what came later: %s", beyond)
	}
	releaseIndexes(t, path)
	ensure(t, b, "v", "k")
	wantEntries(t, path, b)
	wantSound(t, path)
}

// Large objects are indexed a few at a time.
func TestBuildInSlices(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	b := items(t, openPath(t, path))
	putItems(t, b, 10, 200<<10)
	db := raw(t, path)
	execute(t, db, `CREATE TABLE slices (num); CREATE TRIGGER slice AFTER UPDATE OF built ON indexes BEGIN INSERT INTO slices VALUES (new.num); END`)
	ensure(t, b, "v")
	ensureText(t, b)
	if got, want := dump(t, db, "SELECT count(*) FROM slices GROUP BY num"), "11\n11\n"; got != want {
		t.Errorf("slices: got %s, want one for each object and a last one, %s", got, want)
	}
	execute(t, db, "DROP TRIGGER slice; DROP TABLE slices")
	wantEntries(t, path, b)
	wantSound(t, path)
}

// A bucket that cannot be read holds up no index of another, nor its own deletion.
func TestBuildBesideBroken(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	broken, err := namespace(t, st).CreateBucket(ctx, itemsConfig("broken"))
	must(t, err)
	putItems(t, broken, 10, 10)
	putItems(t, items(t, st), 500, 10)
	must(t, st.Close())
	db := raw(t, path)
	execute(t, db, `UPDATE buckets SET schema = '{' WHERE num = 1;
		INSERT INTO indexes (bucket, kind, path, status, built, many, cut) VALUES (1, 'value', 'v', 'BUILDING', (1 << 40) + 1000, 0, 0), (1, 'value', 'w', 'NONE', 0, 0, 0)`)
	openPath(t, path, bucketlite.WithIdleTime(bucketlite.Options{}, briefIdle))
	b := reopenItems(t, path)
	ensure(t, b, "v")
	wantEntries(t, path, b)
	execute(t, db, "UPDATE indexes SET status = 'DROPPING' WHERE bucket = 1")
	if !eventually(func() bool { return dump(t, db, "SELECT num FROM indexes WHERE bucket = 1") == "" }) {
		t.Error("the indexes of the broken bucket are not dropped")
	}
}

// Texts of objects that were deleted while there was no text index but one that is
// being dropped go, while those stay that a new one has.
func TestSweepOfTexts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	putItems(t, b, 3000, 10)
	ensureText(t, b)
	must(t, st.Close())
	db := raw(t, path)
	execute(t, db, `DELETE FROM object WHERE seq % 3 = 0; UPDATE indexes SET status = 'DROPPING', built = bucket << 40;
		UPDATE deltas SET objects = objects - 1000; UPDATE buckets SET object_count = object_count - 1000`)
	execute(t, db, `INSERT INTO indexes (bucket, kind, path, status, built, many, cut) SELECT bucket, 'text', '', 'BUILDING', max(seq) + 1, 0, 0 FROM object GROUP BY bucket`)
	b = reopenItems(t, path)
	if !eventually(func() bool { return dump(t, db, "SELECT status FROM indexes") == "READY\n" }) {
		t.Fatal("the indexes are not ready")
	}
	if got := dump(t, db, "SELECT count(*) FROM texts"); got != "2000\n" {
		t.Errorf("texts: got %s, want 2000", got)
	}
	wantEntries(t, path, b)
}
