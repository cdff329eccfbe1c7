package bucketlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// holdIndexes keeps every index of the file at path from becoming ready, until
// releaseIndexes: its last slice is built over and over.
func holdIndexes(t *testing.T, path string) {
	t.Helper()
	storetest.Execute(t, storetest.OpenRaw(t, path), `CREATE TRIGGER hold_indexes AFTER UPDATE OF status ON indexes WHEN old.status = 'BUILDING' AND new.status = 'READY' BEGIN
		UPDATE indexes SET status = 'BUILDING', built = old.built WHERE num = new.num; END`)
}

func releaseIndexes(t *testing.T, path string) {
	t.Helper()
	storetest.Execute(t, storetest.OpenRaw(t, path), "DROP TRIGGER hold_indexes")
}

// Indexes that are built and dropped while others write have in the end, and at
// every moment in which they can be used, what the objects have.
func TestBuildAmidWrites(t *testing.T) {
	t.Parallel()
	rounds := 2
	if *storetest.Long {
		rounds = 30
	}
	t.Logf("%d rounds of building indexes beside writes, on a file and in memory", rounds)
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "a.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			opts := &bucketlite.Options{Durability: bucketlite.DurabilityNormal}
			st := storetest.OpenPath(t, path, opts)
			b := storetest.Items(t, st)
			storetest.PutItems(t, b, 500, 10)
			writing := []*bucketlite.Bucket{b, b}
			if path != ":memory:" {
				writing[1] = storetest.ReopenItems(t, path)
			}
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error)
			go func() {
				ended <- storetest.AtOnce(4, func(g int) error { return storetest.WriteItems(ctx, writing[g%2], 700) })
			}()
			for range rounds {
				storetest.Ensure(t, b, "v", "tags", "created_at")
				storetest.EnsureText(t, b)
				storetest.WantNoProblem(t, st)
				storetest.Must(t, b.DropIndex(context.Background(), "tags", "v"))
				storetest.Must(t, b.DropTextIndex(context.Background()))
				storetest.Ensure(t, b, "tags", "n")
				storetest.EnsureText(t, b)
				storetest.WantNoProblem(t, st)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			storetest.Ensure(t, b, "v")
			storetest.WantNoProblem(t, st)
			if path != ":memory:" {
				storetest.WantEntries(t, path, b)
				storetest.WantSound(t, path)
			}
		})
	}
}

// indexWait is a call that waits for an index that is being built.
type indexWait struct {
	st     *bucketlite.Store
	disk   *storetest.Loss
	b      *bucketlite.Bucket
	path   string
	cancel context.CancelFunc
}

// The ends of the wait for an index.
func TestWaitForIndex(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end   func(w *indexWait) error
		want  []error // one of these
		there bool    // the index is built all the same
	}{
		"context":  {func(w *indexWait) error { w.cancel(); return nil }, []error{context.Canceled}, true},
		"close":    {func(w *indexWait) error { return w.st.Close() }, []error{bucketlite.ErrClosed}, true},
		"lost":     {func(w *indexWait) error { w.disk.Lose(1, true); return nil }, []error{bucketlite.ErrOutcomeUnknown, bucketlite.ErrReadOnly}, true}, // a slice's commit, or what came after it
		"drop":     {func(w *indexWait) error { return w.b.DropIndex(context.Background(), "v") }, []error{bucketlite.ErrNotFound}, false},
		"deletion": {func(w *indexWait) error { return storetest.ErrorOf(w.b.Delete(context.Background())) }, []error{bucketlite.ErrNotActive}, false},
		"damage": {func(w *indexWait) error {
			storetest.Execute(t, storetest.OpenRaw(t, w.path), "UPDATE indexes SET status = 'NONE' WHERE path = 'v'")
			return nil
		}, []error{bucketlite.ErrCorrupt}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st, disk := storetest.OpenLossy(t, path, nil)
			storetest.HoldTasks(t, path)
			b := storetest.Items(t, st)
			storetest.PutItems(t, b, 300, 10)
			storetest.Ensure(t, b, "n")
			holdIndexes(t, path)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			ended := make(chan error)
			go func() { ended <- b.EnsureIndex(ctx, "n", "v") }()
			if !storetest.Eventually(func() bool {
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
			storetest.Must(t, test.end(&indexWait{st, disk, b, path, cancel}))
			if err := <-ended; !slices.ContainsFunc(test.want, func(want error) bool { return errors.Is(err, want) }) {
				t.Errorf("got %v, want one of %v", err, test.want)
			}
			storetest.Must(t, st.Close())
			if name == "damage" {
				return
			}
			releaseIndexes(t, path)
			if test.there {
				b = storetest.ReopenItems(t, path)
				if !storetest.Eventually(func() bool {
					indexes, err := b.Indexes(context.Background())
					return err == nil && len(indexes) == 2 && indexes[1].Status == bucketlite.IndexReady
				}) {
					t.Error("the index is not built")
				}
				storetest.WantEntries(t, path, b)
			}
			storetest.WantSound(t, path)
		})
	}
}

// An index is built of the objects there are when it is made, however many are
// written meanwhile.
func TestBuildIsNotOutrun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 500, 10)
	holdIndexes(t, path)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.EnsureIndex(ctx, "v", "k") }()
	db := storetest.OpenRaw(t, path)
	first := storetest.Dump(t, db, "SELECT max(seq) FROM object")
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT count(*) FROM indexes") == "2\n" }) {
		t.Fatal("the indexes are not begun")
	}
	storetest.PutItems(t, b, 1500, 20) // 1000 of them new
	cancel()
	storetest.WantError(t, <-ended, context.Canceled)
	if beyond := storetest.Dump(t, db, "SELECT num FROM indexes WHERE built > 1 + ?", strings.TrimSpace(first)); beyond != "" {
		t.Errorf("indexes that are built of what came later: %s", beyond)
	}
	releaseIndexes(t, path)
	storetest.Ensure(t, b, "v", "k")
	storetest.WantEntries(t, path, b)
	storetest.WantSound(t, path)
}

// Large objects are indexed a few at a time.
func TestBuildInSlices(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	b := storetest.Items(t, storetest.OpenPath(t, path))
	storetest.PutItems(t, b, 10, 200<<10)
	db := storetest.OpenRaw(t, path)
	storetest.Execute(t, db, `CREATE TABLE slices (num); CREATE TRIGGER slice AFTER UPDATE OF built ON indexes BEGIN INSERT INTO slices VALUES (new.num); END`)
	storetest.Ensure(t, b, "v")
	storetest.EnsureText(t, b)
	if got, want := storetest.Dump(t, db, "SELECT count(*) FROM slices GROUP BY num"), "11\n11\n"; got != want {
		t.Errorf("slices: got %s, want one for each object and a last one, %s", got, want)
	}
	storetest.Execute(t, db, "DROP TRIGGER slice; DROP TABLE slices")
	storetest.WantEntries(t, path, b)
	storetest.WantSound(t, path)
}

// A bucket that cannot be read holds up no index of another, nor its own deletion.
func TestBuildBesideBroken(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	broken, err := storetest.Namespace(t, st).CreateBucket(ctx, storetest.ItemsConfig("broken"))
	storetest.Must(t, err)
	storetest.PutItems(t, broken, 10, 10)
	storetest.PutItems(t, storetest.Items(t, st), 500, 10)
	storetest.Must(t, st.Close())
	db := storetest.OpenRaw(t, path)
	storetest.Execute(t, db, `UPDATE buckets SET schema = '{' WHERE num = 1;
		INSERT INTO indexes (partition, kind, path, status, built, many, cut, form) VALUES (1, 'value', 'v', 'BUILDING', (1 << 40) + 1000, 0, 0, 2), (1, 'value', 'w', 'NONE', 0, 0, 0, 2)`)
	storetest.OpenPath(t, path, bucketlite.WithIdleTime(bucketlite.Options{}, briefIdle))
	b := storetest.ReopenItems(t, path)
	storetest.Ensure(t, b, "v")
	storetest.WantEntries(t, path, b)
	storetest.Execute(t, db, "UPDATE indexes SET status = 'DROPPING' WHERE partition = 1")
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT num FROM indexes WHERE partition = 1") == "" }) {
		t.Error("the indexes of the broken bucket are not dropped")
	}
}

// Texts of objects that were deleted while there was no text index but one that is
// being dropped go, while those stay that a new one has.
func TestSweepOfTexts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 3000, 10)
	storetest.EnsureText(t, b)
	storetest.Must(t, st.Close())
	db := storetest.OpenRaw(t, path)
	storetest.Execute(t, db, `DELETE FROM object WHERE seq % 3 = 0; UPDATE indexes SET status = 'DROPPING', built = partition << 40;
		UPDATE buckets SET object_count = object_count - 1000`)
	storetest.Execute(t, db, `INSERT INTO indexes (partition, kind, path, status, built, many, cut, form) SELECT partition, 'text', '', 'BUILDING', max(seq) + 1, 0, 0, 2 FROM object GROUP BY partition`)
	b = storetest.ReopenItems(t, path)
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT status FROM indexes") == "READY\n" }) {
		t.Fatal("the indexes are not ready")
	}
	if got := storetest.Dump(t, db, "SELECT count(*) FROM texts"); got != "2000\n" {
		t.Errorf("texts: got %s, want 2000", got)
	}
	storetest.WantEntries(t, path, b)
}

// Indexes of an old format, whose texts are not in normalisation form C, are not used and
// are rebuilt once the file is open.
func TestOldIndexFormat(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b, err := storetest.Namespace(t, st).CreateBucket(ctx, bucketlite.BucketConfig{Name: "items", Schema: storetest.Schema(t, `"v":{"type":"string"}`)})
	storetest.Must(t, err)
	storetest.PutItems(t, b, 100, 10)
	storetest.Put(t, b, bucketlite.ObjectInput{ID: "menu", Fields: map[string]any{"v": "Cafe\u0301"}}, "")
	storetest.Ensure(t, b, "v")
	storetest.EnsureText(t, b)
	storetest.Must(t, st.Close())
	db := storetest.OpenRaw(t, path)
	storetest.Execute(t, db, "UPDATE indexes SET form = 1")
	storetest.Execute(t, db, `UPDATE entries SET key = CAST(x'10' || 'cafe' || x'CC8100' AS BLOB) WHERE hex(key) LIKE '10636166%'`)
	storetest.Execute(t, db, "UPDATE texts SET text = 'menu' || char(10) || 'cafe' || char(769) WHERE rowid = (SELECT seq FROM object WHERE id = 'menu')")
	queries := map[string]bucketlite.Query{
		"eq":     {Filter: bucketlite.Eq("v", "CAFÉ")},
		"search": {Search: "café"},
	}
	find := func(b *bucketlite.Bucket) {
		t.Helper()
		for name, q := range queries {
			page, err := b.List(ctx, q)
			storetest.Must(t, err)
			if len(page.Results) != 1 || page.Results[0].ID != "menu" {
				t.Errorf("%s: got %d objects, want the menu", name, len(page.Results))
			}
		}
	}
	readOnly, err := storetest.Namespace(t, storetest.OpenPath(t, path, &bucketlite.Options{ReadOnly: true})).Bucket(ctx, "items")
	storetest.Must(t, err)
	find(readOnly)
	storetest.WantIndexes(t, readOnly, "text  BUILDING", "value v BUILDING")
	b = storetest.ReopenItems(t, path)
	find(b)
	storetest.Ensure(t, b, "v") // waits
	storetest.EnsureText(t, b)
	find(b)
	for name, q := range queries {
		e, err := b.Explain(ctx, q)
		storetest.Must(t, err)
		if len(e.Indexes) != 1 || e.Objects != 1 {
			t.Errorf("%s: got %s, want an index that finds the menu alone", name, e)
		}
	}
	storetest.WantEntries(t, path, b)
}
