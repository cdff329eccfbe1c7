//go:build unix

package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// move renames a file, or fails the test.
func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// remove deletes a file, or fails the test.
func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// What SQLite writes goes into the files it has open, whatever their names lead to.
func TestVanishedFile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(t *testing.T, path string)
	}{
		{"deleted", func(t *testing.T, path string) { remove(t, path) }},
		{"deleted with its log", func(t *testing.T, path string) { remove(t, path); remove(t, path+"-wal") }},
		{"moved", func(t *testing.T, path string) { move(t, path, path+".old") }},
		{"replaced", func(t *testing.T, path string) {
			copyFile(t, path, path+".new")
			move(t, path+".new", path)
		}},
		{"swapped for a link", func(t *testing.T, path string) {
			copyFile(t, path, path+".other")
			remove(t, path)
			if err := os.Symlink(path+".other", path); err != nil {
				t.Fatal(err)
			}
		}},
		{"swapped for a link to itself", func(t *testing.T, path string) {
			remove(t, path)
			if err := os.Symlink(path, path); err != nil {
				t.Fatal(err)
			}
		}},
		{"directory moved", func(t *testing.T, path string) { move(t, filepath.Dir(path), filepath.Dir(path)+".old") }},
		{"directory swapped for a file", func(t *testing.T, path string) {
			move(t, filepath.Dir(path), filepath.Dir(path)+".old")
			writeFile(t, filepath.Dir(path), nil)
		}},
		{"log deleted", func(t *testing.T, path string) { remove(t, path+"-wal") }},
		{"log replaced", func(t *testing.T, path string) {
			copyFile(t, path+"-wal", path+".new")
			move(t, path+".new", path+"-wal")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			cfg := testConfig(newFile(t))
			db := openStore(t, cfg)
			mustPut(t, db, "a")
			keys(t, db) // opens a connection that reads
			checkError(t, "Err before", db.Err(), nil)
			test.do(t, cfg.Path)

			checkError(t, "write", db.Write(ctx, put("b")), ErrOutcomeUnknown)
			err := db.Write(ctx, put("later"))
			checkError(t, "later write", err, ErrReadOnly)
			checkError(t, "later write", err, errVanished)
			checkError(t, "Err after", db.Err(), errVanished)
			keys(t, db) // reading continues
		})
	}
}

// The whole group learns of it, and what waits behind is refused.
func TestVanishedFileInGroup(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	remove(t, cfg.Path)
	for i, err := range together(db, put("b"), func(*Tx) error { return errTest }, put("c")) {
		if !errors.Is(err, ErrReadOnly) { // on a busy machine they are not one group
			checkError(t, fmt.Sprintf("operation %d", i), err, ErrOutcomeUnknown)
		}
	}
}

// Err notices before any write does, and nothing is written afterwards.
func TestErrNoticesVanishedFile(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	move(t, cfg.Path, cfg.Path+".old")
	checkError(t, "Err", db.Err(), errVanished)
	checkError(t, "Write", db.Write(context.Background(), put("a")), ErrReadOnly)
	move(t, cfg.Path+".old", cfg.Path)
	if got := keys(t, openStore(t, cfg)); len(got) > 0 {
		t.Errorf("keys: got %q, want none", got)
	}
}

func TestErr(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		checkError(t, "open", db.Err(), nil)
		db.Close()
		checkError(t, "closed", db.Err(), ErrClosed)
	})
	cfg := testConfig(newFile(t))
	cfg.ReadOnly = true
	db := openStore(t, cfg)
	remove(t, cfg.Path)
	checkError(t, "read-only", db.Err(), nil)
}

// A file that is back when it is looked for has not vanished.
func TestFileMovedAndBack(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	mustPut(t, db, "a")
	move(t, cfg.Path, cfg.Path+".old")
	move(t, cfg.Path+".old", cfg.Path)
	mustPut(t, db, "b")
	if got, want := keys(t, db), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
}

// Connections that read are opened as they are needed, by the file's name.
func TestReaderOfReplacedFile(t *testing.T) {
	t.Parallel()
	for _, readOnly := range []bool{false, true} {
		t.Run(fmt.Sprintf("read-only %t", readOnly), func(t *testing.T) {
			t.Parallel()
			other := testConfig(newFile(t))
			db := openStore(t, other)
			mustPut(t, db, "of another store")
			db.Close()

			cfg := testConfig(newFile(t))
			cfg.ReadOnly = readOnly
			db = openStore(t, cfg)
			move(t, other.Path, cfg.Path)
			err := db.Read(context.Background(), func(c *Conn) error {
				found, err := c.QueryRow("SELECT 1 FROM item", nil, nil)
				if found {
					t.Error("found an item of another file")
				}
				return err
			})
			checkError(t, "Read", err, errVanished)
		})
	}
}

// Closing a store whose file was replaced leaves the other file alone.
func TestCloseLeavesOtherFile(t *testing.T) {
	t.Parallel()
	for _, readOnly := range []bool{false, true} {
		t.Run(fmt.Sprintf("read-only %t", readOnly), func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newFile(t))
			source := openStore(t, cfg)
			mustPut(t, source, "a")
			last := cfg
			last.ReadOnly = readOnly
			db := openStore(t, last)
			keys(t, db)
			writeFile(t, cfg.Path+".new", []byte("another file"))
			move(t, cfg.Path+".new", cfg.Path)
			source.Close()
			before := listing(t, filepath.Dir(cfg.Path))
			db.Close()
			after := listing(t, filepath.Dir(cfg.Path))
			if got, want := after["test.db"], before["test.db"]; got != want {
				t.Errorf("the other file: got %q, want %q", got, want)
			}
			if got, want := after["test.db-wal"], before["test.db-wal"]; got != want {
				t.Errorf("the log: got %d bytes, want the %d that were there", len(got), len(want))
			}
		})
	}
}

// Two names of one file have two logs.
func TestOpenLinkedFile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		readOnly, allow bool
		want            error
	}{
		{name: "refused", want: ErrLinked},
		{name: "refused, read-only", readOnly: true, want: ErrLinked},
		{name: "allowed", allow: true},
		{name: "allowed, read-only", readOnly: true, allow: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newFile(t))
			if err := os.Link(cfg.Path, cfg.Path+".link"); err != nil {
				t.Fatal(err)
			}
			cfg.ReadOnly, cfg.AllowLinks = test.readOnly, test.allow
			if test.want != nil {
				checkRefused(t, cfg, test.want)
				return
			}
			keys(t, openStore(t, cfg))
		})
	}
	t.Run("linked while open", func(t *testing.T) {
		t.Parallel()
		cfg := testConfig(newFile(t))
		db := openStore(t, cfg)
		if err := os.Link(cfg.Path, cfg.Path+".link"); err != nil {
			t.Fatal(err)
		}
		mustPut(t, db, "a") // a link is refused by Open alone
		checkError(t, "Err", db.Err(), nil)
	})
}
