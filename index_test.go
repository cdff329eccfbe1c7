package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestIndexPaths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path        string
		value, text bool // may be indexed
	}{
		{"v", true, true},
		{"none.such.path", true, true},
		{"Größe.Übergröße", true, true},
		{"$.v', '$.x", true, true}, // a name like any other
		{"created_at", true, false},
		{"updated_at", true, false},
		{"x-expires-at", true, false},
		{"status", true, false},
		{"error", true, false},
		{"object_id", true, true},
		{"bucket_id", true, true},
		{"key_prefix", true, true},
		{"blobs", true, true},
		{"blobs.property", true, true},
		{"created_at.x", false, false},
		{"status.x", false, false},
		{"source_details", false, false},
		{"skip_duplicates", false, false},
		{"AND", false, false},
		{"", false, true}, // all texts
		{".", false, false},
		{"v.", false, false},
		{".v", false, false},
		{"v..v", false, false},
		{strings.Repeat("x", 255), true, true},
		{strings.Repeat("x", 256), false, false},
		{strings.TrimSuffix(strings.Repeat("x.", 32), "."), true, true},
		{strings.TrimSuffix(strings.Repeat("x.", 33), "."), false, false},
		{"a\xff", false, false},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			b := storetest.Items(t, storetest.OpenMemory(t))
			for kind, call := range map[string]struct {
				ensure, drop func(context.Context, ...string) error
				ok           bool
			}{"value": {b.EnsureIndex, b.DropIndex, test.value}, "text": {b.EnsureTextIndex, b.DropTextIndex, test.text}} {
				err := call.ensure(ctx, "n", test.path)
				if call.ok {
					if err != nil {
						t.Errorf("%s: %v", kind, err)
					}
					if kind == "value" {
						wantIndexed(t, b, "value", test.path)
					}
				} else {
					var faults *bucketlite.QueryError
					if !errors.Is(err, bucketlite.ErrBadRequest) || !errors.As(err, &faults) || len(faults.Issues) != 1 || faults.Issues[0].Path != "paths[1]" {
						t.Errorf("%s: got %v, want a QueryError about paths[1]", kind, err)
					}
				}
				if err := call.drop(ctx, "n", test.path); err != nil {
					t.Errorf("%s: drop: %v", kind, err)
				}
				storetest.WantIndexes(t, b)
			}
		})
	}
}

// wantIndexed fails unless the bucket has an index that is ready.
func wantIndexed(t testing.TB, b *bucketlite.Bucket, kind bucketlite.IndexKind, path string) {
	t.Helper()
	indexes, err := b.Indexes(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(indexes, bucketlite.Index{Kind: kind, Path: path, Status: bucketlite.IndexReady}) {
		t.Errorf("got %v, want a %s index of %q", indexes, kind, path)
	}
}

func TestIndexLifecycle(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "a.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			storetest.WantIndexes(t, b)
			storetest.Ensure(t, b) // nothing
			storetest.WantIndexes(t, b)
			storetest.Ensure(t, b, "v", "created_at", "v") // of an empty bucket
			storetest.PutItems(t, b, 500, 10)
			storetest.Ensure(t, b, "n", "v")
			storetest.EnsureText(t, b)
			storetest.EnsureText(t, b, "v", "doc")
			want := []string{"text  READY", "value created_at READY", "text doc READY", "value n READY", "value v READY", "text v READY"}
			storetest.WantIndexes(t, b, want...)
			storetest.Ensure(t, b, "n", "v")
			storetest.EnsureText(t, b, "")
			storetest.WantIndexes(t, b, want...)
			storetest.WantNoProblem(t, st)
			if path != ":memory:" {
				storetest.WantEntries(t, path, b)
			}
			for range 2 { // the second time there is none
				storetest.Must(t, b.DropIndex(ctx, "created_at", "v", "none"))
				storetest.Must(t, b.DropTextIndex(ctx, "doc"))
				storetest.Must(t, b.DropTextIndex(ctx))
				storetest.WantIndexes(t, b, "value n READY", "text v READY")
			}
			storetest.PutItem(t, b, storetest.Item("new", "after the drop"))
			storetest.Must(t, b.DropTextIndex(ctx, "v"))
			storetest.EnsureText(t, b) // while the old one is being dropped
			storetest.Ensure(t, b, "v")
			storetest.WantIndexes(t, b, "text  READY", "value n READY", "value v READY")
			storetest.WantNoProblem(t, st)
			storetest.Must(t, b.DropIndex(ctx))
			storetest.WantIndexes(t, b, "text  READY", "value n READY", "value v READY")
			storetest.Must(t, b.DropTextIndex(ctx))
			storetest.Must(t, b.DropIndex(ctx, "n", "v"))
			storetest.WantIndexes(t, b)
			if path != ":memory:" {
				wantEmptyIndexes(t, path)
				storetest.WantSound(t, path)
			}
		})
	}
}

// wantEmptyIndexes fails unless, eventually, nothing is left of any index.
func wantEmptyIndexes(t *testing.T, path string) {
	t.Helper()
	db := storetest.OpenRaw(t, path)
	left := ""
	if !storetest.Eventually(func() bool {
		left = storetest.Dump(t, db, `SELECT (SELECT count(*) FROM indexes), (SELECT count(*) FROM entries),
			(SELECT count(*) FROM texts_docsize), (SELECT count(*) > 2 FROM texts_data)`)
		return left == "0 0 0 0\n"
	}) {
		t.Errorf("indexes, entries, texts, and parts of these: got %s, want none", left)
	}
}

func TestIndexString(t *testing.T) {
	t.Parallel()
	for want, i := range map[string]bucketlite.Index{
		"value index of m.author": {Kind: bucketlite.ValueIndex, Path: "m.author"},
		"text index of title":     {Kind: bucketlite.TextIndex, Path: "title"},
		"text index of all texts": {Kind: bucketlite.TextIndex},
	} {
		if got := i.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	text, err := json.Marshal(bucketlite.Index{Kind: bucketlite.TextIndex, Path: "a", Status: bucketlite.IndexBuilding})
	if want := `{"kind":"text","path":"a","status":"BUILDING"}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}

// There are no more indexes than there may be; dropped ones do not count.
func TestTooManyIndexes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	var paths []string
	for i := range bucketlite.MaxIndexes + 1 {
		paths = append(paths, fmt.Sprint("p", i))
	}
	storetest.WantError(t, b.EnsureIndex(ctx, paths...), bucketlite.ErrBadRequest)
	storetest.WantIndexes(t, b)
	storetest.Ensure(t, b, paths[1:]...)
	storetest.WantError(t, b.EnsureIndex(ctx, paths[0]), bucketlite.ErrBadRequest)
	storetest.WantError(t, b.EnsureTextIndex(ctx), bucketlite.ErrBadRequest)
	storetest.Ensure(t, b, paths[1:]...)
	storetest.Must(t, b.DropIndex(ctx, paths[1]))
	storetest.EnsureText(t, b)
	storetest.WantError(t, b.EnsureIndex(ctx, paths[1]), bucketlite.ErrBadRequest)
}

// The calls that the state of a bucket allows.
func TestIndexStates(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, test := range map[string]struct {
		stop func(*bucketlite.Bucket, context.Context) error
		want error
	}{
		"archived":  {(*bucketlite.Bucket).Archive, nil},
		"suspended": {(*bucketlite.Bucket).Suspend, nil},
		"locked":    {(*bucketlite.Bucket).Lock, bucketlite.ErrLocked},
		"deleting": {func(b *bucketlite.Bucket, ctx context.Context) error { return storetest.ErrorOf(b.Delete(ctx)) },
			bucketlite.ErrNotActive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st := storetest.OpenPath(t, path)
			storetest.HoldTasks(t, path)
			b := storetest.Items(t, st)
			storetest.PutItems(t, b, 300, 10)
			storetest.Ensure(t, b, "n")
			storetest.Must(t, test.stop(b, ctx))
			for call, do := range map[string]func() error{
				"EnsureIndex":     func() error { return b.EnsureIndex(ctx, "v") },
				"EnsureTextIndex": func() error { return b.EnsureTextIndex(ctx) },
				"DropIndex":       func() error { return b.DropIndex(ctx, "n") },
				"DropTextIndex":   func() error { return b.DropTextIndex(ctx, "none") },
			} {
				if err := do(); !errors.Is(err, test.want) {
					t.Errorf("%s: got %v, want %v", call, err, test.want)
				}
			}
			if test.want != nil {
				storetest.WantIndexes(t, b, "value n READY")
			} else {
				storetest.WantIndexes(t, b, "text  READY", "value v READY")
			}
			storetest.WantSound(t, path)
		})
	}
}

// With a bucket, or its namespace, its indexes are deleted, and no others.
func TestDeleteIndexedBucket(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string]bool{"bucket": false, "namespace": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "a.db")
			st := storetest.OpenPath(t, path)
			other, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"})
			storetest.Must(t, err)
			kept, err := other.CreateBucket(ctx, storetest.ItemsConfig("kept"))
			storetest.Must(t, err)
			b := storetest.Items(t, st)
			for _, b := range []*bucketlite.Bucket{kept, b} {
				storetest.PutItems(t, b, 700, 10)
				storetest.Ensure(t, b, "v", "k", "none")
				storetest.EnsureText(t, b)
			}
			storetest.Must(t, b.DropIndex(ctx, "k"))
			var task *bucketlite.Task
			if whole {
				task, err = storetest.Namespace(t, st).Delete(ctx)
			} else {
				task, err = b.Delete(ctx)
			}
			storetest.Must(t, err)
			storetest.WaitDeleted(t, st, task, 700)
			storetest.WantError(t, b.EnsureIndex(ctx, "v"), bucketlite.ErrNotFound)
			storetest.WantError(t, storetest.ErrorOf(b.Indexes(ctx)), bucketlite.ErrNotFound)
			storetest.WantIndexes(t, kept, "text  READY", "value k READY", "value none READY", "value v READY")
			storetest.WantEntries(t, path, kept)
			storetest.WantSound(t, path)
			if _, err := kept.Delete(ctx); err != nil {
				t.Fatal(err)
			}
			wantEmptyIndexes(t, path)
		})
	}
}

// A namespace's payload indexes are made for its buckets.
func TestPayloadIndexes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "indexed", PayloadIndexes: []any{
		map[string]any{"field_name": "v", "type": "text"},
		map[string]any{"field_name": "n", "type": "integer", "is_protected": true},
		map[string]string{"field_name": "v", "type": "keyword"},
		map[string]any{"field_name": "place", "type": "geo"},
		map[string]any{"field_name": "source_details", "type": "keyword"},
		map[string]any{"field_name": "a..b", "type": "keyword"},
	}})
	storetest.Must(t, err)
	first, err := ns.CreateBucket(ctx, storetest.ItemsConfig("first"))
	storetest.Must(t, err)
	want := []string{"value n READY", "value v READY", "text v READY"}
	storetest.WantIndexes(t, first, want...)
	storetest.PutItems(t, first, 300, 10)
	storetest.WantEntries(t, path, first)
	locked, err := ns.CreateBucket(ctx, storetest.ItemsConfig("locked"))
	storetest.Must(t, err)
	storetest.Must(t, locked.Lock(ctx))
	full, err := ns.CreateBucket(ctx, storetest.ItemsConfig("full"))
	storetest.Must(t, err)
	for i := range bucketlite.MaxIndexes - 3 {
		storetest.Ensure(t, full, fmt.Sprint("p", i))
	}
	storetest.Must(t, first.DropIndex(ctx, "n"))
	storetest.Must(t, storetest.ErrorOf(ns.Update(ctx, bucketlite.NamespaceUpdate{Description: new("changed")})))
	storetest.WantIndexes(t, first, "value v READY", "text v READY") // it was not about indexes
	info, err := ns.Update(ctx, bucketlite.NamespaceUpdate{PayloadIndexes: []any{map[string]any{"field_name": "k", "type": "uuid"}}})
	if err != nil || len(info.PayloadIndexes) != 1 {
		t.Fatalf("got %+v, %v", info, err)
	}
	storetest.Ensure(t, first, "k") // waits
	storetest.WantIndexes(t, first, "value k READY", "value v READY", "text v READY")
	storetest.WantIndexes(t, locked, "value k READY", "value n READY", "value v READY", "text v READY")
	if indexes, err := full.Indexes(ctx); err != nil || len(indexes) != bucketlite.MaxIndexes {
		t.Errorf("got %d indexes, %v, want as many as there may be", len(indexes), err)
	}
	storetest.WantEntries(t, path, first)
	storetest.WantSound(t, path)
}

// A write that is taken back is taken back in the indexes too, and in what the writer
// knows of them.
func TestIndexOfFailedWrites(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	b := storetest.Items(t, storetest.OpenPath(t, path))
	storetest.Ensure(t, b, "v", "tags")
	storetest.EnsureText(t, b)
	storetest.PutItem(t, b, storetest.Item("taken", "x"))
	for range 3 {
		inputs := []bucketlite.ObjectInput{storetest.Item("new", strings.Repeat("long ", 200)), storetest.Item("taken", "x")}
		inputs[0].Fields["tags"] = []any{"a", "b"}
		res, err := b.PutMany(ctx, inputs, &bucketlite.PutManyOptions{Atomic: true, Policy: bucketlite.Insert})
		storetest.WantError(t, err, bucketlite.ErrExists)
		if len(res.Succeeded) != 0 {
			t.Errorf("got %v, want nothing stored", res.Succeeded)
		}
		if flags := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT many, cut FROM indexes WHERE kind = 'value' ORDER BY path"); flags != "0 0\n0 0\n" {
			t.Errorf("flags: got %s, want none", flags)
		}
		storetest.WantEntries(t, path, b)
	}
	in := storetest.Item("new", strings.Repeat("long ", 200))
	in.Fields["tags"] = []any{"a", "b"}
	storetest.PutItem(t, b, in)
	if flags := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT many, cut FROM indexes WHERE kind = 'value' ORDER BY path"); flags != "1 0\n0 1\n" {
		t.Errorf("flags: got %s, want both", flags)
	}
	storetest.WantEntries(t, path, b)
	storetest.WantSound(t, path)
}

// A writer learns of indexes that other stores have made and dropped.
func TestIndexOfAnotherStore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	writing := storetest.Items(t, storetest.OpenPath(t, path))
	indexing := storetest.ReopenItems(t, path)
	n := 0
	write := func() {
		t.Helper()
		for range 3 { // so that it continues from what it knows
			storetest.PutItem(t, writing, storetest.Item(fmt.Sprint(n), fmt.Sprint("value ", n)))
			n++
		}
		storetest.WantEntries(t, path, writing)
	}
	write()
	storetest.Ensure(t, indexing, "v")
	write()
	storetest.EnsureText(t, indexing)
	write()
	storetest.Must(t, indexing.DropIndex(ctx, "v"))
	write()
	storetest.Ensure(t, indexing, "v", "n")
	write()
	storetest.Must(t, indexing.DropTextIndex(ctx))
	write()
	storetest.EnsureText(t, indexing)
	write()
	storetest.WantSound(t, path)
}

// An object's entries are bounded, whatever it has, and it is found all the same.
func TestIndexOfMuch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	b := storetest.Bucket(t, storetest.OpenPath(t, path), bucketlite.BucketConfig{Name: "items"})
	storetest.Ensure(t, b, "n")
	storetest.EnsureText(t, b)
	var numbers []any
	for i := range 50_000 {
		numbers = append(numbers, i)
	}
	filler := strings.Repeat("lorem ipsum dolor ", 20_000)
	putFields := func(fields map[string]any) string {
		t.Helper()
		return storetest.PutItem(t, b, bucketlite.ObjectInput{Fields: fields}).ID
	}
	small := putFields(map[string]any{"n": 7, "v": "needle"})
	wide := putFields(map[string]any{"n": numbers})
	long := putFields(map[string]any{"v": filler + "needle"})
	other := putFields(map[string]any{"n": -1, "v": "hay"})
	if n := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT count(*) FROM entries"); n != "6\n" {
		t.Errorf("entries: got %s, want 6", n)
	}
	find := func(q bucketlite.Query, indexed bool, want ...string) {
		t.Helper()
		page, err := b.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, o := range page.Results {
			got = append(got, o.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: got %v, want %v", q, got, want)
		}
		e, err := b.Explain(ctx, q)
		if err != nil || len(e.Indexes) > 0 != indexed {
			t.Errorf("%+v: %v, %v, want indexed %t", q, e, err, indexed)
		}
	}
	seven, four := bucketlite.Eq("n", 7), bucketlite.Eq("n", 49_999)
	find(bucketlite.Query{Filter: seven}, true, small, wide)
	find(bucketlite.Query{Filter: four}, true, wide)
	find(bucketlite.Query{Filter: bucketlite.Lt("n", 0)}, true, other)
	find(bucketlite.Query{Filter: bucketlite.Or(bucketlite.Eq("n", -1), four)}, true, wide, other)
	find(bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("n")}}, true, other, wide, small, long)
	find(bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("n")}}, true, wide, small, other, long)
	find(bucketlite.Query{Search: "needle"}, true, small, long)
	find(bucketlite.Query{Filter: bucketlite.Contains("v", "NEEDLE")}, true, small, long)
	for total, q := range map[int64]bucketlite.Query{2: {Filter: seven, Total: true}, 1: {Filter: four, Total: true}, 0: {Filter: bucketlite.Eq("n", -7), Total: true}} {
		if page, err := b.List(ctx, q); err != nil || page.Total != total {
			t.Errorf("got %+v, %v, want a total of %d", page, err, total)
		}
	}
	storetest.WantSound(t, path)
	// They come back to where they may have entries, and go.
	storetest.Must(t, storetest.ErrorOf(b.Patch(ctx, wide, bucketlite.ObjectInput{Fields: map[string]any{"n": []any{1, 2}}}, nil)))
	storetest.Must(t, storetest.ErrorOf(b.Patch(ctx, long, bucketlite.ObjectInput{Fields: map[string]any{"v": "short"}}, nil)))
	find(bucketlite.Query{Filter: four}, true)
	find(bucketlite.Query{Search: "needle"}, true, small)
	storetest.WantEntries(t, path, b)
	storetest.Must(t, b.DeleteObject(ctx, wide, nil))
	storetest.Must(t, b.DeleteObject(ctx, long, nil))
	storetest.WantEntries(t, path, b)
	storetest.WantSound(t, path)
}

// An object that cannot be read keeps no index from being built, and is in the way
// of a query as it is without.
func TestIndexOfUnreadable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 10, 10)
	bad := storetest.PutItem(t, b, storetest.Item("bad", "v"))
	storetest.Ensure(t, b, "k")
	storetest.Execute(t, storetest.OpenRaw(t, path), `UPDATE object SET fields = x'ff' WHERE id = '`+bad.ID+`'`+reseal)
	storetest.Ensure(t, b, "v")
	storetest.EnsureText(t, b)
	for name, q := range map[string]bucketlite.Query{
		"eq":     {Filter: bucketlite.Eq("v", "none")},
		"range":  {Filter: bucketlite.Gt("v", "none")},
		"search": {Search: "none"},
		"sorted": {Sort: []bucketlite.Sort{bucketlite.Asc("v")}},
		"total":  {Filter: bucketlite.Eq("v", "none"), Total: true},
	} {
		e, err := b.Explain(ctx, q)
		if err != nil || len(e.Indexes) != 1 {
			t.Errorf("%s: got %v, %v, want an index to be used", name, e, err)
		}
		if _, err := b.List(ctx, q); !errors.Is(err, bucketlite.ErrCorrupt) {
			t.Errorf("%s: got %v, want ErrCorrupt", name, err)
		}
	}
	storetest.PutItem(t, b, storetest.Item("bad", "readable"))
	if page, err := b.List(ctx, bucketlite.Query{Filter: bucketlite.Eq("v", "readable")}); err != nil || len(page.Results) != 1 {
		t.Errorf("got %v, %v, want the object", page, err)
	}
	storetest.WantEntries(t, path, b)
	storetest.WantSound(t, path)
}

// diskSpace is a number of commits that no test reaches.
const diskSpace = 1 << 20

// itemsOnFullDisk returns a bucket of 300 items, and how many commits the disk still has
// room for. The context ends soon enough for a call that waits to be seen.
func itemsOnFullDisk(t *testing.T) (context.Context, *bucketlite.Store, *bucketlite.Bucket, *atomic.Int64) {
	t.Helper()
	commits := new(atomic.Int64)
	commits.Store(diskSpace)
	ctx, cancel := context.WithTimeout(engine.WithCommitHook(context.Background(), func(commit func() error) error {
		if commits.Add(-1) < 0 {
			return bucketlite.ErrFull
		}
		return commit()
	}), 20*time.Second)
	t.Cleanup(cancel)
	st, err := bucketlite.Open(ctx, filepath.Join(t.TempDir(), "a.db"), &bucketlite.Options{Durability: bucketlite.DurabilityNormal, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	b := storetest.Items(t, st)
	for i := range 300 {
		storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), "v"))
	}
	return ctx, st, b, commits
}

// On a full disk an index is not waited for: the call says why it is not ready. It is
// built once there is space.
func TestEnsureIndexOnFullDisk(t *testing.T) {
	t.Parallel()
	ctx, _, b, commits := itemsOnFullDisk(t)
	commits.Store(1) // for the index itself
	if err := b.EnsureIndex(ctx, "v"); !errors.Is(err, bucketlite.ErrFull) {
		t.Errorf("on a full disk: got error %v, want ErrFull", err)
	}
	storetest.WantIndexes(t, b, "value v BUILDING")
	commits.Store(diskSpace)
	if err := b.EnsureIndex(ctx, "v"); err != nil {
		t.Errorf("once there is space: got error %v, want none", err)
	}
	storetest.WantIndexes(t, b, "value v READY")
}
