package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/google/go-cmp/cmp"
)

// A folder changes at random, and syncs are interrupted. Each one that ends leaves the
// bucket with exactly the files of the folder.
func TestSyncDirModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 14))
			b, dir := syncBucket(t), t.TempDir()
			for range 25 {
				for range 1 + r.IntN(6) {
					changeFolder(t, r, dir)
				}
				if r.IntN(3) == 0 {
					ctx, stop := context.WithTimeout(t.Context(), time.Duration(r.IntN(40))*time.Millisecond)
					_, err := b.SyncDir(ctx, dir, &bucketlite.SyncOptions{Delete: true, Settle: settle})
					stop()
					if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, bucketlite.ErrConflict) {
						t.Fatal(err)
					}
					changeFolder(t, r, dir)
				}
				report := syncDir(t, b, dir, bucketlite.SyncOptions{Delete: true, Force: true})
				if diff := cmp.Diff(filesBelow(t, dir), contents(t, b)); diff != "" {
					t.Fatalf("files (-want +got):\n%s\n%+v", diff, report)
				}
			}
		})
	}
}

// changeFolder makes one random change below dir.
func changeFolder(t *testing.T, r *rand.Rand, dir string) {
	t.Helper()
	name := func() string {
		return filepath.Join(dir, []string{"", "d", "e", "d/f"}[r.IntN(4)], string(rune('p'+r.IntN(4))))
	}
	from, to := name(), name()
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		t.Fatal(err)
	}
	// Some of these fail, for want of a file or since a folder has the name.
	switch r.IntN(8) {
	case 0, 1, 2:
		os.WriteFile(to, []byte(fmt.Sprintf("%d", r.IntN(6))), 0o666)
	case 3, 4:
		os.Rename(from, to)
	case 5:
		os.Remove(from)
	case 6:
		os.Rename(filepath.Join(dir, "d"), filepath.Join(dir, "e", "moved"))
	case 7:
		os.RemoveAll(filepath.Join(dir, "d", "f"))
	}
}

// filesBelow returns the contents of all files below dir.
func filesBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var text []byte
			text, err = os.ReadFile(filepath.Join(dir, name))
			files[name] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
