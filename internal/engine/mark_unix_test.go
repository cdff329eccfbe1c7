//go:build unix

package engine

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"testing"
)

func init() {
	children["mark"] = childMark
	children["spoil index"] = childSpoilIndex
}

// mustMark returns the mark, or fails the test.
func mustMark(t testing.TB, db *DB) Mark {
	t.Helper()
	m, ok := db.Mark()
	if !ok {
		t.Fatal("Mark: not ok")
	}
	return m
}

// noMark fails the test if there is a mark.
func noMark(t testing.TB, db *DB, when string) {
	t.Helper()
	if m, ok := db.Mark(); ok {
		t.Errorf("%s: got mark %v, want none", when, m)
	}
}

// A commit of anybody changes the mark, and nothing else that is read does.
func TestMark(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	mustPut(t, db, "a")
	other := openStore(t, cfg)
	readOnly := cfg
	readOnly.ReadOnly = true
	reader := openStore(t, readOnly)
	keys(t, reader)
	last := mustMark(t, db)
	tests := []struct {
		name    string
		do      func()
		changes bool
	}{
		{"nothing", func() {}, false},
		{"reads", func() { keys(t, db); keys(t, other); keys(t, reader) }, false},
		{"write of its own", func() { mustPut(t, db, "b") }, true},
		{"write without effect", func() { mustWrite(t, db, "DELETE FROM item WHERE k = 'none'") }, false},
		{"write of another store", func() { mustPut(t, other, "c") }, true},
		{"write of a store with PlainIO", func() {
			plain := cfg
			plain.PlainIO = true
			mustPut(t, openStore(t, plain), "d")
		}, true},
		{"write of another process", func() { startChild(t, "mark", cfg.Path).wait(t) }, true},
		{"failed write", func() { db.Write(context.Background(), func(*Tx) error { return errTest }) }, false},
		{"checkpoint", func() {
			if _, err := db.writer.conn.QueryRow("PRAGMA wal_checkpoint(PASSIVE)", nil, nil); err != nil {
				t.Error(err)
			}
		}, false},
		{"first write after a checkpoint", func() { mustPut(t, db, "e") }, true},
		{"write after the log was emptied", func() {
			if ok, err := db.EmptyLog(0); !ok || err != nil {
				t.Errorf("EmptyLog: got %t, %v", ok, err)
			}
			mustPut(t, other, "f")
		}, true},
	}
	for _, test := range tests {
		test.do()
		m := mustMark(t, db)
		if changed := m != last; changed != test.changes {
			t.Errorf("%s: got a new mark %t, want %t", test.name, changed, test.changes)
		}
		for _, db := range []*DB{other, reader} {
			if got := mustMark(t, db); got != m {
				t.Errorf("%s: got mark %v in another store, want %v", test.name, got, m)
			}
		}
		last = m
	}
}

// mustWrite runs one statement in a write of its own.
func mustWrite(t testing.TB, db *DB, statement string) {
	t.Helper()
	err := db.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec(statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// childMark writes once, and fails if its own mark does not change.
func childMark(args []string) error {
	db, err := Open(context.Background(), testConfig(args[0]))
	if err != nil {
		return err
	}
	defer db.Close()
	before, ok := db.Mark()
	if !ok {
		return fmt.Errorf("no mark after Open")
	}
	if err := db.Write(context.Background(), put("of a child")); err != nil {
		return err
	}
	if after, ok := db.Mark(); !ok || after == before {
		return fmt.Errorf("after a write: got mark %v, %t, want another than %v", after, ok, before)
	}
	return nil
}

// There is no mark where nothing is certain.
func TestNoMark(t *testing.T) {
	t.Parallel()
	memory := openStore(t, testConfig(Memory))
	noMark(t, memory, "memory")
	cfg := testConfig(newFile(t))
	plain := cfg
	plain.PlainIO = true
	noMark(t, openStore(t, plain), "PlainIO")

	db := openStore(t, cfg)
	mustMark(t, db)
	db.Close()
	noMark(t, db, "closed")

	cfg.ReadOnly = true
	reader := openStore(t, cfg)
	noMark(t, reader, "before the first read")
	keys(t, reader)
	mustMark(t, reader)
	reader.Close()
	noMark(t, reader, "read-only, closed")

	cfg = testConfig(newFile(t))
	vanishing := openStore(t, cfg)
	mustMark(t, vanishing)
	remove(t, cfg.Path)
	checkError(t, "Err", vanishing.Err(), errVanished)
	noMark(t, vanishing, "vanished")
}

// A reader that finds its mark unchanged would read the same again, while others write,
// move the log into the file and close their stores.
func TestMarkIsNeverTooOld(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	counter := func() (n int64) {
		err := db.Read(context.Background(), func(c *Conn) error {
			_, err := c.QueryRow("SELECT n FROM counter", nil, func(r Row) { n = r.Int(0) })
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return n
	}
	const writes = 150
	var acknowledged atomic.Int64
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			for i := range writes {
				writer := db
				if i%20 == 7 {
					other, err := Open(context.Background(), cfg)
					if err != nil {
						return err
					}
					writer = other
				}
				err := writer.Write(context.Background(), func(tx *Tx) error {
					_, err := tx.Exec("UPDATE counter SET n = n + 1")
					return err
				})
				if err != nil {
					return err
				}
				acknowledged.Add(1)
				if writer != db {
					writer.Close()
				}
				if i%50 == 49 {
					db.EmptyLog(0)
				}
			}
			return nil
		}()
	}()
	var cached int64
	var at Mark
	known, hits := false, 0
	for ended := false; !ended; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			ended = true
		default:
		}
		least := acknowledged.Load() // by now
		m, ok := db.Mark()
		if ok && known && m == at {
			hits++
			if cached < least {
				t.Fatalf("cached under an unchanged mark: got %d, want %d or more", cached, least)
			}
			continue
		}
		cached, at, known = counter(), m, ok
	}
	if got := counter(); got != writes {
		t.Errorf("counter: got %d, want %d", got, writes)
	}
	t.Logf("%d times the mark was unchanged", hits)
}

// A process that ends while it writes the header leaves two copies that differ. There is
// no mark until the index is recovered, and then it is right again.
func TestMarkAfterRecovery(t *testing.T) {
	t.Parallel()
	for _, copies := range []string{"first", "second", "both"} {
		t.Run(copies, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newFile(t))
			db := openStore(t, cfg)
			mustPut(t, db, "a")
			mustMark(t, db)
			startChild(t, "spoil index", cfg.Path, copies).wait(t)
			noMark(t, db, "spoiled")
			keys(t, db) // recovers the index
			recovered := mustMark(t, db)
			mustPut(t, db, "b")
			if m := mustMark(t, db); m == recovered {
				t.Errorf("after a write: got the mark of before, %v", m)
			}
			if got, want := keys(t, db), []string{"a", "b"}; !slices.Equal(got, want) {
				t.Errorf("keys: got %q, want %q", got, want)
			}
		})
	}
}

// childSpoilIndex clears copies of the header. It is a process of its own, since closing
// the file drops the locks of the process.
func childSpoilIndex(args []string) error {
	const size = 48
	f, err := os.OpenFile(args[0]+"-shm", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for i, name := range []string{"first", "second"} {
		if args[1] == name || args[1] == "both" {
			if _, err := f.WriteAt(make([]byte, size), int64(i*size)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Marks are read while the memory they are in is unmapped.
func TestMarkAtClose(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	for range 20 {
		db := openStore(t, cfg)
		mustPut(t, db, fmt.Sprint(db.loc.index))
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				if _, ok := db.Mark(); !ok {
					return
				}
			}
		}()
		db.Close()
		<-stopped
	}
}

func BenchmarkMark(b *testing.B) {
	db := newStore(b)
	mustPut(b, db, "a")
	want := mustMark(b, db)
	for b.Loop() {
		if got, ok := db.Mark(); !ok || got != want {
			b.Fatalf("got %v, %t, want %v", got, ok, want)
		}
	}
}
