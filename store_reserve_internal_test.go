package bucketlite

import (
	"os"
	"path/filepath"
	"testing"
)

// A reserve that was spent is so for each store that opens the file later, until there
// is space to set it aside again. A disk that never had the space is not full.
func TestReserveStaysSpent(t *testing.T) {
	t.Parallel()
	const tooMuch = 1 << 60
	path := filepath.Join(t.TempDir(), "a.db-reserve")
	want := func(what string, r *reserve, spent bool) {
		t.Helper()
		if r.keep(); r.spent.Load() != spent {
			t.Errorf("%s: spent: got %t, want %t", what, !spent, spent)
		}
	}
	want("never kept", &reserve{path: path, size: tooMuch}, false)
	first := &reserve{path: path, size: 4096}
	want("kept", first, false)
	if !first.spend() || !first.spent.Load() {
		t.Error("spend: got false, want true")
	}
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		t.Errorf("spent reserve: got %d bytes, want none", info.Size())
	}
	if first.spend() {
		t.Error("spend again: got true, want false")
	}
	want("opened on a full disk", &reserve{path: path, size: tooMuch}, true)
	want("opened with space", &reserve{path: path, size: 4096}, false)
	want("first with space", first, false)
	other := &reserve{path: path, size: 4096}
	want("other", other, false)
	first.spend()
	if other.notice(); !other.spent.Load() {
		t.Error("spent by another store: got false, want true")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	want("deleted by somebody", &reserve{path: path, size: tooMuch}, false)
}
