package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestRow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value string // in SQL
		null  bool
		int   int64
		text  string
		bytes []byte
	}{
		{value: "NULL", null: true},
		{value: "0"},
		{value: "-9223372036854775808", int: -9223372036854775808},
		{value: "9223372036854775807", int: 9223372036854775807},
		{value: "1.5"}, // no accessor converts
		{value: "'7'", text: "7"},
		{value: "''"},
		{value: "'a' || char(0) || 'é'", text: "a\x00é"},
		{value: "x'00ff'", bytes: []byte{0, 255}},
		{value: "x''"},
	}
	db := newStore(t)
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			t.Parallel()
			found := false
			err := db.Read(context.Background(), func(c *Conn) (err error) {
				found, err = c.QueryRow("SELECT "+test.value, nil, func(r Row) {
					if got := r.Null(0); got != test.null {
						t.Errorf("Null: got %t, want %t", got, test.null)
					}
					if got := r.Int(0); got != test.int {
						t.Errorf("Int: got %d, want %d", got, test.int)
					}
					if got := r.Text(0); got != test.text {
						t.Errorf("Text: got %q, want %q", got, test.text)
					}
					if got := r.Bytes(0); !bytes.Equal(got, test.bytes) {
						t.Errorf("Bytes: got %x, want %x", got, test.bytes)
					}
				})
				return err
			})
			if err != nil || !found {
				t.Errorf("row found: got %t, %v, want true", found, err)
			}
		})
	}
}

// Arguments come back as they went in.
func TestArguments(t *testing.T) {
	t.Parallel()
	args := []any{nil, true, int64(-7), 1.5, "a\x00é", []byte{0, 255}, ""}
	want := []any{nil, int64(1), int64(-7), 1.5, "a\x00é", []byte{0, 255}, ""}
	db := newStore(t)
	err := db.Read(context.Background(), func(c *Conn) error {
		_, err := c.QueryRow("SELECT ?, ?, ?, ?, ?, ?, ?", args, func(r Row) {
			for i := range want {
				if got := fmt.Sprintf("%#v", r[i].Any()); got != fmt.Sprintf("%#v", want[i]) {
					t.Errorf("argument %d: got %s, want %#v", i, got, want[i])
				}
			}
		})
		return err
	})
	checkError(t, "Read", err, nil)
}

// A value taken from a row outlives it.
func TestRowValuesAreCopies(t *testing.T) {
	t.Parallel()
	var texts []string
	var blobs [][]byte
	err := newStore(t).Read(context.Background(), func(c *Conn) error {
		return c.Query("SELECT 'one', x'01' UNION ALL SELECT 'two', x'02'", nil, func(r Row) error {
			texts, blobs = append(texts, r.Text(0)), append(blobs, r.Bytes(1))
			return nil
		})
	})
	checkError(t, "Read", err, nil)
	if want := []string{"one", "two"}; !slices.Equal(texts, want) {
		t.Errorf("texts: got %q, want %q", texts, want)
	}
	if want := [][]byte{{1}, {2}}; !slices.EqualFunc(blobs, want, bytes.Equal) {
		t.Errorf("blobs: got %x, want %x", blobs, want)
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	const three = "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3"
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		err := db.Read(context.Background(), func(c *Conn) error {
			for range 2 { // the second time with the prepared statement
				rows := 0
				err := c.Query(three, nil, func(r Row) error {
					if rows++; rows == 2 {
						return errTest
					}
					return nil
				})
				checkError(t, "Query", err, errTest)
				if rows != 2 {
					t.Errorf("rows before the error: got %d, want 2", rows)
				}

				var first int64
				found, err := c.QueryRow(three, nil, func(r Row) { first = r.Int(0) })
				if err != nil || !found || first != 1 {
					t.Errorf("QueryRow: got %d, %t, %v, want 1, true", first, found, err)
				}
				found, err = c.QueryRow(three+" LIMIT 0", nil, func(Row) { t.Error("row: got one, want none") })
				if err != nil || found {
					t.Errorf("QueryRow without rows: got %t, %v, want false", found, err)
				}
				_, err = c.QueryRow("SELECT nonsense", nil, nil)
				checkError(t, "QueryRow of nonsense", err, errAny)
			}
			return errTest
		})
		checkError(t, "Read", err, errTest)
	})
}

// A statement left open would keep the log from being emptied.
func TestReadLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	mustPut(t, db, "a")
	mustPut(t, db, "b")
	ctx := context.Background()
	err := db.Read(ctx, func(c *Conn) error {
		return c.Query("SELECT k FROM item", nil, func(Row) error { return errTest })
	})
	checkError(t, "Read", err, errTest)
	var busy, log, moved int
	row := foreign(t, db.cfg.Path).QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := row.Scan(&busy, &log, &moved); err != nil || busy != 0 {
		t.Errorf("checkpoint: got busy %d, %v, want 0", busy, err)
	}
}

// After a write has returned, every connection sees it.
func TestReadSeesAcknowledgedWrites(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		err := atOnce(8, func(g int) error {
			for i := range 25 {
				key := fmt.Sprintf("%d-%d", g, i)
				if err := db.Write(context.Background(), put(key)); err != nil {
					return err
				}
				err := db.Read(context.Background(), func(c *Conn) error {
					found, err := c.QueryRow("SELECT 1 FROM item WHERE k = ?", []any{key}, nil)
					if err == nil && !found {
						err = fmt.Errorf("%s: got none, want it found", key)
					}
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		checkError(t, "read after write", err, nil)
	})
}

func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	for _, statement := range []string{
		"INSERT INTO item VALUES ('b', NULL)",
		"INSERT INTO item VALUES ('b', NULL) RETURNING k",
		"UPDATE counter SET n = 1",
		"CREATE TABLE t (a)",
		"PRAGMA user_version = 7",
	} {
		t.Run(statement, func(t *testing.T) {
			t.Parallel()
			err := db.Read(context.Background(), func(c *Conn) error {
				_, err := c.Exec(statement)
				return err
			})
			checkError(t, "Exec", err, ErrReadOnly)
		})
	}
}

// Config bounds how many reads of a kind run at once.
func TestReadsAreBounded(t *testing.T) {
	t.Parallel()
	const most, reads = 3, 12
	kinds := map[string]func(*DB, func() error) error{
		"Read": func(db *DB, f func() error) error {
			return db.Read(context.Background(), func(*Conn) error { return f() })
		},
		"ReadLong": readLong,
	}
	for name, read := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newFile(t))
			cfg.Readers, cfg.LongReads = most, most
			db := openStore(t, cfg)
			var inside atomic.Int64
			entered, leave := make(chan int64, reads), make(chan struct{})
			done := make(chan error, 1)
			go func() {
				done <- atOnce(reads, func(int) error {
					return read(db, func() error {
						entered <- inside.Add(1)
						<-leave
						inside.Add(-1)
						return nil
					})
				})
			}()
			for range most {
				<-entered // without anyone having left
			}
			for range reads {
				leave <- struct{}{}
			}
			checkError(t, name, <-done, nil)
			close(entered)
			for got := range entered {
				if got > most {
					t.Errorf("reads at once: got %d, want at most %d", got, most)
				}
			}
		})
	}
}

func readLong(db *DB, f func() error) error {
	return db.ReadLong(context.Background(), func(context.Context, *Conn) error { return f() })
}

// Short reads, and those aside, continue however many long reads run and wait. Those
// that wait end with their context or with the database.
func TestShortReadsBesideLongReads(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	cfg.Readers, cfg.LongReads = 1, 2
	db := openStore(t, cfg)
	mustPut(t, db, "a")
	entered, leave := make(chan struct{}, cfg.LongReads), make(chan struct{})
	running := make(chan error, 1)
	go func() {
		running <- atOnce(cfg.LongReads, func(int) error {
			return readLong(db, func() error { entered <- struct{}{}; <-leave; return nil })
		})
	}()
	for range cfg.LongReads {
		<-entered
	}
	waiting := make(chan error, 1)
	go func() {
		waiting <- atOnce(8, func(int) error {
			err := readLong(db, func() error { return errTest })
			if errors.Is(err, ErrClosed) {
				err = nil
			}
			return err
		})
	}()
	giveUp(t, "a long read too many", func(ctx context.Context) error {
		return db.ReadLong(ctx, func(context.Context, *Conn) error { return errTest })
	})
	if got, want := keys(t, db), []string{"a"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
	mustPut(t, db, "b")
	aside := db.ReadAside(context.Background(), func(context.Context, *Conn) error { return errTest })
	checkError(t, "ReadAside", aside, errTest)

	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	checkError(t, "waiting long reads", <-waiting, nil)
	close(leave)
	checkError(t, "running long reads", <-running, nil)
	checkError(t, "Close", <-closed, nil)
}

func TestContextEndsWhileWaitingToRead(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		cfg.Readers = 1
		db := openStore(t, cfg)
		err := db.Read(context.Background(), func(*Conn) error {
			ctx, cancel := context.WithTimeout(context.Background(), brief)
			defer cancel()
			verdict := make(chan error)
			go func() { verdict <- db.Read(ctx, func(*Conn) error { return nil }) }()
			return <-verdict
		})
		checkError(t, "Read", err, context.DeadlineExceeded)
		keys(t, db) // the connection is back
	})
}

// The panic is the caller's, the connection is not.
func TestReadPanics(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		cfg.Readers = 1
		db := openStore(t, cfg)
		mustPut(t, db, "a")
		func() {
			defer func() {
				if got := recover(); got != errTest {
					t.Errorf("panic: got %v, want %v", got, errTest)
				}
			}()
			db.Read(context.Background(), func(c *Conn) error {
				return c.Query("SELECT k FROM item", nil, func(Row) error { panic(errTest) })
			})
		}()
		if got, want := keys(t, db), []string{"a"}; !slices.Equal(got, want) {
			t.Errorf("keys: got %q, want %q", got, want)
		}
	})
}

// A read that finds the file busy is run again.
func TestReadAgain(t *testing.T) {
	t.Parallel()
	busy := fmt.Errorf("test: %w", ErrBusy)
	tests := []struct {
		name string
		run  func(db *DB, cancel func(), runs int) error
		want error
	}{
		{"free the third time", func(_ *DB, _ func(), runs int) error {
			if runs < 3 {
				return busy
			}
			return nil
		}, nil},
		{"then another error", func(_ *DB, _ func(), runs int) error {
			if runs < 3 {
				return busy
			}
			return errTest
		}, errTest},
		{"busy timeout", func(*DB, func(), int) error { return busy }, ErrBusy},
		{"context ends", func(_ *DB, cancel func(), _ int) error { cancel(); return busy }, context.Canceled},
		{"store closes", func(db *DB, _ func(), _ int) error {
			go db.Close()
			<-db.Closing()
			return busy
		}, ErrClosed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newFile(t))
			if test.want == ErrBusy {
				cfg.BusyTimeout = brief
			}
			db := openStore(t, cfg)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			runs := 0
			err := db.Read(ctx, func(*Conn) error { runs++; return test.run(db, cancel, runs) })
			checkError(t, "Read", err, test.want)
		})
	}
}

// A process that has the file for itself keeps readers out for a while.
func TestReadWhileLocked(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	cfg.ReadOnly, cfg.BusyTimeout = true, brief
	db := openStore(t, cfg)
	conn := foreign(t, cfg.Path)
	mustExec(t, conn, "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE")
	err := db.Read(context.Background(), func(c *Conn) error {
		_, err := c.QueryRow("SELECT k FROM item", nil, nil)
		return err
	})
	checkError(t, "locked", err, ErrBusy)
	_, err = Open(context.Background(), cfg)
	checkError(t, "Open", err, ErrBusy)
	ctx, cancel := context.WithTimeout(context.Background(), brief)
	defer cancel()
	cfg.BusyTimeout = time.Hour
	_, err = Open(ctx, cfg)
	checkError(t, "Open with a context", err, context.DeadlineExceeded)

	conn.Close()
	if got := keys(t, db); len(got) > 0 {
		t.Errorf("keys: got %q, want none", got)
	}
}

// The statements of a snapshot see one moment; those after it see the next.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	mustPut(t, db, "a")
	count := func(c *Conn) (n int64) {
		if _, err := c.QueryRow("SELECT count(*) FROM item", nil, func(r Row) { n = r.Int(0) }); err != nil {
			t.Error(err)
		}
		return n
	}
	err := db.Read(context.Background(), func(c *Conn) error {
		err := c.Snapshot(func() error {
			before := count(c)
			mustPut(t, db, "b")
			if after := count(c); before != 1 || after != 1 {
				t.Errorf("in a snapshot: got %d and %d items, want 1", before, after)
			}
			return errTest
		})
		checkError(t, "Snapshot", err, errTest)
		if got := count(c); got != 2 {
			t.Errorf("after the snapshot: got %d items, want 2", got)
		}
		return c.Snapshot(func() error { return nil })
	})
	checkError(t, "Read", err, nil)
}

// A snapshot is over even if it panics, so that the connection is good for the
// next, who in memory writes.
func TestSnapshotPanics(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		func() {
			defer func() { recover() }()
			db.Read(context.Background(), func(c *Conn) error { return c.Snapshot(func() error { panic("test") }) })
		}()
		mustPut(t, db, "a")
		if got := keys(t, db); !slices.Equal(got, []string{"a"}) {
			t.Errorf("keys: got %v, want a", got)
		}
	})
}

// forever is a query without an end, of one row.
const forever = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

// A long query ends when its context does, and the connection is as good as before.
func TestLongQueryIsCancelled(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		for _, inSnapshot := range []bool{false, true} {
			ctx, cancel := context.WithCancel(context.Background())
			err := db.ReadLong(ctx, func(ctx context.Context, c *Conn) error {
				long := func() error {
					cancel()
					return c.LongQuery(ctx, forever, nil, func(Row) error { return nil })
				}
				if inSnapshot {
					return c.Snapshot(long)
				}
				return long()
			})
			checkError(t, "ReadLong", err, context.Canceled)
		}
		mustPut(t, db, "a")
		if got := keys(t, db); !slices.Equal(got, []string{"a"}) {
			t.Errorf("keys: got %v, want a", got)
		}
	})
}

// Close interrupts a long query instead of waiting for it.
func TestCloseAmidLongQuery(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		closed := make(chan error)
		err := db.ReadLong(context.Background(), func(ctx context.Context, c *Conn) error {
			go func() { closed <- db.Close() }()
			return c.LongQuery(ctx, forever, nil, func(Row) error { return nil })
		})
		checkError(t, "ReadLong", err, ErrClosed)
		checkError(t, "Close", <-closed, nil)
	})
}
