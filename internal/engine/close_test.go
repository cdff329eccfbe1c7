package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

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
			conn = <-db.readers.idle
			db.readers.put(conn)
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

// Whatever Close meets, a write is acknowledged and there, or refused and not.
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
