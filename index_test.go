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
	"github.com/bucketlite/bucketlite/internal/query"
)

// indexPaths are the paths whose entries wantEntries can tell, and which of them
// are datetimes.
var indexPaths = map[string]query.Kind{"k": query.String, "n": query.Number, "v": query.String, "doc": query.String,
	"tags": query.Undeclared, "none": query.Undeclared, "m.at": query.Undeclared, "created_at": query.DateTime}

// ensure makes value indexes of some paths of a bucket.
func ensure(t testing.TB, b *bucketlite.Bucket, paths ...string) {
	t.Helper()
	if err := b.EnsureIndex(context.Background(), paths...); err != nil {
		t.Fatal(err)
	}
}

// ensureText makes a text index of each path, or of all texts.
func ensureText(t testing.TB, b *bucketlite.Bucket, paths ...string) {
	t.Helper()
	if err := b.EnsureTextIndex(context.Background(), paths...); err != nil {
		t.Fatal(err)
	}
}

// wantIndexes fails unless the bucket has these indexes, as in "value v READY".
func wantIndexes(t testing.TB, b *bucketlite.Bucket, want ...string) {
	t.Helper()
	indexes, err := b.Indexes(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, i := range indexes {
		got = append(got, fmt.Sprintf("%s %s %s", i.Kind, i.Path, i.Status))
	}
	if !slices.Equal(got, want) {
		t.Errorf("indexes: got %q, want %q", got, want)
	}
}

// wantEntries fails unless the entries of the bucket's value indexes that are ready
// are those of its objects, as the package that makes them tells; and, if it has a
// text index of all that a search looks at, it has for each object the parts of
// its texts.
func wantEntries(t *testing.T, path string, b *bucketlite.Bucket) {
	t.Helper()
	db := raw(t, path)
	db.SetMaxOpenConns(1) // for what is temporary
	seqs := make(map[string]int64)
	var docs []query.Map
	for line := range strings.Lines(dump(t, db, "SELECT o.id, seq FROM object o JOIN buckets b ON b.num = o.bucket WHERE b.id = ?", b.ID())) {
		var id string
		var seq int64
		fmt.Sscan(line, &id, &seq)
		seqs[id] = seq
	}
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		doc := query.Map(o.Fields)
		doc["object_id"], doc["created_at"] = o.ID, o.CreatedAt.Format(time.RFC3339Nano)
		for _, blob := range o.Blobs {
			if data, ok := blob.Properties["data"]; ok {
				doc[blob.Property] = data
			}
		}
		docs = append(docs, doc)
	}
	for line := range strings.Lines(dump(t, db, `SELECT i.num, i.path FROM indexes i JOIN buckets b ON b.num = i.bucket
		WHERE b.id = ? AND i.status = 'READY' AND i.kind = 'value'`, b.ID())) {
		num, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		segments := strings.Split(name, ".")
		kind, ok := indexPaths[name]
		if !ok {
			t.Fatalf("no kind of path %q", name)
		}
		var want strings.Builder
		var lines []string
		for _, doc := range docs {
			for _, key := range query.EntriesOf(doc, segments, query.Type{Kind: kind, Many: true}).Keys {
				lines = append(lines, fmt.Sprintf("%X %d\n", key, seqs[doc["object_id"].(string)]))
			}
		}
		slices.Sort(lines)
		for _, line := range lines {
			want.WriteString(line)
		}
		if got := dump(t, db, "SELECT hex(key), seq FROM entries WHERE idx = ? ORDER BY hex(key) || ' ' || seq", num); got != want.String() {
			t.Errorf("entries of %q: got\n%.2000s\nwant\n%.2000s", name, got, &want)
		}
	}
	if dump(t, db, "SELECT 1 FROM indexes i JOIN buckets b ON b.num = i.bucket WHERE b.id = ? AND i.status = 'READY' AND kind = 'text' AND path = ''", b.ID()) == "" {
		return
	}
	execute(t, db, "CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, texts, instance)")
	terms := make(map[string]bool) // with the object's seq before each
	for line := range strings.Lines(dump(t, db, "SELECT doc, hex(term) FROM temp.terms")) {
		terms[strings.TrimSpace(line)] = true
	}
	execute(t, db, "DROP TABLE temp.terms")
	for _, doc := range docs {
		id := doc["object_id"].(string)
		delete(doc, "created_at")
		for text := range query.Texts(map[string]any(doc)) {
			runes := []rune(query.Fold(text))
			for i := 0; i+3 <= len(runes); i++ {
				if term := fmt.Sprintf("%d %X", seqs[id], string(runes[i:i+3])); !terms[term] {
					t.Fatalf("object %q: text %.100q lacks %q in the index", id, text, string(runes[i:i+3]))
				}
			}
		}
	}
}

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
		{"updated_at", false, false},
		{"status", false, false},
		{"error", false, false},
		{"object_id", false, false},
		{"bucket_id", false, false},
		{"key_prefix", false, false},
		{"blobs", false, false},
		{"blobs.property", false, false},
		{"created_at.x", false, false},
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
			b := items(t, openMemory(t))
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
				wantIndexes(t, b)
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
			st := openPath(t, path)
			b := items(t, st)
			wantIndexes(t, b)
			ensure(t, b) // nothing
			wantIndexes(t, b)
			ensure(t, b, "v", "created_at", "v") // of an empty bucket
			putItems(t, b, 500, 10)
			ensure(t, b, "n", "v")
			ensureText(t, b)
			ensureText(t, b, "v", "doc")
			want := []string{"text  READY", "value created_at READY", "text doc READY", "value n READY", "value v READY", "text v READY"}
			wantIndexes(t, b, want...)
			ensure(t, b, "n", "v")
			ensureText(t, b, "")
			wantIndexes(t, b, want...)
			wantNoProblem(t, st)
			if path != ":memory:" {
				wantEntries(t, path, b)
			}
			for range 2 { // the second time there is none
				must(t, b.DropIndex(ctx, "created_at", "v", "none"))
				must(t, b.DropTextIndex(ctx, "doc"))
				must(t, b.DropTextIndex(ctx))
				wantIndexes(t, b, "value n READY", "text v READY")
			}
			putItem(t, b, item("new", "after the drop"))
			must(t, b.DropTextIndex(ctx, "v"))
			ensureText(t, b) // while the old one is being dropped
			ensure(t, b, "v")
			wantIndexes(t, b, "text  READY", "value n READY", "value v READY")
			wantNoProblem(t, st)
			must(t, b.DropIndex(ctx))
			wantIndexes(t, b, "text  READY", "value n READY", "value v READY")
			must(t, b.DropTextIndex(ctx))
			must(t, b.DropIndex(ctx, "n", "v"))
			wantIndexes(t, b)
			if path != ":memory:" {
				wantEmptyIndexes(t, path)
				wantSound(t, path)
			}
		})
	}
}

// wantEmptyIndexes fails unless, eventually, nothing is left of any index.
func wantEmptyIndexes(t *testing.T, path string) {
	t.Helper()
	db := raw(t, path)
	left := ""
	if !eventually(func() bool {
		left = dump(t, db, `SELECT (SELECT count(*) FROM indexes), (SELECT count(*) FROM entries),
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

// There are no more indexes than there may be; those that are dropped count no more.
func TestTooManyIndexes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := items(t, openMemory(t))
	var paths []string
	for i := range bucketlite.MaxIndexes + 1 {
		paths = append(paths, fmt.Sprint("p", i))
	}
	wantError(t, b.EnsureIndex(ctx, paths...), bucketlite.ErrBadRequest)
	wantIndexes(t, b)
	ensure(t, b, paths[1:]...)
	wantError(t, b.EnsureIndex(ctx, paths[0]), bucketlite.ErrBadRequest)
	wantError(t, b.EnsureTextIndex(ctx), bucketlite.ErrBadRequest)
	ensure(t, b, paths[1:]...)
	must(t, b.DropIndex(ctx, paths[1]))
	ensureText(t, b)
	wantError(t, b.EnsureIndex(ctx, paths[1]), bucketlite.ErrBadRequest)
}

// What the state of a bucket allows.
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
		"deleting": {func(b *bucketlite.Bucket, ctx context.Context) error { return second(b.Delete(ctx)) },
			bucketlite.ErrNotActive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st := openPath(t, path)
			holdTasks(t, path)
			b := items(t, st)
			putItems(t, b, 300, 10)
			ensure(t, b, "n")
			must(t, test.stop(b, ctx))
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
				wantIndexes(t, b, "value n READY")
			} else {
				wantIndexes(t, b, "text  READY", "value v READY")
			}
			wantSound(t, path)
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
			st := openPath(t, path)
			other, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"})
			must(t, err)
			kept, err := other.CreateBucket(ctx, itemsConfig("kept"))
			must(t, err)
			b := items(t, st)
			for _, b := range []*bucketlite.Bucket{kept, b} {
				putItems(t, b, 700, 10)
				ensure(t, b, "v", "k", "none")
				ensureText(t, b)
			}
			must(t, b.DropIndex(ctx, "k"))
			var task *bucketlite.Task
			if whole {
				task, err = namespace(t, st).Delete(ctx)
			} else {
				task, err = b.Delete(ctx)
			}
			must(t, err)
			finish(t, st, task, 700)
			wantError(t, b.EnsureIndex(ctx, "v"), bucketlite.ErrNotFound)
			wantError(t, second(b.Indexes(ctx)), bucketlite.ErrNotFound)
			wantIndexes(t, kept, "text  READY", "value k READY", "value none READY", "value v READY")
			wantEntries(t, path, kept)
			wantSound(t, path)
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
	st := openPath(t, path)
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "indexed", PayloadIndexes: []any{
		map[string]any{"field_name": "v", "type": "text"},
		map[string]any{"field_name": "n", "type": "integer", "is_protected": true},
		map[string]string{"field_name": "v", "type": "keyword"},
		map[string]any{"field_name": "place", "type": "geo"},
		map[string]any{"field_name": "object_id", "type": "keyword"},
		map[string]any{"field_name": "a..b", "type": "keyword"},
		map[string]any{"type": "keyword"},
		"n", 5, nil,
	}})
	must(t, err)
	first, err := ns.CreateBucket(ctx, itemsConfig("first"))
	must(t, err)
	want := []string{"value n READY", "value v READY", "text v READY"}
	wantIndexes(t, first, want...)
	putItems(t, first, 300, 10)
	wantEntries(t, path, first)
	locked, err := ns.CreateBucket(ctx, itemsConfig("locked"))
	must(t, err)
	must(t, locked.Lock(ctx))
	full, err := ns.CreateBucket(ctx, itemsConfig("full"))
	must(t, err)
	for i := range bucketlite.MaxIndexes - 3 {
		ensure(t, full, fmt.Sprint("p", i))
	}
	must(t, first.DropIndex(ctx, "n"))
	must(t, second(ns.Update(ctx, bucketlite.NamespaceUpdate{Description: new("changed")})))
	wantIndexes(t, first, "value v READY", "text v READY") // it was not about indexes
	info, err := ns.Update(ctx, bucketlite.NamespaceUpdate{PayloadIndexes: []any{map[string]any{"field_name": "k", "type": "uuid"}}})
	if err != nil || len(info.PayloadIndexes) != 1 {
		t.Fatalf("got %+v, %v", info, err)
	}
	ensure(t, first, "k") // waits
	wantIndexes(t, first, "value k READY", "value v READY", "text v READY")
	wantIndexes(t, locked, "value k READY", "value n READY", "value v READY", "text v READY")
	if indexes, err := full.Indexes(ctx); err != nil || len(indexes) != bucketlite.MaxIndexes {
		t.Errorf("got %d indexes, %v, want as many as there may be", len(indexes), err)
	}
	wantEntries(t, path, first)
	wantSound(t, path)
}

// What a write that is taken back has done to an index is taken back too, and what
// the writer knows of the indexes with it.
func TestIndexOfFailedWrites(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	b := items(t, openPath(t, path))
	ensure(t, b, "v", "tags")
	ensureText(t, b)
	putItem(t, b, item("taken", "x"))
	for range 3 {
		inputs := []bucketlite.ObjectInput{item("new", strings.Repeat("long ", 200)), item("taken", "x")}
		inputs[0].Fields["tags"] = []any{"a", "b"}
		res, err := b.PutMany(ctx, inputs, &bucketlite.PutManyOptions{Atomic: true, Policy: bucketlite.Insert})
		wantError(t, err, bucketlite.ErrExists)
		if len(res.Succeeded) != 0 {
			t.Errorf("got %v, want nothing stored", res.Succeeded)
		}
		if flags := dump(t, raw(t, path), "SELECT many, cut FROM indexes WHERE kind = 'value' ORDER BY path"); flags != "0 0\n0 0\n" {
			t.Errorf("flags: got %s, want none", flags)
		}
		wantEntries(t, path, b)
	}
	in := item("new", strings.Repeat("long ", 200))
	in.Fields["tags"] = []any{"a", "b"}
	putItem(t, b, in)
	if flags := dump(t, raw(t, path), "SELECT many, cut FROM indexes WHERE kind = 'value' ORDER BY path"); flags != "1 0\n0 1\n" {
		t.Errorf("flags: got %s, want both", flags)
	}
	wantEntries(t, path, b)
	wantSound(t, path)
}

// A writer learns of indexes that other stores have made and dropped.
func TestIndexOfAnotherStore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	writing := items(t, openPath(t, path))
	indexing := reopenItems(t, path)
	n := 0
	write := func() {
		t.Helper()
		for range 3 { // so that it goes on from what it knows
			putItem(t, writing, item(fmt.Sprint(n), fmt.Sprint("value ", n)))
			n++
		}
		wantEntries(t, path, writing)
	}
	write()
	ensure(t, indexing, "v")
	write()
	ensureText(t, indexing)
	write()
	must(t, indexing.DropIndex(ctx, "v"))
	write()
	ensure(t, indexing, "v", "n")
	write()
	must(t, indexing.DropTextIndex(ctx))
	write()
	ensureText(t, indexing)
	write()
	wantSound(t, path)
}

// An object's entries are bounded, whatever it has, and it is found all the same.
func TestIndexOfMuch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	b := bucket(t, openPath(t, path), bucketlite.BucketConfig{Name: "items"})
	ensure(t, b, "n")
	ensureText(t, b)
	var numbers []any
	for i := range 50_000 {
		numbers = append(numbers, i)
	}
	filler := strings.Repeat("lorem ipsum dolor ", 20_000)
	putFields := func(fields map[string]any) string {
		t.Helper()
		return putItem(t, b, bucketlite.ObjectInput{Fields: fields}).ID
	}
	small := putFields(map[string]any{"n": 7, "v": "needle"})
	wide := putFields(map[string]any{"n": numbers})
	long := putFields(map[string]any{"v": filler + "needle"})
	other := putFields(map[string]any{"n": -1, "v": "hay"})
	if n := dump(t, raw(t, path), "SELECT count(*) FROM entries"); n != "6\n" {
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
	wantSound(t, path)
	// They come back to where they may have entries, and go.
	must(t, second(b.Patch(ctx, wide, bucketlite.ObjectInput{Fields: map[string]any{"n": []any{1, 2}}}, nil)))
	must(t, second(b.Patch(ctx, long, bucketlite.ObjectInput{Fields: map[string]any{"v": "short"}}, nil)))
	find(bucketlite.Query{Filter: four}, true)
	find(bucketlite.Query{Search: "needle"}, true, small)
	wantEntries(t, path, b)
	must(t, b.DeleteObject(ctx, wide, nil))
	must(t, b.DeleteObject(ctx, long, nil))
	wantEntries(t, path, b)
	wantSound(t, path)
}

// An object that cannot be read keeps no index from being built, and is in the way
// of a query as it is without.
func TestIndexOfUnreadable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	putItems(t, b, 10, 10)
	bad := putItem(t, b, item("bad", "v"))
	ensure(t, b, "k")
	execute(t, raw(t, path), `UPDATE object SET fields = x'ff' WHERE id = '`+bad.ID+`'`+reseal)
	ensure(t, b, "v")
	ensureText(t, b)
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
	putItem(t, b, item("bad", "readable"))
	if page, err := b.List(ctx, bucketlite.Query{Filter: bucketlite.Eq("v", "readable")}); err != nil || len(page.Results) != 1 {
		t.Errorf("got %v, %v, want the object", page, err)
	}
	wantEntries(t, path, b)
	wantSound(t, path)
}

// On a full disk an index is not waited for: the call says why it is not ready. It is
// built once there is space.
func TestEnsureIndexOnFullDisk(t *testing.T) {
	t.Parallel()
	const space = 1 << 20
	var commits atomic.Int64
	commits.Store(space)
	ctx, cancel := context.WithTimeout(engine.WithCommitHook(context.Background(), func(commit func() error) error {
		if commits.Add(-1) < 0 {
			return bucketlite.ErrFull
		}
		return commit()
	}), 20*time.Second)
	defer cancel()
	st, err := bucketlite.Open(ctx, filepath.Join(t.TempDir(), "a.db"), &bucketlite.Options{Durability: bucketlite.DurabilityNormal, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	b := items(t, st)
	for i := range 300 {
		putItem(t, b, item(fmt.Sprint(i), "v"))
	}
	commits.Store(1) // for the index itself
	if err := b.EnsureIndex(ctx, "v"); !errors.Is(err, bucketlite.ErrFull) {
		t.Errorf("on a full disk: got error %v, want ErrFull", err)
	}
	wantIndexes(t, b, "value v BUILDING")
	commits.Store(space)
	if err := b.EnsureIndex(ctx, "v"); err != nil {
		t.Errorf("once there is space: got error %v, want none", err)
	}
	wantIndexes(t, b, "value v READY")
}
