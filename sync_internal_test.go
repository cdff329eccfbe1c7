package bucketlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// testSyncer returns a syncer of a new bucket, without a directory.
func testSyncer(t *testing.T, opts SyncOptions) *syncer {
	t.Helper()
	ctx := t.Context()
	st, err := Open(ctx, ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	ns, err := st.CreateNamespace(ctx, NamespaceConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, BucketConfig{
		Name:      "files",
		Schema:    Schema{Properties: map[string]Field{"path": {Type: String}, "file": {Type: File}}},
		UniqueKey: &UniqueKey{Fields: []string{"path"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	opts.Settle = time.Nanosecond
	s, err := newSyncer(b, "", &opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// brokenFS is a file system whose folder "broken" cannot be read.
type brokenFS struct{ fstest.MapFS }

func (b brokenFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "broken" {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("input/output error")}
	}
	return b.MapFS.ReadDir(name)
}

func (b brokenFS) Lstat(name string) (fs.FileInfo, error) { return b.MapFS.Lstat(name) }

func (b brokenFS) ReadLink(name string) (string, error) { return b.MapFS.ReadLink(name) }

func mapFS(files map[string]string) fstest.MapFS {
	m := make(fstest.MapFS)
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text), ModTime: time.Now().Add(-time.Hour)}
	}
	return m
}

// After a look that could not read everything nothing is deleted, not even by force.
func TestSyncPartialLook(t *testing.T) {
	t.Parallel()
	s := testSyncer(t, SyncOptions{Delete: true, Force: true})
	whole := mapFS(map[string]string{"a": "A", "b": "B", "broken/c": "C", "broken/d": "D"})
	if _, err := s.lookInto(t.Context(), whole, true); err != nil {
		t.Fatal(err)
	}
	rest := mapFS(map[string]string{"a": "A", "broken/c": "C"})
	for range 3 {
		if _, err := s.lookInto(t.Context(), brokenFS{rest}, true); err != nil {
			t.Fatal(err)
		}
	}
	if r := s.report; r.Created != 4 || r.Deleted != 0 || r.Refused != 1 || r.Gone != 3 {
		t.Errorf("got %+v, want 4 created, none deleted, 1 refused once, 3 gone", r)
	}
	for range 2 { // missing files have to settle
		if _, err := s.lookInto(t.Context(), rest, true); err != nil {
			t.Fatal(err)
		}
	}
	if r := s.report; r.Deleted != 2 || r.Gone != 0 {
		t.Errorf("got %+v, want 2 deleted", r)
	}
}

// movingFS is a directory in which a file moves from "b" to "a" while it is listed, after
// "a" and before "b".
type movingFS struct {
	fs.FS
	dir string
}

func (m movingFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "b" {
		if err := os.Rename(filepath.Join(m.dir, "b", "x"), filepath.Join(m.dir, "a", "x")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return fs.ReadDir(m.FS, name)
}

func (m movingFS) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(m.FS, name) }

func (m movingFS) ReadLink(name string) (string, error) { return fs.ReadLink(m.FS, name) }

// A file that a walk misses in both places is not gone.
func TestSyncMovedDuringTheWalk(t *testing.T) {
	t.Parallel()
	s, dir := testSyncer(t, SyncOptions{Delete: true}), t.TempDir()
	s.opts.Settle = 50 * time.Millisecond
	for _, name := range []string{"a/keep", "b/x", "b/y"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(name), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	look := func(fsys fs.FS) {
		t.Helper()
		for {
			l, err := s.lookInto(t.Context(), fsys, false)
			if err != nil {
				t.Fatal(err)
			}
			if l.again == 0 {
				return
			}
			time.Sleep(l.again)
		}
	}
	look(os.DirFS(dir))
	before, err := s.object(t.Context(), "b/x")
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * s.opts.Settle) // the folders have not changed for long when the walk begins
	look(movingFS{os.DirFS(dir), dir})
	after, err := s.object(t.Context(), "a/x")
	if err != nil {
		t.Fatal(err)
	}
	if after.ID != before.ID || s.report.Deleted != 0 || s.report.Renamed != 1 {
		t.Errorf("got object %q, report %+v, want %q renamed", after.ID, s.report, before.ID)
	}
}

// caselessFS is a file system where upper and lower case are the same.
type caselessFS struct{ fstest.MapFS }

func (c caselessFS) Lstat(name string) (fs.FileInfo, error) {
	for n := range c.MapFS {
		if strings.EqualFold(n, name) {
			return c.MapFS.Lstat(n)
		}
	}
	return c.MapFS.Lstat(name)
}

func (c caselessFS) ReadLink(name string) (string, error) { return c.MapFS.ReadLink(name) }

func TestSyncExists(t *testing.T) {
	t.Parallel()
	fsys := caselessFS{mapFS(map[string]string{"Photos/a.jpg": ""})}
	for name, want := range map[string]bool{"Photos/a.jpg": true, "Photos/A.JPG": false, "Photos/b.jpg": false, "other/a.jpg": false} {
		if got, err := exists(fsys, name); got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
}

// growingFS is a directory whose file grows each time it is opened.
type growingFS struct {
	fs.FS
	path string
}

func (g growingFS) Open(name string) (fs.File, error) {
	f, err := g.FS.Open(name)
	if name == "log" && err == nil {
		err = os.WriteFile(g.path, []byte(strings.Repeat("x", 100+time.Now().Nanosecond()%1000)), 0o666)
	}
	return f, err
}

func (g growingFS) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(g.FS, name) }

func (g growingFS) ReadLink(name string) (string, error) { return fs.ReadLink(g.FS, name) }

// A file that changes while it is read is not stored, and does not count as refused.
func TestSyncUnsteadyFile(t *testing.T) {
	t.Parallel()
	s, dir := testSyncer(t, SyncOptions{}), t.TempDir()
	path := filepath.Join(dir, "log")
	if err := errors.Join(os.WriteFile(path, []byte("x"), 0o666), os.WriteFile(filepath.Join(dir, "other"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l, err := s.lookInto(t.Context(), growingFS{os.DirFS(dir), path}, true)
		if err != nil {
			t.Fatal(err)
		}
		if l.again == 0 {
			t.Error("no other look is due")
		}
	}
	if r := s.report; r.Created != 1 || r.Waiting != 1 || r.Refused != 0 {
		t.Errorf("got %+v, want 1 created, 1 waiting", r)
	}
	if _, err := s.lookInto(t.Context(), os.DirFS(dir), true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.lookInto(t.Context(), os.DirFS(dir), true); err != nil {
		t.Fatal(err)
	}
	if r := s.report; r.Created != 2 || r.Waiting != 0 {
		t.Errorf("got %+v, want 2 created", r)
	}
}

// A look that is interrupted returns the context's error.
func TestSyncInterrupted(t *testing.T) {
	t.Parallel()
	s := testSyncer(t, SyncOptions{})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.lookInto(ctx, mapFS(map[string]string{"a": "A"}), true); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}
