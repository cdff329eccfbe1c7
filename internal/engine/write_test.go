package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
)

// Every group of operations runs as: put a, the operation in question, put z.
func TestWriteHarmsNoNeighbour(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		op   func(*Tx) error
		want error    // what op gets
		keys []string // what is there afterwards
		runs int64    // how often the neighbour before it runs at most
	}{
		{
			name: "success",
			op:   put("op"),
			keys: []string{"a", "op", "z"},
			runs: 1,
		},
		{
			name: "failure before a write",
			op: func(tx *Tx) error {
				if _, err := tx.QueryRow("SELECT k FROM item WHERE k = 'a'", nil, nil); err != nil {
					return err
				}
				return errTest
			},
			want: errTest,
			keys: []string{"a", "z"},
			runs: 1,
		},
		{
			name: "failure after a write that changed nothing",
			op: func(tx *Tx) error {
				if n, err := tx.Exec("UPDATE item SET v = 'v' WHERE k = 'none'"); n != 0 || err != nil {
					return fmt.Errorf("got %d rows, %w", n, err)
				}
				return errTest
			},
			want: errTest,
			keys: []string{"a", "z"},
			runs: 1,
		},
		{
			name: "failure after a write",
			op:   func(tx *Tx) error { return errors.Join(insert(tx, "op"), errTest) },
			want: errTest,
			keys: []string{"a", "z"},
			runs: 2,
		},
		{
			name: "failure after a change of another's write",
			op: func(tx *Tx) error {
				_, err := tx.Exec("UPDATE item SET k = 'changed' WHERE k = 'a'")
				return errors.Join(err, errTest)
			},
			want: errTest,
			keys: []string{"a", "z"},
			runs: 2,
		},
		{
			name: "failure after a write that returns rows",
			op: func(tx *Tx) error {
				_, err := tx.QueryRow("INSERT INTO item VALUES ('op', NULL) RETURNING k", nil, nil)
				return errors.Join(err, errTest)
			},
			want: errTest,
			keys: []string{"a", "z"},
			runs: 2,
		},
		{
			name: "failure after a query that writes",
			op: func(tx *Tx) error {
				err := tx.Query("DELETE FROM item WHERE k = 'a' RETURNING k", nil, func(Row) error { return nil })
				return errors.Join(err, errTest)
			},
			want: errTest,
			keys: []string{"a", "z"},
			runs: 2,
		},
		{
			name: "failure after a change of the schema",
			op: func(tx *Tx) error {
				_, none := tx.Exec("DELETE FROM item WHERE k = 'none'") // SQLite's count is 0 now
				_, err := tx.Exec("CREATE TABLE op (k)")
				return errors.Join(none, err, errTest)
			},
			want: errTest,
			keys: []string{"a", "z"},
			runs: 2,
		},
		{
			name: "rollback by the operation itself",
			op: func(tx *Tx) error {
				_, err := tx.Exec("ROLLBACK")
				return err
			},
			want: errRolledBack,
			keys: []string{"a", "z"},
			runs: 2,
		},
		{
			name: "failing statement",
			op:   put("a"), // a duplicate
			want: errAny,
			keys: []string{"a", "z"},
			runs: 2,
		},
		{
			name: "panic before a write",
			op:   func(*Tx) error { panic("test panic") },
			want: errAny,
			keys: []string{"a", "z"},
			runs: 2,
		},
		{
			name: "panic after a write",
			op: func(tx *Tx) error {
				if err := insert(tx, "op"); err != nil {
					return err
				}
				panic("test panic")
			},
			want: errAny,
			keys: []string{"a", "z"},
			runs: 2,
		},
		{
			name: "panic between rows",
			op: func(tx *Tx) error {
				return tx.Query("SELECT k FROM item", nil, func(Row) error { panic("test panic") })
			},
			want: errAny,
			keys: []string{"a", "z"},
			runs: 2,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				db := openStore(t, cfg)
				var runs atomic.Int64
				first := func(tx *Tx) error { runs.Add(1); return insert(tx, "a") }
				errs := together(db, first, test.op, put("z"))
				checkError(t, "before", errs[0], nil)
				checkError(t, "operation", errs[1], test.want)
				checkError(t, "after", errs[2], nil)
				if got := keys(t, db); !slices.Equal(got, test.keys) {
					t.Errorf("keys: got %q, want %q", got, test.keys)
				}
				if got := runs.Load(); got < 1 || got > test.runs {
					t.Errorf("runs of the operation before: got %d, want at most %d", got, test.runs)
				}
				if got := column(t, db, "SELECT name FROM sqlite_schema WHERE name = 'op'"); len(got) > 0 {
					t.Errorf("tables: got %q, want none", got)
				}
				mustPut(t, db, "later")
			})
		})
	}
}

// Operations of one goroutine run in the order it starts them, whatever becomes
// of some.
func TestWriteOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		op   func(tx *Tx, i int) error // what every seventh does after its write
	}{
		{"all succeed", func(*Tx, int) error { return nil }},
		{"some fail after a write", func(*Tx, int) error { return errTest }},
		{"some are taken back to a savepoint", func(tx *Tx, i int) error {
			return takeBack(tx, func() error { return logRun(tx, -i) })
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				db := openStore(t, cfg)
				var pending []*Pending
				for i := range 100 {
					pending = append(pending, db.Start(context.Background(), func(tx *Tx) error {
						if err := logRun(tx, i); err != nil || i%7 != 0 {
							return err
						}
						return test.op(tx, i)
					}))
				}
				var want []string
				for i, p := range pending {
					if err := p.Wait(); err == nil {
						want = append(want, strconv.Itoa(i))
					} else {
						checkError(t, fmt.Sprintf("operation %d", i), err, errTest)
					}
				}
				if got := column(t, db, "SELECT k FROM log ORDER BY id"); !slices.Equal(got, want) {
					t.Errorf("log: got %q, want %q", got, want)
				}
			})
		})
	}
}

// logRun appends a number to the log.
func logRun(tx *Tx, i int) error {
	_, err := tx.Exec("INSERT INTO log (k) VALUES (?)", strconv.Itoa(i))
	return err
}

// An operation sees the writes of earlier operations in its group.
func TestWriteSeesItsGroup(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		var found bool
		errs := together(db, put("a"), func(tx *Tx) (err error) {
			found, err = tx.QueryRow("SELECT 1 FROM item WHERE k = ?", []any{"a"}, nil)
			return err
		})
		if err := errors.Join(errs...); err != nil || !found {
			t.Errorf("item found: got %t, %v, want true", found, err)
		}
	})
}

func TestInsert(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		for want := int64(1); want <= 3; want++ {
			var got int64
			err := db.Write(context.Background(), func(tx *Tx) (err error) {
				got, err = tx.Insert("INSERT INTO log (k) VALUES (?) RETURNING id", "a")
				return err
			})
			if err != nil || got != want {
				t.Errorf("Insert: got %d, %v, want %d", got, err, want)
			}
		}
	})
}

func TestWriteReadOnlyStore(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	cfg.ReadOnly = true
	db := openStore(t, cfg)
	checkError(t, "Write", db.Write(context.Background(), put("a")), ErrReadOnly)
	checkError(t, "Start", db.Start(context.Background(), put("a")).Wait(), ErrReadOnly)
}

func TestSavepoint(t *testing.T) {
	t.Parallel()
	save := func(tx *Tx, key string, err error) error {
		return tx.Savepoint(func() error { return errors.Join(insert(tx, key), err) })
	}
	tests := []struct {
		name string
		op   func(*Tx) error
		want error
		keys []string
	}{
		{
			"kept",
			func(tx *Tx) error { return save(tx, "b", nil) },
			nil, []string{"a", "b", "z"},
		},
		{
			"taken back, operation continues",
			func(tx *Tx) error {
				err := takeBack(tx, func() error { return insert(tx, "b") })
				return errors.Join(err, insert(tx, "c"))
			},
			nil, []string{"a", "c", "z"},
		},
		{
			"taken back, operation fails",
			func(tx *Tx) error { return save(tx, "b", errTest) },
			errTest, []string{"a", "z"},
		},
		{
			"write before it kept",
			func(tx *Tx) error {
				err := insert(tx, "b")
				return errors.Join(err, takeBack(tx, func() error { return insert(tx, "c") }))
			},
			nil, []string{"a", "b", "z"},
		},
		{
			"write before it, operation fails",
			func(tx *Tx) error { return errors.Join(insert(tx, "b"), save(tx, "c", errTest)) },
			errTest, []string{"a", "z"},
		},
		{
			"inner taken back, outer kept",
			func(tx *Tx) error {
				return tx.Savepoint(func() error {
					err := takeBack(tx, func() error { return insert(tx, "b") })
					return errors.Join(err, insert(tx, "c"))
				})
			},
			nil, []string{"a", "c", "z"},
		},
		{
			"inner kept, outer taken back",
			func(tx *Tx) error {
				return tx.Savepoint(func() error { return errors.Join(save(tx, "b", nil), errTest) })
			},
			errTest, []string{"a", "z"},
		},
		{
			"panic in it",
			func(tx *Tx) error {
				return tx.Savepoint(func() error {
					if err := insert(tx, "b"); err != nil {
						return err
					}
					panic("test panic")
				})
			},
			errAny, []string{"a", "z"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				db := openStore(t, cfg)
				errs := together(db, put("a"), test.op, put("z"))
				checkError(t, "before", errs[0], nil)
				checkError(t, "operation", errs[1], test.want)
				checkError(t, "after", errs[2], nil)
				if got := keys(t, db); !slices.Equal(got, test.keys) {
					t.Errorf("keys: got %q, want %q", got, test.keys)
				}
			})
		})
	}
}

// takeBack runs f in a savepoint that it then makes fail, and continues.
func takeBack(tx *Tx, f func() error) error {
	err := tx.Savepoint(func() error { return errors.Join(f(), errTest) })
	if !errors.Is(err, errTest) {
		return fmt.Errorf("Savepoint: got error %v, want %v", err, errTest)
	}
	return nil
}

// A failure that a savepoint took back has changed nothing, so the neighbours
// need not run again.
func TestSavepointSparesNeighbours(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	runs := 0
	errs := together(db,
		func(tx *Tx) error { runs++; return insert(tx, "a") },
		func(tx *Tx) error {
			return tx.Savepoint(func() error { return errors.Join(insert(tx, "b"), errTest) })
		})
	checkError(t, "before", errs[0], nil)
	checkError(t, "operation", errs[1], errTest)
	if runs != 1 {
		t.Errorf("runs of the operation before: got %d, want 1", runs)
	}
}

// A part of an operation reports its own writes, and leaves those of the whole noted.
func TestPart(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	refused := errors.New("refused")
	err := db.Write(context.Background(), func(tx *Tx) error {
		read := func() error { _, err := tx.QueryRow("SELECT 1 FROM sqlite_schema", nil, nil); return err }
		exec := func(statement string) func() error {
			return func() error { _, err := tx.Exec(statement); return err }
		}
		for _, part := range []struct {
			name string
			do   func() error
			want bool
		}{
			{"read", read, false},
			{"create a table", exec("CREATE TABLE parts (n)"), true},
			{"read after a write", read, false},
			{"delete nothing", exec("DELETE FROM parts"), false},
			{"insert", exec("INSERT INTO parts VALUES (1)"), true},
		} {
			wrote, err := tx.Part(func() error { return errors.Join(part.do(), refused) })
			if !errors.Is(err, refused) {
				t.Errorf("%s: got error %v, want that of the part", part.name, err)
			}
			if wrote != part.want {
				t.Errorf("%s: wrote: got %t, want %t", part.name, wrote, part.want)
			}
		}
		if !tx.wrote {
			t.Error("the operation: wrote: got false, want true")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
