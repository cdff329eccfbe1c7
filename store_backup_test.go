package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// backUp writes a copy of the store to a new file, and returns its path.
func backUp(t *testing.T, st *bucketlite.Store, opts *bucketlite.BackupOptions) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := st.Backup(context.Background(), path, opts); err != nil {
		t.Fatal(err)
	}
	return path
}

// namesIn returns the names of the files in a directory.
func namesIn(t *testing.T, directory string) []string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A copy holds everything there is, is one file, and is a store like any other.
func TestBackup(t *testing.T) {
	t.Parallel()
	sound := newChecked(t)
	for kind, st := range map[string]*bucketlite.Store{
		"file":      storetest.OpenPath(t, storetest.CopyFile(t, sound)),
		"read-only": storetest.OpenPath(t, storetest.CopyFile(t, sound), &bucketlite.Options{ReadOnly: true}),
		"memory":    storetest.OpenMemory(t),
		"empty":     storetest.Open(t),
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			if kind == "memory" {
				storetest.PutItem(t, storetest.Items(t, st), storetest.ItemWithDoc("a", "text"))
				storetest.Put(t, storetest.Films(t, st), storetest.FilmInput("film", bytes.NewReader(checkedFilm)), "")
			}
			path := backUp(t, st, nil)
			if got := namesIn(t, filepath.Dir(path)); !slices.Equal(got, []string{"copy.db"}) {
				t.Errorf("files: got %v, want the copy alone", got)
			}
			storetest.WantSound(t, path)
			readOnly := storetest.OpenPath(t, path, &bucketlite.Options{ReadOnly: true})
			if want, got := storetest.WantNoProblem(t, st), storetest.WantNoProblem(t, readOnly); got.Objects != want.Objects || got.ContentBytes != want.ContentBytes {
				t.Errorf("copy: got %+v, want %+v", got, want)
			}
			if err := readOnly.Close(); err != nil {
				t.Fatal(err)
			}
			again := storetest.OpenPath(t, path)
			if kind == "empty" {
				storetest.Items(t, again)
				return
			}
			b, err := storetest.Namespace(t, st).Bucket(ctx, "items")
			if err != nil {
				t.Fatal(err)
			}
			copied, err := storetest.Namespace(t, again).Bucket(ctx, "items")
			if err != nil {
				t.Fatal(err)
			}
			storetest.WantSnapshot(t, copied, storetest.Snapshot(t, b))
			storetest.PutItem(t, copied, storetest.ItemWithDoc("new", "more text"))
			storetest.WantSound(t, path)
		})
	}
}

// Objects that are written meanwhile are in the copy as of one moment: both of a pair,
// or none.
func TestBackupAmidWrites(t *testing.T) {
	t.Parallel()
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "a.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
			pairs := storetest.Bucket(t, st, storetest.ItemsConfig("pairs"))
			stop := writeBusily(t, st)
			done := make(chan struct{})
			written := make(chan error)
			go func() {
				written <- func() error {
					for i := 0; ; i++ {
						select {
						case <-done:
							return nil
						default:
						}
						v := fmt.Sprint(i)
						pair := []bucketlite.ObjectInput{storetest.Item("left", v), storetest.Item("right", v), storetest.Item("l"+v, v), storetest.Item("r"+v, v)}
						if err := storetest.PutManyError(pairs.PutMany(ctx, pair, &bucketlite.PutManyOptions{Atomic: true})); err != nil {
							return err
						}
					}
				}()
			}()
			for range 4 {
				before := storetest.MustStats(t, pairs).ObjectCount
				copied := backUp(t, st, nil)
				storetest.WantSound(t, copied)
				b, err := storetest.Namespace(t, storetest.OpenPath(t, copied)).Bucket(ctx, "pairs")
				if err != nil {
					t.Fatal(err)
				}
				values := make(map[any]int)
				count := int64(0)
				for o, err := range b.Objects(ctx, bucketlite.Query{}) {
					if err != nil {
						t.Fatal(err)
					}
					values[o.Fields["v"]]++
					count++
				}
				for v, n := range values {
					if n%2 != 0 {
						t.Errorf("pair %v: got %d objects of it", v, n)
					}
				}
				if count < before {
					t.Errorf("got %d objects, want the %d that were there before", count, before)
				}
			}
			close(done)
			if err := <-written; err != nil {
				t.Error(err)
			}
			stop()
		})
	}
}

// Progress rises to the total, which is the size of the copy, and may use the store.
func TestBackupProgress(t *testing.T) {
	t.Parallel()
	for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			storetest.Put(t, storetest.Films(t, st), storetest.FilmInput("a", bytes.NewReader(storetest.Film(1, 9*storetest.MiB))), "")
			var last, of int64
			path := backUp(t, st, &bucketlite.BackupOptions{Progress: func(done, total int64) {
				if done <= last || done > total || of != 0 && of != total {
					t.Errorf("progress: got %d of %d after %d of %d", done, total, last, of)
				}
				last, of = done, total
				if _, err := st.Stats(context.Background()); err != nil {
					t.Error(err)
				}
			}})
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if last != info.Size() || of != info.Size() {
				t.Errorf("in the end: got %d of %d, want %d", last, of, info.Size())
			}
		})
	}
}

// A copy that is not finished leaves nothing behind.
func TestBackupEndsEarly(t *testing.T) {
	t.Parallel()
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "a.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenPath(t, path)
			b := storetest.Films(t, st)
			storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(storetest.Film(1, 40*storetest.MiB))), "")
			directory := t.TempDir()
			target := filepath.Join(directory, "copy.db")
			wantNothing := func(err, want error) {
				t.Helper()
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				if got := namesIn(t, directory); len(got) > 0 {
					t.Errorf("files: got %v, want none", got)
				}
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			wantNothing(st.Backup(ctx, target, nil), context.Canceled)

			// Copying waits for nobody, and may be over before it is cancelled.
			ctx, cancel = context.WithCancel(context.Background())
			err := st.Backup(ctx, target, &bucketlite.BackupOptions{Progress: func(done, total int64) { cancel() }})
			if err == nil {
				if err := os.Remove(target); err != nil {
					t.Error(err)
				}
			} else {
				wantNothing(err, context.Canceled)
			}
			func() {
				defer func() {
					if recover() == nil {
						t.Error("a panic of Progress: got none")
					}
				}()
				st.Backup(context.Background(), target, &bucketlite.BackupOptions{Progress: func(int64, int64) { panic("progress") }})
			}()
			wantNothing(nil, nil)
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			wantNothing(st.Backup(context.Background(), target, nil), bucketlite.ErrClosed)
		})
	}
}

func TestBackupRefusals(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	source := filepath.Join(directory, "source.db")
	st := storetest.OpenPath(t, source)
	storetest.PutItem(t, storetest.Items(t, st), storetest.Item("a", ""))
	inDirectory := func(name string) string { return filepath.Join(directory, name) }
	for _, name := range []string{"file.db", "beside.db-wal", "beside2.db-journal", "beside3.db-shm"} {
		if err := os.WriteFile(inDirectory(name), []byte("something"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(inDirectory("directory"), 0o777); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		path string
		want error
	}{
		"nothing":            {"", bucketlite.ErrBadRequest},
		"memory":             {":memory:", bucketlite.ErrBadRequest},
		"NUL":                {"a\x00b", bucketlite.ErrBadRequest},
		"the store itself":   {source, bucketlite.ErrExists},
		"its log":            {source + "-wal", bucketlite.ErrExists},
		"its journal":        {source + "-journal", bucketlite.ErrBadRequest},
		"its journal, again": {inDirectory("directory/../SOURCE.db-journal"), bucketlite.ErrBadRequest},
		"a file":             {inDirectory("file.db"), bucketlite.ErrExists},
		"a directory":        {inDirectory("directory"), bucketlite.ErrExists},
		"with a log":         {inDirectory("beside.db"), bucketlite.ErrExists},
		"with a journal":     {inDirectory("beside2.db"), bucketlite.ErrExists},
		"with an index":      {inDirectory("beside3.db"), bucketlite.ErrExists},
		"no directory":       {inDirectory("none/copy.db"), os.ErrNotExist},
		"a name too long":    {inDirectory(strings.Repeat("n", 300)), nil},
	}
	before := namesIn(t, directory)
	for name, test := range tests {
		err := st.Backup(context.Background(), test.path, nil)
		if err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
		var conflict *bucketlite.ConflictError
		if got := errors.As(err, &conflict); got != (test.want == bucketlite.ErrExists) {
			t.Errorf("%s: got ConflictError %t", name, got)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "bucketlite: ") {
			t.Errorf("%s: got message %q, want it to begin with the package's name", name, err)
		}
	}
	if after := namesIn(t, directory); !slices.Equal(after, before) {
		t.Errorf("files: got %v, want %v", after, before)
	}
	storetest.WantSound(t, source)
}

// Only one of several that want a name gets it.
func TestBackupsAtOnce(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	storetest.PutItems(t, storetest.Items(t, st), 1000, 100)
	path := filepath.Join(t.TempDir(), "copy.db")
	const n = 4
	errs := make([]error, n)
	storetest.AtOnce(n, func(i int) error { errs[i] = st.Backup(context.Background(), path, nil); return nil })
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !errors.Is(err, bucketlite.ErrExists) {
			t.Errorf("got %v, want ErrExists", err)
		}
	}
	if made != 1 {
		t.Errorf("made: got %d, want 1", made)
	}
	if got := namesIn(t, filepath.Dir(path)); !slices.Equal(got, []string{"copy.db"}) {
		t.Errorf("files: got %v, want the copy alone", got)
	}
	storetest.WantSound(t, path)
}
