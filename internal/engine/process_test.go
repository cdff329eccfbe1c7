package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// Many goroutines in many processes find no file and make it all at once.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	const processes, goroutines = 4, 4
	cfg := testConfig(newPath(t))
	var running []*child
	var want []string
	for p := range processes {
		name := strconv.Itoa(p)
		c := startChild(t, "open", cfg.Path, name, strconv.Itoa(goroutines))
		c.awaitReady(t)
		running = append(running, c)
		for g := range goroutines {
			want = append(want, fmt.Sprintf("%s-%d", name, g))
		}
	}
	for _, c := range running {
		c.stdin.Close()
	}
	for _, c := range running {
		c.wait(t)
	}
	if got := keys(t, openStore(t, cfg)); !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
	checkFile(t, cfg)
}

// childOpen opens the store in several goroutines, each of which writes one
// item and closes it.
func childOpen(args []string) error {
	path, name := args[0], args[1]
	goroutines, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	rendezvous()
	return atOnce(goroutines, func(g int) error {
		db, err := Open(context.Background(), testConfig(path))
		if err != nil {
			return err
		}
		defer db.Close()
		return db.Write(context.Background(), put(fmt.Sprintf("%s-%d", name, g)))
	})
}

// atOnce runs f in n goroutines and returns one of the errors, if any.
func atOnce(n int, f func(i int) error) error {
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		wg.Go(func() {
			if err := f(i); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

const (
	countProcesses  = 3
	countGoroutines = 8
	countIncrements = 50
)

func TestProcessesShareCounter(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	var running []*child
	for range countProcesses {
		c := startChild(t, "count", cfg.Path)
		c.awaitReady(t)
		running = append(running, c)
	}
	for _, c := range running {
		c.stdin.Close()
	}
	for _, c := range running {
		c.wait(t)
	}
	want := []string{strconv.Itoa(countProcesses * countGoroutines * countIncrements)}
	if got := column(t, db, "SELECT n FROM counter"); !slices.Equal(got, want) {
		t.Errorf("counter: got %s, want %s", got, want)
	}
}

// childCount increments the counter, and fails if a write or read does.
func childCount(args []string) error {
	db, err := Open(context.Background(), testConfig(args[0]))
	if err != nil {
		return err
	}
	defer db.Close()
	rendezvous()
	return atOnce(countGoroutines, func(int) error {
		for range countIncrements {
			if err := increment(db); err != nil {
				return err
			}
		}
		return nil
	})
}

// increment adds one to the counter by reading and writing it, and checks that
// a read sees no less afterwards.
func increment(db *DB) error {
	var written, seen int64
	ctx := context.Background()
	err := db.Write(ctx, func(tx *Tx) error {
		_, err := tx.QueryRow("SELECT n FROM counter", nil, func(r Row) { written = r.Int(0) + 1 })
		if err == nil {
			_, err = tx.Exec("UPDATE counter SET n = ?", written)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = db.Read(ctx, func(c *Conn) error {
		_, err := c.QueryRow("SELECT n FROM counter", nil, func(r Row) { seen = r.Int(0) })
		return err
	})
	if err == nil && seen < written {
		err = fmt.Errorf("counter: got %d after writing %d", seen, written)
	}
	return err
}

// Closing any descriptor of a file drops all locks the process has on it, so
// opening a store a second time must not open and close the file by itself.
func TestSecondStoreKeepsLocks(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	first := openStore(t, cfg)
	mustPut(t, first, "a")
	openStore(t, cfg).Close()
	startChild(t, "exclusive", cfg.Path).wait(t)
	mustPut(t, first, "b")
}

// childExclusive fails if it gets the file for itself.
func childExclusive(args []string) error {
	loc, _, err := locate(args[0], false)
	if err != nil {
		return err
	}
	c, err := connect(loc.uri)
	if err != nil {
		return err
	}
	defer c.close()
	if mode, err := c.pragma("journal_mode = DELETE"); err == nil {
		return fmt.Errorf("journal mode: got %q, want it refused", mode)
	}
	return nil
}
