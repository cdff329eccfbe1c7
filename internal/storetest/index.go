package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/query"
)

// WriteItems puts, patches and deletes items, at random, until ctx ends.
func WriteItems(ctx context.Context, b *bucketlite.Bucket, keys int) error {
	for n := 0; ctx.Err() == nil; n++ {
		k := fmt.Sprint(rand.IntN(keys))
		var err error
		switch n % 4 {
		case 0, 1:
			in := ItemWithDoc(k, "doc of "+k)
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

// indexPaths are the paths whose entries WantEntries can tell, and which of them
// are datetimes.
var indexPaths = map[string]query.Kind{"k": query.String, "n": query.Number, "v": query.String, "doc": query.String,
	"tags": query.Undeclared, "none": query.Undeclared, "m.at": query.Undeclared, "created_at": query.DateTime}

// Ensure makes value indexes of some paths of a bucket.
func Ensure(t testing.TB, b *bucketlite.Bucket, paths ...string) {
	t.Helper()
	if err := b.EnsureIndex(context.Background(), paths...); err != nil {
		t.Fatal(err)
	}
}

// EnsureText makes a text index of each path, or of all texts.
func EnsureText(t testing.TB, b *bucketlite.Bucket, paths ...string) {
	t.Helper()
	if err := b.EnsureTextIndex(context.Background(), paths...); err != nil {
		t.Fatal(err)
	}
}

// WantIndexes fails unless the bucket has these indexes, as in "value v READY".
func WantIndexes(t testing.TB, b *bucketlite.Bucket, want ...string) {
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

// WantEntries fails unless the entries of the bucket's value indexes that are ready
// are those of its objects, as the package that makes them tells; and, if it has a
// text index for searches, it has for each object the parts of its texts.
func WantEntries(t *testing.T, path string, b *bucketlite.Bucket) {
	t.Helper()
	db := OpenRaw(t, path)
	db.SetMaxOpenConns(1) // for what is temporary
	seqs := make(map[string]int64)
	var docs []query.Map
	for line := range strings.Lines(Dump(t, db, "SELECT o.id, seq FROM object o JOIN buckets b ON b.partition = o.partition WHERE b.id = ?", b.ID())) {
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
	for line := range strings.Lines(Dump(t, db, `SELECT i.num, i.path FROM indexes i JOIN buckets b ON b.partition = i.partition
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
		if got := Dump(t, db, "SELECT hex(key), seq FROM entries WHERE idx = ? ORDER BY hex(key) || ' ' || seq", num); got != want.String() {
			t.Errorf("entries of %q: got\n%.2000s\nwant\n%.2000s", name, got, &want)
		}
	}
	if Dump(t, db, "SELECT 1 FROM indexes i JOIN buckets b ON b.partition = i.partition WHERE b.id = ? AND i.status = 'READY' AND kind = 'text' AND path = ''", b.ID()) == "" {
		return
	}
	Execute(t, db, "CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, texts, instance)")
	terms := make(map[string]bool) // with the object's seq before each
	for line := range strings.Lines(Dump(t, db, "SELECT doc, hex(term) FROM temp.terms")) {
		terms[strings.TrimSpace(line)] = true
	}
	Execute(t, db, "DROP TABLE temp.terms")
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

// IndexItems makes some indexes of a bucket of items, and returns it.
func IndexItems(t testing.TB, b *bucketlite.Bucket) *bucketlite.Bucket {
	t.Helper()
	Ensure(t, b, "v", "n")
	EnsureText(t, b)
	return b
}
