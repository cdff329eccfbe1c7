package engine

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// A group ends when nothing is waiting, or at one of these bounds, so that the
// first caller in it is not kept for the sake of the last.
const (
	maxGroupOps  = 512
	maxGroupTime = 20 * time.Millisecond
)

// commitGroup runs the waiting operations, commits, and gives every caller its result.
func (w *writer) commitGroup(tx *Tx) {
	start := time.Now()
	w.group = w.group[:0]
	late := w.crowded
	for len(w.group) < maxGroupOps {
		p := w.next()
		if p == nil && late {
			// Callers of the last commit may be about to write again. Letting them run
			// first costs little, and makes for fewer, larger commits.
			late = false
			runtime.Gosched()
			p = w.next()
		}
		if p == nil {
			break
		}
		w.group = append(w.group, p)
		p.err = w.run(tx, p)
		if tx.rolledBack || p.err != nil && tx.wrote {
			w.redo(tx)
			return
		}
		if time.Since(start) > maxGroupTime {
			break
		}
	}
	if err := w.settle(tx); err != nil {
		w.redo(tx)
		return
	}
	err := w.commit(tx)
	w.crowded = len(w.group) > 1 || w.waiting()
	for i, p := range w.group {
		if err != nil {
			p.err = err // also of failed operations: the data they saw is gone
		}
		p.crowded = w.crowded
		p.finish(p.err)
		w.group[i] = nil
	}
}

// redo takes the transaction back and gives each of its operations one of its
// own, so that one does not affect the others.
func (w *writer) redo(tx *Tx) {
	w.rollback(tx.Conn)
	for i, p := range w.group {
		p.finish(w.alone(tx.Conn, p))
		w.group[i] = nil
	}
}

// alone runs one operation in a transaction of its own.
func (w *writer) alone(conn *Conn, p *Pending) error {
	if err := w.refused(); err != nil {
		return err
	}
	tx, err := w.begin(context.Background(), conn, func(now time.Time) bool { return now.Before(p.deadline) })
	if err != nil {
		return err
	}
	if tx == nil {
		return ErrBusy
	}
	err = w.run(tx, p)
	if err == nil {
		err = w.settle(tx)
	}
	if err != nil {
		w.rollback(conn)
		return err
	}
	return w.commit(tx)
}

// run runs one operation.
func (w *writer) run(tx *Tx, p *Pending) error {
	tx.wrote = false
	return guard(tx, p.run)
}

// settle writes the state that the group still owes the file. Only a transaction that still
// stands may be committed, even if a caller passed over the error that ended it.
func (w *writer) settle(tx *Tx) error {
	if tx.group != nil {
		if err := guard(tx, tx.group.BeforeCommit); err != nil {
			return err
		}
	}
	return tx.Standing()
}

// guard runs f. A panic in it is its own failure, not that of its neighbours.
func guard(tx *Tx, f func(*Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			tx.wrote = true
			err = fmt.Errorf("panic in an operation: %v\n%s", r, debug.Stack())
		}
	}()
	return f(tx)
}

// commit ends the transaction. If it fails the transaction is gone; unless the
// error says that it had no effect nobody can say whether it did, and the writer
// refuses all further work. A panic counts as such a failure: the connection is in the
// middle of a statement. The leader passes it on once its group has its verdict.
func (w *writer) commit(tx *Tx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			w.panicked = fmt.Sprintf("in a commit: %v\n%s", v, debug.Stack())
			w.stop(fmt.Errorf("a commit panicked: %v", v))
			err = unknown(fmt.Errorf("panic in a commit: %v", v))
		}
	}()
	err = w.end(tx)
	if err == nil {
		if err := w.db.vanished(); err != nil {
			w.stop(err)
			return unknown(err)
		}
		w.committed(tx)
		return nil
	}
	w.rollback(tx.Conn)
	if !lost(err) {
		return err
	}
	w.stop(fmt.Errorf("a commit failed: %v", err))
	return unknown(err)
}

// unknown returns the error of a commit that may or may not have taken effect.
func unknown(cause error) error {
	return fmt.Errorf("%w, reopen the store to see whether it took effect: %w", ErrOutcomeUnknown, cause)
}

// committed tells the group that its transaction is committed. A panic in it does
// not change that: the callers get their verdicts first, see lead.
func (w *writer) committed(tx *Tx) {
	defer func() {
		if v := recover(); v != nil {
			w.panicked = fmt.Sprintf("after a commit: %v\n%s", v, debug.Stack())
		}
	}()
	if tx.group != nil {
		tx.group.AfterCommit()
	}
	version, err := tx.raw.DataVersion()
	w.version, w.current = version, err == nil
}

// stop makes the writer refuse all further work, because of cause.
func (w *writer) stop(cause error) {
	w.mu.Lock()
	if w.refusal == nil {
		w.refusal = fmt.Errorf("%w until it is reopened: %w", ErrReadOnly, cause)
		close(w.stopped)
	}
	refusal := w.refusal
	w.mu.Unlock()
	w.refuseAll(refusal)
}

// rollback ends the transaction unless SQLite has already done so.
func (w *writer) rollback(conn *Conn) {
	if !conn.rolledBack {
		conn.Exec("ROLLBACK")
	}
}
