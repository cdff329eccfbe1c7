//go:build unix

package folder

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A folder with everything that is no regular file, what cannot be read, and names that are
// no text: the walk reports all of it and does not hang.
func TestHostileFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	must(os.WriteFile(in("good"), nil, 0o666))
	must(os.Symlink("good", in("link")))
	must(os.Symlink(".", in("loop")))
	must(os.Symlink("nowhere", in("dangling")))
	must(syscall.Mkfifo(in("pipe"), 0o666))
	l, err := net.Listen("unix", in("socket"))
	must(err)
	defer l.Close()
	must(os.Mkdir(in("closed"), 0o777))
	must(os.WriteFile(in("closed/file"), nil, 0o666))
	must(os.Chmod(in("closed"), 0))
	defer os.Chmod(in("closed"), 0o777)

	want := []string{"link dangling", "link link", "link loop", "special pipe", "special socket"}
	if os.Getuid() != 0 { // root reads everything
		want = append([]string{"unreadable closed"}, want...)
	}
	if runtime.GOOS == "linux" { // elsewhere no such names exist
		must(os.WriteFile(in("bad\xff"), nil, 0o666))
		must(os.Mkdir(in("dir\xff"), 0o777))
		must(os.WriteFile(in("dir\xff/file"), nil, 0o666))
		want = append(want[:len(want):len(want)], "name bad\xff", "name dir\xff")
	}
	paths, skipped := walked(t, os.DirFS(dir), Options{Exclude: []string{"closed/file"}})
	if diff := cmp.Diff([]string{"good"}, paths); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	skipped = slices.DeleteFunc(skipped, func(s string) bool { return s == "excluded closed/file" })
	slices.Sort(skipped)
	slices.Sort(want)
	if diff := cmp.Diff(want, skipped); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}
