package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/bucketlite/bucketlite/internal/sqlite3"
)

// What SQLite refuses carries the error its result code stands for, and no other.
func TestClassify(t *testing.T) {
	t.Parallel()
	sentinels := []error{ErrBusy, ErrClosed, ErrCorrupt, ErrFull, ErrReadOnly, ErrTooLarge, ErrOutcomeUnknown, ErrNotAStore, ErrNewFormat, ErrOldFormat}
	tests := []struct {
		name string
		op   func(*Tx) error
		code int
		want error // nil: none of the sentinels
	}{
		{"too large", execute("SELECT zeroblob(2000000000)"), codeTooBig, ErrTooLarge},
		{"full", func(tx *Tx) (err error) {
			whenFull(tx, func() { err = overfill(tx) })
			return err
		}, codeFull, ErrFull},
		{"query only", func(tx *Tx) error {
			tx.pragma("query_only = 1")
			defer tx.pragma("query_only = 0")
			return insert(tx, "a")
		}, codeReadOnly, ErrReadOnly},
		{"duplicate", execute("INSERT INTO item VALUES ('a', NULL), ('a', NULL)"), 19, nil},
		{"syntax", execute("nonsense"), 1, nil},
		{"missing argument", execute("SELECT ?"), 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				err := openStore(t, cfg).Write(context.Background(), test.op)
				checkError(t, "Write", err, errAny)
				if got := primaryCode(err); got != test.code {
					t.Errorf("code: got %d, want %d", got, test.code)
				}
				checkOnly(t, err, test.want, sentinels)
			})
		})
	}
}

// checkOnly checks that err matches want and no other of sentinels.
func checkOnly(t *testing.T, err, want error, sentinels []error) {
	t.Helper()
	for _, sentinel := range sentinels {
		if sentinel == want {
			checkError(t, "error", err, want)
		} else if errors.Is(err, sentinel) {
			t.Errorf("error: got %v, want it not to be %v", err, sentinel)
		}
	}
}

// execute returns an operation that runs one statement.
func execute(statement string) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec(statement)
		return err
	}
}

// SQLITE_PROTOCOL says that others were in the way each time SQLite began to read the
// log. It takes a race of many processes, so its code is made up here.
func TestClassifyProtocol(t *testing.T) {
	t.Parallel()
	checkOnly(t, classify(&sqlite3.Error{Code: codeProtocol}), ErrBusy, []error{ErrBusy, ErrCorrupt, ErrReadOnly})
}
