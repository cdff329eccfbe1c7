package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func init() { children["stay open"] = childStayOpen }

// checkLog checks whether the files that SQLite makes beside path are there.
func checkLog(t *testing.T, path string, want bool) {
	t.Helper()
	for _, side := range []string{path + "-wal", path + "-shm"} {
		if _, err := os.Stat(side); (err == nil) != want {
			t.Errorf("%q: got %t, %v, want %t", filepath.Base(side), err == nil, err, want)
		}
	}
}

// checkWhole checks that the file by itself, without its log, has the keys.
func checkWhole(t *testing.T, cfg Config, want ...string) {
	t.Helper()
	copied := testConfig(newPath(t))
	copyFile(t, cfg.Path, copied.Path)
	if got := keys(t, openStore(t, copied)); !slices.Equal(got, want) {
		t.Errorf("keys of the file without its log: got %q, want %q", got, want)
	}
}

// A new file is whole by itself before anything closes it.
func TestCreationIsInTheFile(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	openStore(t, cfg)
	checkWhole(t, cfg)
}

// The last store to close removes the log, whether it could write or not.
func TestLastCloseRemovesLog(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		stores []string // in the order of opening and of closing
	}{
		{"writer", []string{"writer"}},
		{"reader alone", []string{"reader"}},
		{"reader last", []string{"writer", "reader"}},
		{"writer last", []string{"reader", "writer"}},
		{"readers last", []string{"writer", "reader", "reader"}},
		{"writers", []string{"writer", "writer"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newPath(t))
			first := openStore(t, cfg)
			mustPut(t, first, "a")
			first.Close()
			var open []*DB
			want := []string{"a"}
			for i, kind := range test.stores {
				cfg := cfg
				cfg.ReadOnly = kind != "writer"
				db := openStore(t, cfg)
				open = append(open, db)
				if kind == "writer" {
					want = append(want, fmt.Sprint("b", i))
					mustPut(t, db, fmt.Sprint("b", i))
				}
				keys(t, db)
			}
			for i, db := range open {
				checkLog(t, cfg.Path, true)
				checkError(t, "Close", db.Close(), nil)
				if test.stores[i] == "writer" {
					checkWhole(t, cfg, want...)
				}
			}
			checkLog(t, cfg.Path, false)
			checkWhole(t, cfg, want...)
		})
	}
}

// A store of another process keeps the log, but not its content.
func TestCloseBesideAnotherProcess(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	other := startChild(t, "stay open", cfg.Path)
	other.awaitReady(t)
	mustPut(t, db, "a")
	checkError(t, "Close", db.Close(), nil)
	checkLog(t, cfg.Path, true)
	checkWhole(t, cfg, "a")
	other.wait(t)
	checkLog(t, cfg.Path, false)
	checkWhole(t, cfg, "a")
}

// childStayOpen reads, and closes when it is told to.
func childStayOpen(args []string) error {
	cfg := testConfig(args[0])
	cfg.ReadOnly = true
	db, err := Open(context.Background(), cfg)
	if err != nil {
		return err
	}
	err = db.Read(context.Background(), func(c *Conn) error {
		_, err := c.QueryRow("SELECT 1 FROM item", nil, nil)
		return err
	})
	rendezvous()
	return errors.Join(err, db.Close())
}

// A reader amid a transaction pins the log. Close gives up on it, and whoever
// closes last has it all.
func TestCloseWhilePinned(t *testing.T) {
	t.Parallel()
	for _, readOnly := range []bool{false, true} {
		t.Run(fmt.Sprintf("read-only %t", readOnly), func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newFile(t))
			db := openStore(t, cfg)
			mustPut(t, db, "a")
			reader := foreign(t, cfg.Path)
			mustExec(t, reader, "BEGIN; SELECT * FROM item")
			mustPut(t, db, "b")
			last := cfg
			last.ReadOnly = readOnly
			closing := openStore(t, last)
			checkError(t, "Close of the first", db.Close(), nil)
			start := time.Now()
			checkError(t, "Close of the last", closing.Close(), nil)
			if took := time.Since(start); took > 20*checkpointTime {
				t.Errorf("Close took %v, want about %v", took, checkpointTime)
			}
			checkLog(t, cfg.Path, true)
			mustExec(t, reader, "COMMIT")
			if got, want := keys(t, openStore(t, cfg)), []string{"a", "b"}; !slices.Equal(got, want) {
				t.Errorf("keys: got %q, want %q", got, want)
			}
		})
	}
}

// Of stores that close at the same moment, each may hinder the others.
func TestCloseAtOnce(t *testing.T) {
	t.Parallel()
	const rounds, stores = 20, 4
	cfg := testConfig(newFile(t))
	for range rounds {
		var open []*DB
		for i := range stores {
			cfg := cfg
			cfg.ReadOnly = i%2 == 1
			db := openStore(t, cfg)
			keys(t, db)
			open = append(open, db)
		}
		checkError(t, "Close", atOnce(stores, func(i int) error { return open[i].Close() }), nil)
		checkLog(t, cfg.Path, false)
	}
}

// A refused read-only open leaves no log either.
func TestRefusedReadOnlyLeavesNoLog(t *testing.T) {
	t.Parallel()
	old := testConfig(newPath(t))
	old.Migrations = old.Migrations[:1]
	openStore(t, old).Close()
	cfg := testConfig(old.Path)
	cfg.ReadOnly = true
	checkRefused(t, cfg, ErrOlder)
}
