package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
)

// whenFull runs f while the file must not grow. SQLite then takes back the
// whole transaction of the first statement that needs another page.
func whenFull(tx *Tx, f func()) {
	tx.pragma("max_page_count = 1")
	defer tx.pragma("max_page_count = 1000000")
	f()
}

// overfill fails with ErrFull when the file must not grow.
func overfill(tx *Tx) error {
	_, err := tx.Exec("INSERT INTO item VALUES ('big', zeroblob(100000))")
	return err
}

// SQLite takes the whole transaction back, with what the operations before in
// the group wrote. Their neighbours do not notice, whatever the culprit makes
// of the error.
func TestFullFile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		op   func(*Tx) error // run while the file must not grow
	}{
		{"operation fails", overfill},
		{"operation has written before", func(tx *Tx) error {
			return errors.Join(insert(tx, "op"), overfill(tx))
		}},
		{"operation passes over the error", func(tx *Tx) error {
			overfill(tx)
			return nil
		}},
		{"operation writes on", func(tx *Tx) error {
			overfill(tx)
			return wantFull("Exec", insert(tx, "op"))
		}},
		{"operation writes on, for rows", func(tx *Tx) error {
			overfill(tx)
			_, rowErr := tx.QueryRow("INSERT INTO item VALUES ('row', NULL) RETURNING k", nil, nil)
			rowsErr := tx.Query("INSERT INTO item VALUES ('rows', NULL) RETURNING k", nil, func(Row) error { return nil })
			_, numErr := tx.Insert("INSERT INTO item VALUES ('num', NULL) RETURNING 1")
			return errors.Join(wantFull("QueryRow", rowErr), wantFull("Query", rowsErr), wantFull("Insert", numErr))
		}},
		{"operation opens a savepoint after it", func(tx *Tx) error {
			overfill(tx)
			return wantFull("Savepoint", tx.Savepoint(func() error { return insert(tx, "op") }))
		}},
		{"inside a savepoint", func(tx *Tx) error {
			return tx.Savepoint(func() error { return overfill(tx) })
		}},
		{"inside a savepoint that passes over it", func(tx *Tx) error {
			return wantFull("Savepoint", tx.Savepoint(func() error {
				overfill(tx)
				return nil
			}))
		}},
		{"operation passes over a savepoint's error", func(tx *Tx) error {
			for _, key := range []string{"one", "two", "three"} {
				tx.Savepoint(func() error { return errors.Join(insert(tx, key), overfill(tx)) })
			}
			return nil
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				db := openStore(t, cfg)
				var opErr error
				errs := together(db,
					put("a"),
					func(tx *Tx) (err error) {
						whenFull(tx, func() { err = test.op(tx) })
						opErr = err
						return err
					},
					put("y"),
					put("z"),
				)
				checkError(t, "before", errs[0], nil)
				checkError(t, "operation", errs[1], ErrFull)
				checkError(t, "after", errors.Join(errs[2:]...), nil)
				if opErr != nil {
					checkError(t, "what the operation returned", opErr, ErrFull)
				}
				if got, want := keys(t, db), []string{"a", "y", "z"}; !slices.Equal(got, want) {
					t.Errorf("keys: got %q, want %q", got, want)
				}
				mustPut(t, db, "later")
			})
		})
	}
}

// wantFull returns nil for ErrFull and another error for anything else.
func wantFull(what string, err error) error {
	if errors.Is(err, ErrFull) {
		return nil
	}
	return fmt.Errorf("%s: got error %v, want %v", what, err, ErrFull)
}

// The writes of a group before its commit can fill the file, too.
func TestFullFileBeforeCommit(t *testing.T) {
	t.Parallel()
	for _, returned := range []bool{true, false} {
		t.Run(fmt.Sprintf("error returned %t", returned), func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				cfg.NewGroup = func(bool) Group { return &fullGroup{returned: returned} }
				db := openStore(t, cfg)
				errs := together(db, put("a"), func(tx *Tx) error {
					tx.Group().(*fullGroup).full = true
					return insert(tx, "op")
				}, put("z"))
				checkError(t, "before", errs[0], nil)
				checkError(t, "operation", errs[1], ErrFull)
				checkError(t, "after", errs[2], nil)
				if got, want := keys(t, db), []string{"a", "z"}; !slices.Equal(got, want) {
					t.Errorf("keys: got %q, want %q", got, want)
				}
			})
		})
	}
}

// fullGroup overfills the file before its commit if an operation says so.
type fullGroup struct{ full, returned bool }

func (g *fullGroup) BeforeCommit(tx *Tx) (err error) {
	if g.full {
		whenFull(tx, func() { err = overfill(tx) })
	}
	if !g.returned {
		err = nil
	}
	return err
}

func (g *fullGroup) AfterCommit() {}

// A COMMIT that fails takes all of the group with it, also the verdicts of
// operations that had failed, and nothing outside the group.
func TestFailingCommit(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		committed := 0
		cfg.NewGroup = func(bool) Group {
			return &testGroup{committed: func([]string) { committed++ }}
		}
		db := openStore(t, cfg)
		var failing atomic.Bool
		failing.Store(true)
		err := db.Write(context.Background(), func(tx *Tx) error {
			tx.raw.OnCommit(failing.Load)
			return insert(tx, "first")
		})
		const constraint = 19 // SQLite's code for a commit that a hook refuses
		if got := primaryCode(err); got != constraint {
			t.Errorf("single operation: got error %v, want one of code %d", err, constraint)
		}
		for i, err := range together(db, put("a"), func(*Tx) error { return errTest }, put("z")) {
			if got := primaryCode(err); got != constraint {
				t.Errorf("operation %d: got error %v, want one of code %d", i, err, constraint)
			}
		}
		if got := keys(t, db); len(got) > 0 {
			t.Errorf("keys: got %q, want none", got)
		}
		if committed > 0 {
			t.Errorf("groups that saw a commit: got %d, want none", committed)
		}

		failing.Store(false)
		mustPut(t, db, "later")
		if got, want := keys(t, db), []string{"later"}; !slices.Equal(got, want) {
			t.Errorf("keys: got %q, want %q", got, want)
		}
	})
}
