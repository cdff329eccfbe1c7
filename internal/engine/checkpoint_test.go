package engine

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// writePages commits n times, some four pages at a time.
func writePages(t testing.TB, db *DB, n int) {
	t.Helper()
	for range n {
		err := db.Write(context.Background(), func(tx *Tx) error {
			_, err := tx.Exec("INSERT INTO item (k, v) VALUES (hex(randomblob(8)), randomblob(2000))")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Beside commits the log is copied into the file, and begun anew before it is long.
func TestCheckpointsBesideCommits(t *testing.T) {
	t.Parallel()
	for name, level := range map[string]Synchronous{"normal": Normal, "full": Full} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newFile(t))
			cfg.Synchronous = level
			db := openStore(t, cfg)
			longest := int64(0)
			for range 100 {
				writePages(t, db, 100)
				longest = max(longest, logSize(t, cfg.Path))
			}
			if longest > MaxLog {
				t.Errorf("log: got %d bytes at most, want %d or less", longest, MaxLog)
			}
			if info, err := os.Stat(cfg.Path); err != nil || info.Size() < 16<<20 {
				t.Errorf("file: got %v, %v, want most of the 20 MiB that were written", info.Size(), err)
			}
		})
	}
}

// Closing waits for a checkpoint, and loses nothing.
func TestCloseAmidCheckpoints(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	const rounds, each = 20, 120
	for range rounds {
		db, err := Open(context.Background(), testConfig(path))
		if err != nil {
			t.Fatal(err)
		}
		writePages(t, db, each)
		db.writer.checkpoints.begin()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path + "-wal"); err == nil {
			t.Fatalf("log after Close: got %d bytes, want none", info.Size())
		}
	}
	db := openStore(t, testConfig(path))
	if got := len(keys(t, db)); got != rounds*each {
		t.Errorf("got %d items, want %d", got, rounds*each)
	}
}

// Several stores on one file, each with checkpoints of its own, see each other's commits.
func TestCheckpointsOfSeveralStores(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	var stores []*DB
	for range 3 {
		stores = append(stores, openStore(t, testConfig(path)))
	}
	const each = 1500
	var failed atomic.Int32
	ended := make(chan struct{}, len(stores))
	for s, db := range stores {
		go func() {
			defer func() { ended <- struct{}{} }()
			for i := range each {
				if err := db.Write(context.Background(), put(fmt.Sprint(s, "-", i))); err != nil {
					t.Error(err)
					failed.Add(1)
					return
				}
				if i%100 == 0 {
					db.writer.checkpoints.begin()
				}
			}
		}()
	}
	for range stores {
		<-ended
	}
	for _, db := range stores {
		if got := len(keys(t, db)); failed.Load() == 0 && got != len(stores)*each {
			t.Errorf("got %d items, want %d", got, len(stores)*each)
		}
	}
}

// After a refusal nothing more is copied: the files stay as they are.
func TestNoCheckpointAfterRefusal(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	writePages(t, db, 10)
	db.writer.stop(os.ErrInvalid)
	before, err := os.ReadFile(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	db.writer.checkpoints.begin()
	waitFor(t, time.Second, func() bool { return len(db.writer.checkpoints.running) == 0 })
	after, err := os.ReadFile(cfg.Path)
	if err != nil || string(after) != string(before) {
		t.Errorf("the file has changed: %v", err)
	}
}

// A checkpoint that waits for the turn copies nothing after a refusal that came meanwhile.
func TestRefusalAmidCheckpoint(t *testing.T) {
	t.Parallel()
	db := openStore(t, testConfig(newFile(t)))
	writePages(t, db, 10)
	w := db.writer
	w.turn <- struct{}{}
	log := func() logState {
		s, err := w.conn.checkpoint("NOOP")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.checkpoints.begin()
	waitFor(t, 10*time.Second, func() bool { s := log(); return s.copied == s.pages })
	if _, err := w.conn.Exec("INSERT INTO item (k, v) VALUES ('last', zeroblob(100000))"); err != nil {
		t.Fatal(err)
	}
	want := log()
	w.stop(os.ErrInvalid)
	<-w.turn
	waitFor(t, 10*time.Second, func() bool { return len(w.checkpoints.running) == 0 })
	if got := log(); got != want || got.copied == got.pages {
		t.Errorf("log: got %+v, want %+v", got, want)
	}
}

// waitFor waits until a condition holds.
func waitFor(t testing.TB, most time.Duration, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(most); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not hold after %v", most)
		}
	}
}
