package bucketlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Err says why a store takes no more writes, and only then.
func TestErr(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	readOnly := bucketlite.Options{ReadOnly: true}
	bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: path})
	var faults bucketlitetest.Faults
	tests := []struct {
		name string
		open *bucketlitetest.Options
		do   func(*bucketlite.Store)
		want error
	}{
		{"open", nil, func(*bucketlite.Store) {}, nil},
		{"memory", &bucketlitetest.Options{Path: ":memory:"}, func(*bucketlite.Store) {}, nil},
		{"read-only", &bucketlitetest.Options{Path: path, Store: &readOnly}, func(*bucketlite.Store) {}, nil},
		{"closed", nil, func(st *bucketlite.Store) { st.Close() }, bucketlite.ErrClosed},
		{"outcome unknown", &bucketlitetest.Options{Faults: &faults}, func(st *bucketlite.Store) {
			faults.LoseCommit(1, true)
			st.CreateNamespace(context.Background(), bucketlite.NamespaceConfig{Name: "lost"})
		}, bucketlite.ErrReadOnly},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			st := bucketlitetest.NewStoreWith(t, test.open)
			if err := st.Err(); err != nil {
				t.Errorf("before: got %v, want nil", err)
			}
			test.do(st)
			if err := st.Err(); !errors.Is(err, test.want) || test.want != nil && !strings.HasPrefix(err.Error(), "bucketlite: ") {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// Objects that went into a file without a name are not acknowledged.
func TestVanishedFile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("an open file cannot be moved there")
	}
	path := filepath.Join(t.TempDir(), "test.db")
	st, err := bucketlite.Open(t.Context(), path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	b := storetest.Items(t, st)
	storetest.PutItem(t, b, storetest.Item("before", ""))
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	_, err = b.Put(t.Context(), storetest.Item("after", ""), nil)
	if !errors.Is(err, bucketlite.ErrOutcomeUnknown) {
		t.Errorf("Put: got %v, want %v", err, bucketlite.ErrOutcomeUnknown)
	}
	_, err = b.Put(t.Context(), storetest.Item("later", ""), nil)
	if !errors.Is(err, bucketlite.ErrReadOnly) || !strings.Contains(err.Error(), "moved, deleted or replaced") {
		t.Errorf("later Put: got %v, want %v that says why", err, bucketlite.ErrReadOnly)
	}
	if err := st.Err(); !errors.Is(err, bucketlite.ErrReadOnly) {
		t.Errorf("Err: got %v, want %v", err, bucketlite.ErrReadOnly)
	}
}

// A file with two names is refused unless that is allowed.
func TestAllowLinks(t *testing.T) {
	t.Parallel()
	path := storetest.NewFixture(t)
	if err := os.Link(path, path+".link"); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		st, err := bucketlite.Open(t.Context(), path, &bucketlite.Options{ReadOnly: readOnly})
		if err == nil && runtime.GOOS != "windows" {
			st.Close()
			t.Errorf("read-only %t: got no error, want one", readOnly)
		}
		st, err = bucketlite.Open(t.Context(), path, &bucketlite.Options{ReadOnly: readOnly, AllowLinks: true})
		if err != nil {
			t.Fatalf("read-only %t, allowed: %v", readOnly, err)
		}
		st.Close()
	}
}
