package engine

import (
	"context"
	"errors"
)

// CommitHook stands between the writer and the disk, so that tests can decide
// the outcome of a commit. It is called with the write lock held, by one goroutine at
// a time, for each transaction that has changed anything. It calls commit once or
// not at all and returns the outcome for the writer: with an error that matches
// [ErrDisk] that nobody knows whether the commit took effect, with any other that
// it did not. Without commit the transaction is taken back.
type CommitHook func(commit func() error) error

// ErrDisk is for a CommitHook to return in place of an I/O error of SQLite's own.
var ErrDisk = errors.New("disk I/O error")

type hookKey struct{}

// WithCommitHook returns a context that makes Open use the hook. It travels with
// the context because other callers of Open have no use for it.
func WithCommitHook(ctx context.Context, hook CommitHook) context.Context {
	return context.WithValue(ctx, hookKey{}, hook)
}

// commitHook returns the hook that ctx holds, or nil.
func commitHook(ctx context.Context) CommitHook {
	hook, _ := ctx.Value(hookKey{}).(CommitHook)
	return hook
}

// end runs COMMIT, or has the hook do it.
func (w *writer) end(tx *Tx) error {
	commit := func() error {
		_, err := tx.Conn.Exec("COMMIT")
		return err
	}
	if w.db.hook == nil {
		return commit()
	}
	if tx.raw.TotalChanges() == tx.before {
		return commit() // it does not touch the disk
	}
	return w.db.hook(commit)
}

// lost reports whether err, that of a COMMIT, leaves its outcome unknown. SQLite
// reports some errors only after it has written the commit's last frame to the log,
// such as that of the fsync that follows; those that it can only meet before are
// listed here.
func lost(err error) bool {
	switch primaryCode(err) {
	case 0: // not SQLite's own
		return errors.Is(err, ErrDisk)
	case codeError, codeBusy, codeLocked, codeReadOnly, codeFull, codeTooBig, codeConstraint:
		return false
	}
	return true
}
