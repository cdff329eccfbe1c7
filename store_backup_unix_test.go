//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package bucketlite_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A backup removes what one that was killed has left in the directory, whatever its
// target was. The lock of a process that has gone is one that nobody holds.
func TestBackupRemovesLeftovers(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	for _, name := range []string{"bucketlite-backup-X.tmp", "bucketlite-backup-X.tmp-journal", "bucketlite-backup-X.tmp.lock", "bucketlite-notes.tmp"} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := storetest.OpenMemory(t).Backup(context.Background(), filepath.Join(directory, "copy.db"), nil); err != nil {
		t.Fatal(err)
	}
	if got, want := namesIn(t, directory), []string{"bucketlite-notes.tmp", "copy.db"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
