package engine

import (
	"errors"
	"fmt"
	"strings"
)

// Tx is the transaction an operation runs in. Its reads see the writes of earlier
// operations in the same group.
type Tx struct {
	*Conn
	group Group
	wrote bool  // the running operation has changed, or may have changed, the file
	cause error // what made SQLite roll the transaction back

	before int64 // rows changed before the transaction
}

// Group returns the state shared by the operations of this transaction.
func (tx *Tx) Group() Group { return tx.group }

// Part runs a part of an operation, and reports whether that part has changed the file,
// or may have.
func (tx *Tx) Part(f func() error) (wrote bool, err error) {
	before := tx.wrote
	tx.wrote = false
	err = f()
	wrote, tx.wrote = tx.wrote, tx.wrote || before
	return wrote, err
}

// Exec is [Conn.Exec], and remembers that the operation has written.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if err := tx.Standing(); err != nil {
		return 0, err // outside a transaction it would commit by itself
	}
	n, err := tx.Conn.Exec(query, args...)
	// Of other statements, such as a CREATE, the count says nothing.
	if n != 0 || err != nil || !begins(query, "INSERT", "UPDATE", "DELETE", "REPLACE") {
		tx.wrote = true
	}
	tx.note(err)
	return n, err
}

// begins reports whether query begins with one of verbs.
func begins(query string, verbs ...string) bool {
	query = strings.TrimLeft(query, " \t\n")
	for _, verb := range verbs {
		if strings.HasPrefix(query, verb) {
			return true
		}
	}
	return false
}

// Query is [Conn.Query], and takes whatever does not begin with SELECT for a write.
func (tx *Tx) Query(query string, args []any, each func(Row) error) error {
	if err := tx.Standing(); err != nil {
		return err
	}
	tx.wrote = tx.wrote || !begins(query, "SELECT")
	err := tx.Conn.Query(query, args, each)
	tx.note(err)
	return err
}

// QueryRow is [Conn.QueryRow], and takes what [Tx.Query] takes for a write.
func (tx *Tx) QueryRow(query string, args []any, scan func(Row)) (found bool, err error) {
	if err := tx.Standing(); err != nil {
		return false, err
	}
	tx.wrote = tx.wrote || !begins(query, "SELECT")
	found, err = tx.Conn.QueryRow(query, args, scan)
	tx.note(err)
	return found, err
}

// Insert runs an INSERT … RETURNING of one integer, and remembers that the
// operation has written.
func (tx *Tx) Insert(query string, args ...any) (num int64, err error) {
	err = tx.Query(query, args, func(r Row) error { num = r.Int(0); return nil })
	return num, err
}

var errRolledBack = errors.New("the transaction was rolled back by SQLite")

// note remembers the error with which SQLite rolled the transaction back.
func (tx *Tx) note(err error) {
	if tx.rolledBack {
		tx.cause = err
	}
}

// Standing returns nil while the transaction stands, and otherwise what made SQLite
// roll it back.
func (tx *Tx) Standing() error {
	switch {
	case !tx.rolledBack:
		return nil
	case tx.cause == nil:
		return errRolledBack
	}
	return fmt.Errorf("%w: %w", errRolledBack, tx.cause)
}

// Savepoint runs f, and takes back its writes if it fails: for an operation
// that learns only after its first write that it must not happen.
func (tx *Tx) Savepoint(f func() error) error {
	if err := tx.Standing(); err != nil {
		return err // outside a transaction it would begin one
	}
	if _, err := tx.Conn.Exec("SAVEPOINT op"); err != nil {
		return err
	}
	before := tx.wrote
	err := f()
	if err == nil {
		err = tx.Standing()
	}
	if err == nil {
		_, err = tx.Conn.Exec("RELEASE op")
		return err
	}
	if tx.rolledBack {
		return err // SQLite took the whole transaction back; the writer handles that
	}
	if _, e := tx.Conn.Exec("ROLLBACK TO op"); e != nil {
		return errors.Join(err, e)
	}
	if _, e := tx.Conn.Exec("RELEASE op"); e != nil {
		return errors.Join(err, e)
	}
	tx.wrote = before
	return err
}
