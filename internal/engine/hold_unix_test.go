//go:build unix

package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

func init() { children["hold"] = childHold }

func holdConfig(path string) Config {
	cfg := testConfig(path)
	cfg.HoldSnapshots = true
	return cfg
}

// holding returns how many connections hold a snapshot.
func holding(db *DB) int64 { return db.readers.hold.holding.Load() }

// countItems returns how many items a short read sees.
func countItems(t testing.TB, db *DB) (n int64) {
	t.Helper()
	err := db.Read(context.Background(), func(c *Conn) error {
		_, err := c.QueryRow("SELECT count(*) FROM item", nil, func(r Row) { n = r.Int(0) })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Reads that follow each other have one snapshot, and see each commit at once, of whatever
// store.
func TestHoldSeesCommits(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db, other := openStore(t, holdConfig(path)), openStore(t, testConfig(path))
	countItems(t, db) // maps the header
	held := int64(0)
	for i := range int64(600) {
		if got := countItems(t, db); got != i {
			t.Fatalf("before write %d: got %d items", i, got)
		}
		held += holding(db)
		by := db
		switch i % 3 {
		case 1:
			by = other
		case 2:
			countItems(t, db) // the write comes between reads
		}
		mustPut(t, by, fmt.Sprint(i))
	}
	if held == 0 {
		t.Error("no snapshot was held")
	}
}

// Readers and writers at once, in two stores on one file: a read sees at least what was
// acknowledged before it.
func TestHoldBesideWriters(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	stores := []*DB{openStore(t, holdConfig(path)), openStore(t, holdConfig(path))}
	const each = 400
	err := atOnce(2*len(stores), func(g int) error {
		db, mine := stores[g%len(stores)], fmt.Sprintf("%d-", g)
		for i := range each {
			if err := db.Write(context.Background(), put(mine+fmt.Sprint(i))); err != nil {
				return err
			}
			for _, db := range stores {
				seen := int64(0)
				err := db.Read(context.Background(), func(c *Conn) error {
					_, err := c.QueryRow("SELECT count(*) FROM item WHERE k GLOB ?", []any{mine + "*"}, func(r Row) { seen = r.Int(0) })
					return err
				})
				if err == nil && seen != int64(i+1) {
					err = fmt.Errorf("%s%d: got %d items, want %d", mine, i, seen, i+1)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A snapshot without use ends.
func TestHoldEnds(t *testing.T) {
	t.Parallel()
	db := openStore(t, holdConfig(newFile(t)))
	mustPut(t, db, "a")
	waitFor(t, 5*time.Second, func() bool { // unless the test itself is stopped for so long
		countItems(t, db)
		return holding(db) == 1
	})
	waitFor(t, 5*time.Second, func() bool { return holding(db) == 0 })
	if got := countItems(t, db); got != 1 {
		t.Errorf("got %d items, want 1", got)
	}
}

// A snapshot that SQLite itself has ended is not used for further reads, even if the read
// that met the error continued.
func TestHoldRolledBack(t *testing.T) {
	t.Parallel()
	db := openStore(t, holdConfig(newFile(t)))
	mustPut(t, db, "a")
	waitFor(t, 5*time.Second, func() bool {
		countItems(t, db) // maps the header
		return holding(db) == 1
	})
	err := db.Read(context.Background(), func(c *Conn) error { return c.script("ROLLBACK") })
	if err != nil {
		t.Fatal(err)
	}
	err = db.Read(context.Background(), func(c *Conn) error {
		for _, key := range []string{"b", "c"} {
			var got int64
			if _, err := c.QueryRow("SELECT count(*) FROM item", nil, func(r Row) { got = r.Int(0) }); err != nil || got != 1 {
				t.Errorf("before put %q: got %d items, %v, want 1", key, got, err)
			}
			mustPut(t, db, key)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if got := countItems(t, db); got != 3 {
		t.Errorf("got %d items, want 3", got)
	}
}

// Steady reads change their snapshot now and then, although nobody commits: the writer of
// another process may wait for that, in order to empty the log.
func TestHoldEndsBesideReads(t *testing.T) {
	t.Parallel()
	db := openStore(t, holdConfig(newFile(t)))
	mustPut(t, db, "a")
	countItems(t, db) // maps the header
	begun := make(map[time.Time]bool)
	reads := 0
	for start := time.Now(); time.Since(start) < 20*holdTime; reads++ {
		err := db.Read(context.Background(), func(c *Conn) error {
			begun[c.held.began] = true
			_, err := c.QueryRow("SELECT max(k) FROM item", nil, nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(begun) < 2 || len(begun) > 21 {
		t.Errorf("%d reads: got %d snapshots, want 2 to 21", reads, len(begun))
	}
}

// A snapshot that others would wait for is not held.
func TestHoldLetsGo(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(t *testing.T, db *DB){
		"the log is emptied": func(t *testing.T, db *DB) {
			if ok, err := db.EmptyLog(0); !ok || err != nil {
				t.Errorf("empty the log: got %t, %v, want true", ok, err)
			}
		},
		"backup": func(t *testing.T, db *DB) {
			to := newPath(t)
			if err := os.WriteFile(to, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := db.Backup(context.Background(), to, func(int64, int64) {}); err != nil {
				t.Error(err)
			}
		},
		"a read fails": func(t *testing.T, db *DB) {
			if err := db.Read(context.Background(), func(*Conn) error { return errTest }); !errors.Is(err, errTest) {
				t.Errorf("got %v", err)
			}
		},
		"a read panics": func(t *testing.T, db *DB) {
			defer func() { recover() }()
			db.Read(context.Background(), func(*Conn) error { panic("test") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := holdConfig(newFile(t))
			cfg.Readers = 1
			db := openStore(t, cfg)
			mustPut(t, db, "a")
			countItems(t, db)
			do(t, db)
			if holding(db) != 0 {
				t.Errorf("got %d snapshots, want none", holding(db))
			}
			if got := countItems(t, db); got != 1 {
				t.Errorf("got %d items, want 1", got)
			}
		})
	}
}

// Where there is no mark nothing is held.
func TestHoldWithoutMark(t *testing.T) {
	t.Parallel()
	plain := holdConfig(newFile(t))
	plain.PlainIO = true
	for name, cfg := range map[string]Config{"memory": holdConfig(Memory), "PlainIO": plain} {
		t.Run(name, func(t *testing.T) {
			db := openStore(t, cfg)
			mustPut(t, db, "a")
			if got := countItems(t, db); got != 1 || db.readers.hold != nil {
				t.Errorf("got %d items and a holder %v, want 1 and none", got, db.readers.hold)
			}
		})
	}
}

// Reads within a call that takes a snapshot by itself are of the moment of that call.
func TestHoldWithSnapshot(t *testing.T) {
	t.Parallel()
	db := openStore(t, holdConfig(newFile(t)))
	mustPut(t, db, "a")
	countItems(t, db)
	err := db.Read(context.Background(), func(c *Conn) error {
		return c.Snapshot(func() error {
			for range 2 {
				n := int64(0)
				if _, err := c.QueryRow("SELECT count(*) FROM item", nil, func(r Row) { n = r.Int(0) }); err != nil || n != 1 {
					t.Errorf("got %d items, %v, want 1", n, err)
				}
				mustPut(t, db, fmt.Sprint(time.Now().UnixNano()))
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := countItems(t, db); got != 3 {
		t.Errorf("got %d items, want 3", got)
	}
}

// Steady reads that hold their snapshots do not keep the log from being emptied.
func TestHoldBesideTheLog(t *testing.T) {
	t.Parallel()
	cfg := holdConfig(newFile(t))
	db := openStore(t, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() {
			var err error
			for ctx.Err() == nil && err == nil {
				err = db.Read(context.Background(), func(c *Conn) error {
					_, err := c.QueryRow("SELECT max(k) FROM item", nil, nil)
					return err
				})
			}
			ended <- err
		}()
	}
	longest := int64(0)
	for range 80 {
		writeMiB(t, db, 1)
		longest = max(longest, logSize(t, cfg.Path))
	}
	cancel()
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if want := int64(64 << 20); longest > want {
		t.Errorf("log after 80 MiB: got %d bytes at most, want %d or less", longest, want)
	}
}

// A process that is stopped between reads holds back the log of others and nothing else.
// When it continues, it sees what they have written.
func TestHoldStopped(t *testing.T) {
	t.Parallel()
	cfg := holdConfig(newFile(t))
	db := openStore(t, cfg)
	mustPut(t, db, "0")
	child := startChild(t, "hold", cfg.Path)
	child.awaitReady(t)
	signal := func(s syscall.Signal) {
		if err := child.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	writeMiB(t, db, 20)
	if got := countItems(t, db); got != 21 {
		t.Errorf("beside the stopped process: got %d items, want 21", got)
	}
	signal(syscall.SIGCONT)
	child.wait(t)
	waitFor(t, 10*time.Second, func() bool {
		ok, err := db.EmptyLog(0)
		return ok && err == nil
	})
}

// childHold reads without a pause until it has seen 21 items.
func childHold(args []string) error {
	db, err := Open(context.Background(), holdConfig(args[0]))
	if err != nil {
		return err
	}
	defer db.Close()
	read := func() (n int64, err error) {
		err = db.Read(context.Background(), func(c *Conn) error {
			_, err := c.QueryRow("SELECT count(*) FROM item", nil, func(r Row) { n = r.Int(0) })
			return err
		})
		return n, err
	}
	if _, err := read(); err != nil {
		return err
	}
	fmt.Println("ready")
	for deadline := time.Now().Add(time.Minute); ; {
		n, err := read()
		switch {
		case err != nil:
			return err
		case n == 21:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("got %d items after a minute, want 21", n)
		}
	}
}
