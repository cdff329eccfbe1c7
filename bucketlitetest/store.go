package bucketlitetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/sqlite3"
)

// Options adjust [NewStoreWith]. Nil means the defaults.
type Options struct {
	// Store are the options of the store itself. Durability is always
	// [bucketlite.DurabilityNormal], since no test can cut the power. Default: nil.
	Store *bucketlite.Options
	// Path is the store's file. An existing file is opened as it is, so a test can open
	// a store again; ":memory:" is a store in memory, which takes longer to make.
	// Default: a new file in a directory of t.TempDir.
	Path string
	// Faults, unless nil, are the faults of the disk. They end with the test, before the
	// store is checked.
	Faults *Faults
}

// NewStore returns an empty store on a file of its own, which no other test sees. It
// takes a few milliseconds, except in the first call of a process. When the test ends, the store is checked and closed; see [NewStoreWith].
func NewStore(t testing.TB) *bucketlite.Store {
	t.Helper()
	return NewStoreWith(t, nil)
}

// NewStoreWith is [NewStore] with options.
//
// When the test and its subtests have ended, [bucketlite.Store.Check] reads the
// store, and the test fails with every problem it reports. The test may have closed
// the store by then: its file is opened again for the check, if it still is there.
// Stores that are opened later are checked and closed earlier, as with t.Cleanup.
func NewStoreWith(t testing.TB, opts *Options) *bucketlite.Store {
	t.Helper()
	var o Options
	if opts != nil {
		o = *opts
	}
	var store bucketlite.Options
	if o.Store != nil {
		store = *o.Store
	}
	store.Durability = bucketlite.DurabilityNormal
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "test.db")
	}
	ctx := context.Background() // t.Context ends before the check
	if err := place(o.Path); err != nil {
		t.Fatalf("bucketlitetest: make a store: %v", err)
	}
	opening := ctx
	if o.Faults != nil {
		opening = engine.WithCommitHook(ctx, o.Faults.commit)
	}
	st, err := bucketlite.Open(opening, o.Path, &store)
	if err != nil {
		t.Fatalf("bucketlitetest: %v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		if o.Faults != nil {
			o.Faults.Clear()
		}
		check(ctx, t, st, o.Path, &store)
	})
	return st
}

// check checks the store and closes it.
func check(ctx context.Context, t testing.TB, st *bucketlite.Store, path string, opts *bucketlite.Options) {
	t.Helper()
	report, err := st.Check(ctx, nil)
	if errors.Is(err, bucketlite.ErrClosed) {
		if _, gone := os.Stat(path); gone != nil { // as a store in memory is
			return
		}
		if st, err = bucketlite.Open(ctx, path, opts); err == nil {
			report, err = st.Check(ctx, nil)
		}
	}
	if err != nil {
		t.Errorf("bucketlitetest: check the store: %v", err)
	} else if report.Err() != nil {
		text := "the store is not sound:"
		for _, p := range report.Problems {
			text += "\n\t" + p.String()
		}
		if report.Omitted > 0 {
			text += fmt.Sprintf("\n\tand %d more", report.Omitted)
		}
		t.Errorf("bucketlitetest: %s", text)
	}
	if st == nil {
		return
	}
	if err := st.Close(); err != nil {
		t.Errorf("bucketlitetest: close the store: %v", err)
	}
}

// place puts an empty store at path, unless something is there.
func place(path string) error {
	if path == engine.Memory {
		return nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	content, err := newContent()
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o666)
}

// template is the file of an empty store, and the id that is in it.
type template struct {
	content []byte
	id      []byte
}

// newContent returns the file of an empty store with an id of its own, to which
// its cursors are bound.
func newContent() ([]byte, error) {
	empty, err := emptyStore()
	if err != nil {
		return nil, err
	}
	id := make([]byte, len(empty.id)/2)
	rand.Read(id)
	return bytes.Replace(empty.content, empty.id, []byte(hex.EncodeToString(id)), 1), nil
}

// emptyStore makes the template, once in a process, so that it is always that of
// the library under test.
var emptyStore = sync.OnceValues(func() (*template, error) {
	dir, err := os.MkdirTemp("", "bucketlitetest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "test.db")
	st, err := bucketlite.Open(context.Background(), path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	if err != nil {
		return nil, err
	}
	if err := st.Close(); err != nil {
		return nil, err
	}
	id, err := storeID(path)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(content, id); n != 1 || len(id) != 16 {
		return nil, fmt.Errorf("an empty store holds its id %q %d times", id, n)
	}
	return &template{content, id}, nil
})

// storeID returns the id that the closed store at path has.
func storeID(path string) (id []byte, err error) {
	c, err := sqlite3.Open(path, "")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s, err := c.Prepare("SELECT id FROM store")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	found, err := s.Step()
	if found {
		id = []byte(s.Row()[0].Text())
	}
	return id, err
}
