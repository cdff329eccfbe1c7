//go:build unix

package bucketlite_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A folder with links, a pipe, a socket, unreadable files and names that are no text is
// imported to its end: everything in it is stored, refused or skipped.
func TestImportHostileFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	storetest.Must(t, os.WriteFile(in("a.png"), pixels(t, 1, 1), 0o666))
	storetest.Must(t, os.WriteFile(in("closed.png"), pixels(t, 1, 1), 0))
	storetest.Must(t, os.Symlink("a.png", in("link.png")))
	storetest.Must(t, os.Symlink("..", in("up")))
	storetest.Must(t, syscall.Mkfifo(in("pipe.png"), 0o666))
	l, err := net.Listen("unix", in("socket"))
	storetest.Must(t, err)
	defer l.Close()
	want := []string{"a.png"}
	refused := []string{}
	if runtime.GOOS == "linux" { // elsewhere no such names exist
		storetest.Must(t, os.WriteFile(in("bad\xff.png"), pixels(t, 1, 1), 0o666))
		refused = append(refused, "bad\xff.png")
	}
	if os.Getuid() == 0 { // root reads everything
		want = append(want, "closed.png")
	} else {
		refused = append(refused, "closed.png")
	}
	root, err := os.OpenRoot(dir)
	storetest.Must(t, err)
	defer root.Close()

	b := photos(t)
	var skipped []string
	report := importFolder(t, b, root.FS(), &bucketlite.FolderOptions{Skipped: func(path, reason string) { skipped = append(skipped, reason+" "+path) }})
	var got []string
	for _, r := range report.Refusals {
		got = append(got, r.File)
	}
	slices.Sort(got)
	if !slices.Equal(got, refused) || report.Created != int64(len(want)) || report.Records != int64(len(want)+len(refused)) {
		t.Errorf("got %s, want %q stored and %q refused", counted(report), want, refused)
	}
	if want := []string{"link link.png", "special pipe.png", "special socket", "link up"}; !slices.Equal(skipped, want) {
		t.Errorf("skipped: got %q, want %q", skipped, want)
	}
	if got, want := fmt.Sprintf("%+v", *report.Skipped), "{Excluded:0 Hidden:0 Links:2 Special:2}"; got != want {
		t.Errorf("skipped: got %s, want %s", got, want)
	}
}
