package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func init() { children["stay open"] = childStayOpen }

func TestClose(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		mustPut(t, db, "a")
		keys(t, db)
		select {
		case <-db.Closing():
			t.Error("Closing before Close: got closed, want open")
		default:
		}
		for range 2 {
			checkError(t, "Close", db.Close(), nil)
			checkClosed(t, db)
		}
	})
}

// A store that nobody has used closes its connections like any other.
func TestCloseUnused(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		conn := db.writer.conn
		if conn == nil { // in memory: the connection is in the pool
			conn = db.readers.idle[0]
		}
		checkError(t, "Close", db.Close(), nil)
		if conn.stmts != nil {
			t.Error("connection: got open, want closed")
		}
		checkClosed(t, db)
	})
}

func TestCloseReadOnly(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	cfg.ReadOnly = true
	db := openStore(t, cfg)
	keys(t, db)
	for range 2 {
		checkError(t, "Close", db.Close(), nil)
		checkError(t, "Read", db.Read(context.Background(), func(*Conn) error { return nil }), ErrClosed)
	}
}

func checkClosed(t *testing.T, db *DB) {
	t.Helper()
	ctx := context.Background()
	ran := false
	checkError(t, "Write", db.Write(ctx, func(*Tx) error { ran = true; return nil }), ErrClosed)
	checkError(t, "Start", db.Start(ctx, func(*Tx) error { ran = true; return nil }).Wait(), ErrClosed)
	checkError(t, "Read", db.Read(ctx, func(*Conn) error { ran = true; return nil }), ErrClosed)
	if ran {
		t.Error("ran in a closed store: got true, want false")
	}
	select {
	case <-db.Closing():
	default:
		t.Error("Closing after Close: got open, want closed")
	}
}

// Whatever Close finds, a write is acknowledged and there, or refused and not.
func TestCloseAmidWrites(t *testing.T) {
	t.Parallel()
	const rounds, goroutines = 10, 8
	for range rounds {
		cfg := testConfig(newFile(t))
		db := openStore(t, cfg)
		var mu sync.Mutex
		acknowledged := []string{}
		written := make(chan struct{})
		var once sync.Once
		closed := make(chan error, 2)
		for range cap(closed) {
			go func() {
				<-written
				closed <- db.Close()
			}()
		}
		err := atOnce(goroutines, func(g int) error {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%06d", g, i)
				if err := db.Write(context.Background(), put(key)); errors.Is(err, ErrClosed) {
					return nil
				} else if err != nil {
					return err
				}
				once.Do(func() { close(written) })
				mu.Lock()
				acknowledged = append(acknowledged, key)
				mu.Unlock()
			}
		})
		checkError(t, "Write", err, nil)
		for range cap(closed) {
			checkError(t, "Close", <-closed, nil)
		}
		slices.Sort(acknowledged)
		if got := keys(t, openStore(t, cfg)); !slices.Equal(got, acknowledged) {
			t.Errorf("keys: got %d, want the %d acknowledged", len(got), len(acknowledged))
		}
	}
}

// The writer has ended, but Close has not: a write must not be queued for
// nobody. The test plays the first half of Close.
func TestWriteBetweenWriterAndClose(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	db.once.Do(func() { close(db.closing) })
	db.writer.close()
	checkError(t, "Write", db.Write(context.Background(), put("a")), ErrClosed)
	checkError(t, "Close", errors.Join(db.readers.close(), db.writer.conn.close()), nil)
}

// Who waits for another's lock does not keep Close waiting.
func TestCloseWhileLocked(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	unlock := lockFile(t, cfg.Path)
	var waiting []*Pending
	for i := range 10 {
		waiting = append(waiting, db.Start(context.Background(), put(fmt.Sprint(i))))
	}
	giveUp(t, "behind them", func(ctx context.Context) error { return db.Write(ctx, put("behind")) })
	checkError(t, "Close", db.Close(), nil)
	for i, p := range waiting {
		checkError(t, fmt.Sprintf("operation %d", i), p.Wait(), ErrClosed)
	}
	unlock()
	if got := keys(t, openStore(t, cfg)); len(got) > 0 {
		t.Errorf("keys: got %q, want none", got)
	}
}

// Close waits for what is inside SQLite.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	tests := []struct {
		name string
		run  func(db *DB, inside func(*Conn) error) error
	}{
		{"for a read", func(db *DB, inside func(*Conn) error) error { return db.Read(ctx, inside) }},
		{"for a write", func(db *DB, inside func(*Conn) error) error {
			return db.Write(ctx, func(tx *Tx) error { return inside(tx.Conn) })
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				db := openStore(t, cfg)
				mustPut(t, db, "a")
				running := make(chan struct{})
				var finished atomic.Bool
				verdict := make(chan error, 1)
				go func() {
					verdict <- test.run(db, func(c *Conn) error {
						close(running)
						<-db.Closing()
						// Give a Close that does not wait every chance.
						for range 100 {
							runtime.Gosched()
							if found, err := c.QueryRow("SELECT 1 FROM item WHERE k = 'a'", nil, nil); err != nil || !found {
								return fmt.Errorf("item: got %t, %w, want it found", found, err)
							}
						}
						finished.Store(true)
						return nil
					})
				}()
				<-running
				checkError(t, "Close", db.Close(), nil)
				if !finished.Load() {
					t.Error("finished before Close returned: got false, want true")
				}
				checkError(t, "verdict", <-verdict, nil)
			})
		})
	}
}

// Close ends the wait of who has no connection to read with yet, and of who has
// no group yet.
func TestCloseRefusesWaiting(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	eachKind(t, func(t *testing.T, cfg Config) {
		cfg.Readers = 1
		db := openStore(t, cfg)
		running := make(chan struct{})
		reader := make(chan error, 1)
		go func() {
			reader <- db.Read(ctx, func(*Conn) error {
				close(running)
				<-db.Closing()
				return nil
			})
		}()
		<-running
		waiting := make(chan error, 1)
		go func() { waiting <- db.Read(ctx, func(*Conn) error { return errTest }) }()
		giveUp(t, "beside it", func(ctx context.Context) error { return db.Read(ctx, func(*Conn) error { return nil }) })
		checkError(t, "Close", db.Close(), nil)
		checkError(t, "running read", <-reader, nil)
		checkError(t, "waiting read", <-waiting, ErrClosed)
	})
}

// Not parallel, so that nothing else starts or ends goroutines.
func TestCloseEndsGoroutines(t *testing.T) {
	paths := map[string]string{"file": newFile(t), "memory": Memory}
	for name, path := range paths {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			for range 5 {
				db := openStore(t, testConfig(path))
				err := atOnce(8, func(int) error {
					if err := db.Write(context.Background(), func(*Tx) error { return nil }); err != nil {
						return err
					}
					return db.Read(context.Background(), func(*Conn) error { return nil })
				})
				checkError(t, "use", errors.Join(err, db.Close()), nil)
			}
			if !goroutinesFallTo(before) {
				t.Errorf("goroutines: got %d, want %d", runtime.NumGoroutine(), before)
			}
		})
	}
}

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

// childStayOpen reads, and closes on a signal from its parent.
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

// A reader in a transaction pins the log. Close gives up on it, and the last store to
// close empties it.
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
	checkRefused(t, cfg, ErrOldFormat)
}
