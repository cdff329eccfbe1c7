package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// Open opens a store on a file of its own, with the default options unless some
// are given, and closes it when the test ends.
func Open(t testing.TB, opts ...*bucketlite.Options) *bucketlite.Store {
	t.Helper()
	return OpenPath(t, filepath.Join(t.TempDir(), "test.db"), opts...)
}

// OpenMemory is Open for a private store in memory.
func OpenMemory(t testing.TB, opts ...*bucketlite.Options) *bucketlite.Store {
	t.Helper()
	return OpenPath(t, ":memory:", opts...)
}

// OpenPath is Open for the file at path.
func OpenPath(t testing.TB, path string, opts ...*bucketlite.Options) *bucketlite.Store {
	t.Helper()
	var o *bucketlite.Options
	if len(opts) > 0 {
		o = opts[0]
	}
	st, err := bucketlite.Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return st
}

// Namespace returns the store's namespace "test", creating it on first use.
func Namespace(t testing.TB, st *bucketlite.Store) *bucketlite.Namespace {
	t.Helper()
	ctx := context.Background()
	ns, err := st.Namespace(ctx, "test")
	if errors.Is(err, bucketlite.ErrNotFound) {
		ns, err = st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

// Bucket creates a bucket in the store's namespace "test". Its name is "objects"
// unless config has one.
func Bucket(t testing.TB, st *bucketlite.Store, config bucketlite.BucketConfig) *bucketlite.Bucket {
	t.Helper()
	if config.Name == "" {
		config.Name = "objects"
	}
	b, err := Namespace(t, st).CreateBucket(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// CopyFile returns a copy of a closed file.
func CopyFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// ReopenItems opens the file at path once more and returns its bucket of items.
func ReopenItems(t testing.TB, path string) *bucketlite.Bucket {
	t.Helper()
	b, err := Namespace(t, OpenPath(t, path)).Bucket(context.Background(), "items")
	if err != nil {
		t.Fatal(err)
	}
	return b
}
