package bucketlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/google/go-cmp/cmp"
)

// watching is a SyncDir that watches.
type watching struct {
	t       *testing.T
	changes chan bucketlite.SyncChange
	errors  chan error
}

// watchDir keeps the bucket following dir until the test ends.
func watchDir(t *testing.T, b *bucketlite.Bucket, dir string, opts bucketlite.SyncOptions) *watching {
	t.Helper()
	w := &watching{t, make(chan bucketlite.SyncChange, 1000), make(chan error, 1000)}
	opts.Watch = true
	if opts.Settle == 0 {
		opts.Settle = settle
	}
	if opts.Interval == 0 {
		opts.Interval = 50 * time.Millisecond
	}
	opts.Changed = func(c bucketlite.SyncChange) { w.changes <- c }
	opts.Failed = func(err error) { w.errors <- err }
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := b.SyncDir(ctx, dir, &opts)
		done <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("SyncDir: got %v, want the context's error", err)
		}
	})
	return w
}

// next returns the next change, as its action and path.
func (w *watching) next() string {
	w.t.Helper()
	select {
	case c := <-w.changes:
		return strings.TrimSpace(string(c.Action) + " " + c.Path + " " + c.From)
	case err := <-w.errors:
		w.t.Fatalf("got error %v, want a change", err)
	case <-time.After(time.Minute):
		w.t.Fatal("no change within a minute")
	}
	return ""
}

func (w *watching) want(changes ...string) {
	w.t.Helper()
	for _, want := range changes {
		if got := w.next(); got != want {
			w.t.Fatalf("got change %q, want %q", got, want)
		}
	}
}

func TestSyncDirWatches(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "A", "keep": "K"})
	w := watchDir(t, b, dir, bucketlite.SyncOptions{Delete: true, Interval: time.Hour}) // events alone
	w.want("created a", "created keep")
	writeFiles(t, dir, map[string]string{"new/folder/b": "some text"})
	w.want("created new/folder/b")
	id := atPath(t, b, "new/folder/b").ID
	if err := rename("new/folder/b", "c")(dir); err != nil {
		t.Fatal(err)
	}
	w.want("renamed c new/folder/b")
	if got := atPath(t, b, "c").ID; got != id {
		t.Errorf("a renamed file: got object %q, want %q", got, id)
	}
	writeFiles(t, dir, map[string]string{"a": "A2"})
	w.want("replaced a")
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	w.want("deleted a")
	if diff := cmp.Diff(map[string]string{"keep": "K", "c": "some text"}, contents(t, b)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// A periodic look alone finds changes, too, also those of the bucket by others.
func TestSyncDirLooksAgain(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "A", "b": "B"})
	w := watchDir(t, b, dir, bucketlite.SyncOptions{})
	w.want("created a", "created b")
	if err := b.DeleteObject(t.Context(), atPath(t, b, "a").ID, nil); err != nil {
		t.Fatal(err)
	}
	w.want("created a")
	o := atPath(t, b, "b")
	_, err := b.Patch(t.Context(), o.ID, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "file", Reader: strings.NewReader("other")}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.want("replaced b")
	if got := content(t, b, atPath(t, b, "b")); got != "B" {
		t.Errorf("b: got %q, want the file's content", got)
	}
}

// The ways in which programs save a file keep its object.
func TestSyncDirEditors(t *testing.T) {
	t.Parallel()
	write := func(name, text string) func(dir string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666) }
	}
	remove := func(name string) func(dir string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	for _, test := range []struct {
		name  string
		steps []func(dir string) error
	}{
		{"in place", []func(string) error{write("doc", "new")}},
		{"a temporary file over it", []func(string) error{write("doc.tmp", "new"), rename("doc.tmp", "doc")}},
		{"a backup beside it", []func(string) error{rename("doc", "doc~"), write("doc", "new"), remove("doc~")}},
		{"removed first", []func(string) error{write("doc.tmp", "new"), remove("doc"), rename("doc.tmp", "doc")}},
		{"truncated, then written", []func(string) error{write("doc", ""), write("doc", "new")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const pause = time.Second
			var b *bucketlite.Bucket
			var w *watching
			id, dir := "", ""
			for took := pause; took > pause/2; { // a slow machine makes a pause between two steps
				b, dir = syncBucket(t), t.TempDir()
				writeFiles(t, dir, map[string]string{"doc": "old text", "other": "O"})
				w = watchDir(t, b, dir, bucketlite.SyncOptions{Delete: true, Settle: pause})
				w.want("created doc", "created other")
				id = atPath(t, b, "doc").ID
				began := time.Now()
				for _, step := range test.steps {
					if err := step(dir); err != nil {
						t.Fatal(err)
					}
				}
				took = time.Since(began)
			}
			w.want("replaced doc")
			if got := atPath(t, b, "doc").ID; got != id {
				t.Errorf("got object %q, want %q", got, id)
			}
			if diff := cmp.Diff(map[string]string{"doc": "new", "other": "O"}, contents(t, b)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// A file that is written in pieces is stored when it is whole.
func TestSyncDirWaitsForWriters(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	const pause = time.Second
	w := watchDir(t, b, dir, bucketlite.SyncOptions{Settle: pause})
	var whole strings.Builder
	longest, last := time.Duration(0), time.Now()
	for i := range 20 {
		piece := strings.Repeat(string(rune('a'+i)), 10_000)
		f, err := os.OpenFile(filepath.Join(dir, "video"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(piece); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		whole.WriteString(piece)
		longest, last = max(longest, time.Since(last)), time.Now()
		time.Sleep(20 * time.Millisecond) // as a slow writer; it need not be exact
	}
	w.want("created video")
	for got := ""; got != whole.String(); got = content(t, b, atPath(t, b, "video")) {
		if got != "" && longest < pause/2 { // else the machine was slow, and the writer seemed to have ended
			t.Fatalf("got %d bytes, want all %d", len(got), whole.Len())
		} else if got != "" {
			w.want("replaced video")
		}
	}
}

// Nothing is deleted while the directory is away. Files that are gone when it is back are
// gone.
func TestSyncDirUnmounted(t *testing.T) {
	t.Parallel()
	b, disk := syncBucket(t), t.TempDir()
	dir, away := filepath.Join(disk, "mounted"), filepath.Join(disk, "away")
	writeFiles(t, dir, map[string]string{"a": "A", "b": "B", "c": "C"})
	w := watchDir(t, b, dir, bucketlite.SyncOptions{Delete: true})
	w.want("created a", "created b", "created c")
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if err := <-w.errors; !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("got %v, want ErrNotExist", err)
	}
	if err := os.Mkdir(dir, 0o777); err != nil { // the place where it is mounted
		t.Fatal(err)
	}
	if err := <-w.errors; !errors.Is(err, bucketlite.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
	if err := errors.Join(os.Remove(dir), os.Rename(away, dir), os.Remove(filepath.Join(dir, "b"))); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case <-w.errors: // a look between two of these steps
			continue
		case c := <-w.changes:
			if c.Action != bucketlite.SyncDeleted || c.Path != "b" {
				t.Errorf("got %+v, want b deleted", c)
			}
		}
		break
	}
	if diff := cmp.Diff(map[string]string{"a": "A", "c": "C"}, contents(t, b)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// A bucket that is gone ends the watch, and one that is locked does not.
func TestSyncDirBucketAway(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	failed, created := make(chan error, 100), make(chan string, 100)
	done := make(chan error)
	go func() {
		_, err := b.SyncDir(t.Context(), dir, &bucketlite.SyncOptions{
			Watch: true, Settle: settle, Interval: 50 * time.Millisecond,
			Failed:  func(err error) { failed <- err },
			Changed: func(c bucketlite.SyncChange) { created <- c.Path },
		})
		done <- err
	}()
	writeFiles(t, dir, map[string]string{"a": "A"})
	<-created
	if err := b.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"b": "B"})
	if err := <-failed; !errors.Is(err, bucketlite.ErrLocked) {
		t.Errorf("a locked bucket: got %v, want ErrLocked", err)
	}
	if err := b.Unlock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-created; got != "b" {
		t.Errorf("got %q stored, want b", got)
	}
	if _, err := b.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case <-failed: // ErrNotActive, if it was seen between
			continue
		case err := <-done:
			if !errors.Is(err, bucketlite.ErrNotFound) {
				t.Errorf("a deleted bucket: got %v, want ErrNotFound", err)
			}
		}
		break
	}
}
