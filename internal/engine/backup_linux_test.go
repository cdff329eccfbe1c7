package engine

import (
	"os"
	"path/filepath"
	"testing"
)

// The files of a database that is opened by a link are those beside its target.
func TestOwnsBesideLink(t *testing.T) {
	t.Parallel()
	target, link := newFile(t), newPath(t)
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	db := openStore(t, testConfig(link))
	for path, want := range map[string]bool{
		link:                                  true,
		link + "-wal":                         true,
		target:                                true,
		target + "-wal":                       true,
		target + "-other":                     false,
		filepath.Join(t.TempDir(), "test.db"): false,
	} {
		if got := db.Owns(path); got != want {
			t.Errorf("Owns(%q): got %t, want %t", path, got, want)
		}
	}
}
