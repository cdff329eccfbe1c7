package engine

import (
	"context"
	"errors"
	"sync/atomic"
)

// WaitOnce returns a context for a call that reads and writes more than once.
// When one of its operations has waited for another process during the whole busy
// timeout, and thus failed with [ErrBusy], the later ones fail with ErrBusy at
// once. So a call waits once for a lock that does not come free, not once for each
// operation; while the lock does come free in time, each operation may wait.
func WaitOnce(ctx context.Context) context.Context {
	if waitOf(ctx) != nil {
		return ctx
	}
	return context.WithValue(ctx, waitKey{}, new(callWait))
}

// HasWaited reports whether ctx is from [WaitOnce] and its operations fail with
// ErrBusy by now.
func HasWaited(ctx context.Context) bool { return waitOf(ctx).over() }

// callWait is the time for which the operations of a call may wait. A nil callWait
// is never over.
type callWait struct{ ended atomic.Bool }

type waitKey struct{}

func waitOf(ctx context.Context) *callWait {
	w, _ := ctx.Value(waitKey{}).(*callWait)
	return w
}

func (w *callWait) over() bool { return w != nil && w.ended.Load() }

// learn notes the verdict on an operation of the call.
func (w *callWait) learn(err error) {
	if w != nil && errors.Is(err, ErrBusy) {
		w.ended.Store(true)
	}
}
