//go:build unix

package bucketlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Objects that went into a file without a name are not acknowledged. Windows moves no file
// that is open.
func TestVanishedFile(t *testing.T) {
	t.Parallel()
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
