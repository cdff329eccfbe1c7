package bucketlitetest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
	_ "modernc.org/sqlite"
)

// items creates a bucket whose key is k in a new namespace "test".
func items(t testing.TB, st *bucketlite.Store) *bucketlite.Bucket {
	t.Helper()
	ns, err := st.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(t.Context(), bucketlite.BucketConfig{
		Name: "items",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"k": {Type: bucketlite.String}, "n": {Type: bucketlite.Integer}, "doc": {Type: bucketlite.Text},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// putItem stores an item with a new key.
func putItem(b *bucketlite.Bucket, k string) error {
	in := bucketlite.ObjectInput{Fields: map[string]any{"k": k}}
	_, err := b.Put(context.Background(), in, &bucketlite.PutOptions{Policy: bucketlite.Insert})
	return err
}

// mustPut stores items with new keys.
func mustPut(t testing.TB, b *bucketlite.Bucket, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if err := putItem(b, k); err != nil {
			t.Fatal(err)
		}
	}
}

// wantKeys fails unless the bucket's items are those with the keys, in order of
// creation.
func wantKeys(t testing.TB, b *bucketlite.Bucket, want ...string) {
	t.Helper()
	got := []string{}
	for o, err := range b.Objects(t.Context(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(o.Fields["k"]))
	}
	if diff := bucketlitetest.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// wantError fails unless err is the sentinel.
func wantError(t testing.TB, what string, err, sentinel error) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Errorf("%s: got error %v, want one that is %v", what, err, sentinel)
	}
}

// damage changes a file behind its store's back.
func damage(t testing.TB, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	res, err := db.Exec(statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		t.Fatalf("%s: got no row changed, want some", statement)
	}
}

func TestNewStoreIsPrivate(t *testing.T) {
	t.Parallel()
	one, other := bucketlitetest.NewStore(t), bucketlitetest.NewStore(t)
	b := items(t, one)
	mustPut(t, b, "a", "b")
	wantKeys(t, b, "a", "b")
	_, err := other.Namespace(t.Context(), "test")
	wantError(t, "namespace of the other", err, bucketlite.ErrNotFound)

	// Both began as the same file, but are not the same store.
	page, err := b.List(t.Context(), bucketlite.Query{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = items(t, other).List(t.Context(), bucketlite.Query{Limit: 1, Cursor: page.Next})
	wantError(t, "cursor of the other", err, bucketlite.ErrBadRequest)
	if _, err := b.List(t.Context(), bucketlite.Query{Limit: 1, Cursor: page.Next}); err != nil {
		t.Errorf("its own cursor: %v", err)
	}
}

func TestNewStoreIsChecked(t *testing.T) {
	t.Parallel()
	const wrongCount = "UPDATE buckets SET object_count = object_count + 1"
	tests := []struct {
		name string
		path string // empty for a file
		test func(t testing.TB, st *bucketlite.Store, path string)
		want string // part of what it fails with; empty if it passes
	}{
		{"sound", "", func(t testing.TB, st *bucketlite.Store, _ string) { mustPut(t, items(t, st), "a") }, ""},
		{"sound, in memory", ":memory:", func(t testing.TB, st *bucketlite.Store, _ string) { mustPut(t, items(t, st), "a") }, ""},
		{"closed", "", func(t testing.TB, st *bucketlite.Store, _ string) { st.Close() }, ""},
		{"closed, in memory", ":memory:", func(t testing.TB, st *bucketlite.Store, _ string) { st.Close() }, ""},
		{"being deleted", "", func(t testing.TB, st *bucketlite.Store, _ string) {
			b := items(t, st)
			mustPut(t, b, "a")
			if _, err := b.Delete(t.Context()); err != nil {
				t.Errorf("delete: %v", err)
			}
		}, ""},
		{"broken", "", func(t testing.TB, st *bucketlite.Store, path string) {
			mustPut(t, items(t, st), "a")
			damage(t, path, wrongCount)
		}, "[bucket.statistics]"},
		{"broken and closed", "", func(t testing.TB, st *bucketlite.Store, path string) {
			mustPut(t, items(t, st), "a")
			damage(t, path, wrongCount)
			st.Close()
		}, "[bucket.statistics]"},
		{"closed and no database any more", "", func(t testing.TB, st *bucketlite.Store, path string) {
			st.Close()
			if err := os.WriteFile(path, []byte("Dear diary,"), 0o666); err != nil {
				t.Errorf("%v", err)
			}
		}, "check the store"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := test.path
			if path == "" {
				path = filepath.Join(t.TempDir(), "test.db")
			}
			got := recorded(func(t testing.TB) {
				test.test(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: path}), path)
			})
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got a test that fails with %q, want it to tell %q", got, test.want)
			}
		})
	}
}

func TestNewStoreWithPath(t *testing.T) {
	t.Parallel()
	opts := &bucketlitetest.Options{Path: filepath.Join(t.TempDir(), "again.db")}
	st := bucketlitetest.NewStoreWith(t, opts)
	mustPut(t, items(t, st), "a")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, bucketlitetest.Bucket(t, bucketlitetest.NewStoreWith(t, opts), "test", "items"), "a")
}

func TestNewStoreWithStoreOptions(t *testing.T) {
	t.Parallel()
	opts := &bucketlite.Options{MaxObjectBytes: 20}
	b := items(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Store: opts}))
	wantError(t, "put", putItem(b, strings.Repeat("k", 20)), bucketlite.ErrTooLarge)
	if opts.Durability != bucketlite.DurabilityFull {
		t.Error("the caller's options were changed")
	}
}

func TestNewStoreThatCannotBe(t *testing.T) {
	t.Parallel()
	stranger := filepath.Join(t.TempDir(), "stranger.db")
	if err := os.WriteFile(stranger, []byte("Dear diary,"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string]*bucketlitetest.Options{
		"options":      {Store: &bucketlite.Options{MaxObjectBytes: -1}},
		"no directory": {Path: filepath.Join(t.TempDir(), "none", "test.db")},
		"stranger":     {Path: stranger},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := recorded(func(rec testing.TB) {
				bucketlitetest.NewStoreWith(rec, opts)
				t.Error("the test continued")
			})
			if !strings.HasPrefix(got, "bucketlitetest: ") {
				t.Errorf("got a test that fails with %q, want it to fail with what is wrong", got)
			}
		})
	}
}

func TestBucketThatIsNot(t *testing.T) {
	t.Parallel()
	st := bucketlitetest.NewStore(t)
	items(t, st)
	for _, names := range [][2]string{{"other", "items"}, {"test", "other"}} {
		got := recorded(func(rec testing.TB) {
			bucketlitetest.Bucket(rec, st, names[0], names[1])
			t.Error("the test continued")
		})
		if !strings.Contains(got, `"other"`) {
			t.Errorf("got a test that fails with %q, want it to name what is not there", got)
		}
	}
}

// BenchmarkNewStore measures making a store, without the end of its test.
func BenchmarkNewStore(b *testing.B) {
	for name, path := range map[string]string{"file": "", "memory": ":memory:"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			bucketlitetest.NewStore(b) // the first is slower
			for b.Loop() {
				t := newRecord()
				bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: path})
				b.StopTimer()
				if failure := t.finish(); failure != "" {
					b.Fatal(failure)
				}
				b.StartTimer()
			}
		})
	}
}
